/* SPDX-License-Identifier: MIT */
/*
 * What the files of plat/sim share. There are no threads: sim_step offers every action that could
 * happen now to a pick, and the seed decides which one does. An action is a piece of the network
 * arriving, or one thing that a home thread, or a thread that is inside a lane meanwhile, does.
 */
#ifndef SN_PLAT_SIM_IMPL_H
#define SN_PLAT_SIM_IMPL_H

#include "plat/sim/sim.h"

enum {
    SIM_ACTION_NS = 100,       /* what one action takes */
    SIM_CAPACITY = 256 * 1024, /* of a pipe, per direction, unless the faults say */
    SIM_EMSS = 1448,           /* Ethernet with timestamps */
    SIM_SEGMENTS_MAX = 64,     /* chunks in flight per direction; the last one grows when full */
    SIM_BACKLOG_MAX = 128,     /* connections that wait to be accepted */
    SIM_SYN_TRIES_MAX = 6,     /* at a listener whose backlog is full */
    SIM_POLLER_GONE_NS = 1000 * 1000,
};
#define SIM_SYN_RETRY_NS   UINT64_C(1000000000)
#define SIM_UNREACHABLE_NS UINT64_C(3000000000) /* until a host that is not there is given up */

struct sim_world {
    uint64_t seed, random_state;
    uint64_t now_ns, steps, poll_round;
    struct sim_faults faults;
    sim_tap_fn *tap;
    void *tap_ctx;
    struct sn_list hosts, conns;
    const struct plat_lane *home; /* whose home thread acts now; NULL: none */
    bool is_stepping;
};

struct sim_host {
    struct plat base;
    struct sim_world *world;
    struct sn_list link;  /* in sim_world.hosts */
    struct sn_list lanes; /* struct sim_lane */
    struct sn_list binds; /* struct sim_bind */
    size_t addr_count;
    struct plat_addr addrs[];
};

struct sim_lane {
    struct plat_lane base;
    struct sn_list link; /* in sim_host.lanes */
    struct sn_list pipes, listeners;
    bool has_phantom; /* a thread that is not ours is inside: lane_busy_permille */
    uint32_t seen_ticks;
    uint64_t poller_gone_ns; /* if no visit comes before, the home thread takes the sockets back */
};

/* ---- addresses in use ---- */

enum sim_bind_kind {
    SIM_BIND_NONE,
    SIM_BIND_LISTEN,
    SIM_BIND_RESERVE,
    SIM_BIND_CONNECT_ANY,  /* to a port that we chose */
    SIM_BIND_CONNECT_FIXED /* to a port that the caller named: may be shared */
};
struct sim_bind {
    struct sn_list link;
    enum sim_bind_kind kind;
    struct plat_addr addr;
};

/* ---- connections ---- */

/* One direction. Offsets count from the start of the stream. */
struct sim_flow {
    uint8_t *ring;
    size_t capacity;
    uint64_t written, arrived, read;
    struct sim_segment {
        uint64_t end, due_ns;
    } segments[SIM_SEGMENTS_MAX]; /* a ring */
    uint32_t first, count;
    uint64_t last_due_ns; /* nothing overtakes what was sent before */
    bool is_finished;     /* the writer sent FIN, due at last_due_ns after the segments */
    bool has_fin;         /* it arrived */
};

/* Two ends: 0 connected, 1 accepted. flow[i] is written by end i. */
struct sim_conn {
    struct sn_list link; /* in sim_world.conns */
    struct sim_world *world;
    enum sim_conn_state {
        SIM_CONN_SYN,    /* travels to the listener, due at handshake_due_ns */
        SIM_CONN_ANSWER, /* the answer travels back, due likewise */
        SIM_CONN_OPEN,
    } state;
    uint64_t handshake_due_ns;
    unsigned syn_tries;
    enum sn_status answer;
    struct sim_end {
        struct sim_pipe *pipe; /* NULL: closed, or not accepted yet */
        struct plat_addr local;
        enum sn_status error; /* it was reset */
        bool has_rst;         /* a reset travels to this end */
        uint64_t rst_due_ns;
    } end[2];
    struct sim_flow flow[2];
    struct sn_list accept_link; /* in sim_listener.backlog */
    struct sim_listener *backlog_of;
};

struct sim_pipe {
    struct plat_pipe base;
    struct sn_list link; /* in sim_lane.pipes */
    struct sim_conn *conn;
    unsigned side;
    struct sim_bind bind; /* of side 0 */
    bool is_reading, is_writing;
    bool is_connecting, is_answered;  /* answered: ops->connected is due */
    uint64_t read_round, write_round; /* served in this round of plat_lane_poll */
};

struct sim_listener {
    struct plat_listener base;
    struct sn_list link; /* in sim_lane.listeners */
    struct sim_bind bind;
    const struct plat_listener_ops *ops;
    void *ctx;
    struct sn_list backlog; /* struct sim_conn, by accept_link */
    unsigned backlog_count;
    uint64_t round;
};

static inline struct sim_host *sim_host_of(struct plat *p)
{
    return SN_CONTAINER_OF(p, struct sim_host, base);
}
static inline struct sim_lane *sim_lane_of(struct plat_lane *lane)
{
    return SN_CONTAINER_OF(lane, struct sim_lane, base);
}
static inline struct sim_pipe *sim_pipe_of(struct plat_pipe *p)
{
    return SN_CONTAINER_OF(p, struct sim_pipe, base);
}

