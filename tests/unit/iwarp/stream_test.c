/* SPDX-License-Identifier: MIT */
/* A stream's life: gate, first FPDU, RTR, holding, closing, FIN, errors of our own. */
#include "support/golden.h"
#include "unit/iwarp/raw_fpdu.h"

static const struct sp_options plain = {0};

/* A Write and a Send, end to end, CRC on. [RDM-015] [RDM-017] */
static void write_then_send(void **state)
{
    struct stream_pair *p = sp_create(&plain);
    struct mem_region *src = sp_region(p, &p->a, 0x10000, 200000, MEM_LOCAL_READ);
    struct mem_region *dst =
        sp_region(p, &p->b, 0x900000, 200000, MEM_LOCAL_WRITE | MEM_REMOTE_WRITE);
    struct mem_region *inbox = sp_region(p, &p->b, 0, 4096, MEM_LOCAL_WRITE);

    (void)state;
    random_fill(&p->seed, src->host, 200000);
    sp_recv(&p->b, 7, sp_sge(inbox, 0, 4096));
    sp_write(&p->a, 1, 0, sp_sge(src, 0, 199999), mem_region_stag(dst), 0x900000);
    sp_send(&p->a, 2, IW_WR_SOLICITED, 0, sp_sge(src, 100, 64));
    sp_run(p);
    assert_int_equal(p->a.dones, 2);
    assert_int_equal(p->a.done[0].id, 1);
    assert_int_equal(p->a.done[1].id, 2);
    assert_int_equal(p->a.done[1].status, SN_OK);
    assert_int_equal(p->b.recv_dones, 1);
    assert_int_equal(p->b.recv_done[0].id, 7);
    assert_int_equal(p->b.recv_done[0].len, 64);
    assert_true(p->b.recv_done[0].is_solicited);
    assert_memory_equal(dst->host, src->host, 199999);
    assert_int_equal(dst->host[199999], 0);
    assert_memory_equal(inbox->host, src->host + 100, 64);
    assert_true(iw_is_idle(&p->a.stream) && iw_is_idle(&p->b.stream));
    sp_destroy(p);
}

static void send_empty(struct sp_end *e, uintptr_t id)
{
    sp_send(e, id, 0, 0, (struct iw_sge){0});
}

/* Nothing before the gate opens; a responder waits for the first FPDU as well.
 * [MPA-022] [MPA-023] [MPA-024] [MPA-051] */
static void gate_and_first_fpdu(void **state)
{
    static const struct sp_options markers = {.markers_ba = true};
    static struct raw_fpdu f;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct stream_pair *p = sp_create(i == 0 ? &plain : &markers);

        p->a.stream.is_gate_open = false;
        send_empty(&p->a, 1);
        send_empty(&p->b, 1);
        assert_false(iw_tx_has_work(&p->a.stream));
        assert_false(iw_tx_has_work(&p->b.stream));
        assert_int_equal(sp_transmit(p, &p->a), 0);
        assert_int_equal(sp_transmit(p, &p->b), 0);
        iw_open_gate(&p->a.stream);
        assert_true(iw_tx_has_work(&p->a.stream));
        raw_tagged(&f, 0xC1, 0x40, 0, 0);
        raw_end(&f, true);
        raw_deliver(&p->b, &f);
        (void)sp_receive(p, &p->b);
        assert_int_equal(p->b.first_fpdus, 1);
        assert_true(iw_tx_has_work(&p->b.stream));
        assert_true(sp_transmit(p, &p->b) > 0);
        raw_deliver(&p->b, &f);
        (void)sp_receive(p, &p->b);
        assert_int_equal(p->b.first_fpdus, 1);
        sp_destroy(p);
    }
}

/* Each kind of RTR goes first and alone, is seen by no consumer, and counts where it counts.
 * [ECE-017] [ECE-018] [ECE-020] [ECE-021] [ECE-022] */
