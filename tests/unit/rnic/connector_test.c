/* SPDX-License-Identifier: MIT */
/* Two adapters of ours connect and part: the calls of the consumer and what comes of them. */
#include <time.h>

#include "conn_pair.h"
#include "plat/linux/linux.h"

static void connects_and_disconnects(void **state)
{
    struct pair p;

    (void)state;
    pair_open(&p, 1);
    establish(&p);
    disconnect_now(&p.a);
    await(&p, &p.b, NOTE_EVENT);
    disconnect_now(&p.b);
    await(&p, &p.a, NOTE_DISCONNECT);
    await(&p, &p.b, NOTE_DISCONNECT);
    assert_int_equal(p.a.status[NOTE_DISCONNECT], SN_OK);
    assert_int_equal(p.b.status[NOTE_DISCONNECT], SN_OK);
    assert_string_equal(p.a.log, "CKD");
    assert_string_equal(p.b.log, "LRAED");
    pair_close(&p);
}

/* Whatever two adapters are set to, they connect, or the initiator says why not. */
static void every_setting(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * 2 * 8 * 8; i++) {
        struct rnic_options a = test_options(), b = test_options();
        struct pair p;
        bool has_common;

        a.mpa.revision = (uint8_t)(1 + (i & 1));
        b.mpa.revision = (uint8_t)(1 + (i >> 1 & 1));
        a.mpa.rtr = i >> 2 & 7;
        b.mpa.rtr = i >> 5 & 7;
        a.mpa.markers = i % 3 == 0;
        b.mpa.crc = i % 5 == 0 ? IW_CRC_NEVER_ASK : IW_CRC_ASK;
        /* An adapter that offers no RTR takes Write and Read. */
        has_common = a.mpa.revision == 1 || b.mpa.revision == 1 || a.mpa.rtr == 0 ||
                     (a.mpa.rtr & (b.mpa.rtr != 0 ? b.mpa.rtr : IW_RTR_WRITE | IW_RTR_READ)) != 0;
        pair_open_with(&p, i, NULL, &a, &b);
        if (has_common) {
            establish(&p);
            pass_ms(&p, 1000);
            assert_string_equal(p.a.log, "CK");
            assert_string_equal(p.b.log, "LRA");
        } else {
            listen_on(&p, &p.b, PORT);
            connect_to(&p.a, &p.b, PORT);
            await(&p, &p.b, NOTE_ARRIVAL);
            accept_now(&p.b);
            await(&p, &p.a, NOTE_CONNECT);
            await(&p, &p.b, NOTE_ACCEPT);
            assert_int_equal(p.a.status[NOTE_CONNECT], SN_PROTOCOL);
            assert_int_equal(p.b.status[NOTE_ACCEPT], SN_REFUSED);
        }
        pair_close(&p);
    }
}

/* What either side can ask about the connection, and when. [NDKPI NDK_FN_GET_CONNECTION_DATA] */
static void data_and_addresses(void **state)
{
    struct plat_addr local, peer;
    const uint8_t *pd;
    uint32_t ird, ord, len;
    struct pair p;
    struct side *a = &p.a, *b = &p.b;

    (void)state;
    pair_open(&p, 5);
    assert_int_equal(rnic_connector_create(a->adapter, &a->conn), SN_OK);
    assert_int_equal(rnic_connector_addresses(a->conn, &local, &peer), SN_NOT_CONNECTED);
    assert_int_equal(rnic_connector_data(a->conn, &ird, &ord, &pd, &len), SN_BAD_STATE);
    establish(&p);
    /* a asked for 16 and 8, b gave 4 and 4. */
    assert_int_equal(rnic_connector_data(a->conn, &ird, &ord, &pd, &len), SN_OK);
    assert_int_equal(ird, 4);
    assert_int_equal(ord, 4);
    assert_int_equal(len, 7);
    assert_memory_equal(pd, "welcome", 7);
    assert_int_equal(rnic_connector_data(b->conn, &ird, &ord, &pd, &len), SN_OK);
    assert_int_equal(ird, 4);
    assert_int_equal(ord, 4);
    assert_int_equal(len, 5);
    assert_memory_equal(pd, "hello", 5);
    assert_int_equal(rnic_connector_addresses(a->conn, &local, &peer), SN_OK);
    assert_memory_equal(local.ip, a->addr.ip, 4);
    assert_true(local.port >= PLAT_PORT_FIRST);
    assert_int_equal(peer.port, PORT);
    assert_ptr_equal(rnic_connector_from_obj(rnic_connector_obj(a->conn)), a->conn);
    assert_null(rnic_connector_from_obj(rnic_qp_obj(a->qp)));
    disconnect_now(a);
    await(&p, b, NOTE_EVENT);
    assert_int_equal(rnic_connector_data(b->conn, &ird, &ord, &pd, &len), SN_OK);
    assert_memory_equal(pd, "hello", 5);
    pair_close(&p);
}