/* ---- choosing what happens (world.c) ---- */

struct sim_action {
    void (*run)(void *object, unsigned side);
    void *object;
    unsigned side;
};
struct sim_pick {
    struct sim_world *world;
    uint64_t offered;
    uint64_t wanted; /* which of the offered; UINT64_MAX: only count */
    uint64_t next_due_ns;
    struct sim_action action;
};
/* Offers an action that can happen now. */
void sim_offer(
    struct sim_pick *pick, void (*run)(void *object, unsigned side), void *object, unsigned side);
/* Offers it if it is due; else notes when it will be. */
void sim_offer_at(struct sim_pick *pick, uint64_t due_ns, void (*run)(void *object, unsigned side),
    void *object, unsigned side);
/* True with the chance permille of 1000. */
bool sim_chance(struct sim_world *w, uint32_t permille);
/* A travel time from now, by the faults. */
uint64_t sim_arrival_ns(struct sim_world *w);

/* ---- lanes (lane.c) ---- */

void sim_offer_lane(struct sim_pick *pick, struct sim_lane *l);
/* Pollers that came; phantoms that come or, by `yield`, go. */
void sim_lane_watch_poller(struct sim_lane *l);
void sim_lane_maybe_phantom(struct sim_lane *l);
void sim_lane_end_phantom(struct sim_lane *l);
enum sn_status sim_lane_create(
    struct plat *p, const struct plat_lane_ops *ops, void *ctx, struct plat_lane **out);
void sim_lane_destroy(struct plat_lane *lane);
void sim_lane_wake(struct plat_lane *lane);
bool sim_lane_is_home(const struct plat_lane *lane);
unsigned sim_lane_poll(struct plat_lane *lane);

/* ---- connections and their network (conn.c) ---- */

/* Between `pipe` (side 0) and dst, with a SYN on its way. NULL: no memory. */
struct sim_conn *sim_conn_create(
    struct sim_world *w, struct sim_pipe *pipe, const struct plat_addr *dst);
void sim_offer_conn(struct sim_pick *pick, struct sim_conn *c);
/* The connection is cut: both ends see a reset at once. */
void sim_conn_cut(struct sim_conn *c);
/* A reset travels to that side; what travels with it may be lost. */
void sim_conn_send_rst(struct sim_conn *c, unsigned to);
void sim_conn_send_fin(struct sim_conn *c, unsigned from);
/* It is accepted: somebody holds side 1 now. */
void sim_conn_leave_backlog(struct sim_conn *c);
/* Nobody will accept it. May free the connection. */
void sim_conn_refuse(struct sim_conn *c);
/* Takes octets, for which there is room; they travel when sim_conn_ship is called after the last.
 */
void sim_conn_send(struct sim_conn *c, unsigned from, const uint8_t *p, size_t n);
void sim_conn_ship(struct sim_conn *c, unsigned from);
/* Takes out octets that arrived at that side. */
void sim_conn_read(struct sim_conn *c, unsigned side, uint8_t *p, size_t n);
/* Its pipe is gone. Frees the connection when nobody is left. */
void sim_conn_end_closed(struct sim_conn *c, unsigned side, bool is_abort);

/* ---- pipes (pipe.c) ---- */

/* NULL: no memory. */
struct sim_pipe *sim_pipe_create(struct plat_lane *lane);
/* What can be served of it now, but not twice in one round. */
void sim_offer_pipe(struct sim_pick *pick, struct sim_pipe *p);
enum plat_io sim_pipe_readv(struct plat_pipe *p, const struct sn_span *v, size_t n, size_t *got);
enum plat_io sim_pipe_writev(struct plat_pipe *p, const struct sn_cspan *v, size_t n, size_t *sent);
void sim_pipe_watch(struct plat_pipe *p, bool reading, bool writing);
void sim_pipe_shutdown(struct plat_pipe *p);
void sim_pipe_close(struct plat_pipe *p, bool is_abort);
void sim_pipe_move(struct plat_pipe *p, struct plat_lane *to);
uint32_t sim_pipe_emss(struct plat_pipe *p);
uint32_t sim_pipe_unacked(struct plat_pipe *p);

/* ---- addresses, connecting, listening (net.c) ---- */

bool sim_host_owns(const struct sim_host *h, const struct plat_addr *a);
/* Who listens there; NULL with *is_host_there telling why not. */
struct sim_listener *sim_find_listener(
    struct sim_world *w, const struct plat_addr *dst, bool *is_host_there);
void sim_unbind(struct sim_bind *b);
void sim_offer_listener(struct sim_pick *pick, struct sim_listener *l);
enum sn_status sim_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out);
enum sn_status sim_listen(struct plat_lane *lane, const struct plat_addr *addr,
    const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
    struct plat_listener **out);
void sim_listener_local(const struct plat_listener *l, struct plat_addr *out);
void sim_listener_close(struct plat_listener *l);
enum sn_status sim_reserve(struct plat *p, const struct plat_addr *addr, struct plat_addr *out,
    struct plat_reservation **reservation);
void sim_unreserve(struct plat_reservation *r);

#endif
