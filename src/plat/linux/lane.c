/* SPDX-License-Identifier: MIT */
/*
 * A lane on Linux: one epoll set, one event descriptor to wake the home thread, one home thread.
 *
 * The home thread fetches events while it is outside, then enters to serve them. The set is
 * level-triggered and events are mere hints, so it may drop what it fetched: when the lane is taken
 * it asks the owner (PLAT_LANE_SOCKETS) and drops them; when a polling thread has come it drops
 * them and waits on the event descriptor alone. Thus a polling thread takes the sockets over, and
 * gives them back, without a change to the epoll set.
 *
 * Sleeping: the home thread sets is_sleeping, then looks once more for anything to do. Who leaves
 * something does the reverse: leaves it, then looks at is_sleeping. A full fence between the two
 * steps on both sides, so one of them sees the other; a home thread that is awake costs nobody a
 * system call.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "plat/linux/linux_impl.h"
#include "plat/linux/sys.h"

enum { ENTER_TRIES_MAX = 200 }; /* some microseconds: an owner that only posts is gone by then */

static _Thread_local const struct lin_lane *home_of;

bool lin_lane_is_home(const struct plat_lane *lane)
{
    return home_of != NULL && &home_of->base == lane;
}

bool lin_is_on_home_thread(void)
{
    return home_of != NULL;
}

/* ---- waking and sleeping ---- */