/* ---- real threads ---- */

enum { MANY = 48 };

/* Two adapters in one process over the loopback; each callback makes the next call. */
struct crowd;
struct member {
    struct crowd *crowd;
    struct rnic_qp *qp;
    struct rnic_connector *conn;
};
struct crowd {
    struct rnic_adapter *a, *b;
    struct rnic_pd *pd_a, *pd_b;
    struct rnic_cq *cq_a, *cq_b;
    struct rnic_listener *listener;
    struct plat_addr dst;
    struct member active[MANY], passive[MANY];
    struct sn_a32 arrived, connected, accepted, parted, events, closed, stopped, failed;
};

static void on_closed(const struct rnic_done *d, enum sn_status s)
{
    struct member *m = d->ctx;

    (void)s;
    sn_a32_fetch_add(&m->crowd->closed, 1);
}

static void close_member(struct member *m)
{
    const struct rnic_done d = {.call = on_closed, .ctx = m};
    enum sn_status s = rnic_obj_close(rnic_connector_obj(m->conn), d);

    if (s == SN_OK)
        on_closed(&d, SN_OK);
    s = rnic_obj_close(rnic_qp_obj(m->qp), (struct rnic_done){0});
    if (s != SN_OK && s != SN_PENDING)
        sn_a32_fetch_add(&m->crowd->failed, 1);
}

static void on_parted(const struct rnic_done *d, enum sn_status s)
{
    struct member *m = d->ctx;

    if (s != SN_OK)
        sn_a32_fetch_add(&m->crowd->failed, 1);
    sn_a32_fetch_add(&m->crowd->parted, 1);
    close_member(m);
}

static void part(struct member *m)
{
    const struct rnic_done d = {.call = on_parted, .ctx = m};

    if (rnic_connector_disconnect(m->conn, d) != SN_PENDING)
        sn_a32_fetch_add(&m->crowd->failed, 1);
}

static void on_event(const struct rnic_disconnect_event *e, uint32_t reason)
{
    struct member *m = e->ctx;

    (void)reason;
    sn_a32_fetch_add(&m->crowd->events, 1);
    part(m);
}

static struct rnic_disconnect_event event_for(struct member *m)
{
    return (struct rnic_disconnect_event){.call = on_event, .fn = note_fn, .ctx = m};
}

static void on_accepted(const struct rnic_done *d, enum sn_status s)
{
    struct member *m = d->ctx;

    sn_a32_fetch_add(s == SN_OK ? &m->crowd->accepted : &m->crowd->failed, 1);
}

static void on_completed(const struct rnic_done *d, enum sn_status s)
{
    struct member *m = d->ctx;

    if (s != SN_OK)
        sn_a32_fetch_add(&m->crowd->failed, 1);
    sn_a32_fetch_add(&m->crowd->connected, 1);
}

static void on_connected(const struct rnic_done *d, enum sn_status s)
{
    struct member *m = d->ctx;
    const struct rnic_done next = {.call = on_completed, .ctx = m};

    if (s != SN_OK || rnic_connector_complete(m->conn, event_for(m), next) != SN_PENDING)
        sn_a32_fetch_add(&m->crowd->failed, 1);
}

static void on_arrival(const struct rnic_connect_event *e, struct rnic_connector *c)
{
    struct crowd *k = e->ctx;
    struct member *m = &k->passive[sn_a32_fetch_add(&k->arrived, 1)];
    const struct rnic_done d = {.call = on_accepted, .ctx = m};

    m->conn = c;
    if (rnic_connector_accept(c, m->qp, 1, 1, NULL, 0, event_for(m), d) != SN_PENDING)
        sn_a32_fetch_add(&k->failed, 1);
}

