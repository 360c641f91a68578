/* SPDX-License-Identifier: MIT */
/*
 * DDP against a raw peer, the library in either role [RFC5041]. Where the sender is judged, the
 * expectations of the raw peer also look at versions, reserved bits, pad and CRC of every segment.
 */
#include "support/link.h"

#include <stdlib.h>

#include "support/octets.h"
#include "support/unit.h"

static struct link_how how = {.peer_flags = RAW_C};

/* ---- segments that end the connection ---- */

/* Each makes a segment that would be fine but for one thing; a receive of 64 octets is posted. */
static struct raw_fpdu fine_send(struct link *k)
{
    (void)k;
    return raw_send(1, "0123456789", 10);
}
static struct raw_fpdu fine_write(struct link *k)
{
    return raw_write(k->m->remote, memory_to(k->m, 0), "0123456789", 10);
}
static struct raw_fpdu fine_read(struct link *k)
{
    return raw_read_request(1, 1, 2, 16, k->m->remote, memory_to(k->m, 0));
}

static void ddp_c0(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->ddp = 0xc0;
}
static void ddp_c2(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->ddp = 0xc2;
}
static void ddp_40(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->ddp = 0x40;
}
static void ddp_43(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->ddp = 0x43;
}
static void qn_0(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->qn = 0;
}
static void qn_1(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->qn = 1;
}
static void qn_2(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->qn = 2;
}
static void qn_3(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->qn = 3;
}
static void qn_4(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->qn = 4;
}
static void qn_max(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->qn = UINT32_MAX;
}
static void msn_0(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->msn = 0;
}
static void msn_2(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->msn = 2;
}
static void mo_1(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->mo = 1;
}
static void mo_behind(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->mo = 65;
}
static void mo_max(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->mo = UINT32_MAX;
}
static void too_long(struct raw_fpdu *f, struct link *k)
{
    static const char octets[65];

    (void)k;
    f->payload = octets;
    f->len = sizeof(octets);
}
static void stag_0(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->stag = 0;
}
static void stag_key(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->stag ^= 1;
}
static void stag_index(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->stag ^= 0x7fff0000;
}
static void to_before(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->to -= 1;
}
static void to_over_end(struct raw_fpdu *f, struct link *k)
{
    f->to = memory_to(k->m, LINK_MEMORY - 9);
}
static void to_behind(struct raw_fpdu *f, struct link *k)
{
    f->to = memory_to(k->m, LINK_MEMORY);
}
static void to_wraps(struct raw_fpdu *f, struct link *k)
{
    (void)k;
    f->to = UINT64_MAX;
}

struct refusal {
    const char *what;
    struct raw_fpdu (*make)(struct link *k);
    void (*spoil)(struct raw_fpdu *f, struct link *k);
    uint8_t layer, type, code;
};

/* [DDP-002] [DDP-003] [DDP-020] [DDP-021] [DDP-022] [DDP-024] [DDP-025] [DDP-026] [DDP-027]
 * [DDP-029] [DDP-030] */
