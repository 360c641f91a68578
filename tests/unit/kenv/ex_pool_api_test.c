/* SPDX-License-Identifier: MIT */
#if defined(__clang__)
#pragma clang optimize off /* see softndk_seh.h */
#endif
#include "support/unit.h"

#include "kenv/pool.h"

#include <softndk_driver.h>
#include <wdm.h>

#define TAG  'ipaP'
#define HUGE (SIZE_MAX - 64)

enum how {
    PLAIN,
    TAGGED,
    PRIORITY,
    QUOTA,
    QUOTA_TAGGED,
    UNINITIALIZED,
    ZERO,
    PRIORITY_ZERO,
    QUOTA_ZERO,
    HOWS,
};

static PVOID allocate(enum how how, ULONG type, SIZE_T n)
{
    POOL_TYPE t = (POOL_TYPE)type;

    switch (how) {
    case PLAIN:
        return ExAllocatePool(t, n);
    case TAGGED:
        return ExAllocatePoolWithTag(t, n, TAG);
    case PRIORITY:
        return ExAllocatePoolWithTagPriority(t, n, TAG, HighPoolPriority);
    case QUOTA:
        return ExAllocatePoolWithQuota(t, n);
    case QUOTA_TAGGED:
        return ExAllocatePoolWithQuotaTag(t, n, TAG);
    case UNINITIALIZED:
        return ExAllocatePoolUninitialized(t, n, TAG);
    case ZERO:
        return ExAllocatePoolZero(t, n, TAG);
    case PRIORITY_ZERO:
        return ExAllocatePoolPriorityZero(t, n, TAG, LowPoolPriority);
    case QUOTA_ZERO:
        return ExAllocatePoolQuotaZero(t, n, TAG);
    case HOWS:
        break;
    }
    return NULL;
}

/* The status that the call raises; STATUS_SUCCESS if it returned *p. */
static NTSTATUS raised(enum how how, ULONG type, SIZE_T n, PVOID *p)
{
    __try {
        *p = allocate(how, type, n);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static void each_name_allocates(void **state)
{
    static const ULONG types[] = {NonPagedPool, PagedPool, NonPagedPoolNx,
        NonPagedPoolNxCacheAligned, NonPagedPoolNx | POOL_ZERO_ALLOCATION};

    (void)state;
    for (int how = 0; how < HOWS; how++) {
        for (size_t i = 0; i < ARRAYSIZE(types); i++) {
            bool is_zero = how >= ZERO || (types[i] & POOL_ZERO_ALLOCATION) != 0;
            unsigned char *p = NULL;

            assert_int_equal(raised((enum how)how, types[i], 300, (PVOID *)&p), STATUS_SUCCESS);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % ((types[i] & 4) != 0 ? 64 : 16), 0);
            for (int k = 0; is_zero && k < 300; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xff, 300);
            ExFreePool2(p, 0, NULL, 0);
        }
    }
    assert_int_equal(kenv_pool_outstanding(NULL), 0);
}

static void failing_is_null_or_raised(void **state)
{
    (void)state;
    for (int how = 0; how < HOWS; how++) {
        bool is_quota = how == QUOTA || how == QUOTA_TAGGED || how == QUOTA_ZERO;
        void *p = &p;

        assert_int_equal(raised((enum how)how, NonPagedPoolNx, HUGE, &p),
            is_quota ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS);
        if (!is_quota)
            assert_null(p);
        p = &p;
        assert_int_equal(
            raised((enum how)how, NonPagedPoolNx | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE, HUGE, &p),
            STATUS_SUCCESS);
        assert_null(p);
        assert_int_equal(
            raised((enum how)how, NonPagedPoolNx | POOL_RAISE_IF_ALLOCATION_FAILURE, HUGE, &p),
            STATUS_INSUFFICIENT_RESOURCES);
    }
}

static NTSTATUS raised_by_2(POOL_FLAGS flags, SIZE_T n)
{
    __try {
        ExFreePool(ExAllocatePool2(flags, n, TAG));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static void flags_of_pool_2(void **state)
{
    static const POOL_FLAGS good[] = {POOL_FLAG_NON_PAGED, POOL_FLAG_PAGED | POOL_FLAG_USE_QUOTA,
        POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_CACHE_ALIGNED,
        POOL_FLAG_NON_PAGED | POOL_FLAG_SPECIAL_POOL, POOL_FLAG_NON_PAGED | 1ULL << 40};
    static const POOL_FLAGS bad[] = {0, POOL_FLAG_PAGED | POOL_FLAG_NON_PAGED,
        POOL_FLAG_NON_PAGED | 0x10, POOL_FLAG_NON_PAGED | 0x200};

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(good); i++) {
        void *p = ExAllocatePool2(good[i], 100, TAG);

        assert_non_null(p);
        ExFreePoolWithTag(p, TAG);
    }
    for (size_t i = 0; i < ARRAYSIZE(bad); i++) {
        assert_null(ExAllocatePool2(bad[i], 100, TAG));
        assert_int_equal(
            raised_by_2(bad[i] | POOL_FLAG_RAISE_ON_FAILURE, 100), STATUS_INVALID_PARAMETER);
    }
    assert_int_equal(raised_by_2(POOL_FLAG_PAGED | POOL_FLAG_RAISE_ON_FAILURE, HUGE),
        STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(raised_by_2(POOL_FLAG_PAGED | POOL_FLAG_RAISE_ON_FAILURE, 10), 0);
}

static void parameters_of_pool_3(void **state)
{
    POOL_EXTENDED_PARAMETER parameters[2];
    void *p;

    (void)state;
    memset(parameters, 0, sizeof(parameters));
    parameters[0].Type = PoolExtendedParameterPriority;
    parameters[0].Priority = HighPoolPriority;
    parameters[1].Type = PoolExtendedParameterSecurePool;
    p = ExAllocatePool3(POOL_FLAG_NON_PAGED, 64, TAG, parameters, 1);
    assert_non_null(p);
    ExFreePoolWithTag(p, TAG);
    assert_null(ExAllocatePool3(POOL_FLAG_NON_PAGED, 64, TAG, parameters, 2));
    parameters[1].Optional = 1;
    p = ExAllocatePool3(POOL_FLAG_NON_PAGED, 64, TAG, parameters, 2);
    assert_non_null(p);
    ExFreePoolWithTag(p, TAG);
}

static BOOLEAN every_second(PVOID context, SOFTNDK_DRV_KIND kind, ULONG tag, SIZE_T bytes)
{
    assert_int_equal(kind, SoftNdkDrvPool);
    assert_int_equal(tag, TAG);
    assert_int_equal(bytes, 24);
    return ++*(int *)context % 2 == 0;
}

static void faults_are_injected(void **state)
{
    int asked = 0;

    (void)state;
    SoftNdkDrvSetFault(every_second, &asked);
    for (int i = 1; i <= 6; i++) {
        void *p = ExAllocatePool2(POOL_FLAG_NON_PAGED, 24, TAG);

        assert_int_equal(p == NULL, i % 2 == 0);
        if (p != NULL)
            ExFreePool(p);
    }
    SoftNdkDrvSetFault(NULL, NULL);
    assert_int_equal(asked, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_allocates),
        cmocka_unit_test(failing_is_null_or_raised),
        cmocka_unit_test(flags_of_pool_2),
        cmocka_unit_test(parameters_of_pool_3),
        cmocka_unit_test(faults_are_injected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