static void on_listening(const struct rnic_done *d, enum sn_status s)
{
    struct crowd *k = d->ctx;

    sn_a32_fetch_add(s == SN_OK ? &k->closed : &k->failed, 1);
}

static struct rnic_qp *qp_for(struct rnic_pd *pd, struct rnic_cq *cq)
{
    const struct rnic_qp_attr attr = {
        .recv_cq = cq,
        .send_cq = cq,
        .recv_depth = 1,
        .send_depth = 1,
        .recv_sge_max = 1,
        .send_sge_max = 1,
    };
    struct rnic_qp *qp;

    assert_int_equal(rnic_qp_create(pd, &attr, &qp), SN_OK);
    return qp;
}

static void nap(void)
{
    const struct timespec ts = {.tv_nsec = 1000000};

    nanosleep(&ts, NULL);
}

static void await_all(struct crowd *k, struct sn_a32 *counter, uint32_t n)
{
    for (int i = 0; i < 20000 && sn_a32_load_acquire(counter) < n; i++)
        nap();
    assert_int_equal(sn_a32_load_acquire(counter), n);
    assert_int_equal(sn_a32_load_acquire(&k->failed), 0);
}

static void crowd_open(struct crowd *k, struct plat *plat,
    void (*arrival)(const struct rnic_connect_event *e, struct rnic_connector *c))
{
    const struct rnic_connect_event e = {.call = arrival, .fn = note_fn, .ctx = k};
    const struct rnic_done listening = {.call = on_listening, .ctx = k};
    const struct rnic_cq_notify quiet = {.call = quiet_notify};
    struct rnic_options o = test_options();

    o.lanes = 3;
    assert_int_equal(rnic_adapter_create(plat, &o, &k->a), SN_OK);
    assert_int_equal(rnic_adapter_create(plat, &o, &k->b), SN_OK);
    assert_int_equal(rnic_pd_create(k->a, &k->pd_a), SN_OK);
    assert_int_equal(rnic_pd_create(k->b, &k->pd_b), SN_OK);
    assert_int_equal(rnic_cq_create(k->a, 4 * MANY, quiet, &k->cq_a), SN_OK);
    assert_int_equal(rnic_cq_create(k->b, 4 * MANY, quiet, &k->cq_b), SN_OK);
    for (int i = 0; i < MANY; i++) {
        k->active[i] = (struct member){.crowd = k};
        k->active[i].qp = qp_for(k->pd_a, k->cq_a);
        k->passive[i] = (struct member){.crowd = k};
        k->passive[i].qp = qp_for(k->pd_b, k->cq_b);
    }
    k->dst = (struct plat_addr){.family = 4, .ip = {127, 0, 0, 1}};
    assert_int_equal(rnic_listener_create(k->b, e, &k->listener), SN_OK);
    assert_int_equal(rnic_listener_listen(k->listener, &k->dst, listening), SN_PENDING);
    await_all(k, &k->closed, 1);
    sn_a32_store_release(&k->closed, 0);
    assert_int_equal(rnic_listener_local(k->listener, &k->dst), SN_OK);
}

static void on_stopped(const struct rnic_done *d, enum sn_status s)
{
    struct crowd *k = d->ctx;

    (void)s;
    sn_a32_fetch_add(&k->stopped, 1);
}

/* Returns when everything that came in is closed. */
static void crowd_stop_listening(struct crowd *k)
{
    const struct rnic_done d = {.call = on_stopped, .ctx = k};

    if (rnic_obj_close(rnic_listener_obj(k->listener), d) == SN_PENDING)
        await_all(k, &k->stopped, 1);
}

static void crowd_close(struct crowd *k)
{
    close_obj(rnic_cq_obj(k->cq_a));
    close_obj(rnic_cq_obj(k->cq_b));
    close_obj(&k->pd_a->obj);
    close_obj(&k->pd_b->obj);
    assert_int_equal(rnic_adapter_close(k->a), SN_OK);
    assert_int_equal(rnic_adapter_close(k->b), SN_OK);
}