static const struct refusal refusals[] = {
    {"DV 0, tagged", fine_write, ddp_c0, 1, 1, 0x04},
    {"DV 2, tagged", fine_write, ddp_c2, 1, 1, 0x04},
    {"DV 0, untagged", fine_send, ddp_40, 1, 2, 0x06},
    {"DV 3, untagged", fine_send, ddp_43, 1, 2, 0x06},
    {"QN 3", fine_send, qn_3, 1, 2, 0x01},
    {"QN 4", fine_send, qn_4, 1, 2, 0x01},
    {"QN 2^32-1", fine_send, qn_max, 1, 2, 0x01},
    {"Send on QN 1", fine_send, qn_1, 1, 2, 0x01},
    {"Send on QN 2", fine_send, qn_2, 1, 2, 0x01},
    {"Read Request on QN 0", fine_read, qn_0, 1, 2, 0x01},
    {"MSN 0 first", fine_send, msn_0, 1, 2, 0x03},
    {"MSN 2 first", fine_send, msn_2, 1, 2, 0x03},
    {"Read Request with MSN 2 first", fine_read, msn_2, 1, 2, 0x03},
    {"MO 1 first", fine_send, mo_1, 1, 2, 0x04},
    {"MO behind the buffer", fine_send, mo_behind, 1, 2, 0x04},
    {"MO 2^32-1", fine_send, mo_max, 1, 2, 0x04},
    {"longer than the buffer", fine_send, too_long, 1, 2, 0x05},
    {"STag 0", fine_write, stag_0, 1, 1, 0x00},
    {"STag with another key", fine_write, stag_key, 1, 1, 0x00},
    {"STag with another index", fine_write, stag_index, 1, 1, 0x00},
    {"TO before the region", fine_write, to_before, 1, 1, 0x01},
    {"TO over the region's end", fine_write, to_over_end, 1, 1, 0x01},
    {"TO behind the region", fine_write, to_behind, 1, 1, 0x01},
    {"TO that wraps", fine_write, to_wraps, 1, 1, 0x03},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *row = &refusals[i];
        struct link k = link_open(&how);
        struct raw_fpdu f = row->make(&k),
                        after = raw_write(k.m->remote, memory_to(k.m, 100), "after", 5);
        struct raw_term_in t;

        print_message("%s\n", row->what);
        memset(k.r->p, 0xcc, LINK_RECEIVE);
        endpoint_receive(k.e, 1, k.r, 0, 64);
        row->spoil(&f, &k);
        raw_cork(k.p);
        raw_put(k.p, &f);
        raw_put(k.p, &after); /* dropped: not placed any more [DDP-032] */
        raw_flush(k.p);
        t = link_expect_terminate(&k, row->layer, row->type, row->code); /* [DDP-033] */
        assert_true(t.m && t.d);
        assert_int_equal(t.ddp_header[0], f.ddp);
        assert_int_equal(t.ddp_header[1], f.rdmap);
        for (size_t at = 0; at < LINK_MEMORY; at++)
            assert_int_equal(k.m->p[at], 0);
        for (size_t at = 64; at < LINK_RECEIVE; at++) /* no octet beyond the buffer */
            assert_int_equal(k.r->p[at], 0xcc);
        assert_false(NT_SUCCESS(endpoint_wait_received(k.e).Status));
        endpoint_expect_no_received(k.e);
        link_close(&k);
    }
}

/* [DDP-022]: the same MSN twice. */
static void test_msn_twice(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu f = fine_send(&k);

    (void)state;
    endpoint_receive(k.e, 1, k.r, 0, 64);
    endpoint_receive(k.e, 2, k.r, 64, 64);
    raw_put(k.p, &f);
    endpoint_expect_received(k.e, 1, 10);
    raw_put(k.p, &f);
    link_expect_terminate(&k, 1, 2, 0x03);
    link_close(&k);
}

/* [DDP-025]: a hole, an overlap. */
static void test_mo_must_continue(void **state)
{
    static const uint32_t second[] = {0, 9, 11, 20};

    (void)state;
    for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
        struct link k = link_open(&how);
        struct raw_fpdu f = fine_send(&k);

        endpoint_receive(k.e, 1, k.r, 0, 64);
        f.ddp = 0x01;
        raw_put(k.p, &f);
        f.mo = second[i];
        f.ddp = 0x41;
        raw_put(k.p, &f);
        link_expect_terminate(&k, 1, 2, 0x04);
        assert_ntfailure(endpoint_wait_received(k.e).Status);
        link_close(&k);
    }
}

/* [DDP-026]: the last segment of several goes over the end. */
static void test_too_long_in_parts(void **state)
{
    static const uint8_t octets[100];
    struct link k = link_open(&how);
    struct raw_fpdu f = raw_send(1, octets, sizeof(octets));

    (void)state;
    memset(k.r->p, 0xcc, LINK_RECEIVE);
    endpoint_receive(k.e, 1, k.r, 0, 64);
    raw_put_message(k.p, &f, 40);
    link_expect_terminate(&k, 1, 2, 0x05);
    assert_ntstatus(endpoint_wait_received(k.e).Status, STATUS_BUFFER_OVERFLOW);
    for (size_t at = 64; at < LINK_RECEIVE; at++)
        assert_int_equal(k.r->p[at], 0xcc);
    link_close(&k);
}

