/* SPDX-License-Identifier: MIT */
/*
 * The program in the guest: librdmacm and libibverbs over siw, doing what it is told.
 *
 *     verbs_peer -s PORT                        serve connections for ever
 *     verbs_peer -c ADDR PORT MODE LEN IRD ORD  connect with LEN octets of private data, the first
 *                                               MODE, then take commands until the other side ends;
 *                                               prints what came of it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <rdma/rdma_cma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

struct peer {
    struct rdma_event_channel *channel;
    struct rdma_cm_id *id;
    struct ibv_pd *pd;
    struct ibv_cq *cq;
    uint8_t *memory, *slots, *read_only;
    struct ibv_mr *memory_mr, *slots_mr, *read_only_mr;
    unsigned pending;                  /* requests whose completion is not seen */
    struct ibv_wc held[PEER_RECEIVES]; /* receives that came while requests were pending */
    unsigned held_first, held_count;
    uint32_t first_bad; /* status of the first that failed; 0: none */
    int is_over;
};

/* Each connection has a thread and an event channel. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned talking;     /* connections that are not unmade; guarded by lock */
static uint32_t last_status; /* first_bad of the connection that was unmade last; likewise */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static unsigned number(const char *text, unsigned max)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || n > max) {
        fprintf(stderr, "'%s' is no number up to %u\n", text, max);
        exit(1);
    }
    return (unsigned)n;
}

/* ---- making and ending ---- */

static void post_receive(struct peer *p, uint64_t slot)
{
    struct ibv_sge sge = {(uintptr_t)p->slots + slot * PEER_SLOT, PEER_SLOT, p->slots_mr->lkey};
    struct ibv_recv_wr wr = {.wr_id = slot, .sg_list = &sge, .num_sge = 1}, *bad;

    ibv_post_recv(p->id->qp, &wr, &bad);
}

static struct ibv_mr *memory_make(struct peer *p, uint8_t **out, size_t n, int access)
{
    struct ibv_mr *mr;

    *out = aligned_alloc(4096, n);
    if (*out == NULL)
        die("memory");
    memset(*out, 0, n);
    mr = ibv_reg_mr(p->pd, *out, n, access);
    if (mr == NULL)
        die("ibv_reg_mr");
    return mr;
}

static void make(struct peer *p)
{
    struct ibv_qp_init_attr attr = {.qp_type = IBV_QPT_RC, .sq_sig_all = 1};

    pthread_mutex_lock(&lock);
    talking++;
    pthread_mutex_unlock(&lock);

    p->pd = ibv_alloc_pd(p->id->verbs);
    p->cq = p->pd ? ibv_create_cq(p->id->verbs, 2 * PEER_DEPTH, NULL, NULL, 0) : NULL;
    if (p->cq == NULL)
        die("ibv_create_cq");
    attr.send_cq = attr.recv_cq = p->cq;
    attr.cap.max_send_wr = PEER_DEPTH;
    attr.cap.max_recv_wr = 2 * PEER_RECEIVES;
    attr.cap.max_send_sge = attr.cap.max_recv_sge = 1;
    if (rdma_create_qp(p->id, p->pd, &attr) != 0)
        die("rdma_create_qp");
    p->memory_mr = memory_make(p, &p->memory, PEER_MEMORY,
        IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ);
    /* The last slot holds what is sent. */
    p->slots_mr =
        memory_make(p, &p->slots, (PEER_RECEIVES + 1) * PEER_SLOT, IBV_ACCESS_LOCAL_WRITE);
    p->read_only_mr = memory_make(p, &p->read_only, PEER_READ_ONLY, IBV_ACCESS_REMOTE_READ);
    for (uint64_t i = 0; i < PEER_RECEIVES; i++)
        post_receive(p, i);
}

static void unmake(struct peer *p)
{
    rdma_destroy_qp(p->id);
    ibv_dereg_mr(p->memory_mr);
    ibv_dereg_mr(p->slots_mr);
    ibv_dereg_mr(p->read_only_mr);
    free(p->memory);
    free(p->slots);
    free(p->read_only);
    ibv_destroy_cq(p->cq);
    ibv_dealloc_pd(p->pd);
    rdma_destroy_id(p->id);
    pthread_mutex_lock(&lock);
    last_status = p->first_bad;
    talking--;
    pthread_mutex_unlock(&lock);
}

