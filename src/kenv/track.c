/* SPDX-License-Identifier: MIT */
#include "kenv/track.h"

#include "base/alloc.h"
#include "base/stack.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

bool kenv_is_checked __attribute__((visibility("hidden")));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sn_list all[SoftNdkDrvOther + 1]; /* guarded by lock; by kind, oldest first */
static uint64_t last_sequence;                  /* guarded by lock */

/* Written as a pair under the lock, read with it held too: hooks are rare, faults are for tests. */
static SOFTNDK_DRV_FAULT fault;
static PVOID fault_context;
static bool has_fault;

void kenv_checks_enable(void)
{
    void *first[2];

    /* The first one of a process may load a library; better here than at DISPATCH_LEVEL. */
    (void)sn_stack_take(first, 2);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !kenv_is_checked; i++)
        sn_list_init(&all[i]);
    __atomic_store_n(&kenv_is_checked, true, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&lock);
}

__attribute__((noinline)) void kenv_stack_take(struct kenv_stack *stack)
{
    void *frames[SOFTNDK_DRV_FRAMES + 1];
    unsigned n = sn_stack_take(frames, SOFTNDK_DRV_FRAMES + 1);

    stack->count = n > 1 ? n - 1 : 0;
    memcpy(stack->frames, frames + 1, stack->count * sizeof(frames[0]));
}

struct kenv_tracked *kenv_track(
    SOFTNDK_DRV_KIND kind, const void *object, ULONG tag, size_t bytes, const char *name)
{
    struct kenv_tracked *t;

    if (!__atomic_load_n(&kenv_is_checked, __ATOMIC_ACQUIRE))
        return NULL;
    t = sn_zalloc(sizeof(*t));
    if (t == NULL)
        return NULL;
    t->kind = kind;
    t->object = object;
    t->tag = tag;
    t->bytes = bytes;
    (void)snprintf(t->name, sizeof(t->name), "%s", name);
    kenv_stack_take(&t->stack);
    pthread_mutex_lock(&lock);
    t->sequence = ++last_sequence;
    sn_list_push_back(&all[kind], &t->link);
    pthread_mutex_unlock(&lock);
    return t;
}

void kenv_untrack(struct kenv_tracked *tracked)
{
    if (tracked == NULL)
        return;
    pthread_mutex_lock(&lock);
    sn_list_remove(&tracked->link);
    pthread_mutex_unlock(&lock);
    sn_free(tracked);
}

static bool is_from(const struct kenv_stack *stack, const void *start, size_t size)
{
    for (uint32_t i = 0; i < stack->count; i++)
        if ((uintptr_t)stack->frames[i] - (uintptr_t)start < size)
            return true;
    return size == 0;
}

size_t kenv_tracked_each(const void *start, size_t size,
    void (*callback)(void *context, const struct kenv_tracked *tracked), void *context)
{
    size_t n = 0;

    if (!__atomic_load_n(&kenv_is_checked, __ATOMIC_ACQUIRE))
        return 0;
    pthread_mutex_lock(&lock);
    for (int kind = 0; kind <= SoftNdkDrvOther; kind++) {
        for (struct sn_list *i = all[kind].next; i != &all[kind]; i = i->next) {
            const struct kenv_tracked *t = (const struct kenv_tracked *)(const void *)i;

            if (!is_from(&t->stack, start, size))
                continue;
            n++;
            if (callback != NULL)
                callback(context, t);
        }
    }
    pthread_mutex_unlock(&lock);
    return n;
}

bool kenv_tracked_inside(const void *start, size_t size, struct kenv_tracked *out)
{
    /* What drivers embed in their own memory. */
    static const SOFTNDK_DRV_KIND kinds[] = {SoftNdkDrvTimer, SoftNdkDrvDpc, SoftNdkDrvWorkItem,
        SoftNdkDrvLookaside, SoftNdkDrvResource};
    bool is_found = false;

    if (!__atomic_load_n(&kenv_is_checked, __ATOMIC_ACQUIRE))
        return false;
    pthread_mutex_lock(&lock);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && !is_found; k++) {
        const struct sn_list *head = &all[kinds[k]];

        for (struct sn_list *i = head->next; i != head && !is_found; i = i->next) {
            const struct kenv_tracked *t = (const struct kenv_tracked *)(const void *)i;

            is_found = (uintptr_t)t->object - (uintptr_t)start < size;
            if (is_found)
                *out = *t;
        }
    }
    pthread_mutex_unlock(&lock);
    return is_found;
}

_Static_assert(offsetof(struct kenv_tracked, link) == 0, "a link is its tracked object");

VOID SoftNdkDrvSetFault(SOFTNDK_DRV_FAULT Fault, PVOID Context)
{
    pthread_mutex_lock(&lock);
    fault = Fault;
    fault_context = Context;
    __atomic_store_n(&has_fault, Fault != NULL, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&lock);
}

bool kenv_fault(SOFTNDK_DRV_KIND kind, ULONG tag, size_t bytes)
{
    SOFTNDK_DRV_FAULT f;
    PVOID context;

    if (!__atomic_load_n(&has_fault, __ATOMIC_ACQUIRE))
        return false;
    pthread_mutex_lock(&lock);
    f = fault;
    context = fault_context;
    pthread_mutex_unlock(&lock);
    return f != NULL && f(context, kind, tag, bytes) != FALSE;
}
