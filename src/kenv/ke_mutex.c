/* SPDX-License-Identifier: MIT */
/* Mutexes and semaphores; waiting for them is in ke_wait.c. */
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/thread.h"
#include "kenv/wait.h"

VOID KeInitializeMutex(PKMUTEX Mutex, ULONG Level)
{
    UNREFERENCED_PARAMETER(Level);
    kenv_wait_init(&Mutex->Header, KENV_MUTANT, 1);
    InitializeListHead(&Mutex->MutantListEntry);
    Mutex->OwnerThread = NULL;
    Mutex->Abandoned = FALSE;
    Mutex->ApcDisable = 1;
}

LONG KeReleaseMutex(PKMUTEX Mutex, BOOLEAN Wait)
{
    PKTHREAD thread = KeGetCurrentThread();
    struct kenv_bucket *bucket;
    LONG before;

    UNREFERENCED_PARAMETER(Wait);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    kenv_wait_require(&Mutex->Header, KENV_MUTANT, KENV_MUTANT, __func__);
    bucket = kenv_wait_lock(&Mutex->Header);
    if (Mutex->OwnerThread != thread) {
        kenv_wait_unlock(bucket);
        ExRaiseStatus(STATUS_MUTANT_NOT_OWNED);
    }
    before = kenv_wait_state(&Mutex->Header);
    if (before == 0)
        Mutex->OwnerThread = NULL;
    kenv_thread_add_mutexes(thread, -1);
    kenv_wait_set(bucket, &Mutex->Header, before + 1);
    kenv_wait_unlock(bucket);
    return before;
}

LONG KeReadStateMutex(PKMUTEX Mutex)
{
    return kenv_wait_state(&Mutex->Header);
}

VOID KeInitializeSemaphore(PKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    if (Limit <= 0 || Count < 0 || Count > Limit)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Semaphore, (ULONG_PTR)Count,
            (ULONG_PTR)Limit, 0,
            "KeInitializeSemaphore was asked for a count of %d with a limit of %d", Count, Limit);
    kenv_wait_init(&Semaphore->Header, KENV_SEMAPHORE, Count);
    Semaphore->Limit = Limit;
}

LONG KeReleaseSemaphore(PKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    struct kenv_bucket *bucket;
    LONG before;

    UNREFERENCED_PARAMETER(Increment);
    NDK_REQUIRE_IRQL_MAX(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    kenv_wait_require(&Semaphore->Header, KENV_SEMAPHORE, KENV_SEMAPHORE, __func__);
    bucket = kenv_wait_lock(&Semaphore->Header);
    before = kenv_wait_state(&Semaphore->Header);
    if (Adjustment <= 0 || Adjustment > Semaphore->Limit - before) {
        kenv_wait_unlock(bucket);
        ExRaiseStatus(STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    kenv_wait_set(bucket, &Semaphore->Header, before + Adjustment);
    kenv_wait_unlock(bucket);
    return before;
}

LONG KeReadStateSemaphore(PKSEMAPHORE Semaphore)
{
    return kenv_wait_state(&Semaphore->Header);
}
