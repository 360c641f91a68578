/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/ob.h"
#include "support/death.h"

static int destroyed;

static void on_destroy(void *body)
{
    assert_int_equal(*(int *)body, 7);
    destroyed++;
}

static struct _OBJECT_TYPE type = {"thing", on_destroy};
static struct _OBJECT_TYPE other_type = {"other thing", NULL};

static void references(void **state)
{
    int *body = kenv_ob_create(&type, sizeof(int));

    (void)state;
    destroyed = 0;
    assert_int_equal(*body, 0);
    *body = 7;
    assert_true(kenv_ob_is(body, &type));
    assert_true(kenv_ob_is(body, NULL));
    assert_false(kenv_ob_is(body, &other_type));
    assert_false(kenv_ob_is(NULL, NULL));
    assert_int_equal(ObReferenceObject(body), 2);
    assert_int_equal(
        ObReferenceObjectByPointer(body, 0, &other_type, KernelMode), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ObReferenceObjectByPointer(body, 0, &type, KernelMode), STATUS_SUCCESS);
    ObDereferenceObjectDeferDelete(body);
    assert_int_equal(ObDereferenceObject(body), 1);
    assert_int_equal(destroyed, 0);
    assert_int_equal(ObDereferenceObject(body), 0);
    assert_int_equal(destroyed, 1);
}

static void handles_keep_the_object(void **state)
{
    static HANDLE handles[200];
    OBJECT_HANDLE_INFORMATION information;
    int *body = kenv_ob_create(&type, sizeof(int));
    PVOID object = NULL;

    (void)state;
    destroyed = 0;
    *body = 7;
    for (size_t i = 0; i < ARRAYSIZE(handles); i++) {
        assert_int_equal(kenv_handle_open(body, "handle", &handles[i]), STATUS_SUCCESS);
        assert_int_equal((ULONG_PTR)handles[i] % 4, 0);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(handles[i], handles[k]);
    }
    ObDereferenceObject(body);
    assert_int_equal(ObReferenceObjectByHandle(
                         handles[150], SYNCHRONIZE, NULL, KernelMode, &object, &information),
        STATUS_SUCCESS);
    assert_ptr_equal(object, body);
    assert_int_equal(information.GrantedAccess, SYNCHRONIZE);
    ObDereferenceObject(object);
    assert_int_equal(
        ObReferenceObjectByHandle(handles[9], 0, &other_type, KernelMode, &object, NULL),
        STATUS_OBJECT_TYPE_MISMATCH);
    assert_null(object);
    assert_int_equal(
        ObReferenceObjectByHandle((HANDLE)(ULONG_PTR)5, 0, NULL, KernelMode, &object, NULL),
        STATUS_INVALID_HANDLE);
    for (size_t i = 0; i < ARRAYSIZE(handles); i++) {
        assert_int_equal(destroyed, 0);
        assert_int_equal(ZwClose(handles[i]), STATUS_SUCCESS);
    }
    assert_int_equal(destroyed, 1);
}

static void events_behind_handles(void **state)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    HANDLE handle = NULL;
    LONG before = 5;
    PVOID event = NULL;

    (void)state;
    assert_int_equal(
        ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE), 0);
    assert_int_equal(ZwWaitForSingleObject(handle, FALSE, &none), STATUS_TIMEOUT);
    assert_int_equal(ZwSetEvent(handle, &before), STATUS_SUCCESS);
    assert_int_equal(before, 0);
    assert_int_equal(ZwWaitForSingleObject(handle, FALSE, &none), STATUS_SUCCESS);
    assert_int_equal(
        ObReferenceObjectByHandle(handle, 0, *ExEventObjectType, KernelMode, &event, NULL), 0);
    assert_int_equal(ZwClose(handle), STATUS_SUCCESS);
    assert_int_equal(ZwSetEvent(handle, NULL), STATUS_INVALID_HANDLE);
    assert_int_equal(ZwWaitForSingleObject(handle, FALSE, &none), STATUS_INVALID_HANDLE);
    KeSetEvent(event, 0, FALSE);
    ObDereferenceObject(event);
}

static void close_twice(void *unused)
{
    HANDLE handle;

    (void)unused;
    ZwCreateEvent(&handle, EVENT_ALL_ACCESS, NULL, SynchronizationEvent, FALSE);
    ZwClose(handle);
    ZwClose(handle);
}

static void reference_garbage(void *unused)
{
    static _Alignas(16) ULONG_PTR memory[32];

    (void)unused;
    ObReferenceObject(&memory[16]);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(close_twice, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "INVALID_KERNEL_HANDLE"));
    assert_int_equal(death_of(reference_garbage, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "not an object"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(references),
        cmocka_unit_test(handles_keep_the_object),
        cmocka_unit_test(events_behind_handles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