/* [DDP-023]: no receive: held back, and delivered when one is posted in time. */
static void test_no_receive_in_time(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu f = fine_send(&k);

    (void)state;
    raw_put(k.p, &f);
    raw_expect_silence(k.p);
    endpoint_receive(k.e, 1, k.r, 0, 64);
    endpoint_expect_received(k.e, 1, 10);
    assert_memory_equal(k.r->p, "0123456789", 10);
    link_close(&k);
}

/* [DDP-023]: none at all. */
static void test_no_receive_at_all(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct link_how impatient = how;
    struct link k;
    struct raw_fpdu f;

    (void)state;
    o.ReceiveWaitMs = 100;
    impatient.options = &o;
    k = link_open(&impatient);
    f = fine_send(&k);
    raw_put(k.p, &f);
    link_expect_terminate(&k, 1, 2, 0x02);
    link_close(&k);
}

/* [DDP-027]: a region that was deregistered. [DDP-028]: one of another protection domain. */
static void test_stag_not_ours(void **state)
{
    struct link k = link_open(&how);
    struct memory *gone = memory_open(k.c, NULL, 64, MEMORY_ALL);
    uint64_t to = memory_to(gone, 0);
    struct raw_fpdu f = raw_write(gone->remote, to, "x", 1);
    struct memory *other;
    NDK_PD *pd;

    (void)state;
    memory_close(gone);
    raw_put(k.p, &f);
    link_expect_terminate(&k, 1, 1, 0x00);
    link_close(&k);

    k = link_open(&how);
    assert_ntstatus(consumer_create_pd(k.c, &pd), STATUS_SUCCESS);
    other = memory_open(k.c, pd, 64, MEMORY_ALL);
    f = raw_write(other->remote, memory_to(other, 0), "x", 1);
    raw_put(k.p, &f);
    link_expect_terminate(&k, 1, 1, 0x02);
    assert_int_equal(other->p[0], 0);
    memory_close(other);
    consumer_close_object(k.c, &pd->Header);
    link_close(&k);
}

/* [DDP-029]: the first and the last octet are inside. */
static void test_bounds_inside(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu first = raw_write(k.m->remote, memory_to(k.m, 0), "a", 1);
    struct raw_fpdu last = raw_write(k.m->remote, memory_to(k.m, LINK_MEMORY - 1), "z", 1);

    (void)state;
    raw_put(k.p, &first);
    raw_put(k.p, &last);
    link_check_receive(&k);
    assert_int_equal(k.m->p[0], 'a');
    assert_int_equal(k.m->p[LINK_MEMORY - 1], 'z');
    link_close(&k);
}

/* [DDP-031]: each segment is checked; those before the one that runs over the end are placed. */
static void test_checked_per_segment(void **state)
{
    static uint8_t octets[300];
    struct link k = link_open(&how);
    struct raw_fpdu f =
        raw_write(k.m->remote, memory_to(k.m, LINK_MEMORY - 250), octets, sizeof(octets));

    (void)state;
    memset(octets, 0xee, sizeof(octets));
    raw_put_message(k.p, &f, 100);
    link_expect_terminate(&k, 1, 1, 0x01);
    for (size_t at = LINK_MEMORY - 250; at < LINK_MEMORY - 50; at++)
        assert_int_equal(k.m->p[at], 0xee);
    for (size_t at = LINK_MEMORY - 50; at < LINK_MEMORY; at++)
        assert_int_equal(k.m->p[at], 0);
    link_close(&k);
}

/* [DDP-039]: from the deregistration on, nothing is placed. */
static void test_revoked_between_segments(void **state)
{
    static uint8_t octets[100];
    struct link k = link_open(&how);
    struct memory *m = memory_open(k.c, NULL, 200, MEMORY_ALL);
    uint64_t to = memory_to(m, 0);
    struct raw_fpdu f = raw_write(m->remote, to, octets, sizeof(octets));

    (void)state;
    f.ddp = 0x81;
    raw_put(k.p, &f);
    link_check_receive(&k); /* the first segment is placed by now [DDP-038] */
    memory_close(m);
    f.to += 100;
    f.ddp = 0xc1;
    raw_put(k.p, &f);
    link_expect_terminate(&k, 1, 1, 0x00);
    link_close(&k);
}

