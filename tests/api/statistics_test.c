/* SPDX-License-Identifier: MIT */
/* What SoftNdkQueryStatistics counts, against a raw peer that counts itself. */
#include <softndk.h>

#include <unistd.h>

#include "support/link.h"
#include "support/unit.h"

static SOFTNDK_STATISTICS statistics(struct consumer *c)
{
    SOFTNDK_STATISTICS s = {.Size = sizeof(s)};

    assert_ntstatus(SoftNdkQueryStatistics(c->adapter, &s), STATUS_SUCCESS);
    return s;
}

/* A completion may be seen a moment before its octets are counted. */
static SOFTNDK_STATISTICS wait_for_frames(struct consumer *c, ULONG64 in, ULONG64 out)
{
    SOFTNDK_STATISTICS s = statistics(c);

    for (int i = 0; i < CONSUMER_WAIT_MS && (s.RDMAInFrames < in || s.RDMAOutFrames < out); i++) {
        usleep(1000);
        s = statistics(c);
    }
    assert_int_equal(s.RDMAInFrames, in);
    assert_int_equal(s.RDMAOutFrames, out);
    return s;
}

static void frames_octets_and_calls_are_counted(void **state)
{
    (void)state;
    for (int role = LINK_PASSIVE; role <= LINK_ACTIVE; role++) {
        const struct link_how how = {.role = (enum link_role)role, .peer_flags = RAW_C};
        struct link k = link_open(&how);
        unsigned passive = role == LINK_PASSIVE;
        SOFTNDK_STATISTICS before = wait_for_frames(k.c, passive, !passive), s; /* the RTR */

        for (uint32_t i = 1; i <= 5; i++)
            link_check_send(&k, i);
        for (uint32_t i = 1; i <= 3; i++)
            link_check_receive(&k);
        s = wait_for_frames(k.c, passive + 3u, !passive + 5u);
        assert_int_equal(s.Accept, passive);
        assert_int_equal(s.Connect, !passive);
        assert_int_equal(s.ActiveConnection, 1);
        assert_int_equal(s.ConnectFailure + s.ConnectionError + s.CQError, 0);
        /* 2 + 18 + 9 + 3 + 4 octets each, and 2 + 18 + 20 + 0 + 4. */
        assert_int_equal(s.RDMAOutOctets - before.RDMAOutOctets, 5 * 36);
        assert_int_equal(s.RDMAInOctets - before.RDMAInOctets, 3 * 44);
        assert_true(s.TxSystemCalls - before.TxSystemCalls >= 5);
        assert_true(s.RxSystemCalls - before.RxSystemCalls >= 3);
        link_close(&k);
    }
}

static void a_terminate_is_counted_by_direction(void **state)
{
    (void)state;
    for (int received = 0; received < 2; received++) {
        struct link k = link_open(NULL);
        struct raw_fpdu f = received ? raw_terminate(0, 0, 0) : raw_send(9, "x", 1);
        SOFTNDK_STATISTICS s;

        raw_put(k.p, &f);
        if (!received)
            raw_expect_any_terminate(k.p);
        raw_expect_fin(k.p);
        endpoint_wait_disconnected(k.e);
        s = statistics(k.c);
        assert_int_equal(s.TerminatesReceived, received);
        assert_int_equal(s.TerminatesSent, !received);
        assert_int_equal(s.ConnectionError, 1);
        assert_int_equal(s.ActiveConnection, 0);
        link_close(&k);
    }
}

static void failures_are_counted(void **state)
{
    struct link k = link_begin(NULL);
    struct raw_frame f = link_frame(NULL);

    (void)state;
    f.key_octet = 3;
    raw_put_frame(k.p, &f);
    raw_expect_end(k.p);
    for (int i = 0; i < CONSUMER_WAIT_MS && statistics(k.c).ConnectFailure == 0; i++)
        usleep(1000);
    assert_int_equal(statistics(k.c).ConnectFailure, 1);
    assert_int_equal(statistics(k.c).ConnectionError, 0);
    link_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_octets_and_calls_are_counted),
        cmocka_unit_test(a_terminate_is_counted_by_direction),
        cmocka_unit_test(failures_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
