/* SPDX-License-Identifier: MIT */
/*
 * What the files of plat/linux share. A file descriptor in a lane's epoll set is known to the set
 * by a number, its slot and the slot's generation, never by address: events that a thread fetched
 * before it got into the lane may speak of a pipe that is closed and freed since, and then they
 * name a slot whose generation has moved on.
 */
#ifndef SN_PLAT_LINUX_IMPL_H
#define SN_PLAT_LINUX_IMPL_H

#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "plat/linux/linux.h"

enum {
    LIN_EVENTS_MAX = 64,              /* taken from the kernel at a time */
    LIN_POLLER_GONE_NS = 1000 * 1000, /* without a visit the home thread takes the sockets back */
    LIN_ACCEPT_MAX = 64,              /* connections taken from one listener at a time */
    LIN_ACCEPT_PAUSE_NS = 100 * 1000 * 1000, /* no descriptors: look again after that */
    LIN_PORT_TRIES = 64,                     /* random ports tried before all are tried in turn */
};

/* ---- slots (slots.c) ---- */

/* Something that a lane's epoll set reports. Embedded first in pipes and listeners. */
struct lin_source {
    int fd;
    uint32_t slot;   /* LIN_SLOT_NONE: not in a table */
    uint32_t events; /* what the epoll set watches now (but for a parked one); 0: not in the set */
    bool may_park;   /* it is part of a pipe */
    /* Inside the lane. The source may be closed and freed when it returns. */
    void (*ready)(struct lin_source *s, uint32_t events);
};
#define LIN_SLOT_NONE      UINT32_MAX
#define LIN_TOKEN_EVENT_FD UINT64_MAX /* no source's: the lane's event descriptor */

struct lin_slot {
    struct lin_source *source; /* NULL: free */
    uint32_t generation;       /* counts the uses of this slot */
    uint32_t next_free;
};

struct lin_slots {
    struct lin_slot *table;
    uint32_t size, used, first_free;
};

void lin_slots_init(struct lin_slots *s);
void lin_slots_fini(struct lin_slots *s);
/* Gives the source a slot. False: no memory. */
SN_MUST_CHECK bool lin_slots_add(struct lin_slots *s, struct lin_source *source);
/* Harmless when it has none. */
void lin_slots_remove(struct lin_slots *s, struct lin_source *source);
/* The number that stands for the source in the epoll set. */
uint64_t lin_slots_token(const struct lin_slots *s, const struct lin_source *source);
/* NULL: that source is gone. */
struct lin_source *lin_slots_find(const struct lin_slots *s, uint64_t token);

/* ---- platform and lanes (linux.c, lane.c) ---- */

struct lin_plat {
    struct plat base;
    uint32_t spin_us;
    uint32_t socket_buffer_max[2]; /* send, receive: what SO_SNDBUF and SO_RCVBUF may ask for */
    bool has_better_tuning[2];     /* the kernel's own tuning goes beyond that */
    pthread_mutex_t lock;          /* guards what follows */
    pthread_cond_t notified;
    uint64_t notify_count;
    struct sn_list lanes;
    struct plat_linux_counters retired; /* of lanes that are gone */
};

struct lin_lane {
    struct plat_lane base;
    struct sn_list link; /* in lin_plat.lanes */
    int epoll_fd, event_fd;
    pthread_t home;

    struct sn_a32 is_stopping; /* written by plat_lane_destroy */
    struct sn_a32 is_sleeping; /* the home thread sleeps or is about to; who clears it, wakes it */

    /* Home thread only: the watch over a polling thread. */
    uint32_t seen_ticks;
    uint64_t ticks_changed_ns;

    /* Inside the lane. */
    struct lin_slots slots;
    struct sn_list broken; /* pipes the epoll set did not take; served as readable, once */
    uint64_t hot_token;    /* the one source that the last look at the set found ready */
    uint32_t hot_score;    /* in how many looks in a row */
    uint32_t hot_hits;     /* how often reading from it first was worth it since */
    uint32_t looks;
    struct lin_source *parked; /* taken out of the set because a polling thread reads it anyway */
    struct sn_a32 has_parked;  /* the same, for the home thread */
    uint64_t moved;            /* reads that had something: tells whether a look was worth it */

    /* Written by one thread at a time, read by anyone. */
    struct sn_a64 read_count, write_count, home_wait_count, poll_wait_count, wake_count;
};

static inline struct lin_lane *lin_lane_of(struct plat_lane *lane)
{
    return SN_CONTAINER_OF(lane, struct lin_lane, base);
}
static inline struct lin_plat *lin_plat_of(struct plat *p)
{
    return SN_CONTAINER_OF(p, struct lin_plat, base);
}
/* For a counter with one writer at a time: cheaper than fetch_add. */
static inline void lin_count(struct sn_a64 *counter)
{
    sn_a64_store_relaxed(counter, sn_a64_load_relaxed(counter) + 1);
}

enum sn_status lin_lane_create(
    struct plat *p, const struct plat_lane_ops *ops, void *ctx, struct plat_lane **out);
