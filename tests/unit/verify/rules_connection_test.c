/* SPDX-License-Identifier: MIT */
/* Rows N-C1 to N-C12: connections. */
#include "unit/verify/cases.h"

/* ---- C1 ---- */

static void complete_before_connect(struct world *w)
{
    w->connector = connector_create(w);
    (void)complete(w->connector);
}

static void complete_twice(struct world *w)
{
    (void)complete(w->connector);
}

static void connect_and_complete(struct world *w)
{
    w->connector = connector_create(w);
    OK(connect(w->connector, w->qp, 1));
    OK(w->connector->Dispatch->NdkCompleteConnectEx(w->connector, NULL, NULL, done, NULL));
    OK(disconnect(w->connector));
}

/* A completion later than the call gives the same states. */
static void connect_pending(struct world *w)
{
    w->connector = connector_create(w);
    fake.pends = true;
    assert_int_equal(connect(w->connector, w->qp, 1), STATUS_PENDING);
    fake_finish(STATUS_SUCCESS);
    fake.pends = true;
    assert_int_equal(complete(w->connector), STATUS_PENDING);
    fake_finish(STATUS_SUCCESS);
    OK(disconnect(w->connector));
}

static void complete_while_pending(struct world *w)
{
    w->connector = connector_create(w);
    fake.pends = true;
    assert_int_equal(connect(w->connector, w->qp, 1), STATUS_PENDING);
    fake.pends = false;
    (void)complete(w->connector);
    fake_finish(STATUS_SUCCESS);
}

/* ---- C2 ---- */

/* A connector of a connect event. */
static NDK_CONNECTOR *event_connector(struct world *w, NDK_LISTENER **listener)
{
    SOCKADDR_IN a = an_address();
    NDK_CONNECTOR *c = NULL;

    OK(w->adapter->Dispatch->NdkCreateListener(w->adapter, asked, &c, created, NULL, listener));
    OK((*listener)->Dispatch->NdkListen(*listener, (PSOCKADDR)(void *)&a, sizeof a, done, NULL));
    fake_connect_event(*listener);
    assert_non_null(c);
    return c;
}

static NTSTATUS accept_on(NDK_CONNECTOR *c, NDK_QP *qp)
{
    return c->Dispatch->NdkAccept(c, qp, 1, 1, NULL, 0, ended, NULL, done, NULL);
}

static void accept_own(struct world *w)
{
    w->connector = connector_create(w);
    (void)accept_on(w->connector, w->qp);
}

static void reject_twice(struct world *w)
{
    NDK_LISTENER *l;
    NDK_CONNECTOR *c = event_connector(w, &l);

    OK(c->Dispatch->NdkReject(c, NULL, 0));
    (void)c->Dispatch->NdkReject(c, NULL, 0);
    close_any(&c->Header);
    close_any(&l->Header);
}

static void accept_after_reject(struct world *w)
{
    NDK_LISTENER *l;
    NDK_CONNECTOR *c = event_connector(w, &l);

    OK(c->Dispatch->NdkReject(c, NULL, 0));
    (void)accept_on(c, w->qp);
    close_any(&c->Header);
    close_any(&l->Header);
}

static void accept_and_reject_rightly(struct world *w)
{
    NDK_LISTENER *l, *l2;
    NDK_CONNECTOR *c = event_connector(w, &l), *c2 = event_connector(w, &l2);

    OK(accept_on(c, w->qp));
    OK(disconnect(c));
    OK(c2->Dispatch->NdkReject(c2, NULL, 0));
    close_any(&c->Header);
    close_any(&c2->Header);
    close_any(&l->Header);
    close_any(&l2->Header);
}

/* ---- C3 ---- */

static void connect_again(struct world *w)
{
    NDK_QP *other = qp_create(w, w->pd);

    (void)connect(w->connector, other, 1);
    close_any(&other->Header);
}

