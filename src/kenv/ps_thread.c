/* SPDX-License-Identifier: MIT */
/*
 * Threads. A system thread is a detached thread of the host with an object; any other thread gets
 * its object when it first asks, in thread-local memory. Priority and affinity are numbers that
 * are remembered: nothing here changes a thread of the host.
 */
#include "kenv/thread.h"

#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/ob.h"
#include "kenv/wait.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_PRIORITY   8
#define KERNEL_APC_PENDING 0x00000020

struct _KTHREAD {
    DISPATCHER_HEADER Header;
    _Atomic LONG mutexes;
    LONG critical_regions; /* the thread only */
    LONG guarded_regions;  /* the thread only */
    _Atomic LONG priority;
    GROUP_AFFINITY affinity; /* the thread only */
    bool is_system;
    uint64_t host_id; /* 0: has not run yet */
    PKSTART_ROUTINE routine;
    PVOID context;
    NTSTATUS exit_status;
    struct kenv_tracked *tracked;
    jmp_buf end; /* of a system thread */
};

struct host_thread {
    struct kenv_object object;
    struct _KTHREAD thread;
};

static _Atomic size_t running;
static _Thread_local PKTHREAD self;

static void destroy_thread(void *body)
{
    kenv_untrack(((PKTHREAD)body)->tracked);
}

struct _OBJECT_TYPE kenv_thread_type = {"thread", destroy_thread};

/* There is one process; its object has no members. */
static struct kenv_object process_object[2];
PEPROCESS PsInitialSystemProcess = (PEPROCESS)(void *)&process_object[1];

static void init_thread(PKTHREAD thread)
{
    kenv_wait_init(&thread->Header, KENV_THREAD, 0);
    atomic_init(&thread->priority, DEFAULT_PRIORITY);
    thread->affinity.Mask = (KAFFINITY)-1;
}

static uint64_t host_id(void)
{
    return (uint64_t)syscall(SYS_gettid);
}

PKTHREAD KeGetCurrentThread(VOID)
{
    static _Thread_local struct host_thread mine;

    if (self == NULL) {
        kenv_ob_init_static(&mine.object, &kenv_thread_type);
        init_thread(&mine.thread);
        mine.thread.host_id = host_id();
        self = &mine.thread;
    }
    return self;
}

void kenv_thread_add_mutexes(PKTHREAD thread, LONG n)
{
    atomic_fetch_add(&thread->mutexes, n);
}

size_t kenv_thread_count(void)
{
    return atomic_load(&running);
}

void kenv_thread_require_clean(ULONG code, const char *what, const void *routine)
{
    PKTHREAD thread = KeGetCurrentThread();

    if (kenv_irql_now != PASSIVE_LEVEL)
        kenv_bugcheck(code, (ULONG_PTR)routine, kenv_irql_now, 0, 0,
            "the %s %p was called at PASSIVE_LEVEL and returned at IRQL %u; it keeps a spin lock "
            "or "
            "did not lower the IRQL",
            what, routine, kenv_irql_now);
    if (atomic_load(&thread->mutexes) != 0)
        kenv_bugcheck(THREAD_TERMINATE_HELD_MUTEX, (ULONG_PTR)thread, (ULONG_PTR)routine, 0, 0,
            "the %s %p returned and its thread still holds a mutex", what, routine);
    if (thread->critical_regions != 0 || thread->guarded_regions != 0)
        kenv_bugcheck(KERNEL_APC_PENDING, 0, (ULONG_PTR)thread->critical_regions, 0,
            (ULONG_PTR)routine,
            "the %s %p returned inside a critical or guarded region: a KeEnterCriticalRegion, fast "
            "mutex or guarded mutex was not undone",
            what, routine);
}

/* ---- System threads ------------------------------------------------------------------------ */

/* The end, back in our own code: the driver's image may be unloaded as soon as it is signalled. */
static void finish(PKTHREAD thread)
{
    struct kenv_bucket *bucket;

    kenv_thread_require_clean(
        IRQL_NOT_LESS_OR_EQUAL, "thread routine", *(void *const *)(void *)&thread->routine);
    atomic_fetch_sub(&running, 1);
    bucket = kenv_wait_lock(&thread->Header);
    kenv_wait_set(bucket, &thread->Header, 1);
    kenv_wait_unlock(bucket);
    ObfDereferenceObject(thread);
    self = NULL;
}

static void *thread_main(void *argument)
{
    self = argument;
    __atomic_store_n(&self->host_id, host_id(), __ATOMIC_RELEASE);
    if (setjmp(self->end) == 0)
        self->routine(self->context);
    finish(self);
    return NULL;
}

