/* SPDX-License-Identifier: MIT */
/*
 * The pool. Each block has a header in front of it that knows size, tag and kind, and stands in a
 * table by its address, so that any address can be asked about. Blocks of a page and more are page
 * aligned. The memory comes from the host's allocator: AddressSanitizer sees each block by itself.
 *
 * With checks on and no AddressSanitizer, octets behind the block are marked, and freed blocks are
 * filled and kept aside for a while, so that writing to either is found. ex_pool_api.c has the
 * routines that drivers call.
 */
#include "kenv/pool.h"

#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/report.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <wdm.h>

/* More than this no pool has; the host's allocator is not even asked. */
#define SIZE_LIMIT ((SIZE_T)1 << 36)

#define MAGIC          0x534e444b504f4f4cu
#define CHAINS         16384u
#define LOCKS          64u
#define MARK           0xb5
#define MARK_OCTETS    16u
#define FILL           0xdd
#define ASIDE_BYTES    ((size_t)16 << 20)
#define ASIDE_COUNT    8192u
#define MESSAGE_OCTETS 256

struct history {
    struct kenv_stack created, freed;
};

struct block {
    _Alignas(16) uint64_t magic;
    struct block *next;    /* in the chain */
    struct block *younger; /* of a freed one: kept aside behind it */
    void *base;            /* what the host's allocator gave */
    SIZE_T size;
    ULONG tag;
    bool is_paged;
    bool is_marked; /* MARK_OCTETS behind it */
    bool is_free;   /* kept aside */
    struct kenv_tracked *tracked;
    struct history *history; /* of a freed one; may be NULL */
};

_Static_assert(sizeof(struct block) % 16 == 0, "what follows the header is 16-aligned");