static void connect_after_failure(struct world *w)
{
    w->connector = connector_create(w);
    fake.status = STATUS_CONNECTION_REFUSED;
    assert_int_equal(connect(w->connector, w->qp, 1), STATUS_CONNECTION_REFUSED);
    OK(connect(w->connector, w->qp, 1));
    OK(w->connector->Dispatch->NdkReject(w->connector, NULL, 0));
}

/* ---- C4 ---- */

static void use_connected_qp(struct world *w)
{
    NDK_CONNECTOR *other = connector_create(w);

    (void)connect(other, w->qp, 1);
    close_any(&other->Header);
}

static void give_to_two(struct world *w)
{
    w->connector = connector_create(w);
    OK(connect(w->connector, w->qp, 1));
    use_connected_qp(w);
    OK(complete(w->connector));
    OK(disconnect(w->connector));
}

/* A failed connect gives the QP back: another connector may take it. */
static void connect_again_after_a_failure(struct world *w)
{
    NDK_CONNECTOR *first = connector_create(w);

    fake.pends = true;
    assert_int_equal(connect(first, w->qp, 1), STATUS_PENDING);
    fake_finish(STATUS_CONNECTION_REFUSED);
    close_any(&first->Header);
    connect_and_complete(w);
}

static void accept_on_used_qp(struct world *w)
{
    NDK_LISTENER *l;
    NDK_CONNECTOR *c = event_connector(w, &l);

    (void)accept_on(c, w->qp);
    close_any(&c->Header);
    close_any(&l->Header);
}

/* ---- C5 ---- */

static void data_too_late(struct world *w)
{
    ULONG in, out, length = 0;

    OK(w->connector->Dispatch->NdkGetConnectionData(w->connector, &in, &out, NULL, &length));
}

static void data_in_time(struct world *w)
{
    w->connector = connector_create(w);
    OK(connect(w->connector, w->qp, 1));
    data_too_late(w);
    OK(w->connector->Dispatch->NdkReject(w->connector, NULL, 0));
}

/* ---- C6 ---- */

static void disconnect_with_work(struct world *w)
{
    fake.holds = true;
    OK(send_nothing(w, 0));
    OK(disconnect(w->connector));
    fake.holds = false;
    fake_complete(w->cq, fake_of(w->qp), /* what was held back */
        ((struct verify_qp *)verify_shadow(w->qp))->initiator.records, NdkOperationTypeSend);
    assert_int_equal(collect(w), 1);
}

static void disconnect_drained(struct world *w)
{
    OK(send_nothing(w, 0));
    assert_int_equal(collect(w), 1);
    OK(disconnect(w->connector));
}

/* ---- C7 ---- */

static void disconnect_new(struct world *w)
{
    w->connector = connector_create(w);
    (void)disconnect(w->connector);
}

static void disconnect_twice(struct world *w)
{
    OK(disconnect(w->connector));
    (void)disconnect(w->connector);
}

/* The peer was faster; the consumer disconnects all the same. */
static void disconnect_after_event(struct world *w)
{
    struct fake_object *c = fake_of(w->connector);

    c->disconnected(c->context);
    OK(disconnect(w->connector));
}

/* ---- C8 ---- */

static void listen_twice(struct world *w)
{
    SOCKADDR_IN a = an_address();
    NDK_LISTENER *l;
    NDK_CONNECTOR *c = event_connector(w, &l);

    (void)l->Dispatch->NdkListen(l, (PSOCKADDR)(void *)&a, sizeof a, done, NULL);
    close_any(&c->Header);
    close_any(&l->Header);
}

static void address_before_listen(struct world *w)
{
    NDK_LISTENER *l = NULL;
    SOCKADDR_IN a;
    ULONG length = sizeof a;

    OK(w->adapter->Dispatch->NdkCreateListener(w->adapter, asked, NULL, created, NULL, &l));
    (void)l->Dispatch->NdkGetLocalAddress(l, (PSOCKADDR)(void *)&a, &length);
    close_any(&l->Header);
}