void lin_lane_destroy(struct plat_lane *lane);
void lin_lane_wake(struct plat_lane *lane);
bool lin_lane_is_home(const struct plat_lane *lane);
/* True on any home thread of this platform. */
bool lin_is_on_home_thread(void);
/* Adds the counters of the lane to `sum`. */
void lin_lane_add_counters(const struct lin_lane *lane, struct plat_linux_counters *sum);

/* ---- looking at what is ready, inside the lane (look.c) ---- */

unsigned lin_lane_poll(struct plat_lane *lane);
/* Serves what was fetched, as far as it is still there. Returns how many; `last` is one of them. */
unsigned lin_lane_dispatch(
    struct lin_lane *l, const struct epoll_event *events, int n, uint64_t *last);
/* Puts a parked source back into the epoll set. Harmless without. */
void lin_lane_unpark(struct lin_lane *l);
/* Any thread. */
static inline bool lin_lane_has_parked(const struct lin_lane *l)
{
    return sn_a32_load_acquire(&l->has_parked) != 0;
}
/* Changes what the epoll set watches; 0: takes it out. False: the kernel refuses
 * (out of memory), the source is out. */
bool lin_lane_watch(struct lin_lane *lane, struct lin_source *source, uint32_t events);

/* ---- sockets (sock.c) ---- */

/* Length of the filled address; 0 if the family is not an IP family. */
socklen_t lin_addr_to_sys(const struct plat_addr *a, struct sockaddr_storage *out);
void lin_addr_from_sys(const struct sockaddr_storage *ss, struct plat_addr *out);
enum sn_status lin_status_from_errno(int err);
/* A non-blocking TCP socket that closes on exec, with Nagle's algorithm off. -1: see errno. */
int lin_sock_create(uint8_t family);
/* Socket buffers, as far as they would not be smaller than without asking. Before connect/listen.
 */
void lin_sock_set_buffers(
    const struct lin_plat *p, int fd, const struct plat_pipe_options *options);
/* How a bind to a port that the caller names treats others who hold it already. */
enum lin_bind {
    LIN_BIND_SHARED,    /* others may, if they say so as well: connections from a shared endpoint */
    LIN_BIND_EXCLUSIVE, /* nobody holds it; those who bind LIN_BIND_SHARED may follow */
};
/* Binds. Port 0: one of PLAT_PORT_*, exclusively, but not `avoid`; where none is free, with
 * LIN_BIND_SHARED one that others have. `bound` is what it became. */
enum sn_status lin_sock_bind(struct lin_plat *p, int fd, const struct plat_addr *addr,
    enum lin_bind how, uint16_t avoid, struct plat_addr *bound);

/* ---- pipes and listeners (pipe.c, connect.c, listener.c) ---- */

struct lin_pipe {
    struct plat_pipe base;
    struct lin_source source;
    struct sn_list broken_link; /* in lin_lane.broken */
    bool is_reading, is_writing;
    bool is_connecting;
    bool is_broken;                /* the epoll set did not take it: every use fails */
    enum sn_status connect_status; /* failed already when plat_connect returned */
};

static inline struct lin_pipe *lin_pipe_of(struct plat_pipe *p)
{
    return SN_CONTAINER_OF(p, struct lin_pipe, base);
}

/* A pipe around a socket, unwatched. NULL: no memory, the socket stays the caller's. */
struct lin_pipe *lin_pipe_create(struct plat_lane *lane, int fd);
enum plat_io lin_pipe_readv(struct plat_pipe *p, const struct sn_span *v, size_t n, size_t *got);
enum plat_io lin_pipe_writev(struct plat_pipe *p, const struct sn_cspan *v, size_t n, size_t *sent);
void lin_pipe_watch(struct plat_pipe *p, bool reading, bool writing);
void lin_pipe_shutdown(struct plat_pipe *p);
void lin_pipe_close(struct plat_pipe *p, bool is_abort);
void lin_pipe_move(struct plat_pipe *p, struct plat_lane *to);
uint32_t lin_pipe_emss(struct plat_pipe *p);
uint32_t lin_pipe_unacked(struct plat_pipe *p);
/* The epoll set did not take it: it ends with an error, told on the way out of the lane. */
void lin_pipe_break(struct lin_pipe *p);
/* Calls the owner of a pipe that the epoll set did not take. */
void lin_pipe_report_broken(struct lin_pipe *p);
/* Tells a pipe that waits to be connected how it went. */
void lin_pipe_finish_connect(struct lin_pipe *p);

enum sn_status lin_connect(struct plat_lane *lane, const struct plat_addr *src,
    const struct plat_addr *dst, const struct plat_pipe_options *options,
    const struct plat_pipe_ops *ops, void *ctx, struct plat_pipe **out);

enum sn_status lin_listen(struct plat_lane *lane, const struct plat_addr *addr,
    const struct plat_pipe_options *options, const struct plat_listener_ops *ops, void *ctx,
    struct plat_listener **out);
void lin_listener_local(const struct plat_listener *l, struct plat_addr *out);
void lin_listener_close(struct plat_listener *l);
enum sn_status lin_reserve(struct plat *p, const struct plat_addr *addr, struct plat_addr *out,
    struct plat_reservation **reservation);
void lin_unreserve(struct plat_reservation *r);

#endif