static struct block *chains[CHAINS]; /* each guarded by a lock: number modulo LOCKS */
static pthread_mutex_t locks[LOCKS] = {[0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER};
static _Atomic size_t live_count;
static _Atomic size_t live_bytes;

/* Freed blocks, oldest first. The lock comes before those of the chains. */
static pthread_mutex_t aside_lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *aside_oldest, *aside_youngest; /* guarded by aside_lock, as are the next two */
static size_t aside_bytes, aside_count;

/* There only in a program with AddressSanitizer, which does all of this better. */
extern void __asan_poison_memory_region(void const volatile *p, size_t n) __attribute__((weak));

static bool is_marking(void)
{
    return kenv_is_checked && __asan_poison_memory_region == NULL;
}

static char *memory_of(const struct block *block)
{
    return (char *)(uintptr_t)(block + 1);
}

static uint32_t chain_of(const void *p)
{
    return (uint32_t)(((uint64_t)(uintptr_t)p >> 4) * 0x9E3779B97F4A7C15u >> 50);
}

static pthread_mutex_t *lock_chain(uint32_t chain)
{
    pthread_mutex_t *lock = &locks[chain % LOCKS];

    pthread_mutex_lock(lock);
    return lock;
}

size_t kenv_pool_outstanding(size_t *bytes)
{
    if (bytes != NULL)
        *bytes = atomic_load(&live_bytes);
    return atomic_load(&live_count);
}

/* Four characters, as the tag would show in a debugger; what cannot be printed becomes a dot. */
static void tag_text(ULONG tag, char text[5])
{
    for (int i = 0; i < 4; i++) {
        char c = (char)(tag >> (8 * i));

        text[i] = c >= ' ' && c <= '~' ? c : '.';
    }
    text[4] = 0;
}

/* ---- Reports ------------------------------------------------------------------------------- */

SOFTNDK_NORETURN static void refuse(ULONG code, ULONG_PTR kind, const void *p, const char *rule,
    const char *text, const char *advice, const struct kenv_stack *created,
    const struct kenv_stack *freed)
{
    struct kenv_report report = {
        .rule = rule,
        .text = text,
        .advice = advice,
        .code = code,
        .parameters = {kind, (ULONG_PTR)p, 0, 0},
        .is_fatal = true,
        .object = p,
        .created = created,
        .freed = freed,
    };

    kenv_report(&report);
    abort();
}

static const struct kenv_stack *created_of(const struct block *block)
{
    if (block->history != NULL)
        return &block->history->created;
    return block->tracked != NULL ? &block->tracked->stack : NULL;
}

static const struct kenv_stack *freed_of(const struct block *block)
{
    return block->history != NULL ? &block->history->freed : NULL;
}

static void require_whole(const struct block *block)
{
    const char *p = memory_of(block);
    char text[MESSAGE_OCTETS], tag[5];
    size_t at = 0;

    if (!block->is_marked)
        return;
    while (at < MARK_OCTETS && (unsigned char)p[block->size + at] == MARK)
        at++;
    if (at == MARK_OCTETS)
        return;
    tag_text(block->tag, tag);
    (void)snprintf(text, sizeof(text),
        "pool block %p of %zu bytes, tag '%s', was written to %zu bytes beyond its end",
        (const void *)p, block->size, tag, at);
    refuse(BAD_POOL_HEADER, 0x20, p, "pool-overrun", text,
        "look for a length in the wrong unit, or build with --asan to see the write itself",
        created_of(block), NULL);
}

static void require_untouched(const struct block *block)
{
    const char *p = memory_of(block);
    char text[MESSAGE_OCTETS], tag[5];
    size_t at = 0;

    if (!block->is_marked)
        return;
    while (at < block->size && (unsigned char)p[at] == FILL)
        at++;
    if (at == block->size)
        return;
    tag_text(block->tag, tag);
    (void)snprintf(text, sizeof(text),
        "pool block %p of %zu bytes, tag '%s', was written to at offset %zu after it was freed",
        (const void *)p, block->size, tag, at);
    refuse(DRIVER_CORRUPTED_EXPOOL, at, p, "pool-use-after-free", text,
        "build with --asan to see the write itself", created_of(block), freed_of(block));
}

/* ---- Allocating ---------------------------------------------------------------------------- */

static void require_callable(bool is_paged, SIZE_T size, ULONG tag)
{
    if (tag == 0)
        kenv_bugcheck(BAD_POOL_CALLER, 0x9B, is_paged, size, 0,
            "pool is asked for with a tag of zero; give each allocation four characters");
    if (kenv_irql_now > (is_paged ? APC_LEVEL : DISPATCH_LEVEL))
        kenv_bugcheck(BAD_POOL_CALLER, 8, kenv_irql_now, is_paged, size,
            "%s pool is asked for at IRQL %u", is_paged ? "paged" : "nonpaged", kenv_irql_now);
}

void *kenv_pool_allocate(bool is_paged, bool is_zeroed, SIZE_T size, size_t align, ULONG tag)
{
    size_t behind = is_marking() ? MARK_OCTETS : 0;
    size_t front = sizeof(struct block);
    struct block *block;
    void *base = NULL;
    uint32_t chain;
    char *p;

    require_callable(is_paged, size, tag);
    if (size >= PAGE_SIZE)
        align = PAGE_SIZE;
    if (front % align != 0)
        front = (front + align - 1) & ~(align - 1);
    if (size > SIZE_LIMIT || kenv_fault(SoftNdkDrvPool, tag, size) ||
        posix_memalign(&base, align, front + size + behind) != 0)
        return NULL;
    p = (char *)base + front;
    block = (struct block *)(void *)p - 1;
    *block = (struct block){.magic = MAGIC, .base = base, .size = size, .tag = tag};
    block->is_paged = is_paged;
    block->is_marked = behind != 0;
    memset(p + size, MARK, behind);
    if (is_zeroed)
        memset(p, 0, size);
    else if (block->is_marked)
        memset(p, 0xcd, size);
    block->tracked = kenv_track(SoftNdkDrvPool, p, tag, size, is_paged ? "paged pool" : "pool");
    chain = chain_of(p);
    pthread_mutex_t *lock = lock_chain(chain);

    block->next = chains[chain];
    chains[chain] = block;
    pthread_mutex_unlock(lock);
    atomic_fetch_add(&live_count, 1);
    atomic_fetch_add(&live_bytes, size);
    return p;
}

/* ---- Freeing ------------------------------------------------------------------------------- */

/* With the chain locked: the link to the block at p, live or kept aside; NULL: there is none. */
static struct block **find(uint32_t chain, const void *p)
{
    for (struct block **at = &chains[chain]; *at != NULL; at = &(*at)->next)
        if (memory_of(*at) == p)
            return at;
    return NULL;
}

static void require_freeable(const struct block *block, void *p, ULONG tag)
{
    struct kenv_tracked inside;
    char text[MESSAGE_OCTETS], has[5], given[5];

    if (block == NULL)
        refuse(BAD_POOL_CALLER, 7, p, "pool-bad-free",
            "memory is freed to the pool but is not a live allocation of it: freed twice some time "
            "ago, not the start of a block, or from elsewhere",
            NULL, NULL, NULL);
    tag_text(block->tag, has);
    if (block->is_free) {
        (void)snprintf(text, sizeof(text),
            "pool block %p of %zu bytes, tag '%s', is freed a second time", p, block->size, has);
        refuse(BAD_POOL_CALLER, 7, p, "pool-double-free", text, NULL, created_of(block),
            freed_of(block));
    }
    if (block->magic != MAGIC)
        refuse(BAD_POOL_HEADER, 0x22, p, "pool-underrun", "pool was written to in front of a block",
            NULL, created_of(block), NULL);
    if (tag != 0 && tag != block->tag) {
        tag_text(tag, given);
        (void)snprintf(text, sizeof(text), "%p was allocated with tag '%s' and is freed with '%s'",
            p, has, given);
        refuse(BAD_POOL_CALLER, 0x0A, p, "pool-wrong-tag", text, NULL, created_of(block), NULL);
    }
    if (kenv_irql_now > (block->is_paged ? APC_LEVEL : DISPATCH_LEVEL))
        kenv_bugcheck(BAD_POOL_CALLER, 9, kenv_irql_now, block->is_paged, (ULONG_PTR)p,
            "%s pool is freed at IRQL %u", block->is_paged ? "paged" : "nonpaged", kenv_irql_now);
    require_whole(block);
    if (kenv_tracked_inside(p, block->size, &inside)) {
        (void)snprintf(text, sizeof(text),
            "pool block %p, tag '%s', is freed and holds a %s that is in use", p, has, inside.name);
        refuse(inside.kind == SoftNdkDrvWorkItem ? WORKER_INVALID : TIMER_OR_DPC_INVALID, 0, p,
            "pool-free-in-use", text,
            "cancel the timer and call KeFlushQueuedDpcs, wait for the work item, delete the list "
            "or resource before",
            &inside.stack, NULL);
    }
}

/* Ends a block that is in no chain. */
static void release(struct block *block)
{
    free(block->history);
    block->magic = 0;
    free(block->base);
}

static struct block *oldest_if_too_many(void)
{
    struct block *block = NULL;

    pthread_mutex_lock(&aside_lock);
    if (aside_count > ASIDE_COUNT || aside_bytes > ASIDE_BYTES) {
        block = aside_oldest;
        aside_oldest = block->younger;
        if (aside_oldest == NULL)
            aside_youngest = NULL;
        aside_count--;
        aside_bytes -= block->size;
        uint32_t chain = chain_of(memory_of(block));
        pthread_mutex_t *lock = lock_chain(chain);
        struct block **link = find(chain, memory_of(block));

        *link = block->next;
        pthread_mutex_unlock(lock);
    }
    pthread_mutex_unlock(&aside_lock);
    return block;
}

static void put_aside(struct block *block)
{
    struct block *old;

    pthread_mutex_lock(&aside_lock);
    block->younger = NULL;
    if (aside_youngest != NULL)
        aside_youngest->younger = block;
    else
        aside_oldest = block;
    aside_youngest = block;
    aside_count++;
    aside_bytes += block->size;
    pthread_mutex_unlock(&aside_lock);
    while ((old = oldest_if_too_many()) != NULL) {
        require_untouched(old);
        release(old);
    }
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    uint32_t chain = chain_of(P);
    struct kenv_tracked *tracked;
    struct block **link, *block;
    struct history *history = NULL;
    pthread_mutex_t *lock;

    lock = lock_chain(chain);
    link = P != NULL ? find(chain, P) : NULL;
    block = link != NULL ? *link : NULL;
    pthread_mutex_unlock(lock);
    require_freeable(block, P, Tag);
    if (block->is_marked && (history = malloc(sizeof(*history))) != NULL) {
        if (block->tracked != NULL)
            history->created = block->tracked->stack;
        else
            history->created.count = 0;
        kenv_stack_take(&history->freed);
    }
    lock_chain(chain);
    link = find(chain, P);
    if (link == NULL || (*link)->is_free) {
        pthread_mutex_unlock(lock);
        free(history);
        refuse(BAD_POOL_CALLER, 7, P, "pool-double-free",
            "a pool block is freed by two threads at a time", NULL, NULL, NULL);
    }
    tracked = block->tracked;
    block->tracked = NULL;
    if (block->is_marked) {
        block->is_free = true;
        block->history = history;
        memset(P, FILL, block->size);
    } else {
        *link = block->next;
    }
    pthread_mutex_unlock(lock);
    kenv_untrack(tracked);
    atomic_fetch_sub(&live_count, 1);
    atomic_fetch_sub(&live_bytes, block->size);
    if (block->is_marked)
        put_aside(block);
    else
        release(block);
}

void kenv_pool_check(void)
{
    if (!is_marking())
        return;
    for (uint32_t chain = 0; chain < CHAINS; chain++) {
        pthread_mutex_t *lock = lock_chain(chain);

        for (const struct block *b = chains[chain]; b != NULL; b = b->next) {
            if (b->is_free)
                require_untouched(b);
            else
                require_whole(b);
        }
        pthread_mutex_unlock(lock);
    }
}
