/* SPDX-License-Identifier: MIT */
#include "verify/shadow.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "kenv/bugcheck.h"
#include "verify/report.h"

static struct sn_a64 serials;

/* Objects that are gone and whose memory we keep, oldest first. */
static struct {
    struct sn_lock lock;
    struct sn_list list;
    uint32_t count;
} kept = {.lock = {.rank = SN_RANK_LEAF}, .list = {&kept.list, &kept.list}};

static _Thread_local struct verify_callback *callback_now;
_Thread_local uint32_t verify_thread_now __attribute__((visibility("hidden")));

const char *verify_type_name(NDK_OBJECT_TYPE type)
{
    static const char *const names[NdkObjectTypeMax] = {
        [NdkObjectTypeAdapter] = "adapter",
        [NdkObjectTypeQp] = "QP",
        [NdkObjectTypeCq] = "CQ",
        [NdkObjectTypeMr] = "MR",
        [NdkObjectTypeMw] = "MW",
        [NdkObjectTypePd] = "PD",
        [NdkObjectTypeSharedEndpoint] = "shared endpoint",
        [NdkObjectTypeConnector] = "connector",
        [NdkObjectTypeListener] = "listener",
        [NdkObjectTypeSrq] = "SRQ",
    };

    return type > NdkObjectTypeUndefined && type < NdkObjectTypeMax ? names[type] : "object";
}

const char *verify_state_name(enum verify_state state)
{
    static const char *const names[] = {
        [VERIFY_CREATING] = "being created",
        [VERIFY_OPEN] = "open",
        [VERIFY_CLOSING] = "closing",
        [VERIFY_GONE] = "closed",
    };

    return names[state];
}

/* ---- life ---- */

void *verify_obj_new(struct verify_adapter *a, NDK_OBJECT_TYPE type, size_t size, const VOID *table)
{
    struct verify_obj *o = sn_zalloc_aligned(size);

    if (o == NULL)
        return NULL;
    o->type = type;
    o->table = table;
    o->adapter = a;
    o->serial = sn_a64_fetch_add(&serials, 1) + 1;
    sn_a32_store_relaxed(&o->refs, 1);
    sn_list_init(&o->link);
    if (a != NULL && &a->o != o)
        verify_obj_get(&a->o);
    verify_stack_take(&o->born, 0);
    return o;
}

void verify_obj_stand_on(struct verify_obj *o, struct verify_obj *on)
{
    for (int i = 0; i < VERIFY_ANTECEDENTS_MAX; i++) {
        if (o->antecedents[i] != NULL)
            continue;
        verify_obj_get(on);
        sn_a32_fetch_add(&on->successors, 1);
        o->antecedents[i] = on;
        return;
    }
    SN_ASSERT(false); /* there is room for what any kind stands on */
}

void verify_obj_attach(struct verify_obj *o, struct ndk_object *pub)
{
    struct verify_adapter *a = o->adapter;

    o->pub = pub;
    o->lower = pub->Dispatch;
    pub->Header.NdkReserved.rf[NDK_SLOT_VERIFY] = o;
    pub->Dispatch = o->table;
    o->header = pub->Header;
    sn_a32_store_release(&o->state, VERIFY_OPEN);
    if (&a->o == o)
        return;
    sn_lock_take(&a->lock);
    sn_list_push_back(&a->objects, &o->link);
    sn_lock_drop(&a->lock);
}

void verify_obj_get(struct verify_obj *o)
{
    sn_a32_fetch_add(&o->refs, 1);
}

void verify_obj_put(struct verify_obj *o)
{
    struct verify_obj *adapter = &o->adapter->o;

    if (sn_a32_fetch_sub(&o->refs, 1) != 1)
        return;
    if (o->fini != NULL)
        o->fini(o);
    for (int i = 0; i < VERIFY_ANTECEDENTS_MAX; i++) {
        if (o->antecedents[i] == NULL)
            continue;
        if (sn_a32_load_acquire(&o->state) == VERIFY_CREATING) /* it never came to be */
            sn_a32_fetch_sub(&o->antecedents[i]->successors, 1);
        verify_obj_put(o->antecedents[i]);
    }
    sn_free_aligned(o);
    if (adapter != o)
        verify_obj_put(adapter);
}

