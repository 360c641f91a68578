/* SPDX-License-Identifier: MIT */
/* The tap does what the platform does, and writes down what passed. */
#include "trace/tap.h"

#include "unit/trace/reader.h"

/* A platform whose operations answer what the test says. */
struct stub {
    struct plat base;
    struct plat_pipe pipe;
    struct plat_lane lane;
    enum plat_io io;
    enum sn_status connect_status;
    size_t moved;
    unsigned closes, shutdowns;
};

static struct stub *stub_of(struct plat *p)
{
    return SN_CONTAINER_OF(p, struct stub, base);
}
static enum plat_io stub_readv(struct plat_pipe *p, const struct sn_span *v, size_t n, size_t *got)
{
    (void)n;
    *got = stub_of(p->plat)->moved;
    memset(v->p, 0x5a, *got);
    return stub_of(p->plat)->io;
}
static enum plat_io stub_writev(
    struct plat_pipe *p, const struct sn_cspan *v, size_t n, size_t *sent)
{
    (void)v;
    (void)n;
    *sent = stub_of(p->plat)->moved;
    return stub_of(p->plat)->io;
}
static void stub_shutdown(struct plat_pipe *p)
{
    stub_of(p->plat)->shutdowns++;
}
static void stub_close(struct plat_pipe *p, bool is_abort)
{
    (void)is_abort;
    stub_of(p->plat)->closes++;
}
static enum sn_status stub_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out)
{
    struct stub *s = stub_of(lane->plat);

    (void)options;
    (void)ops;
    (void)ctx;
    s->pipe.local = *src;
    s->pipe.peer = *dst;
    *out = &s->pipe;
    return s->connect_status;
}

static const struct plat_ops stub_ops = {
    .readv = stub_readv,
    .writev = stub_writev,
    .shutdown = stub_shutdown,
    .close = stub_close,
    .connect = stub_connect,
};
static const struct plat_addr here = {.family = 4, .port = 1111, .ip = {127, 0, 0, 1}},
                              there = {.family = 4, .port = 2222, .ip = {127, 0, 0, 2}};
static char why[200];

/* Each test has its file: the process keeps it open. */
static void begin(struct stub *s, char path[64], const char *name)
{
    memset(s, 0, sizeof(*s));
    s->base.ops = &stub_ops;
    s->pipe.plat = s->lane.plat = &s->base;
    s->pipe.local = here;
    s->pipe.peer = there;
    capture_path(path, name);
    assert_int_equal(trace_tap_begin(&s->base, path, why, sizeof(why)), SN_OK);
}

static void move(struct stub *s, bool is_write, enum plat_io io, size_t n)
{
    static uint8_t octets[100];
    struct sn_span v = {octets, sizeof(octets)};
    struct sn_cspan w = {octets, sizeof(octets)};
    size_t moved;

    s->io = io;
    s->moved = n;
    if (is_write)
        assert_int_equal(s->base.ops->writev(&s->pipe, &w, 1, &moved), io);
    else
        assert_int_equal(s->base.ops->readv(&s->pipe, &v, 1, &moved), io);
    assert_int_equal(moved, n);
}

/* Accepted pipe: who connected is the other end. */
static void what_an_accepted_pipe_moves_is_captured(void **state)
{
    struct packets *all;
    struct stub s;
    char path[64];

    (void)state;
    begin(&s, path, "tap-accepted");
    move(&s, false, PLAT_IO_AGAIN, 0);
    move(&s, false, PLAT_IO_OK, 7);
    move(&s, true, PLAT_IO_AGAIN, 0);
    move(&s, true, PLAT_IO_OK, 0);
    move(&s, true, PLAT_IO_OK, 50); /* of 100: the rest comes another time */
    move(&s, false, PLAT_IO_END, 0);
    s.base.ops->shutdown(&s.pipe);
    s.base.ops->close(&s.pipe, false);
    assert_int_equal(s.shutdowns + s.closes, 2);
    trace_tap_end(&s.base);
    all = packets_read(path);
    packet_expect(all, 0, SYN, 2222, 0);
    packet_expect(all, 3, ACK | PSH, 2222, 7);
    assert_int_equal(all->at[3].first, 0x5a);
    packet_expect(all, 4, ACK | PSH, 1111, 50);
    packet_expect(all, 5, FIN | ACK, 2222, 0);
    packet_expect(all, 7, FIN | ACK, 1111, 0);
    assert_int_equal(all->count, 9);
    free(all);
}

