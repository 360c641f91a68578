/* SPDX-License-Identifier: MIT */
#if defined(__clang__)
#pragma clang optimize off /* see softndk_seh.h */
#endif
#include "support/unit.h"

#include "kenv/io.h"
#include "kenv/pool.h"
#include "support/death.h"

#include <sys/mman.h>

static void pages_with_an_mdl(void **state)
{
    PHYSICAL_ADDRESS low = {.QuadPart = 0}, high = {.QuadPart = -1};
    PMDL mdl = MmAllocatePagesForMdlEx(low, high, low, 3 * PAGE_SIZE - 5, MmCached, 0);
    unsigned char *p;

    (void)state;
    assert_non_null(mdl);
    assert_int_equal(MmGetMdlByteCount(mdl), 3 * PAGE_SIZE);
    assert_int_equal(mdl->MdlFlags, MDL_PAGES_LOCKED);
    p = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % PAGE_SIZE, 0);
    for (int i = 0; i < 3 * PAGE_SIZE; i += 511)
        assert_int_equal(p[i], 0);
    memset(p, 1, 3 * PAGE_SIZE);
    assert_int_equal(MmGetMdlPfnArray(mdl)[2], ((ULONG_PTR)p >> PAGE_SHIFT) + 2);
    assert_int_equal(MmProtectMdlSystemAddress(mdl, 4), STATUS_SUCCESS);
    MmUnmapLockedPages(p, mdl);
    assert_ptr_equal(MmMapLockedPages(mdl, KernelMode), p);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
    assert_null(MmAllocatePagesForMdl(low, high, low, 0));
    assert_int_equal(kenv_pool_outstanding(NULL), 0);
}

static void contiguous(void **state)
{
    PHYSICAL_ADDRESS low = {.QuadPart = 0}, high = {.QuadPart = -1};
    void *a = MmAllocateContiguousMemory(100, high);
    void *b = MmAllocateContiguousMemorySpecifyCache(5000, low, high, low, MmNonCached);

    (void)state;
    assert_int_equal((uintptr_t)a % PAGE_SIZE, 0);
    assert_int_equal((uintptr_t)b % PAGE_SIZE, 0);
    assert_true(MmIsAddressValid(a));
    assert_false(MmIsAddressValid((PVOID)(ULONG_PTR)8));
    MmFreeContiguousMemory(a);
    MmFreeContiguousMemorySpecifyCache(b, 5000, MmNonCached);
}

static void mdls_of_an_irp(void **state)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    static char memory[100];
    PMDL first, second, third;

    (void)state;
    first = IoAllocateMdl(memory, 10, FALSE, FALSE, irp);
    second = IoAllocateMdl(memory + 10, 10, TRUE, FALSE, irp);
    third = IoAllocateMdl(memory + 20, 10, TRUE, FALSE, irp);
    assert_ptr_equal(irp->MdlAddress, first);
    assert_ptr_equal(first->Next, second);
    assert_ptr_equal(second->Next, third);
    assert_null(third->Next);
    IoFreeMdl(first);
    IoFreeMdl(second);
    IoFreeMdl(third);
    IoFreeIrp(irp);
}

static NTSTATUS lock(PMDL mdl)
{
    __try {
        MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static BOOLEAN see(PVOID context, const SOFTNDK_DRV_REPORT *report)
{
    assert_string_equal(report->Rule, "mdl-freed-locked");
    ++*(int *)context;
    return TRUE;
}

static void checked_mdls(void **state)
{
    char *p = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    PMDL mdl;
    int reports = 0;

    (void)state;
    assert_true(p != MAP_FAILED);
    kenv_checks_enable();
    SoftNdkDrvSetReportSink(see, &reports);
    mdl = IoAllocateMdl(p, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    assert_int_equal(SoftNdkDrvLeaks(NULL, NULL, NULL), 1);
    assert_int_equal(lock(mdl), STATUS_SUCCESS);
    MmUnlockPages(mdl);
    assert_int_equal(munmap(p + PAGE_SIZE, PAGE_SIZE), 0);
    assert_int_equal(lock(mdl), STATUS_ACCESS_VIOLATION);
    IoFreeMdl(mdl);
    assert_int_equal(reports, 0);
    mdl = IoAllocateMdl(p, PAGE_SIZE, FALSE, FALSE, NULL);
    assert_int_equal(lock(mdl), STATUS_SUCCESS);
    IoFreeMdl(mdl);
    assert_int_equal(reports, 1);
    assert_int_equal(SoftNdkDrvLeaks(NULL, NULL, NULL), 0);
    SoftNdkDrvSetReportSink(NULL, NULL);
    assert_int_equal(munmap(p, PAGE_SIZE), 0);
}

static void free_pages_twice(void *unused)
{
    PHYSICAL_ADDRESS low = {.QuadPart = 0};
    PMDL mdl = MmAllocatePagesForMdl(low, low, low, PAGE_SIZE);

    (void)unused;
    MmFreePagesFromMdl(mdl);
    MmFreePagesFromMdl(mdl);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(free_pages_twice, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "PFN_LIST_CORRUPT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(pages_with_an_mdl),
        cmocka_unit_test(contiguous),
        cmocka_unit_test(mdls_of_an_irp),
        cmocka_unit_test(checked_mdls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