static NTSTATUS start(PKTHREAD thread)
{
    pthread_attr_t attributes;
    pthread_t host;
    int error;

    if (pthread_attr_init(&attributes) != 0)
        return STATUS_INSUFFICIENT_RESOURCES;
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    ObfReferenceObject(thread);
    atomic_fetch_add(&running, 1);
    error = pthread_create(&host, &attributes, thread_main, thread);
    (void)pthread_attr_destroy(&attributes);
    if (error != 0) {
        atomic_fetch_sub(&running, 1);
        ObfDereferenceObject(thread);
    }
    return error == 0 ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle, PCLIENT_ID ClientId,
    PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    PKTHREAD thread;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(ObjectAttributes);
    UNREFERENCED_PARAMETER(ProcessHandle);
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (kenv_fault(SoftNdkDrvThread, 0, 0))
        return STATUS_INSUFFICIENT_RESOURCES;
    thread = kenv_ob_create(&kenv_thread_type, sizeof(*thread));
    if (thread == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    init_thread(thread);
    thread->is_system = true;
    thread->routine = StartRoutine;
    thread->context = StartContext;
    thread->tracked = kenv_track(SoftNdkDrvThread, thread, 0, 0, "system thread");
    status = kenv_handle_open(thread, "handle of a system thread", ThreadHandle);
    if (NT_SUCCESS(status)) {
        if (ClientId != NULL) {
            ClientId->UniqueProcess = PsGetCurrentProcessId();
            ClientId->UniqueThread = *ThreadHandle;
        }
        status = start(thread);
        if (!NT_SUCCESS(status))
            ZwClose(*ThreadHandle);
    }
    ObfDereferenceObject(thread);
    return status;
}

NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    PKTHREAD thread = KeGetCurrentThread();

    if (!thread->is_system)
        return STATUS_INVALID_PARAMETER;
    thread->exit_status = ExitStatus;
    longjmp(thread->end, 1);
}

BOOLEAN PsIsSystemThread(PETHREAD Thread)
{
    return ((PKTHREAD)(void *)Thread)->is_system;
}

HANDLE PsGetCurrentThreadId(VOID)
{
    return PsGetThreadId(PsGetCurrentThread());
}

HANDLE PsGetThreadId(PETHREAD Thread)
{
    return (HANDLE)(ULONG_PTR)__atomic_load_n(
        &((PKTHREAD)(void *)Thread)->host_id, __ATOMIC_ACQUIRE);
}

HANDLE PsGetCurrentProcessId(VOID)
{
    return (HANDLE)(ULONG_PTR)getpid();
}

PEPROCESS IoGetCurrentProcess(VOID)
{
    return PsInitialSystemProcess;
}

/* ---- What a thread remembers --------------------------------------------------------------- */

KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (Priority <= LOW_PRIORITY || Priority > HIGH_PRIORITY)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Thread, (ULONG_PTR)Priority, 0,
            0, "KeSetPriorityThread was asked for priority %d; 1 to %d exist", Priority,
            HIGH_PRIORITY);
    return atomic_exchange(&Thread->priority, Priority);
}

KPRIORITY KeQueryPriorityThread(PKTHREAD Thread)
{
    return atomic_load(&Thread->priority);
}

VOID KeSetSystemGroupAffinityThread(PGROUP_AFFINITY Affinity, PGROUP_AFFINITY PreviousAffinity)
{
    PKTHREAD thread = KeGetCurrentThread();

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (PreviousAffinity != NULL)
        *PreviousAffinity = thread->affinity;
    thread->affinity = *Affinity;
}

VOID KeRevertToUserGroupAffinityThread(PGROUP_AFFINITY PreviousAffinity)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    KeGetCurrentThread()->affinity = *PreviousAffinity;
}

KAFFINITY KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    PKTHREAD thread = KeGetCurrentThread();
    KAFFINITY before = thread->affinity.Mask;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    thread->affinity.Mask = Affinity;
    return before;
}

VOID KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    KeGetCurrentThread()->affinity.Mask = Affinity;
}

static void leave(LONG *count, const char *function)
{
    if (*count == 0)
        kenv_bugcheck(APC_INDEX_MISMATCH, (ULONG_PTR)function, 0, 0, 0,
            "%s was called outside such a region", function);
    --*count;
}

VOID KeEnterCriticalRegion(VOID)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    KeGetCurrentThread()->critical_regions++;
}

VOID KeLeaveCriticalRegion(VOID)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    leave(&KeGetCurrentThread()->critical_regions, __func__);
}

VOID KeEnterGuardedRegion(VOID)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    KeGetCurrentThread()->guarded_regions++;
}

VOID KeLeaveGuardedRegion(VOID)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    leave(&KeGetCurrentThread()->guarded_regions, __func__);
}

BOOLEAN KeAreApcsDisabled(VOID)
{
    PKTHREAD thread = KeGetCurrentThread();

    return thread->critical_regions != 0 || thread->guarded_regions != 0 ||
           kenv_irql_now >= APC_LEVEL;
}

BOOLEAN KeAreAllApcsDisabled(VOID)
{
    return KeGetCurrentThread()->guarded_regions != 0 || kenv_irql_now >= APC_LEVEL;
}
