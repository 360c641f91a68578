/* SPDX-License-Identifier: MIT */
/*
 * A rejection on the consumer's thread against octets of the peer's in the lane: connector.c is
 * compiled in here with a hook where it builds the Reply, at which the world goes on. [MPA-012]
 */
#include "conn_raw.h"
#include "rnic/connector_impl.h"

static struct pair *going_on; /* while a Reply is built */

static void build_and_let_the_world_go_on(struct rnic_connector *c, const struct mpa_frame *f)
{
    if (going_on != NULL)
        settle_world(going_on);
    rnic_conn_build(c, f);
    if (going_on != NULL)
        settle_world(going_on);
}

#define rnic_conn_build build_and_let_the_world_go_on
#include "rnic/connector.c"
#undef rnic_conn_build

/* Octets of the peer's arrive while the Reply is being built: nothing is sent before it is whole.
 */
static void octets_while_a_reply_is_built(void **state)
{
    (void)state;
    for (int has_fin = 0; has_fin < 2; has_fin++) {
        const struct rnic_options o = test_options();
        struct mpa_frame reply;
        struct pair p;
        struct raw r;
        size_t n;

        pair_open_with(&p, 11, NULL, NULL, &o);
        raw_open(&r, &p);
        listen_on(&p, &p.b, PORT);
        forget(&p.b);
        raw_connect(&r, &p.b, PORT);
        raw_write_golden(&r, "E03");
        await(&p, &p.b, NOTE_ARRIVAL);
        raw_write(&r, "x", 1);
        if (has_fin)
            raw_fin(&r);
        going_on = &p;
        assert_int_equal(rnic_connector_reject(p.b.conn, "go away", 7), SN_OK);
        going_on = NULL;
        raw_await_over(&r);
        reply = raw_frame(&r, MPA_REPLY, &n);
        assert_true(reply.rejected);
        assert_int_equal(reply.private_len, 7);
        assert_memory_equal(reply.private_data, "go away", 7);
        assert_int_equal(r.rx_len, n); /* once */
        raw_close(&r);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(octets_while_a_reply_is_built)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