static void each_rtr(void **state)
{
    static const struct {
        enum iw_rtr rtr;
        const uint8_t *golden;
        size_t n;
        uint32_t send_msn, read_msn;
    } kinds[] = {
        {IW_RTR_WRITE, golden_E09, sizeof(golden_E09), 1, 1},
        {IW_RTR_READ, NULL, 52, 1, 2},
        {IW_RTR_SEND, NULL, 24, 2, 1},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(kinds); i++) {
        const struct sp_options o = {.p2p = true, .rtr = kinds[i].rtr, .ord = 1, .ird = 1};
        struct stream_pair *p = sp_create(&o);
        struct mem_region *inbox = sp_region(p, &p->b, 0, 64, MEM_LOCAL_WRITE);

        p->b.stream.config.mpa.ird = 0;
        sp_recv(&p->b, 5, sp_sge(inbox, 0, 64));
        assert_true(iw_tx_has_work(&p->a.stream));
        assert_int_equal(sp_transmit(p, &p->a), kinds[i].n);
        if (kinds[i].golden != NULL)
            assert_memory_equal(p->ab.p, kinds[i].golden, kinds[i].n);
        assert_false(iw_tx_has_work(&p->a.stream));
        sp_run(p);
        assert_int_equal(p->b.first_fpdus, 1);
        assert_int_equal(p->a.dones + p->b.dones + p->a.recv_dones + p->b.recv_dones, 0);
        assert_int_equal(p->a.stream.tx.send_msn, kinds[i].send_msn);
        assert_int_equal(p->a.stream.tx.read_msn, kinds[i].read_msn);
        assert_true(iw_is_idle(&p->a.stream) && iw_is_idle(&p->b.stream));
        /* and what follows is ordinary */
        p->b.stream.config.mpa.ird = 1;
        send_empty(&p->a, 1);
        sp_read(&p->a, 2, 0, (struct iw_sge){0}, 0, 0);
        sp_run(p);
        assert_int_equal(p->b.recv_dones, 1);
        assert_int_equal(p->b.recv_done[0].id, 5);
        assert_int_equal(p->a.dones, 2);
        sp_destroy(p);
    }
}

/* The queue waits behind the RTR. [ECE-018] */
static void rtr_goes_first(void **state)
{
    static const struct sp_options o = {.p2p = true, .rtr = IW_RTR_WRITE};
    struct stream_pair *p = sp_create(&o);

    (void)state;
    send_empty(&p->a, 1);
    assert_int_equal(sp_transmit(p, &p->a), 20 + 24);
    assert_memory_equal(p->ab.p, golden_E09, 20);
    sp_destroy(p);
}

/* A Send is the RTR only if that was agreed, and only the first FPDU: otherwise it is a message.
 * [ECE-023] */
static void empty_send_as_message(void **state)
{
    static const struct {
        bool p2p;
        enum iw_rtr rtr;
        uint32_t len;
        size_t recv_dones;
    } cases[] = {
        {true, IW_RTR_SEND, 0, 0},
        {true, IW_RTR_SEND, 4, 1},
        {true, IW_RTR_WRITE, 0, 1},
        {false, IW_RTR_SEND, 0, 1},
    };
    static struct raw_fpdu f;

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        const struct sp_options o = {.p2p = cases[i].p2p, .rtr = cases[i].rtr};
        struct stream_pair *p = sp_create(&o);
        struct mem_region *inbox = sp_region(p, &p->b, 0, 64, MEM_LOCAL_WRITE);

        sp_recv(&p->b, 5, sp_sge(inbox, 0, 64));
        sp_recv(&p->b, 6, sp_sge(inbox, 0, 64));
        raw_untagged(&f, 0x41, 0x43, 0, 0, 1, 0);
        raw_payload(&f, cases[i].len);
        raw_end(&f, true);
        raw_deliver(&p->b, &f);
        (void)sp_receive(p, &p->b);
        assert_int_equal(p->b.recv_dones, cases[i].recv_dones);
        assert_int_equal(p->b.first_fpdus, 1);
        raw_untagged(&f, 0x41, 0x43, 0, 0, 2, 0);
        raw_end(&f, true);
        raw_deliver(&p->b, &f);
        (void)sp_receive(p, &p->b);
        assert_int_equal(p->b.recv_dones, cases[i].recv_dones + 1);
        sp_destroy(p);
    }
}

