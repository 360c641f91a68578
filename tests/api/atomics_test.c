/* SPDX-License-Identifier: MIT */
/*
 * RFC 7306 towards raw peers: the consumer sees nothing of an atomic, and immediate data as a
 * message of eight octets. NDKPI has no call to ask for either. [RFC7306]
 */
#include <string.h>

#include "support/link.h"
#include "support/pair.h"
#include "support/unit.h"

enum { OP_IMMEDIATE = 0x48, OP_ATOMIC = 0x4a, OP_ATOMIC_RESPONSE = 0x4b, FETCH_ADD = 0 };

static void put_be(uint8_t *p, uint64_t v, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++)
        p[i] = (uint8_t)(v >> (8 * (octets - 1 - i)));
}

static uint64_t get_be(const uint8_t *p, unsigned octets)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < octets; i++)
        v = v << 8 | p[i];
    return v;
}

/* FetchAdd of `add`, no field boundaries. */
static struct raw_fpdu fetch_add(uint32_t msn, uint32_t id, const struct memory *m, uint64_t add)
{
    struct raw_fpdu f = raw_read_request(msn, 0, 0, 0, 0, 0);

    f.rdmap = OP_ATOMIC;
    memset(f.head, 0, sizeof(f.head));
    put_be(f.head, FETCH_ADD, 4);
    put_be(f.head + 4, id, 4);
    put_be(f.head + 8, m->remote, 4);
    put_be(f.head + 12, memory_to(m, 0), 8);
    put_be(f.head + 20, add, 8);
    put_be(f.head + 44, UINT64_MAX, 8);
    f.head_len = 52;
    return f;
}

static SOFTNDK_OPTIONS with_rfc7306(void)
{
    SOFTNDK_OPTIONS o = consumer_options();

    o.Rfc7306 = 1;
    return o;
}

/* [EXT-005] What was written is there when the immediate data is delivered. */
static void immediate_data_tells_of_a_write(void **state)
{
    enum { ROUNDS = 200, SIZE = 5000 };
    SOFTNDK_OPTIONS o = with_rfc7306();
    const struct link_how how = {.options = &o, .peer_flags = RAW_C};
    struct link k = link_open(&how);
    uint8_t out[SIZE], immediate[8];

    (void)state;
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        struct raw_fpdu w = raw_write(k.m->remote, memory_to(k.m, 0), out, SIZE);
        struct raw_fpdu f = raw_send(i, immediate, sizeof(immediate));

        memset(out, (int)i, sizeof(out));
        put_be(immediate, i, 8);
        f.rdmap = OP_IMMEDIATE;
        endpoint_receive(k.e, i, k.r, 0, 8);
        raw_put_message(k.p, &w, 1400);
        raw_put(k.p, &f);
        assert_int_equal(endpoint_poll_received(k.e).BytesTransferred, 8);
        assert_memory_equal(k.m->p, out, SIZE);
        assert_int_equal(get_be(k.r->p, 8), i);
    }
    link_close(&k);
}

/* Another connection of k's adapter to another raw peer. */
static struct raw_peer *connect_one_more(struct link *k, struct endpoint **e)
{
    struct raw_frame f = link_frame(NULL);
    struct raw_fpdu rtr = raw_rtr_write();
    struct raw_peer *p = raw_connect("127.0.0.1", k->a->port, NULL);

    *e = endpoint_open(k->c, NULL);
    raw_put_frame(p, &f);
    endpoint_accept_start(*e, acceptor_wait(k->a), NULL);
    raw_expect_reply(p);
    raw_put(p, &rtr);
    assert_ntstatus(endpoint_accept_wait(*e), STATUS_SUCCESS);
    return p;
}

/* [EXT-013] Many connections, on several lanes, add to one counter: none is lost, and each answer
 * was the counter's value once. */
static void atomics_of_all_connections_meet(void **state)
{
    enum { PEERS = 4, ROUNDS = 250, WINDOW = 10 };
    SOFTNDK_OPTIONS o = with_rfc7306();
    const struct link_how how = {.options = &o, .peer_flags = RAW_C};
    struct link k;
    struct endpoint *e[PEERS];
    struct raw_peer *p[PEERS];
    static bool seen[PEERS * ROUNDS];
    uint64_t sum;

    (void)state;
    o.Lanes = 4;
    k = link_open(&how);
    e[0] = k.e;
    p[0] = k.p;
    for (unsigned i = 1; i < PEERS; i++)
        p[i] = connect_one_more(&k, &e[i]);
    for (uint32_t round = 0; round < ROUNDS; round += WINDOW) {
        for (unsigned i = 0; i < PEERS; i++) {
            raw_cork(p[i]);
            for (uint32_t j = 1; j <= WINDOW; j++) {
                struct raw_fpdu f = fetch_add(round + j, round + j, k.m, 1);

                raw_put(p[i], &f);
            }
        }
        for (unsigned i = 0; i < PEERS; i++)
            raw_flush(p[i]);
        for (unsigned i = 0; i < PEERS; i++) {
            for (uint32_t j = 1; j <= WINDOW; j++) {
                struct raw_in in = raw_expect_op(p[i], OP_ATOMIC_RESPONSE);
                uint64_t old = get_be(in.payload + 4, 8);

                assert_int_equal(in.qn, 3);
                assert_int_equal(get_be(in.payload, 4), round + j);
                assert_true(old < PEERS * ROUNDS && !seen[old]);
                seen[old] = true;
            }
        }
    }
    memcpy(&sum, k.m->p, sizeof(sum));
    assert_int_equal(sum, PEERS * ROUNDS);
    for (unsigned i = 1; i < PEERS; i++) {
        raw_close(p[i]);
        endpoint_close(e[i]);
    }
    link_close(&k);
}

/* Without the option both are unexpected opcodes. */
static void without_the_option_they_are_refused(void **state)
{
    (void)state;
    for (int atomic = 0; atomic < 2; atomic++) {
        struct link k = link_open(NULL);
        struct raw_fpdu f = atomic ? fetch_add(1, 1, k.m, 1) : raw_send(1, "12345678", 8);

        if (!atomic)
            f.rdmap = OP_IMMEDIATE;
        endpoint_receive(k.e, 1, k.r, 0, 8);
        raw_put(k.p, &f);
        link_expect_terminate(&k, 0, 2, 6);
        assert_int_equal(k.m->p[0], 0);
        link_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(immediate_data_tells_of_a_write),
        cmocka_unit_test(atomics_of_all_connections_meet),
        cmocka_unit_test(without_the_option_they_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