/* The status of the connection before this one, once that is unmade. */
static uint32_t wait_last(void)
{
    uint32_t status = 0;

    for (unsigned others = 1, tries = 0; others > 0 && tries < 5000; tries++) {
        pthread_mutex_lock(&lock);
        others = talking - 1;
        status = last_status;
        pthread_mutex_unlock(&lock);
        if (others > 0)
            usleep(1000);
    }
    return status;
}

/* ---- what happens ---- */

static void look_for_disconnect(struct peer *p)
{
    struct pollfd fd = {.fd = p->channel->fd, .events = POLLIN};
    struct rdma_cm_event *event;

    if (poll(&fd, 1, 0) <= 0 || rdma_get_cm_event(p->channel, &event) != 0)
        return;
    if (event->event == RDMA_CM_EVENT_DISCONNECTED && event->id == p->id)
        p->is_over = 1;
    rdma_ack_cm_event(event);
}

/* The next completion of a receive in *wc, with is_receive; else returns when nothing is pending.
 * 0: the connection is over. */
static int wait_work(struct peer *p, int is_receive, struct ibv_wc *wc)
{
    if (is_receive && p->held_count > 0) {
        *wc = p->held[p->held_first];
        p->held_first = (p->held_first + 1) % PEER_RECEIVES;
        p->held_count--;
        return 1;
    }
    for (unsigned idle = 0; is_receive || p->pending > 0;) {
        int n = ibv_poll_cq(p->cq, 1, wc);

        if (n == 0) {
            if (p->is_over)
                return 0;
            look_for_disconnect(p);
            if (++idle > 20)
                usleep(200);
            continue;
        }
        idle = 0;
        if (n < 0)
            die("ibv_poll_cq");
        /* The opcode of a failed one is not valid. */
        if (wc->wr_id < PEER_RECEIVES) {
            if (wc->status != IBV_WC_SUCCESS)
                p->is_over = 1;
            else if (is_receive)
                return 1;
            else
                p->held[(p->held_first + p->held_count++) % PEER_RECEIVES] = *wc;
        } else {
            p->pending--;
            if (wc->status != IBV_WC_SUCCESS && p->first_bad == 0)
                p->first_bad = (uint32_t)wc->status;
        }
    }
    return !p->is_over;
}

static int request(struct peer *p, struct ibv_send_wr *wr)
{
    struct ibv_send_wr *bad;
    int rc;

    wr->wr_id = PEER_RECEIVES;
    rc = ibv_post_send(p->id->qp, wr, &bad);
    if (rc == 0)
        p->pending++;
    return rc;
}

static void reply(struct peer *p, const struct peer_reply *r)
{
    uint8_t *at = p->slots + PEER_RECEIVES * PEER_SLOT;
    struct ibv_sge sge = {(uintptr_t)at, sizeof *r, p->slots_mr->lkey};
    struct ibv_send_wr wr = {.sg_list = &sge, .num_sge = 1, .opcode = IBV_WR_SEND};
    struct ibv_wc wc;

    memcpy(at, r, sizeof *r);
    if (request(p, &wr) == 0)
        wait_work(p, 0, &wc);
}

/* Writes, Reads and Sends. The status: 0, of the post, or of the first that failed. */
static uint32_t run_requests(struct peer *p, const struct peer_command *c)
{
    static const enum ibv_wr_opcode opcodes[] = {
        [PEER_WRITE] = IBV_WR_RDMA_WRITE,
        [PEER_READ] = IBV_WR_RDMA_READ,
        [PEER_SEND] = IBV_WR_SEND,
    };
    struct ibv_wc wc;

    for (uint32_t i = 0; i < c->count; i++) {
        uint64_t at = c->offset + i * c->length;
        struct ibv_sge sge = {(uintptr_t)p->memory + at, (uint32_t)c->length, p->memory_mr->lkey};
        struct ibv_send_wr wr = {
            .sg_list = &sge, .num_sge = c->length > 0, .opcode = opcodes[c->verb]};
        int rc;

        if (c->verb == PEER_SEND) {
            wr.send_flags = c->flags & PEER_SOLICITED ? IBV_SEND_SOLICITED : 0;
            if (c->flags & PEER_INVALIDATE) {
                wr.opcode = IBV_WR_SEND_WITH_INV;
                wr.invalidate_rkey = c->token;
            }
        } else {
            wr.wr.rdma.remote_addr = c->address + i * c->length;
            wr.wr.rdma.rkey = c->token;
        }
        rc = request(p, &wr);
        if (rc != 0)
            return 1000 + (uint32_t)rc;
    }
    wait_work(p, 0, &wc);
    return p->first_bad;
}

