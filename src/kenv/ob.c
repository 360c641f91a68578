/* SPDX-License-Identifier: MIT */
#include "kenv/ob.h"

#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/wait.h"

#include <pthread.h>

#define MAGIC        0x736e6f626a656374u
#define HANDLES_MAX  65536u
#define HANDLE_FIRST ((ULONG_PTR)0xffffffff80000000)

struct handle {
    void *body; /* NULL: not in use */
    struct kenv_tracked *tracked;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct handle *handles; /* guarded by lock, as the two below */
static uint32_t handle_count;
static uint32_t handle_next; /* where the search for a free one begins */

struct _OBJECT_TYPE kenv_event_type = {"event", NULL};
struct _OBJECT_TYPE kenv_file_type = {"file", NULL};

static POBJECT_TYPE thread_type = &kenv_thread_type;
static POBJECT_TYPE event_type = &kenv_event_type;
static POBJECT_TYPE file_type = &kenv_file_type;
POBJECT_TYPE *PsThreadType = &thread_type;
POBJECT_TYPE *ExEventObjectType = &event_type;
POBJECT_TYPE *IoFileObjectType = &file_type;

static struct kenv_object *object_of(void *body)
{
    return (struct kenv_object *)body - 1;
}

void kenv_ob_init_static(struct kenv_object *object, const struct _OBJECT_TYPE *type)
{
    object->magic = MAGIC;
    object->type = type;
    object->references = 1;
    object->is_static = true;
}

void *kenv_ob_create(const struct _OBJECT_TYPE *type, size_t size)
{
    struct kenv_object *object = sn_zalloc(sizeof(*object) + size);

    if (object == NULL)
        return NULL;
    kenv_ob_init_static(object, type);
    object->is_static = false;
    return object + 1;
}

bool kenv_ob_is(const void *body, const struct _OBJECT_TYPE *type)
{
    const struct kenv_object *object;

    if (body == NULL || ((uintptr_t)body & 15) != 0)
        return false;
    object = (const struct kenv_object *)body - 1;
    return object->magic == MAGIC && (type == NULL || object->type == type);
}

static void require_object(const void *body, const char *function)
{
    if (!kenv_ob_is(body, NULL))
        kenv_bugcheck(REFERENCE_BY_POINTER, 0, (ULONG_PTR)body, 0, 0,
            "%s was given %p, which is not an object, or one whose last reference is gone",
            function, body);
}

LONG_PTR ObfReferenceObject(PVOID Object)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_object(Object, __func__);
    return __atomic_add_fetch(&object_of(Object)->references, 1, __ATOMIC_RELAXED);
}

LONG_PTR ObfDereferenceObject(PVOID Object)
{
    struct kenv_object *object;
    LONG_PTR left;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    require_object(Object, __func__);
    object = object_of(Object);
    left = __atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL);
    if (left < 0)
        kenv_bugcheck(REFERENCE_BY_POINTER, (ULONG_PTR)object->type, (ULONG_PTR)Object, 0, 0,
            "a reference on %s %p was given back that nobody held", object->type->name, Object);
    if (left == 0 && !object->is_static) {
        if (object->type->destroy != NULL)
            object->type->destroy(Object);
        object->magic = 0;
        sn_free(object);
    }
    return left;
}

VOID ObDereferenceObjectDeferDelete(PVOID Object)
{
    ObfDereferenceObject(Object);
}

NTSTATUS ObReferenceObjectByPointer(
    PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode)
{
    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(AccessMode);
    require_object(Object, __func__);
    if (ObjectType != NULL && !kenv_ob_is(Object, ObjectType))
        return STATUS_OBJECT_TYPE_MISMATCH;
    ObfReferenceObject(Object);
    return STATUS_SUCCESS;
}

/* ---- Handles ------------------------------------------------------------------------------- */

/* With the lock held. */
static bool grow(void)
{
    uint32_t count = handle_count == 0 ? 64 : 2 * handle_count;
    struct handle *more;

    if (count > HANDLES_MAX)
        return false;
    more = sn_zalloc_array(count, sizeof(*more));
    if (more == NULL)
        return false;
    if (handles != NULL)
        memcpy(more, handles, handle_count * sizeof(*more));
    sn_free(handles);
    handles = more;
    handle_next = handle_count;
    handle_count = count;
    return true;
}

/* With the lock held: the index of a free entry, or HANDLES_MAX. */
static uint32_t find_free(void)
{
    for (uint32_t i = 0; i < handle_count; i++) {
        uint32_t at = (handle_next + i) % handle_count;

        if (handles[at].body == NULL)
            return at;
    }
    return grow() ? handle_next : HANDLES_MAX;
}

