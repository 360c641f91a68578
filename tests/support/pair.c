/* SPDX-License-Identifier: MIT */
#include "support/pair.h"

#include "support/unit.h"

static const char *host_of(const struct pair_how *how)
{
    return how != NULL && how->host != NULL ? how->host : "127.0.0.1";
}

struct pair pair_begin(const struct pair_how *how)
{
    struct pair p;

    p.c = consumer_open(how != NULL ? how->options : NULL);
    p.a = acceptor_open(p.c, host_of(how));
    p.active = endpoint_open(p.c, how != NULL ? how->active : NULL);
    p.passive = endpoint_open(p.c, how != NULL ? how->passive : NULL);
    return p;
}

void pair_connect(struct pair *p, const struct pair_how *how)
{
    endpoint_connect_start(p->active, host_of(how), p->a->port, how != NULL ? how->connect : NULL);
    endpoint_accept_start(p->passive, acceptor_wait(p->a), how != NULL ? how->accept : NULL);
    assert_ntstatus(endpoint_connect_wait(p->active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(p->active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(p->passive), STATUS_SUCCESS);
}

struct pair pair_open(const struct pair_how *how)
{
    struct pair p = pair_begin(how);

    pair_connect(&p, how);
    return p;
}

void pair_close(struct pair *p)
{
    endpoint_close(p->active);
    endpoint_close(p->passive);
    acceptor_close(p->a);
    consumer_close(p->c);
}