static uint64_t find_wrong(const struct peer *p, const struct peer_command *c)
{
    for (uint64_t i = 0; i < c->length; i++) {
        if (p->memory[c->offset + i] != peer_pattern(c->seed, i))
            return i;
    }
    return UINT64_MAX;
}

static void obey(struct peer *p, const struct peer_command *c)
{
    struct peer_reply r = {.magic = PEER_MAGIC, .about = PEER_DONE};

    switch (c->verb) {
    case PEER_INFO:
        r.address = (uintptr_t)p->memory;
        r.token = p->memory_mr->rkey;
        r.length = (uintptr_t)p->read_only;
        r.extra = p->read_only_mr->rkey;
        break;
    case PEER_FILL:
        for (uint64_t i = 0; i < c->length; i++)
            p->memory[c->offset + i] = peer_pattern(c->seed, i);
        break;
    case PEER_CHECK:
        r.extra = find_wrong(p, c);
        r.status = r.extra != UINT64_MAX;
        break;
    case PEER_WRITE:
    case PEER_READ:
    case PEER_SEND:
        r.status = run_requests(p, c);
        break;
    case PEER_LAST:
        r.status = wait_last();
        break;
    default:
        r.status = EINVAL;
    }
    reply(p, &r);
}

static void talk(struct peer *p)
{
    struct ibv_wc wc;

    while (!p->is_over && wait_work(p, 1, &wc)) {
        uint8_t *at = p->slots + wc.wr_id * PEER_SLOT;
        struct peer_command c;
        size_t n = wc.byte_len;

        memcpy(&c, at, sizeof c);
        if (n == sizeof c && c.magic == PEER_MAGIC) {
            post_receive(p, wc.wr_id);
            obey(p, &c);
        } else {
            struct peer_reply r = {.magic = PEER_MAGIC, .about = PEER_DATA, .length = n};

            r.extra = peer_sum(at, n);
            r.token = wc.wc_flags & IBV_WC_WITH_INV ? wc.invalidated_rkey : 0;
            post_receive(p, wc.wr_id);
            reply(p, &r);
        }
    }
    rdma_disconnect(p->id);
}

/* ---- connections ---- */

static struct rdma_cm_event *next_event(struct rdma_event_channel *channel)
{
    struct rdma_cm_event *event;

    if (rdma_get_cm_event(channel, &event) != 0)
        die("rdma_get_cm_event");
    return event;
}

/* Whether the connection was established. */
static int wait_established(struct peer *p)
{
    struct rdma_cm_event *event = next_event(p->channel);
    int is_it = event->event == RDMA_CM_EVENT_ESTABLISHED;

    rdma_ack_cm_event(event);
    return is_it;
}

/* A connect request. */
struct caller {
    struct rdma_cm_id *id;
    struct rdma_conn_param param;
    uint8_t data[256];
};

static void *serve_one(void *context)
{
    struct caller *caller = context;
    struct peer p = {.channel = rdma_create_event_channel(), .id = caller->id};
    struct rdma_conn_param param = caller->param;
    uint8_t *data = caller->data;
    struct peer_greeting greeting;

    if (p.channel == NULL || rdma_migrate_id(p.id, p.channel) != 0)
        die("rdma_migrate_id");
    memcpy(&greeting, data, sizeof greeting);
    param.private_data = data;
    if (greeting.mode == PEER_HOLD) {
        sleep(3);
        param.private_data_len = 0;
    }
    if (greeting.mode == PEER_REJECT || greeting.mode == PEER_HOLD) {
        rdma_reject(p.id, data, param.private_data_len);
        rdma_destroy_id(p.id);
        rdma_destroy_event_channel(p.channel);
        free(caller);
        return NULL;
    }
    if (greeting.mode != PEER_ECHO)
        param.private_data_len = 0;
    if (greeting.ird != 0 || greeting.ord != 0) {
        param.responder_resources = greeting.ird;
        param.initiator_depth = greeting.ord;
    }
    make(&p);
    if (rdma_accept(p.id, &param) == 0 && wait_established(&p))
        talk(&p);
    unmake(&p);
    rdma_destroy_event_channel(p.channel);
    free(caller);
    return NULL;
}

