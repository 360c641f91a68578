/* SPDX-License-Identifier: MIT */
/*
 * What a thread inside a lane does to find out which sockets are ready.
 *
 * A polling thread could ask the epoll set each time. While one connection alone is busy, as in a
 * ping-pong, reading from it is the cheaper question: the connection is HOT, read first, and the
 * set is asked now and then. If that goes on, the hot connection is PARKED, taken out of the set:
 * each segment that arrives for a socket in a set costs its sender, over loopback our peer, some 3
 * % of a small message. Whoever looks without being a polling thread puts it back first, and the
 * home thread does not sleep on the set while one is parked.
 */
#include "base/assert.h"
#include "plat/linux/linux_impl.h"
#include "plat/linux/sys.h"

enum {
    HOT_SCORE = 2,  /* looks in a row that found one source only before it is read first */
    HOT_LOOKS = 8,  /* every so many looks the set is asked even so */
    HOT_READS = 4,  /* and when so many reads of the hot source had something: others wait */
    PARK_HITS = 64, /* so often the hot source had something before it is parked */
};

static bool has_poller(const struct lin_lane *l)
{
    return sn_a32_load_acquire(&l->base.has_poller) != 0;
}

/* A pipe that the epoll set did not take can report its error only from here. */
static void serve_broken(struct lin_lane *l)
{
    struct sn_list *link;

    while ((link = sn_list_pop_front(&l->broken)) != NULL)
        lin_pipe_report_broken(SN_CONTAINER_OF(link, struct lin_pipe, broken_link));
}

unsigned lin_lane_dispatch(
    struct lin_lane *l, const struct epoll_event *events, int n, uint64_t *last)
{
    unsigned served = 0;

    for (int i = 0; i < n; i++) {
        struct lin_source *source = lin_slots_find(&l->slots, events[i].data.u64);

        if (source == NULL)
            continue;
        source->ready(source, events[i].events);
        *last = events[i].data.u64;
        served++;
    }
    if (!sn_list_is_empty(&l->broken))
        serve_broken(l);
    return served;
}

/* ---- the epoll set ---- */

static void forget_parked(struct lin_lane *l)
{
    l->parked->events = 0; /* as far as the set knows */
    l->parked = NULL;
    l->hot_hits = 0;
    sn_a32_store_release(&l->has_parked, 0);
}

bool lin_lane_watch(struct lin_lane *l, struct lin_source *source, uint32_t events)
{
    struct epoll_event event = {.events = events};
    int op;

    if (events == source->events)
        return true;
    if (source == l->parked)
        forget_parked(l);
    if (events == 0) {
        if (source->events != 0)
            epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, source->fd, &event);
        source->events = 0;
        return true;
    }
    if (source->slot == LIN_SLOT_NONE && !lin_slots_add(&l->slots, source))
        return false;
    event.data.u64 = lin_slots_token(&l->slots, source);
    op = source->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(l->epoll_fd, op, source->fd, &event) != 0)
        return false;
    source->events = events;
    return true;
}

static void park(struct lin_lane *l, struct lin_source *source)
{
    struct epoll_event unused = {0};

    l->parked = source;
    sn_a32_store_release(&l->has_parked, 1);
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, source->fd, &unused);
    /* It may sleep on the set since before the polling thread came. Awake it sees the polling
     * thread and watches over it. */
    lin_lane_wake(&l->base);
}

void lin_lane_unpark(struct lin_lane *l)
{
    struct lin_source *source = l->parked;
    uint32_t events;

    if (source == NULL)
        return;
    events = source->events;
    forget_parked(l);
    if (!lin_lane_watch(l, source, events))
        lin_pipe_break(SN_CONTAINER_OF(source, struct lin_pipe, source));
}

/* ---- looking ---- */

static struct lin_source *hot_source(struct lin_lane *l)
{
    struct lin_source *hot;

    if (l->hot_score < HOT_SCORE)
        return NULL;
    hot = lin_slots_find(&l->slots, l->hot_token);
    return hot != NULL && (hot->events & EPOLLIN) != 0 ? hot : NULL;
}

static unsigned serve_hot(struct lin_lane *l, struct lin_source *hot)
{
    uint64_t before = l->moved;

    hot->ready(hot, EPOLLIN); /* may close it */
    if (l->moved == before)
        return 0;
    if (++l->hot_hits < PARK_HITS || l->parked != NULL)
        return 1;
    hot = hot_source(l);
    if (hot != NULL && hot->may_park && hot->events == EPOLLIN)
        park(l, hot);
    return 1;
}

static unsigned ask_set(struct lin_lane *l)
{
    struct epoll_event events[LIN_EVENTS_MAX];
    uint64_t last = LIN_TOKEN_EVENT_FD;
    unsigned served;
    int n;

    lin_count(&l->poll_wait_count);
    n = lin_sys_epoll_look(l->epoll_fd, events, LIN_EVENTS_MAX);
    served = lin_lane_dispatch(l, events, n, &last);
    if (served == 1 && last == l->hot_token) {
        l->hot_score++;
    } else if (served > 0) {
        lin_lane_unpark(l);
        l->hot_token = last;
        l->hot_score = 0;
        l->hot_hits = 0;
    }
    return served;
}

static unsigned look(struct lin_lane *l)
{
    struct lin_source *hot;
    uint64_t before;
    unsigned served;

    if (!has_poller(l)) {
        lin_lane_unpark(l);
        return ask_set(l);
    }
    hot = hot_source(l);
    if (hot == NULL)
        return ask_set(l);
    before = l->moved;
    served = serve_hot(l, hot);
    if (++l->looks % HOT_LOOKS == 0 || l->moved - before >= HOT_READS)
        served += ask_set(l);
    return served;
}

unsigned lin_lane_poll(struct plat_lane *lane)
{
    unsigned served = look(lin_lane_of(lane));

    plat_lane_run_timers(lane);
    return served;
}