static void listen_and_ask(struct world *w)
{
    NDK_LISTENER *l;
    NDK_CONNECTOR *c = event_connector(w, &l);
    SOCKADDR_IN a;
    ULONG length = sizeof a;

    OK(l->Dispatch->NdkGetLocalAddress(l, (PSOCKADDR)(void *)&a, &length));
    l->Dispatch->NdkControlConnectEvents(l, TRUE);
    close_any(&c->Header);
    close_any(&l->Header);
}

/* ---- C9, C10 ---- */

static void close_with_completions(struct world *w)
{
    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, NULL, 0));
    OK(disconnect(w->connector));
    close_any(&w->connector->Header);
    close_any(&w->qp->Header);
    w->connector = NULL;
    w->qp = NULL;
}

static void close_collected(struct world *w)
{
    OK(send_nothing(w, 0));
    assert_int_equal(collect(w), 1);
}

static void deregister_after_flush(struct world *w)
{
    NDK_SGE sge = small(w);

    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, &sge, 1));
    w->qp->Dispatch->NdkFlush(w->qp);
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
}

static void collect_after_flush(struct world *w)
{
    NDK_SGE sge = small(w);

    OK(w->qp->Dispatch->NdkReceive(w->qp, NULL, &sge, 1));
    w->qp->Dispatch->NdkFlush(w->qp);
    assert_int_equal(collect(w), 1);
    OK(w->mr->Dispatch->NdkDeregisterMr(w->mr, done, NULL));
}

/* ---- C12 ---- */

static void close_connected(struct world *w)
{
    close_any(&w->connector->Header);
    w->connector = NULL;
}

static const struct row rows[] = {
    {VERIFY_C1, WANT_QP, complete_before_connect, connect_and_complete},
    {VERIFY_C1, WANT_CONNECTED, complete_twice, nothing},
    {VERIFY_C1, WANT_QP, complete_while_pending, connect_pending},
    {VERIFY_C2, WANT_QP, accept_own, accept_and_reject_rightly},
    {VERIFY_C2, WANT_QP, reject_twice, accept_and_reject_rightly},
    {VERIFY_C2, WANT_QP, accept_after_reject, accept_and_reject_rightly},
    {VERIFY_C3, WANT_CONNECTED, connect_again, nothing},
    {VERIFY_C4, WANT_CONNECTED, use_connected_qp, nothing},
    {VERIFY_C4, WANT_CONNECTED, accept_on_used_qp, nothing},
    {VERIFY_C4, WANT_QP, give_to_two, connect_again_after_a_failure},
    {VERIFY_C5, WANT_CONNECTED, data_too_late, nothing},
    {VERIFY_C6, WANT_CONNECTED, disconnect_with_work, disconnect_drained},
    {VERIFY_C7, WANT_QP, disconnect_new, connect_and_complete},
    {VERIFY_C7, WANT_CONNECTED, disconnect_twice, disconnect_after_event},
    {VERIFY_C8, 0, listen_twice, listen_and_ask},
    {VERIFY_C8, 0, address_before_listen, listen_and_ask},
    {VERIFY_C9, WANT_CONNECTED, close_with_completions, close_collected},
    {VERIFY_C10, WANT_QP | WANT_MR, deregister_after_flush, collect_after_flush},
    {VERIFY_C12, WANT_CONNECTED, close_connected, nothing},
};

/* Twins that need another world than their mistakes. */
static const struct row more[] = {
    {VERIFY_C3, WANT_QP, complete_before_connect, connect_after_failure},
    {VERIFY_C5, WANT_QP, complete_before_connect, data_in_time},
};

static void each_mistake_is_reported(void **state)
{
    (void)state;
    check_rows(rows, SN_ARRAY_COUNT(rows), "C");
    run_rows(rows, SN_ARRAY_COUNT(rows));
    for (size_t i = 0; i < SN_ARRAY_COUNT(more); i++)
        make(&more[i], more[i].twin, false);
    verify_drop_kept();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