static void write_event_fd(struct lin_lane *l)
{
    const uint64_t one = 1;

    /* Only a counter at its end could make this fail, and then it is readable anyway. */
    while (lin_sys_write(l->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static void clear_event_fd(struct lin_lane *l)
{
    uint64_t count;

    while (read(l->event_fd, &count, sizeof(count)) < 0 && errno == EINTR)
        ;
}

void lin_lane_wake(struct plat_lane *lane)
{
    struct lin_lane *l = lin_lane_of(lane);

    sn_fence_full();
    if (sn_a32_load_relaxed(&l->is_sleeping) == 0 || sn_a32_exchange(&l->is_sleeping, 0) == 0)
        return;
    sn_a64_fetch_add(&l->wake_count, 1);
    write_event_fd(l);
}

static bool is_taken(const struct lin_lane *l)
{
    return (sn_a32_load_acquire(&l->base.state) & PLAT_LANE_TAKEN) != 0;
}

/* Left for whoever enters next, and nobody is inside. */
static bool is_work_left(const struct lin_lane *l)
{
    uint32_t state = sn_a32_load_acquire(&l->base.state);

    return (state & PLAT_LANE_TAKEN) == 0 && (state & (PLAT_LANE_WORK | PLAT_LANE_SOCKETS)) != 0;
}

static bool has_poller(const struct lin_lane *l)
{
    return sn_a32_load_acquire(&l->base.has_poller) != 0;
}

/* From here on who leaves something wakes us. False: something was left already, do not sleep. */
static bool begin_sleep(struct lin_lane *l)
{
    sn_a32_store_release(&l->is_sleeping, 1);
    sn_fence_full();
    return sn_aptr_load_acquire(&l->base.calls) == NULL && !is_work_left(l) &&
           sn_a32_load_acquire(&l->is_stopping) == 0;
}

static void end_sleep(struct lin_lane *l)
{
    sn_a32_store_release(&l->is_sleeping, 0);
    lin_count(&l->base.home_wakeups);
    lin_count(&l->home_wait_count);
}

/* Until woken, or for a millisecond: the sockets are somebody else's meanwhile. */
static void sleep_beside(struct lin_lane *l)
{
    struct pollfd pfd = {.fd = l->event_fd, .events = POLLIN};

    if (poll(&pfd, 1, 1) > 0)
        clear_event_fd(l);
}

/* ---- the home thread ---- */

static bool is_timer_due(struct lin_lane *l)
{
    uint64_t deadline = sn_a64_load_acquire(&l->base.next_deadline_ns);

    return deadline != UINT64_MAX && deadline <= plat_now_ns(l->base.plat);
}

/* For epoll_wait: milliseconds, rounded up. */
static int sleep_ms(struct lin_lane *l)
{
    uint64_t deadline = sn_a64_load_acquire(&l->base.next_deadline_ns), now, ms;

    if (deadline == UINT64_MAX)
        return -1;
    now = plat_now_ns(l->base.plat);
    if (deadline <= now)
        return 0;
    ms = (deadline - now + 999999) / 1000000;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static int spin(struct lin_lane *l, struct epoll_event *events)
{
    uint64_t until =
        plat_now_ns(l->base.plat) + lin_plat_of(l->base.plat)->spin_us * UINT64_C(1000);
    int n;

    do {
        lin_count(&l->home_wait_count);
        n = epoll_wait(l->epoll_fd, events, LIN_EVENTS_MAX, 0);
    } while (n <= 0 && sn_aptr_load_acquire(&l->base.calls) == NULL && !is_work_left(l) &&
             plat_now_ns(l->base.plat) < until);
    return n;
}

/* Sleeps until sockets are ready, a timer is due or somebody wakes us. */
static int fetch(struct lin_lane *l, struct epoll_event *events)
{
    int n = 0;

    if (lin_plat_of(l->base.plat)->spin_us != 0)
        n = spin(l, events);
    if (n > 0)
        return n;
    /* A parked source is not in the set: nothing would wake us. */
    n = epoll_wait(l->epoll_fd, events, LIN_EVENTS_MAX,
        begin_sleep(l) && !lin_lane_has_parked(l) ? sleep_ms(l) : 0);
    end_sleep(l);
    return n;
}

/* Removes the event descriptor from what was fetched; what remains are sockets. */
static int take_out_event_fd(struct lin_lane *l, struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == LIN_TOKEN_EVENT_FD) {
            clear_event_fd(l);
            events[i] = events[n - 1];
            return n - 1;
        }
    }
    return n;
}

static bool enter_soon(struct lin_lane *l)
{
    for (int i = 0; i < ENTER_TRIES_MAX; i++) {
        if (plat_lane_enter(&l->base))
            return true;
        sn_cpu_relax();
    }
    return false;
}

/* The owner shall serve what is ready, and wakes us when it is out. */
static void ask_owner(struct lin_lane *l)
{
    if ((sn_a32_fetch_or(&l->base.state, PLAT_LANE_SOCKETS) & PLAT_LANE_TAKEN) == 0)
        return; /* gone in this moment: is_work_left says so in the next round */
    if (begin_sleep(l) && is_taken(l))
        sleep_beside(l);
    end_sleep(l);
}

static void serve(struct lin_lane *l)
{
    struct epoll_event events[LIN_EVENTS_MAX];
    uint64_t last;
    int n = take_out_event_fd(l, events, fetch(l, events));

    if (has_poller(l)) /* came while we slept */
        return;
    if (n <= 0 && !is_timer_due(l) && !lin_lane_has_parked(l))
        return;
    if (!enter_soon(l)) {
        ask_owner(l);
        return;
    }
    lin_lane_unpark(l);
    lin_lane_dispatch(l, events, n, &last);
    plat_lane_run_timers(&l->base);
    plat_lane_leave(&l->base);
}

/* The sockets are the polling thread's. Takes them back when its visits have stopped. */
static void watch_poller(struct lin_lane *l)
{
    uint32_t ticks = sn_a32_load_relaxed(&l->base.poll_ticks);
    uint64_t now = plat_now_ns(l->base.plat);

    if (ticks != l->seen_ticks) {
        l->seen_ticks = ticks;
        l->ticks_changed_ns = now;
    } else if (now - l->ticks_changed_ns >= LIN_POLLER_GONE_NS) {
        sn_a32_store_release(&l->base.has_poller, 0);
        return;
    }
    if (begin_sleep(l) && has_poller(l))
        sleep_beside(l);
    end_sleep(l);
}

static void do_left_work(struct lin_lane *l)
{
    if (is_work_left(l) && plat_lane_enter(&l->base))
        plat_lane_leave(&l->base);
}

/* Everything that was left is done, and nobody touches the lane any more. */
static void run_down(struct lin_lane *l)
{
    for (;;) {
        plat_lane_run_calls(&l->base);
        do_left_work(l);
        if (sn_a32_load_acquire(&l->base.state) == 0 &&
            sn_aptr_load_acquire(&l->base.calls) == NULL)
            return;
        sched_yield();
    }
}

static void *home_main(void *arg)
{
    struct lin_lane *l = arg;

    home_of = l;
    while (sn_a32_load_acquire(&l->is_stopping) == 0) {
        if (has_poller(l))
            watch_poller(l);
        else
            serve(l);
        do_left_work(l);
        plat_lane_run_calls(&l->base);
    }
    run_down(l);
    return NULL;
}

/* ---- life ---- */

/* Signals are for the threads of the program, not for ours. */
static bool start_home(struct lin_lane *l)
{
    sigset_t all, before;
    int err;

    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    err = pthread_create(&l->home, NULL, home_main, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err == 0)
        pthread_setname_np(l->home, "softndk-lane");
    return err == 0;
}

static void close_fds(struct lin_lane *l)
{
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    if (l->event_fd >= 0)
        close(l->event_fd);
}

static bool open_fds(struct lin_lane *l)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = LIN_TOKEN_EVENT_FD};

    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return l->epoll_fd >= 0 && l->event_fd >= 0 &&
           epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->event_fd, &event) == 0;
}

