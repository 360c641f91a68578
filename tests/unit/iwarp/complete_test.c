/* SPDX-License-Identifier: MIT */
/* Every request completes exactly once, in order, and one of them says what went wrong. */
#include "unit/iwarp/raw_fpdu.h"

static const struct sp_options plain = {0};

/* Outstanding at the initiator: a Read (id 0, MSN 1) that keeps the rest from completing; a Write
 * of 64 octets to STag 0xABC00, TO 0x100; a Send, MSN 1; a Read of 8 octets, MSN 2; then, not yet
 * begun, a fenced Send and a Write. Ids 0 to 5. */
static struct stream_pair *outstanding(void)
{
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->a, 0, 64, MEM_LOCAL_READ | MEM_LOCAL_WRITE);

    sp_read(&p->a, 0, 0, sp_sge(m, 0, 8), 7, 0);
    sp_write(&p->a, 1, 0, sp_sge(m, 0, 64), 0xABC00, 0x100);
    sp_send(&p->a, 2, IW_WR_SILENT, 0, sp_sge(m, 0, 4));
    sp_read(&p->a, 3, 0, sp_sge(m, 0, 8), 8, 0);
    sp_send(&p->a, 4, IW_WR_READ_FENCE, 0, sp_sge(m, 0, 4));
    sp_write(&p->a, 5, 0, sp_sge(m, 0, 64), 0xABC00, 0x200);
    while (sp_transmit(p, &p->a) > 0)
        continue;
    assert_int_equal(p->a.dones, 0);
    sp_wire_drop(&p->ab, p->ab.n);
    return p;
}

/* A Terminate about the segment in `about`. */
static void deliver_terminate(struct stream_pair *p, uint8_t layer_type, uint8_t code,
    enum raw_back back, const struct raw_fpdu *about)
{
    static struct raw_fpdu t;

    raw_terminate(&t, layer_type, code, back, about, true);
    raw_deliver(&p->a, &t);
    (void)sp_receive(p, &p->a);
    assert_int_equal(iw_stream_state(&p->a.stream), IW_TERMINATED);
}

/* All in order, `culprit` with `status`, the others cancelled. [VRB-015] [VRB-016] [RDM-054] */
static void expect_flush(struct sp_end *e, size_t count, size_t culprit, enum sn_status status)
{
    assert_int_equal(e->dones, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(e->done[i].id, i);
        assert_int_equal(e->done[i].status, i == culprit ? status : SN_CANCELLED);
    }
}

/* The Terminate names a request, or nothing that is outstanding. */
static void blame(void **state)
{
    enum { OLDEST = 0, NOBODY = 99 };
    static const struct {
        const char *what;
        uint8_t ddp, rdmap;
        uint32_t stag_or_qn, msn;
        uint64_t to;
        enum raw_back back;
        uint8_t layer_type, code;
        size_t culprit;
        enum sn_status status;
    } cases[] = {
        {"the first Read", 0x41, 0x41, 1, 1, 0, BACK_READ, 0x01, 1, 0, SN_REMOTE_ACCESS},
        {"the second Read", 0x41, 0x41, 1, 2, 0, BACK_READ, 0x01, 2, 3, SN_REMOTE_ACCESS},
        {"the second Read, its MSN spoilt as siw does", 0x41, 0x41, 1, 1, 2ull << 32, BACK_READ,
            0x01, 0, 3, SN_REMOTE_ACCESS},
        {"a Read, but no protection", 0x41, 0x41, 1, 2, 0, BACK_DDP, 0x12, 3, 3, SN_REMOTE_ERROR},
        {"a Read that never was", 0x41, 0x41, 1, 3, 0, BACK_READ, 0x01, 1, OLDEST, SN_RESET},
        {"the Write", 0xC1, 0x40, 0xABC00, 0, 0x100, BACK_DDP, 0x11, 0, 1, SN_REMOTE_ERROR},
        {"the Write's last octet", 0xC1, 0x40, 0xABC00, 0, 0x13F, BACK_DDP, 0x11, 1, 1,
            SN_REMOTE_ERROR},
        {"behind the Write", 0xC1, 0x40, 0xABC00, 0, 0x140, BACK_DDP, 0x11, 1, OLDEST, SN_RESET},
        {"a Write not yet sent", 0xC1, 0x40, 0xABC00, 0, 0x200, BACK_DDP, 0x11, 0, OLDEST,
            SN_RESET},
        {"a Write as access error, as adapters say", 0xC1, 0x40, 0xABC00, 0, 0x100, BACK_DDP, 0x01,
            2, 1, SN_REMOTE_ACCESS},
        {"a response of ours", 0xC1, 0x42, 0xABC00, 0, 0x100, BACK_DDP, 0x11, 0, OLDEST, SN_RESET},
        {"the Send", 0x41, 0x43, 0, 1, 0, BACK_DDP, 0x12, 5, 2, SN_REMOTE_ERROR},
        {"a Send not yet sent", 0x41, 0x43, 0, 2, 0, BACK_DDP, 0x12, 5, OLDEST, SN_RESET},
        {"nothing", 0, 0, 0, 0, 0, BACK_NOTHING, 0x20, 2, OLDEST, SN_RESET},
    };
    static struct raw_fpdu about;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct stream_pair *p = outstanding();
        uint32_t pos = NOBODY;
        bool is_blamed;

        if ((cases[i].ddp & 0x80) != 0)
            raw_tagged(&about, cases[i].ddp, cases[i].rdmap, cases[i].stag_or_qn, cases[i].to);
        else if (cases[i].rdmap == 0x41)
            raw_read_request(&about, cases[i].msn, 0, cases[i].to, 8, 7, 0);
        else
            raw_untagged(
                &about, cases[i].ddp, cases[i].rdmap, 0, cases[i].stag_or_qn, cases[i].msn, 0);
        raw_end(&about, true);
        deliver_terminate(p, cases[i].layer_type, cases[i].code, cases[i].back, &about);
        is_blamed = iw_stream_blame(&p->a.stream, &pos);
        if (is_blamed != (cases[i].status != SN_RESET))
            fail_msg("%s: blamed %d, position %u", cases[i].what, is_blamed, pos);
        if (is_blamed)
            assert_int_equal(pos, cases[i].culprit);
        iw_flush(&p->a.stream, SN_RESET);
        expect_flush(&p->a, 6, cases[i].culprit, cases[i].status);
        iw_flush(&p->a.stream, SN_RESET); /* nothing is left */
        assert_int_equal(p->a.dones, 6);
        sp_destroy(p);
    }
}