static void take_call(struct rdma_cm_event *event)
{
    struct caller *caller = calloc(1, sizeof *caller);
    pthread_t thread;

    if (caller == NULL)
        die("calloc");
    caller->id = event->id;
    caller->param = event->param.conn;
    memcpy(caller->data, event->param.conn.private_data, event->param.conn.private_data_len);
    rdma_ack_cm_event(event);
    if (pthread_create(&thread, NULL, serve_one, caller) != 0)
        die("pthread_create");
    pthread_detach(thread);
}

static void serve(uint16_t port)
{
    struct rdma_event_channel *channel = rdma_create_event_channel();
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct rdma_cm_id *listener;

    if (channel == NULL || rdma_create_id(channel, &listener, NULL, RDMA_PS_TCP) != 0)
        die("rdma_create_id");
    if (rdma_bind_addr(listener, (struct sockaddr *)&at) != 0 || rdma_listen(listener, 16) != 0)
        die("rdma_listen");
    for (;;) {
        struct rdma_cm_event *event = next_event(channel);

        if (event->event == RDMA_CM_EVENT_CONNECT_REQUEST)
            take_call(event);
        else
            rdma_ack_cm_event(event);
    }
}

static void await(struct peer *p, enum rdma_cm_event_type what)
{
    struct rdma_cm_event *event = next_event(p->channel);

    if (event->event != what) {
        printf("%s, status %d, %u octets of private data\n", rdma_event_str(event->event),
            event->status, event->param.conn.private_data_len);
        exit(2);
    }
    if (what == RDMA_CM_EVENT_ESTABLISHED)
        printf("ESTABLISHED, %u octets of private data\n", event->param.conn.private_data_len);
    fflush(stdout);
    rdma_ack_cm_event(event);
}

static void call(char **argv)
{
    struct peer p = {.channel = rdma_create_event_channel()};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)number(argv[1], 65535))};
    struct rdma_conn_param param = {0};
    uint8_t data[256];

    inet_pton(AF_INET, argv[0], &to.sin_addr);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = i == 0 ? (uint8_t)argv[2][0] : peer_pattern(5, i);
    param.private_data = data;
    param.private_data_len = (uint8_t)number(argv[3], 255);
    param.responder_resources = (uint8_t)number(argv[4], 255);
    param.initiator_depth = (uint8_t)number(argv[5], 255);
    if (p.channel == NULL || rdma_create_id(p.channel, &p.id, NULL, RDMA_PS_TCP) != 0)
        die("rdma_create_id");
    if (rdma_resolve_addr(p.id, NULL, (struct sockaddr *)&to, 2000) != 0)
        die("rdma_resolve_addr");
    await(&p, RDMA_CM_EVENT_ADDR_RESOLVED);
    if (rdma_resolve_route(p.id, 2000) != 0)
        die("rdma_resolve_route");
    await(&p, RDMA_CM_EVENT_ROUTE_RESOLVED);
    make(&p);
    if (rdma_connect(p.id, &param) != 0)
        die("rdma_connect");
    await(&p, RDMA_CM_EVENT_ESTABLISHED);
    /* Who connects speaks first. */
    reply(&p, &(struct peer_reply){.magic = PEER_MAGIC, .about = PEER_DATA});
    talk(&p);
    unmake(&p);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-s") == 0)
        serve((uint16_t)number(argv[2], 65535));
    else if (argc == 8 && strcmp(argv[1], "-c") == 0)
        call(argv + 2);
    else
        fprintf(stderr, "usage: verbs_peer -s PORT | -c ADDR PORT MODE LEN IRD ORD\n");
    return argc == 8 ? 0 : 1;
}
