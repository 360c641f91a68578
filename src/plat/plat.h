/* SPDX-License-Identifier: MIT */
/*
 * What the RNIC needs from an operating system: clock, randomness, lanes, byte pipes, listeners,
 * timers. plat/linux gives it with epoll and threads, plat/sim with a virtual clock and one seed.
 *
 * A LANE is a serial executor that owns connections. At any time at most one thread is inside.
 * Three kinds of thread enter: the lane's home thread (a pipe is ready, a timer is due, work was
 * left), a posting thread (plat_lane_enter; never runs consumer callbacks), a polling thread
 * (plat_lane_enter, then plat_lane_poll). Entry is one atomic attempt; nobody waits. Who finds the
 * lane taken leaves its work where lane_ops.work looks, calls plat_lane_leave_work, and goes; the
 * owner looks once more before it leaves.
 *
 * Consumer callbacks are plat_calls: queued from anywhere, run by the home thread only, outside the
 * lane, with no lock held.
 *
 * Unless said otherwise a function that takes a lane, pipe, listener or timer is called inside that
 * lane. Nothing here blocks but plat_lane_destroy and plat_wait.
 */
#ifndef SN_PLAT_PLAT_H
#define SN_PLAT_PLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"
#include "base/bytes.h"
#include "base/list.h"
#include "base/status.h"

struct plat;
struct plat_lane;
struct plat_pipe;
struct plat_listener;

/* An IP endpoint in host form; ip holds 4 octets (family 4) or 16 (family 6). */
struct plat_addr {
    uint8_t family; /* 4 or 6; 0: none */
    uint16_t port;  /* host order */
    uint8_t ip[16];
    uint32_t scope; /* of a link-local IPv6 address */
};
bool plat_addr_equal(const struct plat_addr *a, const struct plat_addr *b); /* with port */
bool plat_addr_is_wildcard(const struct plat_addr *a);
/* "127.0.0.1:4420", "[::1]:4420" into out (64 octets are enough); returns out. */
const char *plat_addr_format(const struct plat_addr *a, char *out, size_t cap);

enum { PLAT_PORT_FIRST = 49152, PLAT_PORT_LAST = 65535 }; /* where port 0 is chosen from */

/* ---- calls: consumer callbacks on a home thread ---- */

/* Embedded in the object it concerns; not queued twice at a time. */
struct plat_call {
    struct plat_call *next;
    void (*run)(struct plat_call *call); /* may free the memory that holds the call */
};

/* ---- timers ---- */

struct plat_timer {
    struct sn_list link; /* in lane->timers, by deadline */
    uint64_t deadline_ns;
    bool is_set;
    void (*fire)(struct plat_timer *timer); /* inside the lane; the timer is no longer set */
};
void plat_timer_init(struct plat_timer *t, void (*fire)(struct plat_timer *timer));
/* (Re)arms it, delay from now. */
void plat_timer_set(struct plat_lane *lane, struct plat_timer *t, uint64_t delay_ns);
/* Harmless when not set. After it the timer does not fire. */
void plat_timer_cancel(struct plat_lane *lane, struct plat_timer *t);

/* ---- lanes ---- */

struct plat_lane_ops {
    /* Inside the lane: do what other threads left. Also called when nothing is left. */
    void (*work)(void *ctx);
};

/* Part of every lane; the implementation embeds it first. */
struct plat_lane {
    struct plat *plat;
    const struct plat_lane_ops *ops;
    void *ctx;
    struct sn_a32 state; /* PLAT_LANE_* bits */
    struct sn_a64 seq;   /* odd while somebody is inside: what quiescence waits on */
    struct sn_aptr
        calls; /* stack of struct plat_call, pushed by anyone, taken by the home thread */
    struct sn_list timers; /* inside the lane */
    /* Not after the first timer's (a cancelled one may linger here); UINT64_MAX: no timer. */
    struct sn_a64 next_deadline_ns;
    /* A polling thread is at work, the home thread keeps out. */
    struct sn_a32 has_poller;
    struct sn_a32 poll_ticks;   /* counts its visits: the watchdog sees it stop */
    struct sn_a64 home_wakeups; /* times the home thread woke; it alone counts */
};

enum {
    PLAT_LANE_TAKEN = 1,   /* somebody is inside */
    PLAT_LANE_WORK = 2,    /* work was left for who is inside, or for the next */
    PLAT_LANE_SOCKETS = 4, /* the home thread saw ready pipes and could not enter */
    PLAT_LANE_QUIET = 8,   /* who is inside waits in plat_lanes_quiesce: counts as outside */
    /* From here up: a count of threads outside that still have to wake the home thread. They keep
     * plat_lane_destroy from freeing the lane under them. */
    PLAT_LANE_VISITOR = 256,
};

/* Any thread. True: the caller is inside and must plat_lane_leave. False: taken, or the caller is
 * inside a lane already (it can be in one only); nothing changed. */
bool plat_lane_enter(struct plat_lane *lane);
/* Does left work (lane_ops.work, ready pipes if the home thread asked) until there is none, then
 * leaves. */