/* A Send of which only a part went can be named, too. */
static void blame_message_in_progress(void **state)
{
    static struct raw_fpdu about;
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->a, 0, 9000, MEM_LOCAL_READ);
    uint32_t pos;

    (void)state;
    sp_send(&p->a, 0, 0, 0, sp_sge(m, 0, 4));
    sp_send(&p->a, 1, 0, 0, sp_sge(m, 0, 9000));
    p->write_max = 3000;
    (void)sp_transmit(p, &p->a);
    assert_int_equal(p->a.dones, 1);
    raw_untagged(&about, 0x01, 0x43, 0, 0, 2, 0);
    raw_end(&about, true);
    deliver_terminate(p, 0x12, 5, BACK_DDP, &about);
    assert_true(iw_stream_blame(&p->a.stream, &pos));
    assert_int_equal(pos, 1);
    iw_flush(&p->a.stream, SN_RESET);
    assert_int_equal(p->a.dones, 2);
    assert_int_equal(p->a.done[1].status, SN_REMOTE_ERROR);
    sp_destroy(p);
}

/* A Terminate that we sent blames nobody. */
static void own_terminate_blames_nobody(void **state)
{
    struct stream_pair *p = outstanding();
    uint32_t pos;

    (void)state;
    iw_fail(&p->a.stream, WIRE_LOCAL_CATASTROPHIC);
    assert_false(iw_stream_blame(&p->a.stream, &pos));
    iw_flush(&p->a.stream, SN_CANCELLED);
    expect_flush(&p->a, 6, 0, SN_CANCELLED);
    sp_destroy(p);
}

/* Flush of a working stream ends it: what it might still send would be of nobody. */
static void flush_kills(void **state)
{
    struct stream_pair *p = outstanding();

    (void)state;
    iw_flush(&p->a.stream, SN_CANCELLED);
    expect_flush(&p->a, 6, 0, SN_CANCELLED);
    assert_int_equal(iw_stream_state(&p->a.stream), IW_DEAD);
    sp_destroy(p);
}

/* What is posted after the failure is flushed by the next call, and never with an error of its own.
 * [VRB-017] */
static void late_posts(void **state)
{
    struct stream_pair *p = outstanding();

    (void)state;
    iw_kill(&p->a.stream);
    iw_flush(&p->a.stream, SN_RESET);
    sp_send(&p->a, 6, 0, 0, (struct iw_sge){0});
    iw_flush(&p->a.stream, SN_RESET);
    expect_flush(&p->a, 7, 0, SN_RESET);
    sp_destroy(p);
}

/* A request that failed by itself keeps its status; `first` is not given out then. [VRB-016] */
static void own_error_wins(void **state)
{
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->a, 0, 64, MEM_LOCAL_WRITE);

    (void)state;
    sp_read(&p->a, 0, 0, sp_sge(m, 0, 8), 7, 0);
    sp_send(&p->a, 1, 0, 0, (struct iw_sge){.addr = 0, .len = 4, .stag = 0x66600});
    sp_send(&p->a, 2, 0, 0, (struct iw_sge){0});
    while (sp_transmit(p, &p->a) > 0)
        continue;
    assert_int_equal(p->a.dones, 0); /* it waits for the Read */
    iw_flush(&p->a.stream, SN_RESET);
    expect_flush(&p->a, 3, 1, SN_NO_ACCESS);
    sp_destroy(p);
}