static void a_connected_pipe_is_the_end_that_connects(void **state)
{
    struct packets *all;
    struct plat_pipe *p = NULL;
    struct stub s;
    char path[64];

    (void)state;
    begin(&s, path, "tap-connected");
    s.connect_status = SN_NO_PORTS;
    assert_int_equal(
        s.base.ops->connect(&s.lane, &here, &there, NULL, NULL, NULL, &p), SN_NO_PORTS);
    assert_null(s.pipe.trace);
    s.connect_status = SN_OK;
    assert_int_equal(s.base.ops->connect(&s.lane, &here, &there, NULL, NULL, NULL, &p), SN_OK);
    move(&s, true, PLAT_IO_OK, 9);
    move(&s, false, PLAT_IO_ERROR, 0);
    s.base.ops->close(p, true);
    trace_tap_end(&s.base);
    all = packets_read(path);
    packet_expect(all, 0, SYN, 1111, 0);
    packet_expect(all, 3, ACK | PSH, 1111, 9);
    packet_expect(all, 4, RST | ACK, 2222, 0);
    assert_int_equal(all->count, 5);
    free(all);
}

/* A pipe on which nothing moved is closed without a trace of it. */
static void a_quiet_pipe_leaves_nothing(void **state)
{
    struct packets *all;
    struct plat_pipe *p = NULL;
    struct stub s;
    char path[64];

    (void)state;
    begin(&s, path, "tap-quiet");
    move(&s, false, PLAT_IO_END, 0);
    s.base.ops->shutdown(&s.pipe);
    s.base.ops->close(&s.pipe, true);
    assert_int_equal(s.base.ops->connect(&s.lane, &here, &there, NULL, NULL, NULL, &p), SN_OK);
    s.base.ops->close(p, false);
    trace_tap_end(&s.base);
    all = packets_read(path);
    assert_int_equal(all->count, 0);
    free(all);
}

static void adapters_of_a_process_share_a_file(void **state)
{
    struct stub s, other;
    struct packets *all;
    char path[64];

    (void)state;
    begin(&s, path, "tap-shared");
    begin(&other, path, "tap-shared");
    other.pipe.local.port = 3333;
    move(&s, true, PLAT_IO_OK, 5);
    move(&other, true, PLAT_IO_OK, 6);
    s.base.ops->close(&s.pipe, false);
    trace_tap_end(&s.base);
    assert_ptr_equal(s.base.ops, &stub_ops);
    trace_tap_end(&s.base); /* harmless */
    other.base.ops->close(&other.pipe, false);
    trace_tap_end(&other.base);
    all = packets_read(path);
    assert_int_equal(all->count, 12);
    free(all);
}

static void a_file_that_cannot_be_is_said(void **state)
{
    struct stub s = {.base = {&stub_ops}};

    (void)state;
    assert_int_equal(trace_tap_begin(&s.base, "/nowhere/x", why, sizeof(why)), SN_INVALID);
    assert_non_null(strstr(why, "/nowhere/x"));
    assert_ptr_equal(s.base.ops, &stub_ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_accepted_pipe_moves_is_captured),
        cmocka_unit_test(a_connected_pipe_is_the_end_that_connects),
        cmocka_unit_test(a_quiet_pipe_leaves_nothing),
        cmocka_unit_test(adapters_of_a_process_share_a_file),
        cmocka_unit_test(a_file_that_cannot_be_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