enum sn_status lin_lane_create(
    struct plat *p, const struct plat_lane_ops *ops, void *ctx, struct plat_lane **out)
{
    struct lin_plat *lp = lin_plat_of(p);
    struct lin_lane *l = sn_zalloc_aligned(sizeof(*l));

    if (l == NULL)
        return SN_NO_MEMORY;
    plat_lane_init(&l->base, p, ops, ctx);
    lin_slots_init(&l->slots);
    sn_list_init(&l->broken);
    l->hot_token = LIN_TOKEN_EVENT_FD;
    if (!open_fds(l) || !start_home(l)) {
        close_fds(l);
        sn_free_aligned(l);
        return SN_NO_MEMORY;
    }
    pthread_mutex_lock(&lp->lock);
    sn_list_push_back(&lp->lanes, &l->link);
    pthread_mutex_unlock(&lp->lock);
    *out = &l->base;
    return SN_OK;
}

void lin_lane_add_counters(const struct lin_lane *l, struct plat_linux_counters *sum)
{
    sum->reads += sn_a64_load_relaxed(&l->read_count);
    sum->writes += sn_a64_load_relaxed(&l->write_count);
    sum->waits +=
        sn_a64_load_relaxed(&l->home_wait_count) + sn_a64_load_relaxed(&l->poll_wait_count);
    sum->wakes += sn_a64_load_relaxed(&l->wake_count);
}

void lin_lane_destroy(struct plat_lane *lane)
{
    struct lin_lane *l = lin_lane_of(lane);
    struct lin_plat *lp = lin_plat_of(lane->plat);

    sn_a32_store_release(&l->is_stopping, 1);
    write_event_fd(l);
    pthread_join(l->home, NULL);
    SN_ASSERT(sn_list_is_empty(&lane->timers));
    SN_ASSERT(sn_list_is_empty(&l->broken));
    pthread_mutex_lock(&lp->lock);
    sn_list_remove(&l->link);
    lin_lane_add_counters(l, &lp->retired);
    pthread_mutex_unlock(&lp->lock);
    lin_slots_fini(&l->slots);
    close_fds(l);
    sn_free_aligned(l);
}