/* ---- segments that look odd and are fine ---- */

/* [DDP-004] [DDP-015]: reserved bits, any STag and TO of an empty Write. */
static void test_tolerated(void **state)
{
    static const uint32_t stags[] = {0, 1, UINT32_MAX};
    struct link k = link_open(&how);

    (void)state;
    for (size_t i = 0; i < sizeof(stags) / sizeof(stags[0]); i++) {
        struct raw_fpdu f = raw_write(stags[i], UINT64_MAX, NULL, 0);

        raw_put(k.p, &f);
    }
    for (uint8_t bit = 0x04; bit <= 0x20; bit = (uint8_t)(bit << 1)) {
        struct raw_fpdu f = raw_send(k.peer_msn++, "odd", 3);

        f.ddp |= bit;
        endpoint_receive(k.e, bit, k.r, 0, 64);
        raw_put(k.p, &f);
        endpoint_expect_received(k.e, bit, 3);
        f = raw_write(k.m->remote, memory_to(k.m, bit), "odd", 3);
        f.ddp |= bit;
        raw_put(k.p, &f);
        link_check_receive(&k);
        assert_memory_equal(k.m->p + bit, "odd", 3);
    }
    link_check_send(&k, 1);
    link_close(&k);
}

/* [DDP-038]: a Write whose segments have a Send between them. */
static void test_interleaved(void **state)
{
    struct link k = link_open(&how);
    struct raw_fpdu a = raw_write(k.m->remote, memory_to(k.m, 0), "front", 5), b = a;

    (void)state;
    a.ddp = 0x81;
    raw_put(k.p, &a);
    link_check_receive(&k);
    b.to += 5;
    b.payload = "back.";
    raw_put(k.p, &b);
    link_check_receive(&k);
    assert_memory_equal(k.m->p, "frontback.", 10);
    link_close(&k);
}

/* ---- messages in both directions ---- */

static const size_t sizes[] = {0, 1, 2, 3, 4, 1000, 1435, 1436, 1437, 4096};

/* [DDP-014] [DDP-017] [DDP-019]: lengths as reported, in order, in segments of any size. */
static void test_receive_sizes(void **state)
{
    static const size_t parts[] = {1, 7, 500, 4096};
    struct link k = link_open(&how);
    uint64_t seed = 3;
    uint8_t data[LINK_RECEIVE];

    (void)state;
    random_fill(&seed, data, sizeof(data));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++) {
            struct raw_fpdu f = raw_send(k.peer_msn, data, sizes[i]);

            memset(k.r->p, 0, LINK_RECEIVE);
            endpoint_receive(k.e, k.peer_msn, k.r, 0, LINK_RECEIVE);
            raw_cork(k.p);
            raw_put_message(k.p, &f, parts[j]);
            raw_flush(k.p);
            endpoint_expect_received(k.e, k.peer_msn++, sizes[i]);
            assert_memory_equal(k.r->p, data, sizes[i]);
        }
    }
    link_close(&k);
}

/* [DDP-001] [DDP-005] [DDP-006] [DDP-007] [DDP-008] [DDP-009] [DDP-010] [DDP-011] [DDP-012]
 * [DDP-014]: one message of each kind and size; the raw peer looks at L, T, STag, MSN, MO and TO of
 * every segment. */
static void test_send_sizes(void **state)
{
    struct raw_tcp small = {.mss = 1460};
    struct link_how by_mss = how;
    struct link k;
    uint64_t seed = 4;
    uint32_t msn = 1;

    (void)state;
    by_mss.tcp = &small;
    k = link_open(&by_mss);
    random_fill(&seed, k.m->p, LINK_MEMORY);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t n = sizes[i] == 4096 ? LINK_MEMORY : sizes[i];
        struct raw_in in;

        endpoint_send(k.e, 1, k.m, 0, n, 0);
        in = raw_expect_message(k.p, RAW_OP_SEND, k.m->p, n);
        assert_int_equal(in.qn, 0);
        assert_int_equal(in.msn, msn++);
        assert_int_equal(in.inv_stag, 0);
        endpoint_expect_initiated(k.e, 1);
        endpoint_write(k.e, 2, k.m, 0, n, 0xfffffff8, 0x01020304, 0);
        in = raw_expect_message(k.p, RAW_OP_WRITE, k.m->p, n);
        assert_int_equal(in.stag, 0x01020304);
        assert_true(in.to == 0xfffffff8);
        endpoint_expect_initiated(k.e, 2);
    }
    link_close(&k);
}