void verify_obj_gone(struct verify_obj *o)
{
    struct verify_adapter *a = o->adapter;

    if (sn_a32_exchange(&o->state, VERIFY_GONE) == VERIFY_GONE)
        return;
    sn_lock_take(&a->lock);
    sn_list_remove(&o->link);
    sn_lock_drop(&a->lock);
    for (int i = 0; i < VERIFY_ANTECEDENTS_MAX; i++) {
        if (o->antecedents[i] != NULL)
            sn_a32_fetch_sub(&o->antecedents[i]->successors, 1);
    }
}

/* Header and table must be what they were; the layers' own words aside. */
static void check_header(struct verify_obj *o)
{
    NDK_OBJECT_HEADER now = o->pub->Header;

    now.NdkReserved = o->header.NdkReserved;
    if (memcmp(&now.Version, &o->header.Version, sizeof now.Version) != 0 ||
        now.ObjectType != o->header.ObjectType || o->pub->Dispatch != o->table)
        verify_report(VERIFY_L14, o, NULL, "(the end of the object)",
            "the object's header or Dispatch is not what it was");
}

static void drop(struct verify_obj *o)
{
    ndk_layer_free_object(o->pub);
    o->pub = NULL;
    verify_obj_put(o);
}

/* The oldest that nothing needs, taken off the list; NULL: there is room, or none. Locked. */
static struct verify_obj *surplus(void)
{
    if (kept.count <= VERIFY_KEPT_MAX)
        return NULL;
    for (struct sn_list *n = kept.list.next; n != &kept.list; n = n->next) {
        struct verify_obj *o = SN_CONTAINER_OF(n, struct verify_obj, link);

        if (o->may_drop != NULL && !o->may_drop(o))
            continue;
        sn_list_remove(n);
        kept.count--;
        return o;
    }
    return NULL;
}

bool verify_obj_keep(struct ndk_object *pub)
{
    struct verify_obj *o = verify_shadow(pub), *oldest;

    if (o == NULL)
        return false;
    check_header(o);
    verify_obj_gone(o);
    sn_lock_take(&kept.lock);
    sn_list_push_back(&kept.list, &o->link);
    kept.count++;
    oldest = surplus();
    sn_lock_drop(&kept.lock);
    if (oldest != NULL)
        drop(oldest);
    return true;
}

void verify_drop_kept(void)
{
    struct sn_list *node;

    do {
        sn_lock_take(&kept.lock);
        node = sn_list_pop_front(&kept.list);
        kept.count -= node != NULL;
        sn_lock_drop(&kept.lock);
        if (node != NULL)
            drop(SN_CONTAINER_OF(node, struct verify_obj, link));
    } while (node != NULL);
}

void verify_no_shadow(const void *object)
{
    kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)object, 0, 0, 0,
        "N-L14: the header of the object %p was overwritten; header and Dispatch are read-only",
        object);
}

/* ---- calls ---- */

bool verify_not_usable(struct verify_obj *o, const char *call)
{
    enum verify_state state = verify_state_of(o);

    if (state == VERIFY_CLOSING || state == VERIFY_GONE) {
        verify_report(VERIFY_L1, o, NULL, call, "the %s is %s", verify_type_name(o->type),
            state == VERIFY_GONE ? "closed" : "being closed");
        return false;
    }
    if (kenv_irql_now > DISPATCH_LEVEL) {
        verify_report(VERIFY_T6, o, NULL, call, "the thread is at IRQL %u", kenv_irql_now);
        return false;
    }
    return true;
}

uint32_t verify_thread_ask(void)
{
    verify_thread_now = (uint32_t)syscall(SYS_gettid);
    return verify_thread_now;
}

/* ---- callbacks ---- */

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void verify_callback_enter(struct verify_callback *cb, struct verify_obj *o, const char *name)
{
    cb->name = name;
    cb->o = o;
    cb->start_ns = o->adapter->settings.risky ? now_ns() : 0;
    cb->outer = callback_now;
    callback_now = cb;
    verify_obj_get(o);
}

void verify_callback_leave(struct verify_callback *cb)
{
    struct verify_obj *o = cb->o;
    uint64_t ms = cb->start_ns != 0 ? (now_ns() - cb->start_ns) / 1000000 : 0;

    if (ms > o->adapter->settings.callback_ms)
        verify_report(
            VERIFY_T5, o, NULL, cb->name, "the callback took %llu ms", (unsigned long long)ms);
    callback_now = cb->outer;
    verify_obj_put(o);
}

const struct verify_callback *verify_callback_now(void)
{
    return callback_now;
}
