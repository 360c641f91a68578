/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/thread.h"
#include "support/death.h"

struct child {
    PKTHREAD self;
    HANDLE id;
    BOOLEAN is_system;
    KIRQL irql;
    int how; /* 0: returns, 1: terminates from a function */
};

static void terminate(void)
{
    PsTerminateSystemThread(STATUS_CANCELLED);
}

static VOID run(PVOID context)
{
    struct child *child = context;

    child->self = KeGetCurrentThread();
    child->id = PsGetCurrentThreadId();
    child->is_system = PsIsSystemThread(PsGetCurrentThread());
    child->irql = KeGetCurrentIrql();
    if (child->how == 1)
        terminate();
}

static void a_thread_is_waited_for(void **state)
{
    CLIENT_ID client;
    HANDLE handle = NULL;
    PVOID thread = NULL;

    (void)state;
    for (int how = 0; how < 2; how++) {
        struct child child = {.how = how};

        assert_int_equal(
            PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, &client, run, &child),
            STATUS_SUCCESS);
        assert_ptr_equal(client.UniqueThread, handle);
        assert_int_equal(ObReferenceObjectByHandle(
                             handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, NULL),
            STATUS_SUCCESS);
        assert_int_equal(ZwClose(handle), STATUS_SUCCESS);
        assert_int_equal(
            KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
        assert_ptr_equal(child.self, thread);
        assert_ptr_equal(child.id, PsGetThreadId(thread));
        assert_true(child.is_system);
        assert_int_equal(child.irql, PASSIVE_LEVEL);
        ObDereferenceObject(thread);
    }
    while (kenv_thread_count() != 0)
        YieldProcessor();
}

static void the_callers_own_thread(void **state)
{
    PKTHREAD thread = KeGetCurrentThread();
    GROUP_AFFINITY one = {.Mask = 1}, before;

    (void)state;
    assert_ptr_equal(thread, KeGetCurrentThread());
    assert_false(PsIsSystemThread(PsGetCurrentThread()));
    assert_int_equal(PsTerminateSystemThread(STATUS_SUCCESS), STATUS_INVALID_PARAMETER);
    ObReferenceObject(thread);
    ObDereferenceObject(thread);
    assert_ptr_equal(PsGetCurrentProcess(), PsInitialSystemProcess);
    assert_int_equal((pid_t)(ULONG_PTR)PsGetCurrentProcessId(), getpid());
    assert_int_equal(KeSetPriorityThread(thread, 12), 8);
    assert_int_equal(KeQueryPriorityThread(thread), 12);
    KeSetSystemGroupAffinityThread(&one, &before);
    assert_int_equal(KeSetSystemAffinityThreadEx(2), 1);
    KeRevertToUserAffinityThreadEx(1);
    KeRevertToUserGroupAffinityThread(&before);
    assert_int_equal(KeSetSystemAffinityThreadEx(before.Mask), before.Mask);
}

static void regions(void **state)
{
    KIRQL old;

    (void)state;
    assert_false(KeAreApcsDisabled());
    KeEnterCriticalRegion();
    KeEnterCriticalRegion();
    KeLeaveCriticalRegion();
    assert_true(KeAreApcsDisabled());
    assert_false(KeAreAllApcsDisabled());
    KeLeaveCriticalRegion();
    KeEnterGuardedRegion();
    assert_true(KeAreApcsDisabled());
    assert_true(KeAreAllApcsDisabled());
    KeLeaveGuardedRegion();
    KeRaiseIrql(APC_LEVEL, &old);
    assert_true(KeAreAllApcsDisabled());
    KeLowerIrql(old);
    assert_false(KeAreApcsDisabled());
}

static VOID ends_high(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeRaiseIrqlToDpcLevel();
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID ends_with_a_mutex(PVOID context)
{
    (void)KeWaitForSingleObject(context, Executive, KernelMode, FALSE, NULL);
}

static void start(PKSTART_ROUTINE routine)
{
    static KMUTEX mutex;
    HANDLE handle;

    KeInitializeMutex(&mutex, 0);
    if (NT_SUCCESS(
            PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routine, &mutex)))
        ZwWaitForSingleObject(handle, FALSE, NULL);
}

static void start_high(void *unused)
{
    (void)unused;
    start(ends_high);
}

static void start_mutex(void *unused)
{
    (void)unused;
    start(ends_with_a_mutex);
}

static void leave_nothing(void *unused)
{
    (void)unused;
    KeLeaveCriticalRegion();
}

static void create_high(void *unused)
{
    (void)unused;
    KeRaiseIrqlToDpcLevel();
    start(ends_high);
}

static void misuse(void **state)
{
    static const struct {
        void (*fn)(void *);
        const char *says;
    } cases[] = {
        {start_high, "returned at IRQL 2"},
        {start_mutex, "THREAD_TERMINATE_HELD_MUTEX"},
        {leave_nothing, "KeLeaveCriticalRegion was called outside"},
        {create_high, "PsCreateSystemThread was called at IRQL 2"},
    };
    char text[8192];

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(a_thread_is_waited_for),
        cmocka_unit_test(the_callers_own_thread),
        cmocka_unit_test(regions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