static void start_all(struct crowd *k)
{
    const struct plat_addr src = {.family = 4, .ip = {127, 0, 0, 1}};

    for (int i = 0; i < MANY; i++) {
        struct member *m = &k->active[i];
        const struct rnic_done d = {.call = on_connected, .ctx = m};

        assert_int_equal(rnic_connector_create(k->a, &m->conn), SN_OK);
        assert_int_equal(
            rnic_connector_connect(m->conn, m->qp, &src, NULL, &k->dst, 1, 1, NULL, 0, d),
            SN_PENDING);
    }
}

/* Everybody connects, everybody parts, and closes inside callbacks. */
static void many_at_once(void **state)
{
    size_t live_before = sn_alloc_live_count();
    struct plat *plat = plat_linux_create(NULL);
    struct crowd *k = sn_zalloc(sizeof *k);

    (void)state;
    assert_non_null(plat);
    assert_non_null(k);
    crowd_open(k, plat, on_arrival);
    start_all(k);
    await_all(k, &k->connected, MANY);
    await_all(k, &k->accepted, MANY);
    for (int i = 0; i < MANY; i++)
        part(&k->active[i]);
    await_all(k, &k->closed, 2 * MANY);
    assert_int_equal(sn_a32_load_acquire(&k->parted), 2 * MANY);
    assert_int_equal(sn_a32_load_acquire(&k->events), MANY);
    crowd_stop_listening(k);
    crowd_close(k);
    sn_free(k);
    plat_linux_destroy(plat);
    assert_int_equal(sn_alloc_live_count(), live_before);
}

/* ---- closed by another thread meanwhile ---- */

static void count_connected(const struct rnic_done *d, enum sn_status s)
{
    struct member *m = d->ctx;

    (void)s; /* accepted in time, or cancelled */
    sn_a32_fetch_add(&m->crowd->connected, 1);
}

static void close_accepted(const struct rnic_done *d, enum sn_status s)
{
    struct member *m = d->ctx;

    (void)s;
    sn_a32_fetch_add(&m->crowd->accepted, 1);
    close_member(m);
}

static void accept_or_close(const struct rnic_connect_event *e, struct rnic_connector *c)
{
    struct crowd *k = e->ctx;
    struct member *m = &k->passive[sn_a32_fetch_add(&k->arrived, 1)];
    const struct rnic_done d = {.call = close_accepted, .ctx = m};

    m->conn = c;
    if (rnic_connector_accept(c, m->qp, 1, 1, NULL, 0, (struct rnic_disconnect_event){0}, d) !=
        SN_PENDING)
        close_accepted(&d, SN_ABORTED);
}

static void closed_while_connecting(void **state)
{
    const struct plat_addr src = {.family = 4, .ip = {127, 0, 0, 1}};
    size_t live_before = sn_alloc_live_count();
    struct plat *plat = plat_linux_create(NULL);
    struct crowd *k = sn_zalloc(sizeof *k);
    uint32_t arrived;

    (void)state;
    assert_non_null(plat);
    assert_non_null(k);
    crowd_open(k, plat, accept_or_close);
    for (int i = 0; i < MANY; i++) {
        struct member *m = &k->active[i];
        const struct rnic_done d = {.call = count_connected, .ctx = m};

        assert_int_equal(rnic_connector_create(k->a, &m->conn), SN_OK);
        assert_int_equal(
            rnic_connector_connect(m->conn, m->qp, &src, NULL, &k->dst, 1, 1, NULL, 0, d),
            SN_PENDING);
        for (int spin = 0; spin < i * 2000; spin++)
            sn_cpu_relax();
        close_member(m);
    }
    await_all(k, &k->connected, MANY);
    crowd_stop_listening(k);
    arrived = sn_a32_load_acquire(&k->arrived);
    await_all(k, &k->accepted, arrived);
    await_all(k, &k->closed, MANY + arrived);
    for (uint32_t i = arrived; i < MANY; i++)
        close_obj(rnic_qp_obj(k->passive[i].qp));
    crowd_close(k);
    sn_free(k);
    plat_linux_destroy(plat);
    assert_int_equal(sn_alloc_live_count(), live_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_disconnects),
        cmocka_unit_test(every_setting),
        cmocka_unit_test(data_and_addresses),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(closed_while_connecting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
