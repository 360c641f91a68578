/* SPDX-License-Identifier: MIT */
/* Start-up frames octet by octet: any split is as good as one piece, and a peer that stops, hangs
 * up or is cut off after any octet costs nothing but the attempt. */
#include "conn_raw.h"

struct fixture {
    struct pair p;
    struct raw r;
};

static struct rnic_options quick(void)
{
    struct rnic_options o = test_options();

    o.mpa_timeout_ms = 50;
    o.connect_timeout_ms = 50;
    return o;
}

static void open_passive(struct fixture *f)
{
    const struct rnic_options o = quick();

    pair_open_with(&f->p, 21, NULL, NULL, &o);
    raw_open(&f->r, &f->p);
    listen_on(&f->p, &f->p.b, PORT);
    forget(&f->p.b);
    raw_connect(&f->r, &f->p.b, PORT);
}

static void open_active(struct fixture *f)
{
    const struct rnic_options o = quick();

    pair_open_with(&f->p, 22, NULL, &o, NULL);
    raw_open(&f->r, &f->p);
    raw_listen(&f->r, PORT);
    connect_to_raw(&f->p.a, &f->r, PORT);
    raw_await(&f->r, MPA_FRAME_HEADER_LEN);
}

static void close_all(struct fixture *f)
{
    raw_close(&f->r);
    pair_close(&f->p);
}

/* The Reply to our own Request, with private data up to the brim. */
static size_t reply_octets(uint8_t *out)
{
    static uint8_t pd[MPA_PRIVATE_DATA_MAX - MPA_ENHANCED_LEN];
    const struct mpa_frame f = {
        .role = MPA_REPLY,
        .revision = 2,
        .crc = true,
        .is_enhanced = true,
        .p2p = true,
        .rtr_write = true,
        .ird = 4,
        .ord = 4,
        .private_data = pd,
        .private_len = sizeof pd,
    };
    size_t n;

    for (size_t i = 0; i < sizeof pd; i++)
        pd[i] = (uint8_t)i;
    n = mpa_frame_build(&f, out, MPA_FRAME_LEN_MAX);
    assert_int_equal(n, MPA_FRAME_LEN_MAX);
    return n;
}

/* Where a long frame is worth being cut. */
static bool is_worth_it(size_t cut, size_t n)
{
    return cut <= 30 || cut + 2 >= n || cut % 97 == 0;
}

/* [MPA-014] [MPA-019] */
static void reply_in_two_pieces(void **state)
{
    uint8_t octets[MPA_FRAME_LEN_MAX];
    size_t n = reply_octets(octets);

    (void)state;
    for (size_t cut = 1; cut < n; cut++) {
        struct fixture f;
        const uint8_t *pd;
        uint32_t ird, ord, len;

        if (!is_worth_it(cut, n))
            continue;
        open_active(&f);
        raw_write(&f.r, octets, cut);
        pass_ms(&f.p, 10);
        assert_string_equal(f.p.a.log, "");
        raw_write(&f.r, octets + cut, n - cut);
        await(&f.p, &f.p.a, NOTE_CONNECT);
        assert_int_equal(f.p.a.status[NOTE_CONNECT], SN_OK);
        assert_int_equal(rnic_connector_data(f.p.a.conn, &ird, &ord, &pd, &len), SN_OK);
        assert_int_equal(len, MPA_PRIVATE_DATA_MAX - MPA_ENHANCED_LEN);
        assert_memory_equal(pd, octets + n - len, len);
        close_all(&f);
    }
}

static void request_in_two_pieces(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < sizeof golden_E03; cut++) {
        struct fixture f;

        open_passive(&f);
        raw_write(&f.r, golden_E03, cut);
        pass_ms(&f.p, 10);
        assert_string_equal(f.p.b.log, "");
        raw_write(&f.r, golden_E03 + cut, sizeof golden_E03 - cut);
        await(&f.p, &f.p.b, NOTE_ARRIVAL);
        close_all(&f);
    }
}

/* Silence, FIN and reset. */
enum end { END_SILENCE, END_FIN, END_RESET, END_COUNT };

static void end_raw(struct fixture *f, enum end end)
{
    if (end == END_FIN)
        raw_fin(&f->r);
    else if (end == END_RESET)
        raw_hang_up(&f->r, true);
}