/* ---- holding ---- */

/* No receive is posted: reading stops, and goes on when one is. [DDP-023] */
static void held_and_resumed(void **state)
{
    (void)state;
    for (size_t read_max = 0; read_max < 60; read_max++) {
        struct stream_pair *p = sp_create(&plain);
        struct mem_region *src = sp_region(p, &p->a, 0, 3000, MEM_LOCAL_READ);
        struct mem_region *inbox = sp_region(p, &p->b, 0, 3000, MEM_LOCAL_WRITE);
        struct sn_span v[4];
        size_t scratch;

        random_fill(&p->seed, src->host, 3000);
        p->read_max = read_max;
        sp_send(&p->a, 1, 0, 0, sp_sge(src, 0, 3000));
        sp_send(&p->a, 2, 0, 0, sp_sge(src, 0, 5));
        sp_run(p);
        assert_true(iw_rx_is_held(&p->b.stream));
        assert_int_equal(p->b.recv_dones, 0);
        assert_int_equal(p->b.first_fpdus, 1); /* the consumer may post only after this */
        assert_int_equal(iw_rx_want(&p->b.stream, v, 4, 100, &scratch), 0);
        assert_int_equal(scratch, 0);
        assert_false(iw_rx_resume(&p->b.stream));
        assert_false(iw_is_idle(&p->b.stream));
        sp_recv(&p->b, 1, sp_sge(inbox, 0, 3000));
        sp_run(p);
        assert_int_equal(p->b.recv_dones, 1);
        assert_int_equal(p->b.recv_done[0].len, 3000);
        assert_memory_equal(inbox->host, src->host, 3000);
        assert_true(iw_rx_is_held(&p->b.stream));
        sp_recv(&p->b, 2, sp_sge(inbox, 0, 3000));
        sp_run(p);
        assert_false(iw_rx_is_held(&p->b.stream));
        assert_int_equal(p->b.recv_dones, 2);
        assert_true(iw_rx_resume(&p->b.stream));
        sp_destroy(p);
    }
}

/* ...or does not: Terminate "no buffer", as in E18. [DDP-023] */
static void held_too_long(void **state)
{
    static struct raw_fpdu t = {.n = 0};

    (void)state;
    raw_put(&t, golden_E18, sizeof(golden_E18));
    for (size_t read_max = 0; read_max < 2; read_max++) {
        struct stream_pair *p = sp_create(&plain);

        iw_rx_give_up(&p->b.stream); /* not held: nothing happens */
        assert_int_equal(iw_stream_state(&p->b.stream), IW_OPEN);
        p->read_max = read_max;
        sp_wire_put(&p->ab, golden_E06, sizeof(golden_E06));
        while (sp_receive(p, &p->b) > 0)
            continue;
        assert_true(iw_rx_is_held(&p->b.stream));
        iw_rx_give_up(&p->b.stream);
        assert_false(iw_rx_is_held(&p->b.stream));
        raw_expect_terminate(p, &p->b, &t);
        assert_int_equal(p->b.recv_dones, 0);
        sp_destroy(p);
    }
}

/* ---- closing ---- */

/* What was posted goes, Reads are awaited, then FIN. */
static void close_drains(void **state)
{
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *src = sp_region(p, &p->b, 0, 64, MEM_REMOTE_READ);
    struct mem_region *sink = sp_region(p, &p->a, 0, 64, MEM_LOCAL_WRITE);

    (void)state;
    sp_read(&p->a, 1, 0, sp_sge(sink, 0, 64), mem_region_stag(src), 0);
    iw_close(&p->a.stream);
    iw_close(&p->a.stream);
    assert_int_equal(p->a.state_changes, 1);
    send_empty(&p->a, 2); /* too late */
    assert_false(iw_tx_wants_fin(&p->a.stream));
    assert_true(sp_transmit(p, &p->a) > 0);
    assert_false(iw_tx_has_work(&p->a.stream));
    assert_false(iw_tx_wants_fin(&p->a.stream));
    sp_run(p);
    assert_int_equal(p->a.dones, 1);
    assert_true(iw_tx_wants_fin(&p->a.stream));
    iw_kill(&p->a.stream);
    assert_int_equal(iw_stream_state(&p->a.stream), IW_DEAD);
    iw_flush(&p->a.stream, SN_CANCELLED);
    assert_int_equal(p->a.dones, 2);
    assert_int_equal(p->a.done[1].status, SN_CANCELLED);
    sp_destroy(p);
}

