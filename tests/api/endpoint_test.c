/* SPDX-License-Identifier: MIT */
/* NDK_SHARED_ENDPOINT_DISPATCH, and connecting from a shared endpoint. */
#include "support/consumer.h"

#include "support/create.h"
#include "support/pair.h"
#include "support/unit.h"

static uint16_t port_of(NDK_SHARED_ENDPOINT *endpoint)
{
    SOCKADDR_INET at;
    ULONG length = sizeof at;

    assert_ntstatus(
        endpoint->Dispatch->NdkGetLocalAddress(endpoint, (SOCKADDR *)&at, &length), STATUS_SUCCESS);
    return address_port(&at);
}

/* [NDKPI NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS] */
static void a_port_is_chosen_and_told(void **state)
{
    static const struct {
        const char *host;
        ULONG needed;
    } cases[] = {{"127.0.0.1", 16}, {"::1", 28}};
    struct consumer *c = consumer_open(NULL);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        NDK_SHARED_ENDPOINT *e;
        SOCKADDR_INET at;
        ULONG length = 0;

        assert_ntstatus(create_shared_endpoint(c, cases[i].host, 0, &e), STATUS_SUCCESS);
        assert_ntstatus(e->Dispatch->NdkGetLocalAddress(e, NULL, &length), STATUS_BUFFER_TOO_SMALL);
        assert_int_equal(length, cases[i].needed);
        length--;
        assert_ntstatus(
            e->Dispatch->NdkGetLocalAddress(e, (SOCKADDR *)&at, &length), STATUS_BUFFER_TOO_SMALL);
        assert_ntstatus(
            e->Dispatch->NdkGetLocalAddress(e, (SOCKADDR *)&at, &length), STATUS_SUCCESS);
        assert_int_equal(length, cases[i].needed);
        assert_true(address_port(&at) >= 49152);
        assert_ntstatus(
            e->Dispatch->NdkGetLocalAddress(e, (SOCKADDR *)&at, NULL), STATUS_INVALID_PARAMETER);
        consumer_close_object(c, &e->Header);
    }
    consumer_close(c);
}

/* [NDKPI NDK_FN_CREATE_SHARED_ENDPOINT] */
static void what_is_not_ours_is_refused(void **state)
{
    struct pair p = pair_begin(NULL);
    struct consumer *c = p.c;
    ULONG length;
    SOCKADDR_INET at = address_of("127.0.0.1", 0, &length);
    NDK_SHARED_ENDPOINT *e, *other = NULL;

    (void)state;
    assert_ntstatus(create_shared_endpoint(c, "192.0.2.1", 0, &e), STATUS_INVALID_ADDRESS);
    assert_ntstatus(create_shared_endpoint(c, "0.0.0.0", 0, &e), STATUS_INVALID_ADDRESS);
    assert_ntstatus(create_shared_endpoint(c, "::", 0, &e), STATUS_INVALID_ADDRESS);
    assert_ntstatus(
        create_shared_endpoint(c, "127.0.0.1", p.a->port, &e), STATUS_SHARING_VIOLATION);
    assert_ntstatus(c->adapter->Dispatch->NdkCreateSharedEndpoint(
                        c->adapter, (SOCKADDR *)&at, 15, never_created, NULL, &other),
        STATUS_INVALID_PARAMETER);
    at.si_family = 1;
    assert_ntstatus(c->adapter->Dispatch->NdkCreateSharedEndpoint(
                        c->adapter, (SOCKADDR *)&at, length, never_created, NULL, &other),
        STATUS_INVALID_ADDRESS);
    assert_ntstatus(create_shared_endpoint(c, "127.0.0.1", 0, &e), STATUS_SUCCESS);
    assert_ntstatus(
        create_shared_endpoint(c, "127.0.0.1", port_of(e), &other), STATUS_SHARING_VIOLATION);
    assert_null(other);
    consumer_close_object(c, &e->Header);
    pair_close(&p);
}

static void a_wildcard_is_a_matter_of_options(void **state)
{
    SOFTNDK_OPTIONS o = consumer_options();
    struct consumer *c;
    NDK_SHARED_ENDPOINT *e;

    (void)state;
    o.AllowWildcard = 1;
    c = consumer_open(&o);
    assert_ntstatus(create_shared_endpoint(c, "0.0.0.0", 0, &e), STATUS_SUCCESS);
    consumer_close_object(c, &e->Header);
    consumer_close(c);
}

/* One of several connections from a shared endpoint to several listeners. */
struct branch {
    struct acceptor *a;
    struct endpoint *active, *passive;
};

static void connect_from(struct endpoint *e, NDK_SHARED_ENDPOINT *from, uint16_t port)
{
    ULONG length;
    SOCKADDR_INET to = address_of("127.0.0.1", port, &length);

    if (e->connector == NULL)
        assert_ntstatus(consumer_create_connector(e->c, &e->connector), STATUS_SUCCESS);
    e->connecting = call_begin(e->c);
    call_started(e->connecting,
        e->connector->Dispatch->NdkConnectWithSharedEndpoint(e->connector, e->qp, from,
            (SOCKADDR *)&to, length, 4, 4, NULL, 0, call_completed, e->connecting));
}

