/* SPDX-License-Identifier: MIT */
/* Calls, adapters and memory of the test consumer; endpoints are in consumer_endpoint.c. */
#include "support/consumer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/consumer_wait.h"
#include "support/unit.h"

/* ---- waiting ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_condition(void)
{
    pthread_condattr_t a;

    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &a);
    pthread_condattr_destroy(&a);
}

void consumer_lock(void)
{
    pthread_once(&once, make_condition);
    pthread_mutex_lock(&lock);
}

void consumer_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void consumer_wake(void)
{
    pthread_cond_broadcast(&changed);
}

bool consumer_wait(bool (*is_there)(void *arg), void *arg)
{
    struct timespec until;
    bool there;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CONSUMER_WAIT_MS / 1000;
    while (!(there = is_there(arg))) {
        if (pthread_cond_timedwait(&changed, &lock, &until) != 0)
            return is_there(arg);
    }
    return there;
}

/* ---- assertions ---- */

void assert_ntstatus_at(NTSTATUS is, NTSTATUS want, const char *what, const char *file, int line)
{
    if (is == want)
        return;
    print_error("%s: %s (%08x) instead of %s (%08x)\n", what, SoftNdkStatusName(is), (unsigned)is,
        SoftNdkStatusName(want), (unsigned)want);
    _fail(file, line);
}

void assert_ntfailure_at(NTSTATUS is, const char *what, const char *file, int line)
{
    if (!NT_SUCCESS(is))
        return;
    print_error("%s: %s (%08x) instead of a failure\n", what, SoftNdkStatusName(is), (unsigned)is);
    _fail(file, line);
}

/* ---- addresses ---- */

SOCKADDR_INET address_of(const char *host, uint16_t port, ULONG *length)
{
    SOCKADDR_INET a;
    USHORT net_port = (USHORT)((port & 0xff) << 8 | port >> 8);
    bool is_v6 = strchr(host, ':') != NULL;

    memset(&a, 0, sizeof(a));
    if (is_v6) {
        a.Ipv6.sin6_family = AF_INET6;
        a.Ipv6.sin6_port = net_port;
        ((uint8_t *)&a.Ipv6.sin6_addr)[15] = strcmp(host, "::1") == 0;
    } else {
        unsigned octet[4];

        assert_int_equal(
            sscanf(host, "%u.%u.%u.%u", &octet[0], &octet[1], &octet[2], &octet[3]), 4);
        a.Ipv4.sin_family = AF_INET;
        a.Ipv4.sin_port = net_port;
        for (int i = 0; i < 4; i++)
            ((uint8_t *)&a.Ipv4.sin_addr)[i] = (uint8_t)octet[i];
    }
    *length = is_v6 ? (ULONG)sizeof(SOCKADDR_IN6) : (ULONG)sizeof(SOCKADDR_IN);
    return a;
}

uint16_t address_port(const SOCKADDR_INET *a)
{
    USHORT net = a->si_family == AF_INET6 ? a->Ipv6.sin6_port : a->Ipv4.sin_port;

    return (uint16_t)((net & 0xff) << 8 | net >> 8);
}

/* ---- calls ---- */

struct ndk_call {
    struct ndk_call *next;
    bool is_started;
    NTSTATUS returned;
    unsigned callbacks;
    bool too_high; /* a callback came above DISPATCH_LEVEL */
    NTSTATUS status;
    NDK_OBJECT_HEADER *object;
};

struct ndk_call *call_begin(struct consumer *c)
{
    struct ndk_call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        abort();
    call->next = c->calls;
    c->calls = call;
    return call;
}

static void called_back(struct ndk_call *call, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    consumer_lock();
    call->callbacks++;
    call->status = status;
    call->object = object;
    call->too_high = call->too_high || KeGetCurrentIrql() > DISPATCH_LEVEL;
    consumer_wake();
    consumer_unlock();
}

VOID call_completed(PVOID context, NTSTATUS status)
{
    called_back(context, status, NULL);
}

VOID call_created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
    called_back(context, status, object);
}

VOID call_closed(PVOID context)
{
    called_back(context, STATUS_SUCCESS, NULL);
}

void call_started(struct ndk_call *call, NTSTATUS returned)
{
    consumer_lock();
    call->returned = returned;
    call->is_started = true;
    consumer_unlock();
}

static bool has_ended(void *arg)
{
    const struct ndk_call *call = arg;

    return call->is_started && (call->returned != STATUS_PENDING || call->callbacks > 0);
}

