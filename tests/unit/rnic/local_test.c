/* SPDX-License-Identifier: MIT */
/* Which claims exclude each other. */
#include "rnic/local.h"

#include "unit/rnic/fixture.h"

static void what_excludes_what(void **state)
{
    static const struct plat_addr one = {.family = 4, .port = 4000, .ip = {127, 0, 0, 1}};
    static const struct {
        struct plat_addr addr;
        enum sn_status status;
    } others[] = {
        {{.family = 4, .port = 4000, .ip = {127, 0, 0, 1}}, SN_ADDRESS_IN_USE},
        {{.family = 4, .port = 4000, .ip = {0}}, SN_ADDRESS_IN_USE}, /* a wildcard covers it */
        {{.family = 4, .port = 4000, .ip = {127, 0, 0, 2}}, SN_OK},
        {{.family = 4, .port = 4001, .ip = {127, 0, 0, 1}}, SN_OK},
        {{.family = 4, .port = 4064, .ip = {127, 0, 0, 1}}, SN_OK}, /* the same bucket */
        {{.family = 6, .port = 4000, .ip = {0}}, SN_OK},
        {{.family = 6, .port = 4000, .ip = {127, 0, 0, 1}}, SN_OK},
    };
    struct fixture f;

    (void)state;
    fixture_open(&f, 1);
    for (size_t i = 0; i < SN_ARRAY_COUNT(others); i++) {
        for (int turned = 0; turned < 2; turned++) {
            struct rnic_local a = {0}, b = {0};
            const struct plat_addr *first = turned ? &others[i].addr : &one;
            const struct plat_addr *second = turned ? &one : &others[i].addr;

            assert_int_equal(rnic_local_claim(f.adapter, &a, first), SN_OK);
            assert_int_equal(rnic_local_claim(f.adapter, &b, second), others[i].status);
            assert_int_equal(b.is_claimed, others[i].status == SN_OK);
            rnic_local_release(f.adapter, &b);
            rnic_local_release(f.adapter, &b);
            rnic_local_release(f.adapter, &a);
            assert_int_equal(rnic_local_claim(f.adapter, &b, second), SN_OK);
            rnic_local_release(f.adapter, &b);
        }
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_excludes_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
