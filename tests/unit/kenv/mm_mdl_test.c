/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <wdm.h>

static char memory[8 * PAGE_SIZE] __attribute__((aligned(4096)));

static const struct {
    size_t offset;
    ULONG length, pages;
} ranges[] = {
    {0, 0, 0},
    {0, 1, 1},
    {0, PAGE_SIZE, 1},
    {0, PAGE_SIZE + 1, 2},
    {1, PAGE_SIZE, 2},
    {PAGE_SIZE - 1, 1, 1},
    {PAGE_SIZE - 1, 2, 2},
    {PAGE_SIZE - 1, PAGE_SIZE + 2, 3},
    {100, 5 * PAGE_SIZE, 6},
};

/* Any memory of the process: the array lists the page numbers of its virtual addresses. */
static void describes_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(ranges); i++) {
        char *va = memory + ranges[i].offset;
        PMDL mdl = IoAllocateMdl(va, ranges[i].length, FALSE, FALSE, NULL);

        assert_non_null(mdl);
        assert_int_equal(ADDRESS_AND_SIZE_TO_SPAN_PAGES(va, ranges[i].length), ranges[i].pages);
        assert_int_equal(MmSizeOfMdl(va, ranges[i].length), sizeof(MDL) + 8 * ranges[i].pages);
        assert_int_equal(mdl->Size, sizeof(MDL) + 8 * ranges[i].pages);
        assert_null(mdl->Next);
        assert_ptr_equal(MmGetMdlVirtualAddress(mdl), va);
        assert_int_equal(MmGetMdlByteCount(mdl), ranges[i].length);
        assert_int_equal(MmGetMdlByteOffset(mdl), ranges[i].offset % PAGE_SIZE);
        assert_ptr_equal(MmGetMdlBaseVa(mdl), PAGE_ALIGN(va));
        assert_null(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority)); /* not built yet */
        MmBuildMdlForNonPagedPool(mdl);
        for (ULONG p = 0; p < ranges[i].pages; p++)
            assert_int_equal(MmGetMdlPfnArray(mdl)[p], (uintptr_t)va / PAGE_SIZE + p);
        assert_ptr_equal(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), va);
        IoFreeMdl(mdl);
    }
}

static void locks_and_maps(void **state)
{
    PMDL mdl = IoAllocateMdl(memory + 10, 20, FALSE, FALSE, NULL);

    (void)state;
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    assert_true(mdl->MdlFlags & MDL_PAGES_LOCKED);
    assert_true(mdl->MdlFlags & MDL_WRITE_OPERATION);
    assert_int_equal(MmGetMdlPfnArray(mdl)[0], (uintptr_t)memory / PAGE_SIZE);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), memory + 10);
    assert_true(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    MmUnmapLockedPages(memory + 10, mdl);
    assert_false(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);
    MmUnlockPages(mdl);
    assert_false(mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION));
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    assert_false(mdl->MdlFlags & MDL_WRITE_OPERATION);
    MmUnlockPages(mdl);
    IoFreeMdl(mdl);
}

static void initialises_memory_of_the_caller(void **state)
{
    _Alignas(8) char space[sizeof(MDL) + 8 * 3];
    PMDL mdl = (PMDL)(void *)space;

    (void)state;
    memset(space, 0xdd, sizeof(space));
    MmInitializeMdl(mdl, memory + 5, 2 * PAGE_SIZE);
    MmBuildMdlForNonPagedPool(mdl);
    assert_ptr_equal(MmGetMdlVirtualAddress(mdl), memory + 5);
    assert_int_equal(MmGetMdlPfnArray(mdl)[2], (uintptr_t)memory / PAGE_SIZE + 2);
}

