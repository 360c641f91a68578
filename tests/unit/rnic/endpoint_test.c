/* SPDX-License-Identifier: MIT */
/* Local endpoints: how long an address and port stay taken, and what shares them. [NDKPI endpoints]
 */
#include "rnic/endpoint.h"

#include "conn_pair.h"

static struct rnic_endpoint *make(struct side *s, uint16_t port, enum sn_status want)
{
    const struct plat_addr addr = at_port(s, port);
    struct rnic_endpoint *e = NULL;

    assert_int_equal(rnic_endpoint_create(s->adapter, &addr, &e), want);
    return e;
}

static enum sn_status try_listen(struct pair *p, struct side *s, uint16_t port)
{
    const struct rnic_connect_event e = {.call = note_arrived, .fn = note_fn, .ctx = s};
    const struct plat_addr addr = at_port(s, port);
    struct rnic_listener *l;
    enum sn_status status;

    assert_int_equal(rnic_listener_create(s->adapter, e, &l), SN_OK);
    forget(s);
    status = rnic_listener_listen(l, &addr, done_of(s, NOTE_LISTEN));
    if (status == SN_PENDING) {
        await(p, s, NOTE_LISTEN);
        status = s->status[NOTE_LISTEN];
    }
    close_obj(rnic_listener_obj(l));
    return status;
}

static void ports(void **state)
{
    const struct plat_addr foreign = {.family = 4, .ip = {10, 9, 9, 9}};
    struct plat_addr local;
    struct rnic_endpoint *e, *any;
    struct pair p;

    (void)state;
    pair_open(&p, 1);
    assert_int_equal(rnic_endpoint_create(p.a.adapter, &foreign, &e), SN_ADDRESS_INVALID);
    e = make(&p.a, 5000, SN_OK);
    rnic_endpoint_local(e, &local);
    assert_int_equal(local.port, 5000);
    make(&p.a, 5000, SN_ADDRESS_IN_USE);
    assert_int_equal(try_listen(&p, &p.a, 5000), SN_ADDRESS_IN_USE);
    any = make(&p.a, 0, SN_OK);
    rnic_endpoint_local(any, &local);
    assert_true(local.port >= PLAT_PORT_FIRST);
    assert_int_equal(rnic_obj_close(rnic_endpoint_obj(e), (struct rnic_done){0}), SN_OK);
    e = make(&p.a, 5000, SN_OK);
    close_obj(rnic_endpoint_obj(e));
    close_obj(rnic_endpoint_obj(any));
    settle_world(&p);
    pair_close(&p);
}

/* A wildcard needs leave. */
static void wildcard(void **state)
{
    const struct plat_addr any = {.family = 4, .port = 5000};
    struct rnic_options o = test_options();
    struct rnic_endpoint *e;
    struct pair p;

    (void)state;
    o.allow_wildcard = true;
    pair_open_with(&p, 1, NULL, &o, NULL);
    assert_int_equal(rnic_endpoint_create(p.b.adapter, &any, &e), SN_ADDRESS_INVALID);
    assert_int_equal(rnic_endpoint_create(p.a.adapter, &any, &e), SN_OK);
    make(&p.a, 5000, SN_ADDRESS_IN_USE);
    close_obj(rnic_endpoint_obj(e));
    pair_close(&p);
}

/* Two connectors from one shared endpoint to two listeners at the same time; a failed connect lets
 * go of the endpoint, and may be tried again. */
static void shared_by_two(void **state)
{
    struct rnic_connector *active[2], *passive[2];
    struct rnic_listener *listeners[2];
    struct rnic_qp *qps[2];
    struct rnic_endpoint *e;
    struct pair p;
    struct side *a = &p.a, *b = &p.b;

    (void)state;
    pair_open(&p, 2);
    e = make(a, 5000, SN_OK);
    for (unsigned i = 0; i < 2; i++) {
        const struct plat_addr dst = at_port(b, (uint16_t)(PORT + i));
        struct plat_addr local, peer;

        forget(b);
        listen_on(&p, b, (uint16_t)(PORT + i));
        if (i > 0)
            make_qp(a);
        assert_int_equal(rnic_connector_create(a->adapter, &active[i]), SN_OK);
        assert_int_equal(rnic_connector_connect(active[i], a->qp, NULL, e, &dst, 0, 0, NULL, 0,
                             done_of(a, NOTE_CONNECT)),
            SN_PENDING);
        await(&p, b, NOTE_ARRIVAL);
        assert_int_equal(rnic_connector_addresses(b->conn, &local, &peer), SN_OK);
        assert_int_equal(peer.port, 5000);
        assert_int_equal(rnic_connector_addresses(active[i], &local, &peer), SN_OK);
        assert_int_equal(local.port, 5000);
        passive[i] = b->conn;
        listeners[i] = b->listener;
        qps[i] = a->qp;
        b->conn = NULL;
    }
    for (unsigned i = 0; i < 2; i++)
        close_obj(rnic_connector_obj(passive[i])); /* rejects */
    await_nth(&p, a, NOTE_CONNECT, 2);
    assert_int_equal(a->status[NOTE_CONNECT], SN_REFUSED);
    {
        const struct plat_addr dst = at_port(b, PORT);

        forget(b);
        assert_int_equal(rnic_connector_connect(active[0], qps[0], NULL, e, &dst, 0, 0, NULL, 0,
                             done_of(a, NOTE_CONNECT)),
            SN_PENDING);
        await(&p, b, NOTE_ARRIVAL);
        close_conn(b);
        await_nth(&p, a, NOTE_CONNECT, 3);
    }
    assert_int_equal(rnic_obj_close(rnic_endpoint_obj(e), done_of(a, NOTE_CLOSED)), SN_OK);
    close_obj(rnic_connector_obj(active[0]));
    close_obj(rnic_connector_obj(active[1]));
    close_obj(rnic_listener_obj(listeners[0]));
    close_obj(rnic_qp_obj(qps[0]));
    pair_close(&p);
}

