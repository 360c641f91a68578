/* SPDX-License-Identifier: MIT */
/* softndk_driver.h: a driver's life from DriverEntry to the list of what it left behind. */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/io.h"
#include "kenv/irql.h"
#include "kenv/ke_dpc.h"
#include "kenv/ke_timer.h"
#include "kenv/pool.h"
#include "kenv/thread.h"
#include "kenv/worker.h"

#include <time.h>

#define NAME_MAX_CHARS 64
#define SERVICES       "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

struct _SOFTNDK_DRV {
    PDRIVER_OBJECT object;
    const void *image_start;
    SIZE_T image_size;
    bool is_started; /* DriverEntry succeeded */
    WCHAR registry_path[sizeof(SERVICES) + NAME_MAX_CHARS];
    UNICODE_STRING registry;
};

NTSTATUS SoftNdkDrvCreate(const SOFTNDK_DRV_PARAMETERS *Parameters, PSOFTNDK_DRV *Driver)
{
    PSOFTNDK_DRV driver;
    USHORT n = 0;

    if (Parameters == NULL || Driver == NULL || Parameters->Size != sizeof(*Parameters) ||
        Parameters->Name == NULL || Parameters->Entry == NULL || Parameters->Name[0] == 0 ||
        strlen(Parameters->Name) > NAME_MAX_CHARS)
        return STATUS_INVALID_PARAMETER;
    kenv_checks_enable();
    driver = sn_zalloc(sizeof(*driver));
    if (driver == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    driver->object = kenv_driver_create(Parameters->Name, Parameters->Entry);
    if (driver->object == NULL) {
        sn_free(driver);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    driver->object->DriverStart = (PVOID)(uintptr_t)Parameters->ImageStart;
    driver->object->DriverSize = (ULONG)Parameters->ImageSize;
    driver->image_start = Parameters->ImageStart;
    driver->image_size = Parameters->ImageSize;
    for (const char *p = SERVICES; *p != 0; p++)
        driver->registry_path[n++] = (WCHAR)*p;
    for (const char *p = Parameters->Name; *p != 0; p++)
        driver->registry_path[n++] = (unsigned char)*p;
    driver->registry.Buffer = driver->registry_path;
    driver->registry.Length = (USHORT)(n * sizeof(WCHAR));
    driver->registry.MaximumLength = (USHORT)((n + 1) * sizeof(WCHAR));
    *Driver = driver;
    return STATUS_SUCCESS;
}

NTSTATUS SoftNdkDrvStart(PSOFTNDK_DRV Driver)
{
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    status = Driver->object->DriverInit(Driver->object, &Driver->registry);
    kenv_thread_require_clean(
        IRQL_NOT_LESS_OR_EQUAL, "DriverEntry", *(void *const *)(void *)&Driver->object->DriverInit);
    Driver->is_started = NT_SUCCESS(status);
    if (Driver->is_started)
        for (PDEVICE_OBJECT d = Driver->object->DeviceObject; d != NULL; d = d->NextDevice)
            d->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return status;
}

NTSTATUS SoftNdkDrvStop(PSOFTNDK_DRV Driver)
{
    PDRIVER_UNLOAD unload = Driver->object->DriverUnload;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (!Driver->is_started || unload == NULL)
        return STATUS_INVALID_DEVICE_REQUEST;
    Driver->is_started = false;
    unload(Driver->object);
    kenv_thread_require_clean(
        IRQL_NOT_LESS_OR_EQUAL, "DriverUnload", *(void *const *)(void *)&unload);
    kenv_pool_check();
    return STATUS_SUCCESS;
}

static bool is_idle(void)
{
    return kenv_worker_count() == 0 && kenv_dpc_is_idle() && kenv_timer_count_once() == 0 &&
           kenv_thread_count() == 0;
}

BOOLEAN SoftNdkDrvWaitIdle(ULONG TimeoutMs)
{
    const struct timespec step = {0, 1000000};
    ULONGLONG until = KeQueryInterruptTime() + (ULONGLONG)TimeoutMs * 10000;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    /* Twice in a row: work can move from one kind to another between two looks. */
    for (int in_a_row = 0;;) {
        in_a_row = is_idle() ? in_a_row + 1 : 0;
        if (in_a_row == 2)
            return TRUE;
        if (in_a_row == 0 && KeQueryInterruptTime() >= until)
            return FALSE;
        if (in_a_row == 0)
            nanosleep(&step, NULL);
    }
}

VOID SoftNdkDrvDestroy(PSOFTNDK_DRV Driver)
{
    kenv_driver_destroy(Driver->object);
    sn_free(Driver);
}

PDRIVER_OBJECT SoftNdkDrvObject(PSOFTNDK_DRV Driver)
{
    return Driver->object;
}

struct listing {
    SOFTNDK_DRV_LEAK_CALLBACK callback;
    PVOID context;
};

static void tell(void *context, const struct kenv_tracked *t)
{
    const struct listing *listing = context;
    SOFTNDK_DRV_LEAK leak = {
        .Kind = t->kind,
        .Object = t->object,
        .Tag = t->tag,
        .Bytes = t->bytes,
        .Name = t->name,
        .FrameCount = t->stack.count,
        .Frames = t->stack.frames,
        .Sequence = t->sequence,
    };

    if (listing->callback != NULL)
        listing->callback(listing->context, &leak);
}

SIZE_T SoftNdkDrvLeaks(PSOFTNDK_DRV Driver, SOFTNDK_DRV_LEAK_CALLBACK Callback, PVOID Context)
{
    struct listing listing = {Callback, Context};

    kenv_pool_check();
    return kenv_tracked_each(Driver != NULL ? Driver->image_start : NULL,
        Driver != NULL ? Driver->image_size : 0, tell, &listing);
}

/* The device of that name, or the driver's first one, with a reference. */
static PDEVICE_OBJECT find(PSOFTNDK_DRV driver, const char *name)
{
    WCHAR buffer[128];
    UNICODE_STRING wide = {0, sizeof(buffer), buffer};

    if (name == NULL)
        return driver != NULL ? kenv_device_first(driver->object) : NULL;
    for (const char *p = name; *p != 0; p++) {
        if (wide.Length == wide.MaximumLength)
            return NULL;
        buffer[wide.Length / sizeof(WCHAR)] = (unsigned char)*p;
        wide.Length = (USHORT)(wide.Length + sizeof(WCHAR));
    }
    return kenv_device_find(&wide);
}

NTSTATUS SoftNdkDrvIoctl(PSOFTNDK_DRV Driver, const char *DeviceName, ULONG Code, const void *Input,
    ULONG InputLength, void *Output, ULONG OutputLength, ULONG TimeoutMs, ULONG_PTR *Returned)
{
    PDEVICE_OBJECT device;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    *Returned = 0;
    device = find(Driver, DeviceName);
    if (device == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    status =
        kenv_ioctl(device, Code, Input, InputLength, Output, OutputLength, TimeoutMs, Returned);
    ObDereferenceObject(device);
    return status;
}
