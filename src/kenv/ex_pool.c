/* SPDX-License-Identifier: MIT */
/*
 * The pool. Each block has a header in front of it that knows size, tag and kind; blocks of a page
 * and more are page aligned. The memory comes from the host's allocator, so that AddressSanitizer
 * sees each block by itself.
 */
#include "kenv/pool.h"

#include "kenv/bugcheck.h"
#include "kenv/irql.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <wdm.h>

/* More than this no pool has; the host's allocator is not even asked. */
#define SIZE_LIMIT ((SIZE_T)1 << 36)

#define MAGIC_LIVE 0x534e444b504f4f4cu
#define MAGIC_FREE 0x534e444b46524545u

struct block {
    _Alignas(16) uint64_t magic;
    void *base; /* what the host's allocator gave */
    SIZE_T size;
    ULONG tag;
    bool is_paged;
};

_Static_assert(sizeof(struct block) % 16 == 0, "what follows the header is 16-aligned");

static _Atomic size_t live_count;
static _Atomic size_t live_bytes;
static bool (*_Atomic fault)(void);

void kenv_pool_set_fault(bool (*fails)(void))
{
    atomic_store(&fault, fails);
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

static void *allocate(bool is_paged, bool is_zeroed, SIZE_T size, ULONG tag)
{
    size_t align = size >= PAGE_SIZE ? PAGE_SIZE : 16;
    size_t front = size >= PAGE_SIZE ? PAGE_SIZE : sizeof(struct block);
    bool (*fails)(void) = atomic_load_explicit(&fault, memory_order_acquire);
    struct block *block;
    void *base = NULL;
    char *p;

    if (tag == 0)
        kenv_bugcheck(BAD_POOL_CALLER, 0x9B, is_paged, size, 0,
            "pool is asked for with a tag of zero; give each allocation four characters");
    if (kenv_irql_now > (is_paged ? APC_LEVEL : DISPATCH_LEVEL))
        kenv_bugcheck(BAD_POOL_CALLER, 8, kenv_irql_now, is_paged, size,
            "%s pool is asked for at IRQL %u", is_paged ? "paged" : "nonpaged", kenv_irql_now);
    if (fails != NULL && fails())
        return NULL;
    if (size > SIZE_LIMIT || posix_memalign(&base, align, front + size) != 0)
        return NULL;
    p = (char *)base + front;
    block = (struct block *)(void *)(p - sizeof(*block));
    block->magic = MAGIC_LIVE;
    block->base = base;
    block->size = size;
    block->tag = tag;
    block->is_paged = is_paged;
    if (is_zeroed)
        memset(p, 0, size);
    atomic_fetch_add(&live_count, 1);
    atomic_fetch_add(&live_bytes, size);
    return p;
}

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate(((ULONG)PoolType & 1) != 0, false, NumberOfBytes, Tag);
}

PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return allocate(((ULONG)PoolType & 1) != 0, true, NumberOfBytes, Tag);
}

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
    const POOL_FLAGS kinds = POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED;
    POOL_FLAGS kind = Flags & kinds;
    void *p;

    if (kind == 0 || (kind & (kind - 1)) != 0 || NumberOfBytes == 0)
        return NULL;
    p = allocate(
        kind == POOL_FLAG_PAGED, (Flags & POOL_FLAG_UNINITIALIZED) == 0, NumberOfBytes, Tag);
    if (p == NULL && (Flags & POOL_FLAG_RAISE_ON_FAILURE) != 0)
        kenv_bugcheck(BAD_POOL_CALLER, 0, NumberOfBytes, Tag, 0,
            "pool is exhausted (%zu bytes) and POOL_FLAG_RAISE_ON_FAILURE was given",
            NumberOfBytes);
    return p;
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    struct block *block =
        P != NULL ? (struct block *)(void *)((char *)P - sizeof(struct block)) : NULL;

    if (block == NULL || ((ULONG_PTR)P & 15) != 0 || block->magic != MAGIC_LIVE)
        kenv_bugcheck(BAD_POOL_CALLER, 7, (ULONG_PTR)P, Tag, 0,
            "%p is freed to the pool but is not a live allocation of it: freed twice, overwritten "
            "in front, or from elsewhere",
            P);
    if (Tag != 0 && Tag != block->tag) {
        char has[5], given[5];

        tag_text(block->tag, has);
        tag_text(Tag, given);
        kenv_bugcheck(BAD_POOL_CALLER, 0x0A, (ULONG_PTR)P, block->tag, Tag,
            "%p was allocated with tag '%s' and is freed with '%s'", P, has, given);
    }
    if (kenv_irql_now > (block->is_paged ? APC_LEVEL : DISPATCH_LEVEL))
        kenv_bugcheck(BAD_POOL_CALLER, 9, kenv_irql_now, block->is_paged, (ULONG_PTR)P,
            "%s pool is freed at IRQL %u", block->is_paged ? "paged" : "nonpaged", kenv_irql_now);
    atomic_fetch_sub(&live_count, 1);
    atomic_fetch_sub(&live_bytes, block->size);
    block->magic = MAGIC_FREE;
    free(block->base);
}

VOID ExFreePool(PVOID P)
{
    ExFreePoolWithTag(P, 0);
}