static void endpoint_close_waits_for_connectors(void **state)
{
    struct rnic_endpoint *e;
    struct plat_addr dst;
    struct pair p;
    struct side *a = &p.a, *b = &p.b;

    (void)state;
    pair_open(&p, 3);
    e = make(a, 5000, SN_OK);
    dst = at_port(b, PORT);
    listen_on(&p, b, PORT);
    assert_int_equal(rnic_connector_create(a->adapter, &a->conn), SN_OK);
    assert_int_equal(rnic_connector_connect(
                         a->conn, a->qp, NULL, e, &dst, 0, 0, NULL, 0, done_of(a, NOTE_CONNECT)),
        SN_PENDING);
    await(&p, b, NOTE_ARRIVAL);
    assert_int_equal(
        rnic_obj_close(rnic_endpoint_obj(e), done_of(a, NOTE_LISTENER_CLOSED)), SN_PENDING);
    accept_now(b);
    await(&p, a, NOTE_CONNECT);
    assert_int_equal(a->status[NOTE_CONNECT], SN_OK);
    settle_world(&p);
    assert_int_equal(count_of(a, NOTE_LISTENER_CLOSED), 0);
    make(a, 5000, SN_ADDRESS_IN_USE);
    close_conn(a);
    await(&p, a, NOTE_LISTENER_CLOSED);
    settle_world(&p);
    e = make(a, 5000, SN_OK);
    close_obj(rnic_endpoint_obj(e));
    pair_close(&p);
}

/* An active connector has its port to itself until it is closed. */
static void connector_holds_its_port(void **state)
{
    struct plat_addr src, dst, local, peer;
    struct pair p;
    struct side *a = &p.a, *b = &p.b;

    (void)state;
    pair_open(&p, 4);
    src = at_port(a, 6000);
    dst = at_port(b, PORT);
    listen_on(&p, b, PORT);
    assert_int_equal(rnic_connector_create(a->adapter, &a->conn), SN_OK);
    assert_int_equal(rnic_connector_connect(
                         a->conn, a->qp, &src, NULL, &dst, 0, 0, NULL, 0, done_of(a, NOTE_CONNECT)),
        SN_PENDING);
    await(&p, b, NOTE_ARRIVAL);
    assert_int_equal(rnic_connector_addresses(a->conn, &local, &peer), SN_OK);
    assert_int_equal(local.port, 6000);
    make(a, 6000, SN_ADDRESS_IN_USE);
    assert_int_equal(try_listen(&p, a, 6000), SN_ADDRESS_IN_USE);
    {
        struct rnic_qp *first = a->qp;
        struct rnic_connector *c;

        make_qp(a);
        forget(a);
        assert_int_equal(rnic_connector_create(a->adapter, &c), SN_OK);
        assert_int_equal(rnic_connector_connect(
                             c, a->qp, &src, NULL, &dst, 0, 0, NULL, 0, done_of(a, NOTE_CONNECT)),
            SN_PENDING);
        await(&p, a, NOTE_CONNECT);
        assert_int_equal(a->status[NOTE_CONNECT], SN_ADDRESS_IN_USE);
        close_obj(rnic_connector_obj(c));
        close_obj(rnic_qp_obj(first));
    }
    close_conn(a);
    settle_world(&p);
    close_obj(rnic_endpoint_obj(make(a, 6000, SN_OK)));
    pair_close(&p);
}

/* The listener's port stays taken while a connector that came in over it lives. */
static void accepted_connector_holds_the_listeners_port(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 5);
    establish(&p);
    assert_int_equal(
        rnic_obj_close(rnic_listener_obj(p.b.listener), done_of(&p.b, NOTE_LISTENER_CLOSED)),
        SN_PENDING);
    p.b.listener = NULL;
    settle_world(&p);
    assert_int_equal(count_of(&p.b, NOTE_LISTENER_CLOSED), 0);
    make(&p.b, PORT, SN_ADDRESS_IN_USE);
    close_conn(&p.b);
    await(&p, &p.b, NOTE_LISTENER_CLOSED);
    settle_world(&p);
    assert_int_equal(try_listen(&p, &p.b, PORT), SN_OK);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports),
        cmocka_unit_test(wildcard),
        cmocka_unit_test(shared_by_two),
        cmocka_unit_test(endpoint_close_waits_for_connectors),
        cmocka_unit_test(connector_holds_its_port),
        cmocka_unit_test(accepted_connector_holds_the_listeners_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
