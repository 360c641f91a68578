/* SPDX-License-Identifier: MIT */
/* NDK_LISTENER_DISPATCH. */
#include "support/consumer.h"

#include <stdlib.h>

#include "support/create.h"
#include "support/pair.h"
#include "support/unit.h"

static NTSTATUS listen_at(struct consumer *c, NDK_LISTENER *l, const char *host, uint16_t port)
{
    struct ndk_call *call = call_begin(c);
    ULONG length;
    SOCKADDR_INET at = address_of(host, port, &length);

    return call_end(call, l->Dispatch->NdkListen(l, (SOCKADDR *)&at, length, call_completed, call));
}

static NTSTATUS connect_to(struct endpoint *e, uint16_t port)
{
    endpoint_connect_start(e, "127.0.0.1", port, NULL);
    return endpoint_connect_wait(e);
}

/* [NDKPI NDK_FN_LISTEN] */
static void a_listener_listens_once(void **state)
{
    struct consumer *c = consumer_open(NULL);
    SOCKADDR_INET at;
    ULONG length = sizeof at;
    NDK_LISTENER *l;

    (void)state;
    assert_ntstatus(consumer_create_listener(c, never_connected, NULL, &l), STATUS_SUCCESS);
    assert_ntfailure(l->Dispatch->NdkGetLocalAddress(l, (SOCKADDR *)&at, &length));
    assert_ntstatus(listen_at(c, l, "192.0.2.1", 0), STATUS_INVALID_ADDRESS);
    assert_ntstatus(listen_at(c, l, "0.0.0.0", 0), STATUS_INVALID_ADDRESS);
    assert_ntstatus(listen_at(c, l, "127.0.0.1", 0), STATUS_SUCCESS);
    assert_ntstatus(listen_at(c, l, "127.0.0.1", 0), STATUS_INVALID_DEVICE_STATE);
    assert_ntstatus(l->Dispatch->NdkGetLocalAddress(l, (SOCKADDR *)&at, &length), STATUS_SUCCESS);
    assert_int_equal(length, 16);
    assert_true(address_port(&at) >= 49152);
    consumer_close_object(c, &l->Header);
    consumer_close(c);
}

