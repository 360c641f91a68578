/* SPDX-License-Identifier: MIT */
/*
 * Documented statuses that take more than a wrong argument: connections that break between two
 * steps, addresses in use, and how each kind of request ends for each kind of reason. The whole
 * list is docs/statuses.md. [NDKPI NDK_FN_CONNECT] [NDKPI NDK_FN_REJECT] [NDKPI NDK_RESULT]
 */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "support/create.h"
#include "support/link.h"
#include "support/pair.h"
#include "support/unit.h"

static void nap_ms(unsigned ms)
{
    usleep(ms * 1000);
}

static unsigned descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

/* The library has closed its end of a connection. */
static void wait_for_descriptors(unsigned n)
{
    for (int i = 0; i < CONSUMER_WAIT_MS && descriptors() > n; i++)
        nap_ms(1);
    assert_int_equal(descriptors(), n);
}

/* ---- addresses ---- */

static NTSTATUS connect_from(struct endpoint *e, uint16_t from_port, uint16_t to_port)
{
    struct ndk_call *call = call_begin(e->c);
    ULONG n;
    SOCKADDR_INET from = address_of("127.0.0.1", from_port, &n);
    SOCKADDR_INET to = address_of("127.0.0.1", to_port, &n);

    if (e->connector == NULL)
        assert_ntstatus(consumer_create_connector(e->c, &e->connector), STATUS_SUCCESS);
    return call_end(call, e->connector->Dispatch->NdkConnect(e->connector, e->qp, (SOCKADDR *)&from,
                              n, (SOCKADDR *)&to, n, 1, 1, NULL, 0, call_completed, call));
}

/* From the port of a listener, of a shared endpoint, and of a stranger. */
static void a_local_port_in_use_is_refused(void **state)
{
    struct pair p = pair_begin(NULL);
    struct raw_listener *l = raw_listen("127.0.0.1", NULL);
    NDK_SHARED_ENDPOINT *shared;
    SOCKADDR_INET at;
    ULONG n = sizeof(at);

    (void)state;
    assert_ntstatus(create_shared_endpoint(p.c, "127.0.0.1", 0, &shared), STATUS_SUCCESS);
    assert_ntstatus(
        shared->Dispatch->NdkGetLocalAddress(shared, (SOCKADDR *)&at, &n), STATUS_SUCCESS);
    assert_ntstatus(connect_from(p.active, p.a->port, p.a->port), STATUS_SHARING_VIOLATION);
    assert_ntstatus(connect_from(p.active, address_port(&at), p.a->port), STATUS_SHARING_VIOLATION);
    assert_ntstatus(
        connect_from(p.active, raw_listener_port(l), p.a->port), STATUS_SHARING_VIOLATION);
    pair_connect(&p, NULL); /* nothing took harm */
    consumer_close_object(p.c, &shared->Header);
    raw_listener_close(l);
    pair_close(&p);
}

static struct ndk_call *connect_shared(
    struct endpoint *e, NDK_SHARED_ENDPOINT *shared, uint16_t to_port)
{
    struct ndk_call *call = call_begin(e->c);
    ULONG n;
    SOCKADDR_INET to = address_of("127.0.0.1", to_port, &n);

    if (e->connector == NULL)
        assert_ntstatus(consumer_create_connector(e->c, &e->connector), STATUS_SUCCESS);
    call_started(call, e->connector->Dispatch->NdkConnectWithSharedEndpoint(e->connector, e->qp,
                           shared, (SOCKADDR *)&to, n, 1, 1, NULL, 0, call_completed, call));
    return call;
}