/* [DDP-009] [DDP-016] [MPA-040] [RDM-051]: messages leave in the order of posting, each FPDU with
 * one segment and nothing but FPDUs; each queue counts for itself. */
static void test_order(void **state)
{
    struct link k = link_open(&how);

    (void)state;
    for (uint32_t i = 0; i < 9; i++) {
        ULONG flags = i < 8 ? NDK_OP_FLAG_DEFER : 0;

        k.m->p[i] = (uint8_t)i;
        if (i % 3 == 0)
            endpoint_send(k.e, i, k.m, i, 1, flags);
        else if (i % 3 == 1)
            endpoint_read(k.e, i, k.r, i, 1, i, 5, flags);
        else
            endpoint_write(k.e, i, k.m, i, 1, i, 6, flags);
    }
    for (uint32_t i = 0; i < 9; i++) {
        if (i % 3 == 0) {
            assert_int_equal(raw_expect_message(k.p, RAW_OP_SEND, &k.m->p[i], 1).msn, i / 3 + 1);
        } else if (i % 3 == 1) {
            struct raw_read_in read = raw_expect_read_request(k.p);
            struct raw_fpdu answer = raw_read_response(read.sink_stag, read.sink_to, "r", 1);

            assert_int_equal(read.msn, i / 3 + 1);
            assert_int_equal(read.src_to, i);
            raw_put(k.p, &answer);
        } else {
            assert_int_equal(raw_expect_message(k.p, RAW_OP_WRITE, &k.m->p[i], 1).to, i);
        }
    }
    for (uint32_t i = 0; i < 9; i++)
        endpoint_expect_initiated(k.e, i);
    link_close(&k);
}

/* [DDP-037] [RDM-036]: what is too long is refused when posted, or fails; the link does not suffer
 * from a refusal. */
static void test_huge(void **state)
{
    struct link k = link_open(&how);
    NDK_SGE sge[4];
    NTSTATUS status;

    (void)state;
    for (size_t i = 0; i < sizeof(sge) / sizeof(sge[0]); i++) {
        sge[i] = memory_sge(k.m, 0, 0);
        sge[i].Length = 0x40000000;
    }
    assert_ntstatus(k.e->qp->Dispatch->NdkSend(k.e->qp, NULL, sge, 4, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        k.e->qp->Dispatch->NdkWrite(k.e->qp, NULL, sge, 4, 0, 1, 0), STATUS_INVALID_PARAMETER);
    link_check_send(&k, 1);
    sge[0].Length = 0x80000000;
    status = k.e->qp->Dispatch->NdkRead(k.e->qp, (PVOID)1, sge, 1, 0, 1, 0);
    if (NT_SUCCESS(status)) /* longer than the region */
        status = endpoint_wait_initiated(k.e).Status;
    else
        link_check_receive(&k);
    assert_ntfailure(status);
    link_close(&k);
}

static int run(enum link_role role, const char *name)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_msn_twice),
        cmocka_unit_test(test_mo_must_continue),
        cmocka_unit_test(test_too_long_in_parts),
        cmocka_unit_test(test_no_receive_in_time),
        cmocka_unit_test(test_no_receive_at_all),
        cmocka_unit_test(test_stag_not_ours),
        cmocka_unit_test(test_bounds_inside),
        cmocka_unit_test(test_checked_per_segment),
        cmocka_unit_test(test_revoked_between_segments),
        cmocka_unit_test(test_tolerated),
        cmocka_unit_test(test_interleaved),
        cmocka_unit_test(test_receive_sizes),
        cmocka_unit_test(test_send_sizes),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_huge),
    };

    how.role = role;
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return run(LINK_PASSIVE, "passive") + run(LINK_ACTIVE, "active");
}