static struct branch branch_open(struct consumer *c, NDK_SHARED_ENDPOINT *from)
{
    struct branch b = {.a = acceptor_open(c, "127.0.0.1"),
        .active = endpoint_open(c, NULL),
        .passive = endpoint_open(c, NULL)};

    connect_from(b.active, from, b.a->port);
    endpoint_accept_start(b.passive, acceptor_wait(b.a), NULL);
    assert_ntstatus(endpoint_connect_wait(b.active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(b.active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(b.passive), STATUS_SUCCESS);
    return b;
}

static void branch_close(struct branch *b)
{
    endpoint_close(b->active);
    endpoint_close(b->passive);
    acceptor_close(b->a);
}

/* [NDKPI NDK_FN_CONNECT_WITH_SHARED_ENDPOINT] Several destinations from one port; the close of the
 * endpoint waits for all, and the port is taken until then. */
static void many_connections_share_one_port(void **state)
{
    enum { BRANCHES = 3 };
    struct consumer *c = consumer_open(NULL);
    struct branch branches[BRANCHES];
    struct ndk_call *closing = call_begin(c);
    NDK_SHARED_ENDPOINT *e, *other;
    uint16_t port;

    (void)state;
    assert_ntstatus(create_shared_endpoint(c, "127.0.0.1", 0, &e), STATUS_SUCCESS);
    port = port_of(e);
    for (unsigned i = 0; i < BRANCHES; i++) {
        SOCKADDR_INET at;
        ULONG length = sizeof at;

        branches[i] = branch_open(c, e);
        assert_ntstatus(branches[i].active->connector->Dispatch->NdkGetLocalAddress(
                            branches[i].active->connector, (SOCKADDR *)&at, &length),
            STATUS_SUCCESS);
        assert_int_equal(address_port(&at), port);
    }
    call_started(closing, e->Dispatch->NdkCloseSharedEndpoint(&e->Header, call_closed, closing));
    assert_false(call_is_done(closing));
    assert_ntstatus(create_shared_endpoint(c, "127.0.0.1", port, &other), STATUS_SHARING_VIOLATION);
    for (unsigned i = 0; i < BRANCHES; i++) {
        assert_false(call_is_done(closing));
        branch_close(&branches[i]);
    }
    assert_ntstatus(call_wait(closing), STATUS_SUCCESS);
    c->objects--;
    consumer_close(c);
}

static void arguments_are_checked(void **state)
{
    struct consumer *c = consumer_open(NULL), *foreign = consumer_open(NULL);
    struct endpoint *e = endpoint_open(c, NULL);
    ULONG v4, v6;
    SOCKADDR_INET to4 = address_of("127.0.0.1", 9, &v4), to6 = address_of("::1", 9, &v6);
    NDK_SHARED_ENDPOINT *from, *theirs;
    NDK_CONNECTOR *connector;
    NDK_FN_CONNECT_WITH_SHARED_ENDPOINT connect;

    (void)state;
    assert_ntstatus(create_shared_endpoint(c, "127.0.0.1", 0, &from), STATUS_SUCCESS);
    assert_ntstatus(create_shared_endpoint(foreign, "127.0.0.1", 0, &theirs), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_connector(c, &connector), STATUS_SUCCESS);
    connect = connector->Dispatch->NdkConnectWithSharedEndpoint;
    assert_ntstatus(
        connect(connector, NULL, from, (SOCKADDR *)&to4, v4, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        connect(connector, e->qp, NULL, (SOCKADDR *)&to4, v4, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(connect(connector, e->qp, theirs, (SOCKADDR *)&to4, v4, 0, 0, NULL, 0,
                        never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(connect(connector, e->qp, from, NULL, v4, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        connect(connector, e->qp, from, (SOCKADDR *)&to4, v4, 0, 0, NULL, 0, NULL, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        connect(connector, e->qp, from, (SOCKADDR *)&to4, v4, 0, 0, NULL, 1, never_completed, NULL),
        STATUS_INVALID_PARAMETER);
    assert_ntstatus(
        connect(connector, e->qp, from, (SOCKADDR *)&to6, v6, 0, 0, NULL, 0, never_completed, NULL),
        STATUS_INVALID_ADDRESS); /* the families differ */
    consumer_close_object(c, &connector->Header);
    consumer_close_object(c, &from->Header);
    consumer_close_object(foreign, &theirs->Header);
    endpoint_close(e);
    consumer_close(c);
    consumer_close(foreign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_is_chosen_and_told),
        cmocka_unit_test(what_is_not_ours_is_refused),
        cmocka_unit_test(a_wildcard_is_a_matter_of_options),
        cmocka_unit_test(many_connections_share_one_port),
        cmocka_unit_test(arguments_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