/* From one shared endpoint to one destination, twice. */
static void two_connections_differ_in_an_address(void **state)
{
    struct pair p = pair_begin(NULL);
    struct endpoint *third = endpoint_open(p.c, NULL);
    NDK_SHARED_ENDPOINT *shared;
    struct ndk_call *call;

    (void)state;
    assert_ntstatus(create_shared_endpoint(p.c, "127.0.0.1", 0, &shared), STATUS_SUCCESS);
    call = connect_shared(p.active, shared, p.a->port);
    endpoint_accept_start(p.passive, acceptor_wait(p.a), NULL);
    assert_ntstatus(call_wait(call), STATUS_SUCCESS);
    assert_ntstatus(
        call_wait(connect_shared(third, shared, p.a->port)), STATUS_ADDRESS_ALREADY_EXISTS);
    assert_ntstatus(endpoint_complete(p.active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(p.passive), STATUS_SUCCESS);
    assert_ntstatus(
        call_wait(connect_shared(third, shared, p.a->port)), STATUS_ADDRESS_ALREADY_EXISTS);
    endpoint_close(third);
    endpoint_close_connector(p.active);
    consumer_close_object(p.c, &shared->Header);
    pair_close(&p);
}

/* ---- the peer gives up between two steps ---- */

enum step { COMPLETE, COMPLETE_EX, REJECT_ACTIVE, ACCEPT, ACCEPT_EX, REJECT_PASSIVE, STEPS };

static NTSTATUS take(struct link *k, enum step step, NDK_CONNECTOR *c)
{
    NDK_QP *qp = k->e->qp;

    switch (step) {
    case COMPLETE:
        return c->Dispatch->NdkCompleteConnect(c, NULL, NULL, never_completed, NULL);
    case COMPLETE_EX:
        return c->Dispatch->NdkCompleteConnectEx(c, NULL, NULL, never_completed, NULL);
    case ACCEPT:
        return c->Dispatch->NdkAccept(c, qp, 1, 1, NULL, 0, NULL, NULL, never_completed, NULL);
    case ACCEPT_EX:
        return c->Dispatch->NdkAcceptEx(c, qp, 1, 1, NULL, 0, NULL, NULL, never_completed, NULL);
    case REJECT_ACTIVE:
    case REJECT_PASSIVE:
    case STEPS:
        break;
    }
    return c->Dispatch->NdkReject(c, NULL, 0);
}

static void a_peer_that_gave_up_aborts_the_next_step(void **state)
{
    (void)state;
    for (int step = 0; step < STEPS; step++) {
        for (int is_reset = 0; is_reset < 2; is_reset++) {
            const struct link_how how = {
                .role = step < ACCEPT ? LINK_ACTIVE : LINK_PASSIVE, .peer_flags = RAW_C};
            struct link k = link_begin(&how);
            struct raw_frame f = link_frame(&how);
            NDK_CONNECTOR *c;
            unsigned both = descriptors();

            raw_put_frame(k.p, &f);
            if (step < ACCEPT)
                assert_ntstatus(endpoint_connect_wait(k.e), STATUS_SUCCESS);
            c = k.a != NULL ? acceptor_wait(k.a) : k.e->connector;
            if (k.a != NULL)
                both = descriptors(); /* before, its accept may not have been */
            if (is_reset)
                raw_reset(k.p);
            else
                raw_close(k.p);
            k.p = NULL;
            wait_for_descriptors(both - 2);
            assert_ntstatus(take(&k, (enum step)step, c), STATUS_CONNECTION_ABORTED);
            if (k.a != NULL)
                consumer_close_object(k.c, &c->Header);
            link_close(&k);
        }
    }
}

static void a_lost_connection_has_no_goodbye(void **state)
{
    struct link k = link_open(NULL);
    NDK_CONNECTOR *c = k.e->connector;

    (void)state;
    raw_reset(k.p);
    k.p = NULL;
    endpoint_wait_disconnected(k.e);
    assert_ntstatus(c->Dispatch->NdkDisconnect(c, never_completed, NULL), STATUS_IO_TIMEOUT);
    assert_ntstatus(
        c->Dispatch->NdkDisconnect(c, never_completed, NULL), STATUS_CONNECTION_INVALID);
    link_close(&k);
}

/* ---- arguments that only a connector of a request can have ---- */

static void accepting_checks_its_arguments(void **state)
{
    static uint8_t data[4096];
    struct pair p = pair_begin(NULL);
    struct consumer *foreign = consumer_open(NULL);
    struct endpoint *theirs = endpoint_open(foreign, NULL);
    const ULONG most = p.c->info.MaxCalleeData;
    NDK_CONNECTOR *k;

    (void)state;
    endpoint_connect_start(p.active, "127.0.0.1", p.a->port, NULL);
    k = acceptor_wait(p.a);
    for (int ex = 0; ex < 2; ex++) {
        const struct {
            NDK_QP *qp;
            PVOID data;
            ULONG len;
            NDK_FN_REQUEST_COMPLETION done;
            NTSTATUS want;
        } rows[] = {
            {p.passive->qp, data, most + 1, never_completed, STATUS_INVALID_BUFFER_SIZE},
            {p.passive->qp, NULL, 1, never_completed, STATUS_INVALID_PARAMETER},
            {p.passive->qp, NULL, 0, NULL, STATUS_INVALID_PARAMETER},
            {NULL, NULL, 0, never_completed, STATUS_INVALID_PARAMETER},
            {theirs->qp, NULL, 0, never_completed, STATUS_INVALID_PARAMETER},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            NTSTATUS s = ex ? k->Dispatch->NdkAcceptEx(k, rows[i].qp, 1, 1, rows[i].data,
                                  rows[i].len, NULL, NULL, rows[i].done, NULL)
                            : k->Dispatch->NdkAccept(k, rows[i].qp, 1, 1, rows[i].data, rows[i].len,
                                  NULL, NULL, rows[i].done, NULL);

            assert_ntstatus(s, rows[i].want);
        }
    }
    endpoint_accept_start(p.passive, k, NULL);
    assert_ntstatus(endpoint_connect_wait(p.active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_complete(p.active), STATUS_SUCCESS);
    assert_ntstatus(endpoint_accept_wait(p.passive), STATUS_SUCCESS);
    endpoint_close(theirs);
    consumer_close(foreign);
    pair_close(&p);
}

static void addresses_need_room(void **state)
{
    struct pair p = pair_open(NULL);
    NDK_CONNECTOR *c = p.active->connector;
    const NDK_FN_GET_LOCAL_ADDRESS get[] = {
        c->Dispatch->NdkGetLocalAddress, c->Dispatch->NdkGetPeerAddress};
    SOCKADDR_INET at;
    ULONG n;

    (void)state;
    for (int i = 0; i < 2; i++) {
        n = 0;
        assert_ntstatus(get[i](c, NULL, &n), STATUS_BUFFER_TOO_SMALL);
        assert_int_equal(n, 16);
        n = 15;
        assert_ntstatus(get[i](c, (SOCKADDR *)&at, &n), STATUS_BUFFER_TOO_SMALL);
        assert_ntstatus(get[i](c, (SOCKADDR *)&at, &n), STATUS_SUCCESS);
        assert_ntstatus(get[i](c, (SOCKADDR *)&at, NULL), STATUS_INVALID_PARAMETER);
    }
    n = 0;
    assert_ntstatus(p.a->listener->Dispatch->NdkGetLocalAddress(p.a->listener, NULL, &n),
        STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(n, 16);
    pair_close(&p);
}

/* ---- how requests end ---- */

/* Terminate of an untagged message: its header, for a Read with the read header. */
static struct raw_fpdu terminate_naming(
    uint8_t type, uint8_t code, uint8_t layer, uint8_t op, uint32_t qn, uint32_t msn)
{
    struct raw_fpdu f = raw_terminate(layer, type, code);
    bool is_read = op == RAW_OP_READ_REQUEST;

    f.head[2] = is_read ? 0xe0 : 0xc0;
    f.head[5] = 46;
    f.head[6] = 0x41;
    f.head[7] = op;
    f.head[15] = (uint8_t)qn;
    f.head[19] = (uint8_t)msn;
    f.head_len = (size_t)4 + 2 + 18 + (is_read ? 28 : 0);
    return f;
}

enum why {
    NAMED_ACCESS, /* a Terminate that names it: protection */
    NAMED_OTHER,  /* and another reason */
    UNNAMED,      /* a Terminate about nothing */
    RESET,
    FIN,
    FLUSH,
    WHYS
};

static void strike(struct link *k, enum why why, bool is_read)
{
    uint8_t op = is_read ? RAW_OP_READ_REQUEST : RAW_OP_SEND;
    uint32_t qn = is_read ? 1 : 0;
    struct raw_fpdu f = raw_terminate(2, 0, 2);

    if (why == NAMED_ACCESS)
        f = terminate_naming(1, 1, 0, op, qn, 1);
    else if (why == NAMED_OTHER)
        f = is_read ? terminate_naming(2, 0xff, 0, op, qn, 1)
                    : terminate_naming(2, 5, 1, op, qn, 1);
    if (why <= UNNAMED)
        raw_put(k->p, &f);
    else if (why == RESET) {
        raw_reset(k->p);
        k->p = NULL;
    } else if (why == FIN) {
        raw_half_close(k->p);
    } else {
        k->e->qp->Dispatch->NdkFlush(k->e->qp);
    }
}

static const NTSTATUS read_and_send_end_as[WHYS] = {
    [NAMED_ACCESS] = STATUS_ACCESS_VIOLATION,
    [NAMED_OTHER] = STATUS_REMOTE_RESOURCES,
    [UNNAMED] = STATUS_REMOTE_RESOURCES,
    [RESET] = STATUS_IO_TIMEOUT,
    [FIN] = STATUS_CANCELLED,
    [FLUSH] = STATUS_CANCELLED,
};

/* An outstanding Read, and a Write and a Send that TCP has no room for: the first says why, what
 * came behind is cancelled. */
static void outstanding_requests_say_why(void **state)
{
    const struct raw_tcp narrow = {.rcvbuf = 4096};

    (void)state;
    for (int is_read = 0; is_read < 2; is_read++) {
        for (int why = 0; why < WHYS; why++) {
            SOFTNDK_OPTIONS o = consumer_options();
            const struct link_how how = {.options = &o, .peer_flags = RAW_C, .tcp = &narrow};
            struct link k;
            struct memory *big;
            NDK_RESULT_EX r;

            print_message("%s, %d\n", is_read ? "Read" : "Send", why);
            o.DisconnectTimeoutMs = 300;
            k = link_open(&how);
            big = memory_open(k.c, NULL, 16 << 20, MEMORY_ALL);
            if (is_read) {
                endpoint_read(k.e, 1, k.r, 0, 8, 0, 1, 0);
                raw_expect_read_request(k.p);
            } else {
                endpoint_send(k.e, 1, big, 0, big->n, 0);
            }
            endpoint_write(k.e, 2, big, 0, big->n, 0, 1, NDK_OP_FLAG_SILENT_SUCCESS);
            endpoint_receive(k.e, 3, k.r, 0, 8);
            strike(&k, (enum why)why, is_read);
            r = endpoint_wait_initiated(k.e);
            assert_int_equal((uintptr_t)r.RequestContext, 1);
            assert_ntstatus(r.Status, read_and_send_end_as[why]);
            assert_ntstatus(endpoint_wait_initiated(k.e).Status, STATUS_CANCELLED);
            if (why == FIN) {
                endpoint_expect_no_received(k.e);
                k.e->qp->Dispatch->NdkFlush(k.e->qp);
            }
            assert_ntstatus(endpoint_wait_received(k.e).Status, STATUS_CANCELLED);
            memory_close(big);
            link_close(&k);
        }
    }
}

/* What is wrong here is said of the request that is wrong, and no octet of it goes out. */
static void local_errors_are_access_violations(void **state)
{
    enum { BAD_TOKEN, BEFORE, BEHIND, WRAP, CASES };

    (void)state;
    for (int op = 0; op < 4; op++) {
        for (int bad = 0; bad < CASES; bad++) {
            struct link k = link_open(NULL);
            NDK_QP *qp = k.e->qp;
            NDK_SGE s = memory_sge(k.r, 0, 8);
            struct raw_fpdu f = raw_send(1, "12345678", 8);

            if (bad == BAD_TOKEN)
                s.MemoryRegionToken += 7;
            else if (bad == WRAP)
                s.VirtualAddress = (PVOID)(UINTPTR_MAX - 3);
            else
                s.VirtualAddress = k.r->p + (bad == BEFORE ? -1 : LINK_RECEIVE - 7);
            if (op == 0)
                assert_ntstatus(qp->Dispatch->NdkSend(qp, (PVOID)1, &s, 1, 0), STATUS_SUCCESS);
            else if (op == 1)
                assert_ntstatus(
                    qp->Dispatch->NdkWrite(qp, (PVOID)1, &s, 1, 0, 1, 0), STATUS_SUCCESS);
            else if (op == 2)
                assert_ntstatus(
                    qp->Dispatch->NdkRead(qp, (PVOID)1, &s, 1, 0, 1, 0), STATUS_SUCCESS);
            else
                assert_ntstatus(qp->Dispatch->NdkReceive(qp, (PVOID)1, &s, 1), STATUS_SUCCESS);
            if (op == 2) { /* the answer has nowhere to go; it may be refused before it is asked */
                struct raw_in in;

                if (raw_get(k.p, &in, RAW_WAIT_MS) == RAW_FPDU && in.rdmap == RAW_OP_READ_REQUEST)
                    fail_msg("a Read without a sink was asked for");
            } else if (op == 3) {
                raw_put(k.p, &f);
            }
            assert_ntstatus(
                op == 3 ? endpoint_wait_received(k.e).Status : endpoint_wait_initiated(k.e).Status,
                STATUS_ACCESS_VIOLATION);
            endpoint_wait_disconnected(k.e);
            link_close(&k);
        }
    }
}

/* Receives and sinks need local write, by the region that they name. [VRB-041] [VRB-043] */
static void sinks_need_local_write(void **state)
{
    (void)state;
    for (int is_read = 0; is_read < 2; is_read++) {
        struct link k = link_open(NULL);
        struct memory *fixed = memory_open(k.c, NULL, 64, NDK_MR_FLAG_ALLOW_REMOTE_READ);
        struct raw_fpdu f = raw_send(1, "12345678", 8);

        if (is_read) {
            endpoint_read(k.e, 1, fixed, 0, 8, 0, 1, 0);
            assert_ntstatus(endpoint_wait_initiated(k.e).Status, STATUS_ACCESS_VIOLATION);
        } else {
            endpoint_receive(k.e, 1, fixed, 0, 8);
            raw_put(k.p, &f);
            assert_ntstatus(endpoint_wait_received(k.e).Status, STATUS_ACCESS_VIOLATION);
        }
        assert_int_equal(fixed->p[0], 0);
        memory_close(fixed);
        link_close(&k);
    }
}

/* Binding what is bound, registering what is registered, taking back what is not there. */
static void local_requests_out_of_order_are_invalid(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        struct link k = link_open(NULL);
        NDK_QP *qp = k.e->qp;
        struct ndk_call *call = call_begin(k.c);
        const ULONG flags = NDK_OP_FLAG_ALLOW_REMOTE_READ;
        NDK_LOGICAL_ADDRESS page = {.QuadPart = 4096};
        NDK_MR *fast;
        NDK_MW *mw;
        NDK_RESULT_EX r;

        assert_ntstatus(consumer_create_mw(k.c, k.c->pd, &mw), STATUS_SUCCESS);
        assert_ntstatus(consumer_create_mr(k.c, k.c->pd, TRUE, &fast), STATUS_SUCCESS);
        assert_ntstatus(call_end(call, fast->Dispatch->NdkInitializeFastRegisterMr(
                                           fast, 16, TRUE, call_completed, call)),
            STATUS_SUCCESS);
        for (uintptr_t i = 1; i <= 2; i++) {
            NTSTATUS s;

            if (which == 0)
                s = qp->Dispatch->NdkBind(qp, (PVOID)i, k.m->mr, mw, k.m->p, 8, flags);
            else if (which == 1)
                s = qp->Dispatch->NdkFastRegister(
                    qp, (PVOID)i, fast, 1, &page, 0, 4096, NULL, flags);
            else
                s = qp->Dispatch->NdkInvalidate(
                    qp, (PVOID)i, which == 2 ? &mw->Header : &fast->Header, 0);
            assert_ntstatus(s, STATUS_SUCCESS);
            r = endpoint_wait_initiated(k.e);
            assert_int_equal((uintptr_t)r.RequestContext, i);
            if (i == 1 && which < 2) {
                assert_ntstatus(r.Status, STATUS_SUCCESS);
                continue;
            }
            assert_ntstatus(r.Status, STATUS_INVALID_DEVICE_REQUEST);
            break;
        }
        endpoint_wait_disconnected(k.e);
        consumer_close_object(k.c, &mw->Header);
        consumer_close_object(k.c, &fast->Header);
        link_close(&k);
    }
}

/* More than an adapter can send is refused when it is posted: DATA_OVERRUN never has to be said. */
static void too_much_is_refused_at_once(void **state)
{
    struct link k = link_open(NULL);
    NDK_QP *qp = k.e->qp;
    NDK_SGE s[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        s[i] = memory_sge(k.m, 0, 8);
        s[i].Length = k.c->info.MaxTransferLength / 4 + 1;
    }
    assert_ntstatus(qp->Dispatch->NdkSend(qp, NULL, s, 4, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(qp->Dispatch->NdkWrite(qp, NULL, s, 4, 0, 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(qp->Dispatch->NdkRead(qp, NULL, s, 4, 0, 1, 0), STATUS_INVALID_PARAMETER);
    assert_ntstatus(qp->Dispatch->NdkReceive(qp, NULL, s, 4), STATUS_INVALID_PARAMETER);
    link_check_send(&k, 1);
    link_close(&k);
}

/* A response that answers something else fails its Read without any word of the peer's. */
static void a_wrong_response_is_no_success(void **state)
{
    struct link k = link_open(NULL);
    struct raw_read_in read;
    struct raw_fpdu f;

    (void)state;
    endpoint_read(k.e, 1, k.r, 0, 8, 0, 1, 0);
    read = raw_expect_read_request(k.p);
    f = raw_read_response(read.sink_stag, read.sink_to + 1, "12345678", 8);
    raw_put(k.p, &f);
    raw_expect_any_terminate(k.p);
    assert_ntfailure(endpoint_wait_initiated(k.e).Status);
    link_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_local_port_in_use_is_refused),
        cmocka_unit_test(two_connections_differ_in_an_address),
        cmocka_unit_test(a_peer_that_gave_up_aborts_the_next_step),
        cmocka_unit_test(a_lost_connection_has_no_goodbye),
        cmocka_unit_test(accepting_checks_its_arguments),
        cmocka_unit_test(addresses_need_room),
        cmocka_unit_test(outstanding_requests_say_why),
        cmocka_unit_test(local_errors_are_access_violations),
        cmocka_unit_test(sinks_need_local_write),
        cmocka_unit_test(local_requests_out_of_order_are_invalid),
        cmocka_unit_test(too_much_is_refused_at_once),
        cmocka_unit_test(a_wrong_response_is_no_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
