/* SPDX-License-Identifier: MIT */
#include "support/link.h"

#include <string.h>

#include "support/unit.h"

static const struct link_how usual = {.role = LINK_PASSIVE, .peer_flags = RAW_C};

struct raw_frame link_frame(const struct link_how *given)
{
    const struct link_how *how = given != NULL ? given : &usual;
    uint8_t flags = (uint8_t)(RAW_S | how->peer_flags);
    struct raw_frame f = how->role == LINK_PASSIVE ? raw_request(flags, 2) : raw_reply(flags, 2);

    if (how->ird != 0 || how->ord != 0) {
        f.ird = how->ird;
        f.ord = how->ord;
    }
    f.ird |= RAW_BIT_A;
    f.ord |= RAW_BIT_C;
    return f;
}

struct link link_begin(const struct link_how *given)
{
    const struct link_how *how = given != NULL ? given : &usual;
    struct link k;

    memset(&k, 0, sizeof(k));
    k.c = consumer_open(how->options);
    k.e = endpoint_open(k.c, how->endpoint);
    k.m = memory_open(k.c, NULL, LINK_MEMORY, MEMORY_ALL);
    k.r = memory_open(k.c, NULL, LINK_RECEIVE, NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
    k.peer_msn = 1;
    if (how->role == LINK_PASSIVE) {
        k.a = acceptor_open(k.c, "127.0.0.1");
        k.p = raw_connect("127.0.0.1", k.a->port, how->tcp);
        return k;
    }
    k.l = raw_listen("127.0.0.1", how->tcp);
    endpoint_connect_start(k.e, "127.0.0.1", raw_listener_port(k.l), how->terms);
    k.p = raw_accept(k.l);
    k.frame = raw_expect_request(k.p);
    return k;
}

void link_accept(struct link *k, const struct link_how *how)
{
    if (k->a != NULL)
        endpoint_accept_start(k->e, acceptor_wait(k->a), how != NULL ? how->terms : NULL);
}

struct link link_open(const struct link_how *how)
{
    struct link k = link_begin(how);
    struct raw_frame f = link_frame(how);
    struct raw_fpdu rtr = raw_rtr_write();

    raw_put_frame(k.p, &f);
    if (k.a != NULL) {
        link_accept(&k, how);
        k.frame = raw_expect_reply(k.p);
        raw_put(k.p, &rtr);
        assert_ntstatus(endpoint_accept_wait(k.e), STATUS_SUCCESS);
    } else {
        assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
        assert_ntstatus(endpoint_complete(k.e), STATUS_SUCCESS);
        assert_int_equal(raw_expect_op(k.p, RAW_OP_WRITE).len, 0);
    }
    return k;
}

void link_close(struct link *k)
{
    raw_close(k->p);
    raw_listener_close(k->l);
    endpoint_close(k->e);
    if (k->a != NULL)
        acceptor_close(k->a);
    memory_close(k->m);
    memory_close(k->r);
    consumer_close(k->c);
}

void link_check_receive(struct link *k)
{
    const char text[] = "does it still work?";
    struct raw_fpdu f = raw_send(k->peer_msn++, text, sizeof(text));

    memset(k->r->p, 0, sizeof(text));
    endpoint_receive(k->e, 1, k->r, 0, LINK_RECEIVE);
    raw_put(k->p, &f);
    endpoint_expect_received(k->e, 1, sizeof(text));
    assert_memory_equal(k->r->p, text, sizeof(text));
}

void link_check_send(struct link *k, uint32_t msn)
{
    memcpy(k->m->p, "from here", 9);
    endpoint_send(k->e, 7, k->m, 0, 9, 0);
    assert_int_equal(raw_expect_message(k->p, RAW_OP_SEND, "from here", 9).msn, msn);
    endpoint_expect_initiated(k->e, 7);
}

struct raw_term_in link_expect_terminate_at(
    struct link *k, uint8_t layer, uint8_t type, uint8_t code, const char *file, int line)
{
    struct raw_term_in t = raw_expect_terminate_at(k->p, layer, type, code, file, line);

    raw_expect_fin_at(k->p, file, line);
    endpoint_wait_disconnected(k->e);
    return t;
}
