/* SPDX-License-Identifier: MIT */
/* Two adapters of ours connect and part: the calls of the consumer and what comes of them. */
#include "conn_pair.h"

static void connects_and_disconnects(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 1);
    establish(&p);
    disconnect_now(&p.a);
    await(&p, &p.b, NOTE_EVENT);
    disconnect_now(&p.b);
    await(&p, &p.a, NOTE_DISCONNECT);
    await(&p, &p.b, NOTE_DISCONNECT);
    assert_int_equal(p.a.status[NOTE_DISCONNECT], SN_OK);
    assert_int_equal(p.b.status[NOTE_DISCONNECT], SN_OK);
    assert_string_equal(p.a.log, "CKD");
    assert_string_equal(p.b.log, "LRAED");
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_disconnects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