bool call_is_done(struct ndk_call *call)
{
    bool done;

    consumer_lock();
    done = has_ended(call);
    consumer_unlock();
    return done;
}

NTSTATUS call_wait(struct ndk_call *call)
{
    bool ended;

    consumer_lock();
    ended = consumer_wait(has_ended, call);
    consumer_unlock();
    if (!ended)
        fail_msg("an asynchronous call does not complete");
    return call->returned == STATUS_PENDING ? call->status : call->returned;
}

NTSTATUS call_end(struct ndk_call *call, NTSTATUS returned)
{
    call_started(call, returned);
    return call_wait(call);
}

NTSTATUS call_end_create(
    struct ndk_call *call, NTSTATUS returned, void *inline_object, void **object)
{
    NTSTATUS status = call_end(call, returned);

    if (returned == STATUS_PENDING && inline_object != NULL)
        fail_msg("the out parameter was written after STATUS_PENDING");
    *object = returned == STATUS_PENDING ? call->object : inline_object;
    if (NT_SUCCESS(status) != (*object != NULL))
        fail_msg("%s, but %s object", SoftNdkStatusName(status), *object != NULL ? "an" : "no");
    return status;
}

/* Nothing can call back any more. */
static void check_calls(struct consumer *c)
{
    for (struct ndk_call *call = c->calls; call != NULL; call = call->next) {
        unsigned want = call->is_started && call->returned == STATUS_PENDING;

        if (call->callbacks != want)
            fail_msg("%u callbacks of a call that returned %s", call->callbacks,
                SoftNdkStatusName(call->returned));
        if (call->too_high)
            fail_msg("a callback came above DISPATCH_LEVEL");
    }
    while (c->calls != NULL) {
        struct ndk_call *call = c->calls;

        c->calls = call->next;
        free(call);
    }
}

/* ---- adapter ---- */

SOFTNDK_OPTIONS consumer_options(void)
{
    SOFTNDK_OPTIONS o = SOFTNDK_OPTIONS_INIT;

    o.Transport = SOFTNDK_TRANSPORT_TCP;
    return o;
}

struct consumer *consumer_open(const SOFTNDK_OPTIONS *options)
{
    const NDK_VERSION version = {2, 1};
    SOFTNDK_OPTIONS tcp = consumer_options();
    struct consumer *c = calloc(1, sizeof(*c));
    ULONG size = sizeof(c->info);

    if (c == NULL)
        abort();
    assert_ntstatus(SoftNdkOpenAdapter(0, version, options != NULL ? options : &tcp, &c->adapter),
        STATUS_SUCCESS);
    assert_non_null(c->adapter);
    assert_int_equal(c->adapter->Header.ObjectType, NdkObjectTypeAdapter);
    assert_ntstatus(
        c->adapter->Dispatch->NdkQueryAdapterInfo(c->adapter, &c->info, &size), STATUS_SUCCESS);
    assert_ntstatus(consumer_create_pd(c, &c->pd), STATUS_SUCCESS);
    return c;
}

void consumer_close(struct consumer *c)
{
    consumer_close_object(c, &c->pd->Header);
    if (c->objects != 0)
        fail_msg("%d objects are still open", c->objects); /* the adapter would wait for ever */
    SoftNdkCloseAdapter(c->adapter);
    check_calls(c);
    free(c);
}

static NTSTATUS created(struct consumer *c, NTSTATUS status)
{
    if (NT_SUCCESS(status))
        c->objects++;
    return status;
}

void consumer_adopt(struct consumer *c)
{
    c->objects++;
}

NTSTATUS consumer_create_cq(struct consumer *c, ULONG depth, NDK_FN_CQ_NOTIFICATION_CALLBACK notify,
    PVOID context, NDK_CQ **cq)
{
    struct ndk_call *call = call_begin(c);
    NDK_CQ *now = NULL;
    NTSTATUS returned = c->adapter->Dispatch->NdkCreateCq(
        c->adapter, depth, notify, context, NULL, call_created, call, &now);

    return created(c, call_end_create(call, returned, now, (void **)cq));
}

NTSTATUS consumer_create_pd(struct consumer *c, NDK_PD **pd)
{
    struct ndk_call *call = call_begin(c);
    NDK_PD *now = NULL;
    NTSTATUS returned = c->adapter->Dispatch->NdkCreatePd(c->adapter, call_created, call, &now);

    return created(c, call_end_create(call, returned, now, (void **)pd));
}