/* [MPA-016] [MPA-018] */
static void responder_stops_after_any_octet(void **state)
{
    uint8_t octets[MPA_FRAME_LEN_MAX];
    size_t n = reply_octets(octets);

    (void)state;
    for (size_t cut = 0; cut < n; cut++) {
        for (int end = 0; end < END_COUNT && is_worth_it(cut, n); end++) {
            struct fixture f;
            enum sn_status s;

            open_active(&f);
            if (cut > 0)
                raw_write(&f.r, octets, cut);
            pass_ms(&f.p, 1);
            end_raw(&f, (enum end)end);
            await(&f.p, &f.p.a, NOTE_CONNECT);
            s = f.p.a.status[NOTE_CONNECT];
            if (end == END_SILENCE || cut == 0)
                assert_int_equal(s, SN_TIMED_OUT); /* asked again in revision 1, and no answer */
            else
                assert_int_equal(s, end == END_FIN ? SN_PROTOCOL : SN_REFUSED);
            settle_world(&f.p);
            assert_string_equal(f.p.a.log, "C");
            assert_int_equal(f.r.accepted, end != END_SILENCE && cut == 0 ? 2 : 1);
            /* Nothing of the attempt is left behind. */
            assert_int_equal(rnic_qp_reserve(f.p.a.qp), SN_OK);
            rnic_qp_unreserve(f.p.a.qp);
            close_all(&f);
        }
    }
}

static void initiator_stops_after_any_octet(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof golden_E03; cut++) {
        for (int end = 0; end < END_COUNT; end++) {
            struct fixture f;

            open_passive(&f);
            if (cut > 0)
                raw_write(&f.r, golden_E03, cut);
            pass_ms(&f.p, 1);
            end_raw(&f, (enum end)end);
            pass_ms(&f.p, 100);
            assert_string_equal(f.p.b.log, "");
            assert_int_equal(sn_a32_load_acquire(&f.p.b.listener->pending_count), 0);
            assert_true(sn_list_is_empty(&f.p.b.listener->pending));
            if (f.r.pipe != NULL)
                assert_true(f.r.is_over);
            close_all(&f);
        }
    }
}

/* A network that splits, delays and stalls changes nothing. */
static void rough_network(void **state)
{
    const struct sim_faults faults = {
        .split_permille = 400,
        .short_write_permille = 400,
        .again_permille = 300,
        .one_octet_permille = 300,
        .delay_ns_max = 50000,
        .lane_busy_permille = 100,
    };

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct rnic_options a = test_options(), b = test_options();
        struct pair p;

        a.mpa.revision = (uint8_t)(1 + seed % 2);
        a.mpa.rtr = (uint8_t)(1 + seed % 7);
        b.mpa.rtr = IW_RTR_SEND | IW_RTR_WRITE | IW_RTR_READ;
        a.mpa.crc = (enum iw_crc)(seed % 2);
        b.mpa.crc = (enum iw_crc)(seed / 2 % 2);
        pair_open_with(&p, seed, &faults, &a, &b);
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
}

/* The initiator may ask twice, in revision 2 and 1; a QP serves one connection in its life. */
static void accept_with_fresh_qp(struct side *s)
{
    if (count_of(s, NOTE_ARRIVAL) > 1) {
        close_obj(rnic_qp_obj(s->qp));
        make_qp(s);
    }
    accept_now(s);
}

/* Cut off at any moment: each request is answered once, and nothing is left. */
static void cut_at_any_moment(void **state)
{
    const struct sim_faults faults = {.split_permille = 200, .delay_ns_max = 20000};

    (void)state;
    for (uint64_t at = 0; at < 150; at++) {
        struct rnic_options o = quick();
        struct pair p;

        pair_open_with(&p, at, &faults, &o, &o);
        listen_on(&p, &p.b, PORT);
        connect_to(&p.a, &p.b, PORT);
        for (uint64_t i = 0; i < 2000; i++) {
            if (i == at)
                sim_reset_all(p.world);
            if (!sim_step(p.world) && i > at)
                break;
            if (p.b.conn != NULL && rnic_connector_state(p.b.conn) == RNIC_CONN_REQUESTED)
                accept_with_fresh_qp(&p.b);
            if (rnic_connector_state(p.a.conn) == RNIC_CONN_ACCEPTED &&
                count_of(&p.a, NOTE_CONNECT) == 1)
                complete_now(&p.a);
        }
        settle_world(&p);
        assert_int_equal(count_of(&p.a, NOTE_CONNECT), 1);
        assert_true(count_of(&p.a, NOTE_EVENT) <= 1);
        assert_int_equal(count_of(&p.a, NOTE_EVENT) > 0,
            count_of(&p.a, NOTE_COMPLETE) > 0 && p.a.status[NOTE_COMPLETE] == SN_OK &&
                rnic_connector_state(p.a.conn) == RNIC_CONN_LOST);
        pair_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_in_two_pieces),
        cmocka_unit_test(request_in_two_pieces),
        cmocka_unit_test(responder_stops_after_any_octet),
        cmocka_unit_test(initiator_stops_after_any_octet),
        cmocka_unit_test(rough_network),
        cmocka_unit_test(cut_at_any_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