/* The peer leaves. [VRB-010] [VRB-011] [MPA-062] */
static void fin_received(void **state)
{
    static struct raw_fpdu t;
    struct stream_pair *p = sp_create_free(&plain);
    struct mem_region *sink = sp_region(p, &p->b, 0, 64, MEM_LOCAL_WRITE);

    (void)state;
    iw_rx_end(&p->a.stream, true);
    assert_int_equal(iw_stream_state(&p->a.stream), IW_DEAD);
    assert_false(iw_tx_has_work(&p->a.stream));
    /* with a Read outstanding */
    sp_read(&p->b, 1, 0, sp_sge(sink, 0, 64), 1, 0);
    (void)sp_transmit(p, &p->b);
    sp_wire_drop(&p->ba, 52);
    iw_rx_end(&p->b.stream, true);
    raw_terminate(&t, 0x02, 7, BACK_NOTHING, NULL, true);
    raw_expect_terminate(p, &p->b, &t);
    iw_flush(&p->b.stream, SN_RESET);
    assert_int_equal(p->b.done[0].status, SN_RESET);
    sp_destroy(p);
}

/* In the middle of an FPDU, of a header, of a marker; or the pipe broke: over at once. */
static void fin_inside_fpdu(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(golden_E09); n++) {
        struct stream_pair *p = sp_create_free(&plain);
        struct sn_span v[1];
        size_t scratch;

        sp_wire_put(&p->ab, golden_E09, n);
        (void)sp_receive(p, &p->b);
        send_empty(&p->b, 1);
        iw_rx_end(&p->b.stream, n > 0);
        assert_int_equal(iw_stream_state(&p->b.stream), IW_DEAD);
        assert_int_equal(iw_rx_want(&p->b.stream, v, 1, 10, &scratch), 0);
        assert_int_equal(scratch, 0);
        assert_int_equal(sp_transmit(p, &p->b), 0);
        sp_destroy(p);
    }
}

/* ---- errors of our own ---- */

/* [VRB-012]: E16. The second error is not said any more. [RDM-045] */
static void fail_here(void **state)
{
    static struct raw_fpdu t = {.n = 0};
    struct stream_pair *p = sp_create(&plain);
    bool is_received;

    (void)state;
    raw_put(&t, golden_E16, sizeof(golden_E16));
    assert_null(iw_stream_terminate(&p->a.stream, &is_received));
    send_empty(&p->a, 1);
    iw_fail(&p->a.stream, WIRE_LOCAL_CATASTROPHIC);
    iw_fail(&p->a.stream, WIRE_RDMAP_STREAM_CATASTROPHIC);
    assert_int_equal(iw_stream_error(&p->a.stream), WIRE_LOCAL_CATASTROPHIC);
    raw_expect_terminate(p, &p->a, &t);
    /* discards what still arrives */
    sp_wire_put(&p->ba, golden_E06, sizeof(golden_E06));
    (void)sp_receive(p, &p->a);
    assert_int_equal(p->ba.n, 0);
    iw_rx_end(&p->a.stream, true);
    assert_int_equal(iw_stream_state(&p->a.stream), IW_DEAD);
    assert_int_equal(p->a.state_changes, 3);
    sp_destroy(p);
}