void plat_lane_leave(struct plat_lane *lane);
/*
 * Any thread, outside: marks work. If nobody is inside, enters, works and leaves when `may_enter`,
 * else wakes the home thread.
 */
void plat_lane_leave_work(struct plat_lane *lane, bool may_enter);
/* Any thread: queues a call for the home thread and wakes it. */
void plat_lane_call(struct plat_lane *lane, struct plat_call *call);
/* True inside a plat_call of any lane: consumer code that runs there must not wait for calls. */
bool plat_is_in_call(void);
/* True on the lane's home thread (inside or outside the lane). */
bool plat_lane_is_home(const struct plat_lane *lane);

/* Inside, by a polling thread: serves ready pipes and due timers once, without waiting. Returns how
 * many pipes were served. */
unsigned plat_lane_poll(struct plat_lane *lane);
/* Any thread that polls the lane, each time: keeps the home thread out of the sockets until the
 * visits stop for about a millisecond, or plat_lane_poller_end. */
void plat_lane_poller_visit(struct plat_lane *lane);
/* Any thread: the home thread shall take the sockets back now. Harmless without a poller. */
void plat_lane_poller_end(struct plat_lane *lane);

/*
 * Any thread: returns when each of the n lanes had a moment with nobody inside since the call
 * began. The caller may be inside one of them, named by `self` (else NULL): that one counts as
 * passed, and is marked passed while the caller waits, so that two callers cannot wait for each
 * other.
 */
void plat_lanes_quiesce(struct plat_lane *const *lanes, size_t n, struct plat_lane *self);
/* The lane the calling thread is inside; NULL if none. */
struct plat_lane *plat_lane_current(void);

/* ---- pipes: one TCP connection each ---- */

struct plat_pipe_ops {
    /* Of plat_connect: once, before any other. On failure the pipe still has to be closed. */
    void (*connected)(void *ctx, enum sn_status status);
    /* Octets, end of stream or an error can be read. Level-triggered: repeats until read or
     * unwatched. May come when there is nothing (plat_pipe_readv says AGAIN): a poll looks without
     * asking. */
    void (*readable)(void *ctx);
    /* Watched for writing, and there is room (or an error). */
    void (*writable)(void *ctx);
};

struct plat_pipe_options {
    uint32_t socket_buffer; /* octets for send and receive buffer; 0: the system's default */
};

enum plat_io {
    PLAT_IO_OK,    /* some octets moved */
    PLAT_IO_AGAIN, /* none now */
    PLAT_IO_END,   /* read: the peer sent FIN */
    PLAT_IO_ERROR, /* reset or failed; see plat_pipe_error */
};

/* Reads into the spans in order. */
enum plat_io plat_pipe_readv(struct plat_pipe *p, const struct sn_span *v, size_t n, size_t *got);
/* Writes from the spans in order; `sent` may be less than all. */
enum plat_io plat_pipe_writev(
    struct plat_pipe *p, const struct sn_cspan *v, size_t n, size_t *sent);
/* What to be called for; initially reading only (not before connected). Cheap when unchanged. */
void plat_pipe_watch(struct plat_pipe *p, bool reading, bool writing);
/* FIN after what was written. */
void plat_pipe_shutdown(struct plat_pipe *p);
/* Ends it: no further ops call. is_abort: RST. The memory goes when the home thread allows. */
void plat_pipe_close(struct plat_pipe *p, bool is_abort);
/* Changes who is called; the pipe stays on its lane. */
void plat_pipe_set_ops(struct plat_pipe *p, const struct plat_pipe_ops *ops, void *ctx);
/* Moves a quiet pipe to another lane. Called inside the old lane, which must not use it after that.
 * The new lane finds it unwatched. */
void plat_pipe_move(struct plat_pipe *p, struct plat_lane *to);
enum sn_status plat_pipe_error(const struct plat_pipe *p);
/* Effective MSS now, options taken off; 0 if unknown. */
uint32_t plat_pipe_emss(struct plat_pipe *p);
/* Octets written that the peer's TCP has not acknowledged. */
uint32_t plat_pipe_unacked(struct plat_pipe *p);
void plat_pipe_local(const struct plat_pipe *p, struct plat_addr *out);
void plat_pipe_peer(const struct plat_pipe *p, struct plat_addr *out);

/*
 * Starts connecting. src port 0: one of PLAT_PORT_*. ops->connected follows, never from inside this
 * call. SN_ADDRESS_IN_USE, SN_ADDRESS_INVALID, SN_NO_PORTS, SN_NO_MEMORY, SN_INVALID (families
 * differ).
 */
SN_MUST_CHECK enum sn_status plat_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out);

struct plat_listener_ops {
    /* A connection came in: *pipe is on the listener's lane, unwatched, without ops. The callee
     * takes it over (plat_pipe_set_ops, plat_pipe_watch) or closes it. */
    void (*accepted)(void *ctx, struct plat_pipe *pipe);
};
/* Listens at once; addr port 0: one of PLAT_PORT_*. Statuses as plat_connect. */
SN_MUST_CHECK enum sn_status plat_listen(struct plat_lane *lane, const struct plat_addr *addr,
    const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
    struct plat_listener **out);