static void a_part_of_another(void **state)
{
    PMDL whole = IoAllocateMdl(memory + 16, 3 * PAGE_SIZE, FALSE, FALSE, NULL);
    PMDL part = IoAllocateMdl(memory + 16, 3 * PAGE_SIZE, FALSE, FALSE, NULL);

    (void)state;
    MmBuildMdlForNonPagedPool(whole);
    IoBuildPartialMdl(whole, part, memory + PAGE_SIZE, 100);
    assert_ptr_equal(MmGetMdlVirtualAddress(part), memory + PAGE_SIZE);
    assert_int_equal(MmGetMdlByteCount(part), 100);
    assert_int_equal(MmGetMdlPfnArray(part)[0], (uintptr_t)memory / PAGE_SIZE + 1);
    assert_ptr_equal(MmGetSystemAddressForMdlSafe(part, NormalPagePriority), memory + PAGE_SIZE);
    IoBuildPartialMdl(whole, part, memory + 26, 0); /* to the end */
    assert_int_equal(MmGetMdlByteCount(part), 3 * PAGE_SIZE - 10);
    MmPrepareMdlForReuse(part);
    IoFreeMdl(part);
    IoFreeMdl(whole);
}

static void large_ranges(void **state)
{
    /* Only described, never touched. */
    PVOID va = (PVOID)0x100000000u;
    PMDL mdl = IoAllocateMdl(va, 0xffffffffu - PAGE_SIZE, FALSE, FALSE, NULL);

    (void)state;
    assert_non_null(mdl);
    MmBuildMdlForNonPagedPool(mdl);
    assert_int_equal(MmGetMdlByteCount(mdl), 0xffffffffu - PAGE_SIZE);
    assert_int_equal(MmGetMdlPfnArray(mdl)[0xffffe], 0x100000 + 0xffffe);
    IoFreeMdl(mdl);
    assert_null(IoAllocateMdl(va, 0xffffffffu, FALSE, FALSE, NULL));
    assert_int_equal(MmGetPhysicalAddress(memory + 7).QuadPart, (intptr_t)memory + 7);
}

static void page_arithmetic(void **state)
{
    (void)state;
    assert_int_equal(BYTES_TO_PAGES(0), 0);
    assert_int_equal(BYTES_TO_PAGES(4097), 2);
    assert_int_equal(ROUND_TO_PAGES(4097), 8192);
    assert_int_equal(BYTE_OFFSET(memory + 4099), 3);
    assert_ptr_equal(PAGE_ALIGN(memory + 4099), memory + 4096);
}

static void unlock_unlocked(void *arg)
{
    PMDL mdl = IoAllocateMdl(memory, 20, FALSE, FALSE, NULL);

    (void)arg;
    MmUnlockPages(mdl);
}

static void lock_twice(void *arg)
{
    PMDL mdl = IoAllocateMdl(memory, 20, FALSE, FALSE, NULL);

    (void)arg;
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
    MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
}

static void part_outside(void *arg)
{
    PMDL mdl = IoAllocateMdl(memory, 20, FALSE, FALSE, NULL);

    (void)arg;
    IoBuildPartialMdl(mdl, mdl, memory + 10, 11);
}

static void part_too_long_for_its_array(void *arg)
{
    PMDL whole = IoAllocateMdl(memory, 3 * PAGE_SIZE, FALSE, FALSE, NULL);
    PMDL part = IoAllocateMdl(memory, PAGE_SIZE, FALSE, FALSE, NULL);

    (void)arg;
    IoBuildPartialMdl(whole, part, memory, PAGE_SIZE + 1);
}

static void unmap_unmapped(void *arg)
{
    PMDL mdl = IoAllocateMdl(memory, 20, FALSE, FALSE, NULL);

    (void)arg;
    MmUnmapLockedPages(memory, mdl);
}

static void misuse_is_a_bugcheck(void **state)
{
    static const struct {
        void (*fn)(void *arg);
        const char *wants;
    } cases[] = {
        {unlock_unlocked, "are not locked"},
        {lock_twice, "are locked already"},
        {part_outside, "are not inside MDL"},
        {part_too_long_for_its_array, "is too short"},
        {unmap_unmapped, "is not mapped"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        char text[4096];

        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].wants));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes_memory),
        cmocka_unit_test(locks_and_maps),
        cmocka_unit_test(initialises_memory_of_the_caller),
        cmocka_unit_test(a_part_of_another),
        cmocka_unit_test(large_ranges),
        cmocka_unit_test(page_arithmetic),
        cmocka_unit_test(misuse_is_a_bugcheck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