/* A Read whose response is wrong fails, and the Sends behind it, although long gone, do not succeed
 * any more. [RDM-038] [VRB-016] */
static void nothing_succeeds_behind_an_error(void **state)
{
    static struct raw_fpdu f;
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->a, 0, 64, MEM_LOCAL_WRITE);

    (void)state;
    sp_read(&p->a, 0, 0, sp_sge(m, 0, 8), 7, 0);
    sp_send(&p->a, 1, 0, 0, (struct iw_sge){0});
    sp_send(&p->a, 2, 0, 0, (struct iw_sge){0});
    while (sp_transmit(p, &p->a) > 0)
        continue;
    assert_int_equal(p->a.dones, 0); /* they wait for the Read */
    raw_tagged(&f, 0xC1, 0x42, p->a.stream.config.sink_stag, (uint64_t)1 << 32);
    raw_payload(&f, 9); /* one more than asked for */
    raw_end(&f, true);
    raw_deliver(&p->a, &f);
    (void)sp_receive(p, &p->a);
    assert_int_equal(p->a.dones, 1);
    assert_int_equal(p->a.done[0].status, SN_PROTOCOL);
    iw_flush(&p->a.stream, SN_RESET);
    expect_flush(&p->a, 3, 0, SN_PROTOCOL);
    sp_destroy(p);
}

/* The one real error was a receive's: the send queue is only cancelled. */
static void receive_error_counts(void **state)
{
    static struct raw_fpdu f;
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->b, 0, 64, MEM_LOCAL_WRITE);

    (void)state;
    sp_recv(&p->b, 1, sp_sge(m, 0, 4));
    sp_read(&p->b, 0, 0, sp_sge(m, 0, 8), 7, 0);
    (void)sp_transmit(p, &p->b);
    raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
    raw_payload(&f, 5);
    raw_end(&f, true);
    raw_deliver(&p->b, &f);
    (void)sp_receive(p, &p->b);
    iw_flush(&p->b.stream, SN_RESET);
    assert_int_equal(p->b.recv_done[0].status, SN_MSG_TOO_LONG);
    expect_flush(&p->b, 1, 0, SN_CANCELLED);
    sp_destroy(p);
}

/* A receive that holds a part of a message comes back. */
static void taken_receive_comes_back(void **state)
{
    static struct raw_fpdu f;
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *m = sp_region(p, &p->b, 0, 64, MEM_LOCAL_WRITE);

    (void)state;
    sp_recv(&p->b, 1, sp_sge(m, 0, 64));
    sp_recv(&p->b, 2, sp_sge(m, 0, 64));
    raw_untagged(&f, 0x01, 0x43, 0, 0, 1, 0);
    raw_payload(&f, 5);
    raw_end(&f, true);
    raw_deliver(&p->b, &f);
    (void)sp_receive(p, &p->b);
    iw_rx_end(&p->b.stream, false);
    iw_flush(&p->b.stream, SN_RESET);
    iw_flush(&p->b.stream, SN_RESET);
    assert_int_equal(p->b.recv_dones, 1); /* the other was never taken: not the core's */
    assert_int_equal(p->b.recv_done[0].id, 1);
    assert_int_equal(p->b.recv_done[0].status, SN_CANCELLED);
    sp_destroy(p);
}

/* A poster that sees the completion finds the slot free. */
static void post_from_completion(void *ctx, const struct iw_wr *wr, enum sn_status status)
{
    struct sp_end *e = ctx;

    sp_on_wr_done(ctx, wr, status);
    if (e->dones < 3 * (size_t)SP_DEPTH)
        sp_send(e, e->dones + SP_DEPTH - 1, 0, 0, (struct iw_sge){0});
}

static void slot_is_free_before_completion(void **state)
{
    struct stream_pair *p = sp_create_free(&plain);
    struct iw_stream_ops ops = sp_ops;

    (void)state;
    ops.wr_done = post_from_completion;
    p->a.stream.config.ops = &ops;
    for (uintptr_t i = 0; i < SP_DEPTH; i++)
        sp_send(&p->a, i, 0, 0, (struct iw_sge){0});
    while (sp_transmit(p, &p->a) > 0)
        continue;
    assert_int_equal(p->a.dones, 4 * SP_DEPTH - 1);
    for (size_t i = 0; i < p->a.dones; i++)
        assert_int_equal(p->a.done[i].id, i);
    sp_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blame),
        cmocka_unit_test(blame_message_in_progress),
        cmocka_unit_test(own_terminate_blames_nobody),
        cmocka_unit_test(flush_kills),
        cmocka_unit_test(late_posts),
        cmocka_unit_test(own_error_wins),
        cmocka_unit_test(nothing_succeeds_behind_an_error),
        cmocka_unit_test(receive_error_counts),
        cmocka_unit_test(taken_receive_comes_back),
        cmocka_unit_test(slot_is_free_before_completion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