NTSTATUS consumer_create_connector(struct consumer *c, NDK_CONNECTOR **connector)
{
    struct ndk_call *call = call_begin(c);
    NDK_CONNECTOR *now = NULL;
    NTSTATUS returned =
        c->adapter->Dispatch->NdkCreateConnector(c->adapter, call_created, call, &now);

    return created(c, call_end_create(call, returned, now, (void **)connector));
}

NTSTATUS consumer_create_listener(
    struct consumer *c, NDK_FN_CONNECT_EVENT_CALLBACK event, PVOID context, NDK_LISTENER **listener)
{
    struct ndk_call *call = call_begin(c);
    NDK_LISTENER *now = NULL;
    NTSTATUS returned = c->adapter->Dispatch->NdkCreateListener(
        c->adapter, event, context, call_created, call, &now);

    return created(c, call_end_create(call, returned, now, (void **)listener));
}

NTSTATUS consumer_create_mr(struct consumer *c, NDK_PD *pd, BOOLEAN fast, NDK_MR **mr)
{
    struct ndk_call *call = call_begin(c);
    NDK_MR *now = NULL;
    NTSTATUS returned = pd->Dispatch->NdkCreateMr(pd, fast, call_created, call, &now);

    return created(c, call_end_create(call, returned, now, (void **)mr));
}

NTSTATUS consumer_create_mw(struct consumer *c, NDK_PD *pd, NDK_MW **mw)
{
    struct ndk_call *call = call_begin(c);
    NDK_MW *now = NULL;
    NTSTATUS returned = pd->Dispatch->NdkCreateMw(pd, call_created, call, &now);

    return created(c, call_end_create(call, returned, now, (void **)mw));
}

/* Every dispatch table but the adapter's begins with the close entry. */
struct any_dispatch {
    NDK_FN_CLOSE_OBJECT close;
};
struct any_object {
    NDK_OBJECT_HEADER header;
    const struct any_dispatch *dispatch;
};

void consumer_close_object(struct consumer *c, NDK_OBJECT_HEADER *object)
{
    struct ndk_call *call;
    const struct any_object *any = (const void *)object;

    if (object == NULL)
        return;
    call = call_begin(c);
    assert_ntstatus(
        call_end(call, any->dispatch->close(object, call_closed, call)), STATUS_SUCCESS);
    c->objects--;
}

/* ---- memory ---- */

struct memory *memory_open(struct consumer *c, NDK_PD *pd, size_t n, ULONG flags)
{
    struct memory *m = calloc(1, sizeof(*m));
    struct ndk_call *call;

    if (m == NULL || (m->p = calloc(1, n)) == NULL)
        abort();
    m->c = c;
    m->n = n;
    assert_ntstatus(consumer_create_mr(c, pd != NULL ? pd : c->pd, FALSE, &m->mr), STATUS_SUCCESS);
    m->mdl = IoAllocateMdl(m->p, (ULONG)n, FALSE, FALSE, NULL);
    assert_non_null(m->mdl);
    MmBuildMdlForNonPagedPool(m->mdl);
    call = call_begin(c);
    assert_ntstatus(call_end(call, m->mr->Dispatch->NdkRegisterMr(
                                       m->mr, m->mdl, n, flags, call_completed, call)),
        STATUS_SUCCESS);
    m->local = m->mr->Dispatch->NdkGetLocalTokenFromMr(m->mr);
    m->remote = m->mr->Dispatch->NdkGetRemoteTokenFromMr(m->mr);
    return m;
}

void memory_close(struct memory *m)
{
    struct ndk_call *call = call_begin(m->c);

    assert_ntstatus(call_end(call, m->mr->Dispatch->NdkDeregisterMr(m->mr, call_completed, call)),
        STATUS_SUCCESS);
    consumer_close_object(m->c, &m->mr->Header);
    IoFreeMdl(m->mdl);
    free(m->p);
    free(m);
}

NDK_SGE memory_sge(const struct memory *m, size_t at, size_t n)
{
    NDK_SGE sge;

    memset(&sge, 0, sizeof(sge));
    sge.VirtualAddress = m->p + at;
    sge.Length = (ULONG)n;
    sge.MemoryRegionToken = m->local;
    return sge;
}

uint64_t memory_to(const struct memory *m, size_t at)
{
    return (uint64_t)(uintptr_t)m->p + at;
}