void plat_listener_local(const struct plat_listener *l, struct plat_addr *out);
/* Stops listening; connections not yet accepted are reset. No further ops call. */
void plat_listener_close(struct plat_listener *l);
/* Binds without listening, so that an address and port are ours (shared endpoints): out->port tells
 * which. Any thread. The reservation ends with plat_unreserve. */
struct plat_reservation;
SN_MUST_CHECK enum sn_status plat_reserve(struct plat *plat, const struct plat_addr *addr,
    struct plat_addr *out, struct plat_reservation **reservation);
void plat_unreserve(struct plat_reservation *r);

/* ---- the platform ---- */

struct plat_ops {
    uint64_t (*now_ns)(struct plat *p);
    void (*random)(struct plat *p, void *out, size_t n);
    bool (*addr_is_local)(struct plat *p, uint32_t if_index, const struct plat_addr *a);
    enum sn_status (*lane_create)(
        struct plat *p, const struct plat_lane_ops *ops, void *ctx, struct plat_lane **out);
    void (*lane_destroy)(struct plat_lane *lane);
    void (*lane_wake)(struct plat_lane *lane);
    bool (*lane_is_home)(const struct plat_lane *lane);
    unsigned (*lane_poll)(struct plat_lane *lane);
    void (*yield)(struct plat *p); /* between two looks in a short wait for another thread */
    void (*wait)(struct plat *p, bool (*is_done)(void *ctx), void *ctx);
    void (*notify)(struct plat *p);
    enum sn_status (*connect)(struct plat_lane *lane, const struct plat_addr *src,
        const struct plat_addr *dst, const struct plat_pipe_options *options,
        const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out);
    enum sn_status (*listen)(struct plat_lane *lane, const struct plat_addr *addr,
        const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
        struct plat_listener **out);
    void (*listener_local)(const struct plat_listener *l, struct plat_addr *out);
    void (*listener_close)(struct plat_listener *l);
    enum sn_status (*reserve)(struct plat *p, const struct plat_addr *addr, struct plat_addr *out,
        struct plat_reservation **reservation);
    void (*unreserve)(struct plat_reservation *r);
    enum plat_io (*readv)(struct plat_pipe *p, const struct sn_span *v, size_t n, size_t *got);
    enum plat_io (*writev)(struct plat_pipe *p, const struct sn_cspan *v, size_t n, size_t *sent);
    void (*watch)(struct plat_pipe *p, bool reading, bool writing);
    void (*shutdown)(struct plat_pipe *p);
    void (*close)(struct plat_pipe *p, bool is_abort);
    void (*move)(struct plat_pipe *p, struct plat_lane *to);
    uint32_t (*emss)(struct plat_pipe *p);
    uint32_t (*unacked)(struct plat_pipe *p);
};

/* Every platform, lane, pipe, listener and reservation starts with its common part. */
struct plat {
    const struct plat_ops *ops;
};
struct plat_pipe {
    struct plat *plat;
    struct plat_lane *lane;
    const struct plat_pipe_ops *ops;
    void *ctx;
    enum sn_status error;
    struct plat_addr local, peer;
    void *trace; /* belongs to who stands in front of the platform's operations (src/trace); NULL */
};
struct plat_listener {
    struct plat *plat;
    struct plat_lane *lane;
};
struct plat_reservation {
    struct plat *plat;
};

static inline uint64_t plat_now_ns(struct plat *p)
{
    return p->ops->now_ns(p);
}
static inline void plat_random(struct plat *p, void *out, size_t n)
{
    p->ops->random(p, out, n);
}
/* Is `a` an address of the interface (0: of any interface of this host)? The port is ignored. True
 * as well where the host cannot say, for want of resources: binding to it tells. */
static inline bool plat_addr_is_local(struct plat *p, uint32_t if_index, const struct plat_addr *a)
{
    return p->ops->addr_is_local(p, if_index, a);
}
SN_MUST_CHECK enum sn_status plat_lane_create(
    struct plat *p, const struct plat_lane_ops *ops, void *ctx, struct plat_lane **out);
/* Outside every lane and not on the home thread: all pipes, listeners and timers of the lane are
 * gone; runs the calls that are left, ends the home thread, frees it. Blocks. */
void plat_lane_destroy(struct plat_lane *lane);
/* Blocks until is_done(ctx) holds. It is looked at again after each plat_notify. Not on a home
 * thread. plat/sim runs its world meanwhile. */
void plat_wait(struct plat *p, bool (*is_done)(void *ctx), void *ctx);
void plat_notify(struct plat *p); /* any thread */

/* For implementations: (re)initialises the common part of a lane. */
void plat_lane_init(
    struct plat_lane *lane, struct plat *p, const struct plat_lane_ops *ops, void *ctx);
/* For implementations: fires due timers. Inside the lane. Returns how many. */
unsigned plat_lane_run_timers(struct plat_lane *lane);
/* For implementations: runs queued calls in the order they were queued; outside the lane, on the
 * home thread. Returns how many. */
unsigned plat_lane_run_calls(struct plat_lane *lane);

#endif