NTSTATUS kenv_handle_open(void *body, const char *name, HANDLE *handle)
{
    struct kenv_tracked *tracked = kenv_track(SoftNdkDrvHandle, body, 0, 0, name);
    uint32_t at;

    ObfReferenceObject(body);
    pthread_mutex_lock(&lock);
    at = find_free();
    if (at < HANDLES_MAX) {
        handles[at].body = body;
        handles[at].tracked = tracked;
        handle_next = at + 1;
    }
    pthread_mutex_unlock(&lock);
    if (at == HANDLES_MAX) {
        kenv_untrack(tracked);
        ObfDereferenceObject(body);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    /* Multiples of four in the upper half, as kernel handles are. */
    *handle = (HANDLE)(HANDLE_FIRST + 4 * ((ULONG_PTR)at + 1));
    return STATUS_SUCCESS;
}

/* With the lock held: the entry, or NULL. */
static struct handle *entry_of(HANDLE handle)
{
    ULONG_PTR offset = (ULONG_PTR)handle - HANDLE_FIRST;

    if (offset % 4 != 0 || offset == 0 || offset / 4 > handle_count ||
        handles[offset / 4 - 1].body == NULL)
        return NULL;
    return &handles[offset / 4 - 1];
}

void *kenv_handle_get(HANDLE handle)
{
    struct handle *entry;
    void *body = NULL;

    pthread_mutex_lock(&lock);
    entry = entry_of(handle);
    if (entry != NULL) {
        body = entry->body;
        ObfReferenceObject(body);
    }
    pthread_mutex_unlock(&lock);
    return body;
}

NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
    POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode, PVOID *Object,
    POBJECT_HANDLE_INFORMATION HandleInformation)
{
    void *body;

    UNREFERENCED_PARAMETER(AccessMode);
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    *Object = NULL;
    body = kenv_handle_get(Handle);
    if (body == NULL)
        return STATUS_INVALID_HANDLE;
    if (ObjectType != NULL && !kenv_ob_is(body, ObjectType)) {
        ObfDereferenceObject(body);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (HandleInformation != NULL) {
        HandleInformation->HandleAttributes = OBJ_KERNEL_HANDLE;
        HandleInformation->GrantedAccess = DesiredAccess;
    }
    *Object = body;
    return STATUS_SUCCESS;
}

NTSTATUS ZwClose(HANDLE Handle)
{
    struct handle *entry;
    struct handle closed = {NULL, NULL};

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    pthread_mutex_lock(&lock);
    entry = entry_of(Handle);
    if (entry != NULL) {
        closed = *entry;
        entry->body = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (closed.body == NULL)
        kenv_bugcheck(INVALID_KERNEL_HANDLE, (ULONG_PTR)Handle, 0, 0, 0,
            "ZwClose was given %p, which is not an open handle: closed already, or never opened",
            Handle);
    kenv_untrack(closed.tracked);
    ObfDereferenceObject(closed.body);
    return STATUS_SUCCESS;
}

NTSTATUS ZwWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    void *body;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = kenv_handle_get(Handle);
    if (body == NULL)
        return STATUS_INVALID_HANDLE;
    if (kenv_ob_is(body, &kenv_thread_type) || kenv_ob_is(body, &kenv_event_type))
        status = KeWaitForSingleObject(body, UserRequest, KernelMode, Alertable, Timeout);
    else
        status = STATUS_OBJECT_TYPE_MISMATCH;
    ObfDereferenceObject(body);
    return status;
}

NTSTATUS ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes, EVENT_TYPE EventType, BOOLEAN InitialState)
{
    PKEVENT event;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(DesiredAccess);
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (ObjectAttributes != NULL && ObjectAttributes->ObjectName != NULL &&
        ObjectAttributes->ObjectName->Length != 0)
        return STATUS_NOT_SUPPORTED;
    event = kenv_ob_create(&kenv_event_type, sizeof(*event));
    if (event == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    KeInitializeEvent(event, EventType, InitialState);
    status = kenv_handle_open(event, "handle of an event", EventHandle);
    ObfDereferenceObject(event);
    return status;
}

NTSTATUS ZwSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    PKEVENT event;
    LONG before;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    event = kenv_handle_get(EventHandle);
    if (event == NULL)
        return STATUS_INVALID_HANDLE;
    if (!kenv_ob_is(event, &kenv_event_type)) {
        ObfDereferenceObject(event);
        return STATUS_OBJECT_TYPE_MISMATCH;
    }
    before = KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    if (PreviousState != NULL)
        *PreviousState = before;
    ObfDereferenceObject(event);
    return STATUS_SUCCESS;
}