/* No RTR in common: the Terminate, E17, goes instead of the RTR. [ECE-019] */
static void terminate_instead_of_rtr(void **state)
{
    static const struct sp_options o = {.p2p = true, .rtr = IW_RTR_NONE};
    static struct raw_fpdu t = {.n = 0};
    struct stream_pair *p = sp_create(&o);

    (void)state;
    raw_put(&t, golden_E17, sizeof(golden_E17));
    iw_fail(&p->a.stream, WIRE_MPA_NO_RTR);
    (void)sp_transmit(p, &p->a);
    assert_memory_equal(p->ab.p, golden_E17, sizeof(golden_E17));
    /* The responder learns it, and its accept never saw a first FPDU. */
    (void)sp_receive(p, &p->b);
    assert_int_equal(iw_stream_state(&p->b.stream), IW_TERMINATED);
    assert_int_equal(iw_stream_error(&p->b.stream), WIRE_MPA_NO_RTR);
    assert_int_equal(p->b.first_fpdus, 0);
    sp_destroy(p);
}

/* A responder that fails before it heard anything may not speak, not even to say so. [MPA-022] */
static void fail_unheard(void **state)
{
    struct stream_pair *p = sp_create(&plain);
    bool is_received;

    (void)state;
    iw_fail(&p->b.stream, WIRE_LOCAL_CATASTROPHIC);
    assert_int_equal(iw_stream_state(&p->b.stream), IW_TERMINATED);
    assert_null(iw_stream_terminate(&p->b.stream, &is_received));
    assert_int_equal(sp_transmit(p, &p->b), 0);
    assert_true(iw_tx_wants_fin(&p->b.stream));
    sp_destroy(p);
}

/* But its error about the first FPDU goes out. */
static void fail_on_first_fpdu(void **state)
{
    static struct raw_fpdu f, t;
    struct stream_pair *p = sp_create(&plain);

    (void)state;
    raw_untagged(&f, 0x41, 0x43, 0, 9, 1, 0);
    raw_end(&f, true);
    raw_deliver(&p->b, &f);
    (void)sp_receive(p, &p->b);
    raw_terminate(&t, 0x12, 1, BACK_DDP, &f, true);
    raw_expect_terminate(p, &p->b, &t);
    assert_int_equal(p->b.first_fpdus, 0);
    sp_destroy(p);
}

/* Without memory nothing is left behind. */
static void *no_alloc(void *ctx, size_t size)
{
    size_t *left = ctx;

    if (*left == 0)
        return NULL;
    (*left)--;
    return calloc(1, size);
}

static void plain_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static void out_of_memory(void **state)
{
    static const struct iw_stream_ops none = {0};
    struct iw_ring sq;

    (void)state;
    for (size_t n = 0; n < 5; n++) {
        size_t left = n;
        const struct sn_allocator a = {.alloc = no_alloc, .free = plain_free, .ctx = &left};
        struct iw_stream_config config = {.sq = &sq, .ops = &none};
        struct iw_stream s;
        struct iw_batch *b;

        memset(&sq, 0, sizeof(sq));
        sn_alloc_set(&a);
        if (iw_stream_init(&s, &config) == SN_OK) {
            assert_true(n >= 2);
            iw_stream_fini(&s, NULL);
        } else {
            assert_true(n < 2);
        }
        left = n;
        b = iw_batch_create();
        assert_int_equal(b != NULL, n >= 4);
        iw_batch_destroy(b);
        assert_int_equal(sn_alloc_live_count(), 0);
        sn_alloc_set(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_then_send),
        cmocka_unit_test(gate_and_first_fpdu),
        cmocka_unit_test(each_rtr),
        cmocka_unit_test(rtr_goes_first),
        cmocka_unit_test(empty_send_as_message),
        cmocka_unit_test(held_and_resumed),
        cmocka_unit_test(held_too_long),
        cmocka_unit_test(close_drains),
        cmocka_unit_test(fin_received),
        cmocka_unit_test(fin_inside_fpdu),
        cmocka_unit_test(fail_here),
        cmocka_unit_test(terminate_instead_of_rtr),
        cmocka_unit_test(fail_unheard),
        cmocka_unit_test(fail_on_first_fpdu),
        cmocka_unit_test(out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