static void arguments_are_checked(void **state)
{
    struct consumer *c = consumer_open(NULL);
    ULONG length;
    SOCKADDR_INET at = address_of("127.0.0.1", 0, &length);
    NDK_LISTENER *l;

    (void)state;
    assert_ntstatus(consumer_create_listener(c, never_connected, NULL, &l), STATUS_SUCCESS);
    assert_ntstatus(
        l->Dispatch->NdkListen(l, NULL, length, never_completed, NULL), STATUS_INVALID_PARAMETER);
    assert_ntstatus(l->Dispatch->NdkListen(l, (SOCKADDR *)&at, 15, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        l->Dispatch->NdkListen(l, (SOCKADDR *)&at, length, NULL, NULL), STATUS_INVALID_PARAMETER);
    at.si_family = 99;
    assert_ntstatus(l->Dispatch->NdkListen(l, (SOCKADDR *)&at, length, never_completed, NULL),
        STATUS_INVALID_ADDRESS);
    consumer_close_object(c, &l->Header);
    consumer_close(c);
}

static void an_address_has_one_listener(void **state)
{
    struct pair p = pair_begin(NULL);
    struct consumer *other = consumer_open(NULL);
    NDK_LISTENER *l, *theirs;

    (void)state;
    assert_ntstatus(consumer_create_listener(p.c, never_connected, NULL, &l), STATUS_SUCCESS);
    assert_ntstatus(listen_at(p.c, l, "127.0.0.1", p.a->port), STATUS_SHARING_VIOLATION);
    assert_ntstatus(
        consumer_create_listener(other, never_connected, NULL, &theirs), STATUS_SUCCESS);
    assert_ntstatus(listen_at(other, theirs, "127.0.0.1", p.a->port), STATUS_SHARING_VIOLATION);
    consumer_close_object(p.c, &l->Header);
    consumer_close_object(other, &theirs->Header);
    consumer_close(other);
    pair_close(&p);
}

/* AF_INET6 as Windows has it and as Linux has it. */
static void both_numbers_of_ipv6_are_taken(void **state)
{
    struct consumer *c = consumer_open(NULL);

    (void)state;
    for (ADDRESS_FAMILY family = 10; family <= 23; family += 13) {
        struct ndk_call *call = call_begin(c);
        ULONG length;
        SOCKADDR_INET at = address_of("::1", 0, &length);
        NDK_LISTENER *l;

        at.si_family = family;
        assert_ntstatus(consumer_create_listener(c, never_connected, NULL, &l), STATUS_SUCCESS);
        assert_ntstatus(call_end(call, l->Dispatch->NdkListen(
                                           l, (SOCKADDR *)&at, length, call_completed, call)),
            STATUS_SUCCESS);
        assert_ntstatus(
            l->Dispatch->NdkGetLocalAddress(l, (SOCKADDR *)&at, &length), STATUS_SUCCESS);
        assert_int_equal(at.si_family, 23);
        consumer_close_object(c, &l->Header);
    }
    consumer_close(c);
}

static void ipv6_connects(void **state)
{
    const struct pair_how how = {.host = "::1"};
    struct pair p = pair_open(&how);

    (void)state;
    pair_close(&p);
}

static void a_wildcard_listens_if_the_options_say_so(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct consumer *c;
    struct acceptor *a;
    struct endpoint *active, *passive;

    (void)state;
    o.AllowWildcard = 1;
    c = consumer_open(&o);
    a = acceptor_open(c, "0.0.0.0");
    active = endpoint_open(c, NULL);
    passive = endpoint_open(c, NULL);
    endpoint_connect_start(active, "127.0.0.1", a->port, NULL);
    endpoint_accept_start(passive, acceptor_wait(a), NULL);
    assert_ntstatus(endpoint_connect_wait(active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(passive), STATUS_SUCCESS);
    endpoint_close(active);
    endpoint_close(passive);
    acceptor_close(a);
    consumer_close(c);
}

/* [NDKPI NDK_FN_CONTROL_CONNECT_EVENTS] */
static void a_paused_listener_refuses_until_it_is_resumed(void **state)
{
    struct pair p = pair_begin(NULL);
    NDK_LISTENER *l = p.a->listener;

    (void)state;
    l->Dispatch->NdkControlConnectEvents(l, TRUE);
    assert_ntstatus(connect_to(p.active, p.a->port), STATUS_CONNECTION_REFUSED);
    assert_int_equal(acceptor_pending(p.a), 0);
    l->Dispatch->NdkControlConnectEvents(l, FALSE);
    pair_connect(&p, NULL); /* the connector may try again */
    l->Dispatch->NdkControlConnectEvents(l, TRUE);
    assert_int_equal(endpoint_disconnects(p.active), 0); /* what is there does not notice */
    pair_close(&p);
}

/* The close refuses at once, although it waits for connectors. [NDKPI NDK_FN_CLOSE_OBJECT] */
static void a_closing_listener_refuses_at_once(void **state)
{
    struct pair p = pair_open(NULL);
    struct endpoint *late = endpoint_open(p.c, NULL);
    struct ndk_call *closing = call_begin(p.c);
    NDK_LISTENER *l = p.a->listener, *again;

    (void)state;
    call_started(closing, l->Dispatch->NdkCloseListener(&l->Header, call_closed, closing));
    assert_false(call_is_done(closing));
    assert_ntstatus(connect_to(late, p.a->port), STATUS_CONNECTION_REFUSED);
    assert_ntstatus(consumer_create_listener(p.c, never_connected, NULL, &again), STATUS_SUCCESS);
    /* The accepted connector still has the port. */
    assert_ntstatus(listen_at(p.c, again, "127.0.0.1", p.a->port), STATUS_SHARING_VIOLATION);
    assert_false(call_is_done(closing));
    endpoint_close(late);
    endpoint_close(p.active);
    endpoint_close(p.passive);
    assert_ntstatus(call_wait(closing), STATUS_SUCCESS);
    assert_ntstatus(listen_at(p.c, again, "127.0.0.1", p.a->port), STATUS_SUCCESS);
    consumer_close_object(p.c, &again->Header);
    p.c->objects--;
    free(p.a->events);
    free(p.a);
    consumer_close(p.c);
}

/* Requests that nobody answered are rejected by closing their connectors. */
static void an_ignored_request_is_refused_by_the_close(void **state)
{
    struct pair p = pair_begin(NULL);
    NDK_CONNECTOR *connector;

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
    connector = acceptor_wait(p.a);
    assert_false(endpoint_connect_is_done(p.active));
    consumer_close_object(p.c, &connector->Header);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_CONNECTION_REFUSED);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_listens_once),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(an_address_has_one_listener),
        cmocka_unit_test(both_numbers_of_ipv6_are_taken),
        cmocka_unit_test(ipv6_connects),
        cmocka_unit_test(a_wildcard_listens_if_the_options_say_so),
        cmocka_unit_test(a_paused_listener_refuses_until_it_is_resumed),
        cmocka_unit_test(a_closing_listener_refuses_at_once),
        cmocka_unit_test(an_ignored_request_is_refused_by_the_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
