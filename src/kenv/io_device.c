/* SPDX-License-Identifier: MIT */
/* Driver objects, device objects and their names. */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/io.h"
#include "kenv/irql.h"
#include "kenv/ob.h"

#include <pthread.h>

#define TYPE_DEVICE 3
#define TYPE_DRIVER 4

struct extension {
    struct extension *next;
    PVOID id;
    _Alignas(16) char memory[];
};

struct driver {
    DRIVER_OBJECT object; /* first */
    DRIVER_EXTENSION extension;
    struct extension *extensions; /* guarded by lock */
    struct sn_list link;          /* in drivers */
    WCHAR *name;                  /* \Driver\NAME; the key name is its tail */
};

struct device {
    DEVICE_OBJECT object; /* first */
    struct sn_list link;  /* in devices */
    UNICODE_STRING name;  /* owned */
    struct kenv_tracked *tracked;
    _Alignas(16) char extension[];
};

struct symlink {
    struct sn_list link; /* in links; first */
    UNICODE_STRING name, target;
    struct kenv_tracked *tracked;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by lock. */
static struct sn_list drivers = {&drivers, &drivers};
static struct sn_list devices = {&devices, &devices};
static struct sn_list links = {&links, &links};

static struct driver *driver_of(struct sn_list *link)
{
    return CONTAINING_RECORD(link, struct driver, link);
}

static struct device *device_of(struct sn_list *link)
{
    return CONTAINING_RECORD(link, struct device, link);
}

static bool copy_name(PUNICODE_STRING to, PCUNICODE_STRING from)
{
    to->Buffer = sn_zalloc((size_t)from->Length + sizeof(WCHAR));
    if (to->Buffer == NULL)
        return false;
    memcpy(to->Buffer, from->Buffer, from->Length);
    to->Length = from->Length;
    to->MaximumLength = (USHORT)(from->Length + sizeof(WCHAR));
    return true;
}

/* For the list of leaks: what is not ASCII becomes a question mark. */
static void name_text(PCUNICODE_STRING name, char *out, size_t size)
{
    size_t n = 0;

    for (; n + 1 < size && n < name->Length / sizeof(WCHAR); n++)
        out[n] = name->Buffer[n] < 0x80 ? (char)name->Buffer[n] : '?';
    out[n] = 0;
}

/* ---- Drivers ------------------------------------------------------------------------------- */

static NTSTATUS refuse(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

static void destroy_driver(void *body)
{
    struct driver *driver = body;

    while (driver->extensions != NULL) {
        struct extension *e = driver->extensions;

        driver->extensions = e->next;
        sn_free(e);
    }
    sn_free(driver->name);
}

struct _OBJECT_TYPE kenv_driver_type = {"driver", destroy_driver};

static void set_driver_name(struct driver *driver, const char *name)
{
    static const char prefix[] = "\\Driver\\";
    size_t n = 0;

    for (const char *p = prefix; *p != 0; p++)
        driver->name[n++] = (WCHAR)*p;
    for (const char *p = name; *p != 0; p++)
        driver->name[n++] = (unsigned char)*p;
    driver->object.DriverName.Buffer = driver->name;
    driver->object.DriverName.Length = (USHORT)(n * sizeof(WCHAR));
    driver->object.DriverName.MaximumLength = (USHORT)((n + 1) * sizeof(WCHAR));
    driver->extension.ServiceKeyName.Buffer = driver->name + sizeof(prefix) - 1;
    driver->extension.ServiceKeyName.Length = (USHORT)(strlen(name) * sizeof(WCHAR));
    driver->extension.ServiceKeyName.MaximumLength = driver->extension.ServiceKeyName.Length;
}

PDRIVER_OBJECT kenv_driver_create(const char *name, PDRIVER_INITIALIZE entry)
{
    struct driver *driver = kenv_ob_create(&kenv_driver_type, sizeof(*driver));

    if (driver == NULL)
        return NULL;
    driver->name = sn_zalloc_array(strlen(name) + 16, sizeof(WCHAR));
    if (driver->name == NULL) {
        ObfDereferenceObject(driver);
        return NULL;
    }
    set_driver_name(driver, name);
    driver->object.Type = TYPE_DRIVER;
    driver->object.Size = sizeof(DRIVER_OBJECT);
    driver->object.DriverExtension = &driver->extension;
    driver->object.DriverInit = entry;
    driver->extension.DriverObject = &driver->object;
    for (size_t i = 0; i < ARRAYSIZE(driver->object.MajorFunction); i++)
        driver->object.MajorFunction[i] = refuse;
    pthread_mutex_lock(&lock);
    sn_list_push_back(&drivers, &driver->link);
    pthread_mutex_unlock(&lock);
    return &driver->object;
}

void kenv_driver_destroy(PDRIVER_OBJECT driver)
{
    pthread_mutex_lock(&lock);
    sn_list_remove(&((struct driver *)(void *)driver)->link);
    pthread_mutex_unlock(&lock);
    ObfDereferenceObject(driver);
}

static struct extension *find_extension(const struct driver *driver, const void *id)
{
    for (struct extension *e = driver->extensions; e != NULL; e = e->next)
        if (e->id == id)
            return e;
    return NULL;
}

NTSTATUS IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject,
    PVOID ClientIdentificationAddress, ULONG DriverObjectExtensionSize,
    PVOID *DriverObjectExtension)
{
    struct driver *driver = (struct driver *)(void *)DriverObject;
    struct extension *e;
    bool is_new;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    *DriverObjectExtension = NULL;
    e = sn_zalloc(sizeof(*e) + DriverObjectExtensionSize);
    if (e == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    e->id = ClientIdentificationAddress;
    pthread_mutex_lock(&lock);
    is_new = find_extension(driver, e->id) == NULL;
    if (is_new) {
        e->next = driver->extensions;
        driver->extensions = e;
    }
    pthread_mutex_unlock(&lock);
    if (!is_new) {
        sn_free(e);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    *DriverObjectExtension = e->memory;
    return STATUS_SUCCESS;
}

PVOID IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress)
{
    struct extension *e;

    pthread_mutex_lock(&lock);
    e = find_extension((struct driver *)(void *)DriverObject, ClientIdentificationAddress);
    pthread_mutex_unlock(&lock);
    return e != NULL ? e->memory : NULL;
}

/* ---- Devices ------------------------------------------------------------------------------- */

static void destroy_device(void *body)
{
    struct device *device = body;

    kenv_untrack(device->tracked);
    sn_free(device->name.Buffer);
}

struct _OBJECT_TYPE kenv_device_type = {"device", destroy_device};

bool kenv_io_knows(const void *object)
{
    bool knows = false;

    pthread_mutex_lock(&lock);
    for (struct sn_list *i = devices.next; i != &devices && !knows; i = i->next)
        knows = device_of(i) == object;
    for (struct sn_list *i = drivers.next; i != &drivers && !knows; i = i->next)
        knows = driver_of(i) == object;
    pthread_mutex_unlock(&lock);
    return knows;
}

/* With the lock held. */
static struct device *find_device(PCUNICODE_STRING name)
{
    for (struct sn_list *i = devices.next; i != &devices; i = i->next)
        if (device_of(i)->name.Buffer != NULL &&
            RtlEqualUnicodeString(&device_of(i)->name, name, TRUE))
            return device_of(i);
    return NULL;
}

static bool has_prefix(PCUNICODE_STRING name, const char *prefix)
{
    USHORT n = 0;

    for (; prefix[n] != 0; n++) {
        if (n >= name->Length / sizeof(WCHAR) || name->Buffer[n] >= 0x80 ||
            (name->Buffer[n] | 0x20) != (prefix[n] | 0x20))
            return false;
    }
    return true;
}

/* \DosDevices\x, \??\x, \GLOBAL??\x and \\.\x are one name: what stands behind the prefix. */
static UNICODE_STRING without_dos_prefix(PCUNICODE_STRING name)
{
    static const char *const prefixes[] = {"\\DosDevices\\Global\\", "\\DosDevices\\",
        "\\??\\Global\\", "\\??\\", "\\GLOBAL??\\", "\\\\.\\"};
    UNICODE_STRING rest = *name;

    for (size_t i = 0; i < ARRAYSIZE(prefixes); i++) {
        if (has_prefix(name, prefixes[i])) {
            rest.Buffer += strlen(prefixes[i]);
            rest.Length = (USHORT)(rest.Length - strlen(prefixes[i]) * sizeof(WCHAR));
            break;
        }
    }
    return rest;
}

/* With the lock held. */
static struct symlink *find_link(PCUNICODE_STRING name)
{
    UNICODE_STRING wanted = without_dos_prefix(name);

    for (struct sn_list *i = links.next; i != &links; i = i->next) {
        struct symlink *l = (struct symlink *)(void *)i;
        UNICODE_STRING has = without_dos_prefix(&l->name);

        if (RtlEqualUnicodeString(&has, &wanted, TRUE))
            return l;
    }
    return NULL;
}

PDEVICE_OBJECT kenv_device_find(PCUNICODE_STRING name)
{
    struct device *device;
    struct symlink *l;

    pthread_mutex_lock(&lock);
    device = find_device(name);
    if (device == NULL && (l = find_link(name)) != NULL)
        device = find_device(&l->target);
    if (device != NULL)
        ObfReferenceObject(device);
    pthread_mutex_unlock(&lock);
    return device != NULL ? &device->object : NULL;
}

PDEVICE_OBJECT kenv_device_first(PDRIVER_OBJECT driver)
{
    PDEVICE_OBJECT device;

    pthread_mutex_lock(&lock);
    /* New devices go to the head of the list. */
    for (device = driver->DeviceObject; device != NULL && device->NextDevice != NULL;)
        device = device->NextDevice;
    if (device != NULL)
        ObfReferenceObject(device);
    pthread_mutex_unlock(&lock);
    return device;
}

static void init_device(struct device *device, PDRIVER_OBJECT driver, DEVICE_TYPE type,
    ULONG characteristics, BOOLEAN exclusive, ULONG extension_size)
{
    device->object.Type = TYPE_DEVICE;
    device->object.Size = (USHORT)(sizeof(DEVICE_OBJECT) + extension_size);
    device->object.DriverObject = driver;
    device->object.DeviceType = type;
    device->object.Characteristics = characteristics;
    device->object.Flags = DO_DEVICE_INITIALIZING | (exclusive ? DO_EXCLUSIVE : 0);
    device->object.DeviceExtension = extension_size != 0 ? device->extension : NULL;
    device->object.StackSize = 1;
    device->object.SectorSize = 512;
    KeInitializeEvent(&device->object.DeviceLock, SynchronizationEvent, TRUE);
    sn_list_init(&device->link);
}

NTSTATUS IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
    PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics,
    BOOLEAN Exclusive, PDEVICE_OBJECT *DeviceObject)
{
    struct device *device;
    bool is_new;
    char text[64] = "device without a name";

    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    *DeviceObject = NULL;
    if (kenv_fault(SoftNdkDrvDevice, 0, 0))
        return STATUS_INSUFFICIENT_RESOURCES;
    device = kenv_ob_create(&kenv_device_type, sizeof(*device) + DeviceExtensionSize);
    if (device == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    init_device(
        device, DriverObject, DeviceType, DeviceCharacteristics, Exclusive, DeviceExtensionSize);
    if (DeviceName != NULL && !copy_name(&device->name, DeviceName)) {
        ObfDereferenceObject(device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (DeviceName != NULL)
        name_text(DeviceName, text, sizeof(text));
    device->tracked = kenv_track(SoftNdkDrvDevice, &device->object, 0, 0, text);
    pthread_mutex_lock(&lock);
    is_new = DeviceName == NULL || find_device(DeviceName) == NULL;
    if (is_new) {
        sn_list_push_back(&devices, &device->link);
        device->object.NextDevice = DriverObject->DeviceObject;
        DriverObject->DeviceObject = &device->object;
    }
    pthread_mutex_unlock(&lock);
    if (!is_new) {
        ObfDereferenceObject(device);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    *DeviceObject = &device->object;
    return STATUS_SUCCESS;
}

NTSTATUS IoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
    PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics,
    BOOLEAN Exclusive, PCUNICODE_STRING DefaultSDDLString, const GUID *DeviceClassGuid,
    PDEVICE_OBJECT *DeviceObject)
{
    UNREFERENCED_PARAMETER(DefaultSDDLString);
    UNREFERENCED_PARAMETER(DeviceClassGuid);
    return IoCreateDevice(DriverObject, DeviceExtensionSize, DeviceName, DeviceType,
        DeviceCharacteristics, Exclusive, DeviceObject);
}

VOID IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    struct device *device = (struct device *)(void *)DeviceObject;
    PDEVICE_OBJECT *at;

    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    if (DeviceObject == NULL || !kenv_io_knows(DeviceObject))
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)DeviceObject, 0, 0, 0,
            "IoDeleteDevice was given %p, which is not a device, or one that was deleted already",
            (void *)DeviceObject);
    pthread_mutex_lock(&lock);
    for (at = &DeviceObject->DriverObject->DeviceObject; *at != DeviceObject;)
        at = &(*at)->NextDevice;
    *at = DeviceObject->NextDevice;
    sn_list_remove(&device->link);
    pthread_mutex_unlock(&lock);
    ObfDereferenceObject(DeviceObject);
}

/* ---- Symbolic links ------------------------------------------------------------------------ */

static void free_link(struct symlink *l)
{
    kenv_untrack(l->tracked);
    sn_free(l->name.Buffer);
    sn_free(l->target.Buffer);
    sn_free(l);
}

NTSTATUS IoCreateSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    struct symlink *l;
    bool is_new;
    char text[64];

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    l = sn_zalloc(sizeof(*l));
    if (l == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!copy_name(&l->name, SymbolicLinkName) || !copy_name(&l->target, DeviceName)) {
        free_link(l);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    name_text(SymbolicLinkName, text, sizeof(text));
    l->tracked = kenv_track(SoftNdkDrvLink, l, 0, 0, text);
    pthread_mutex_lock(&lock);
    is_new = find_link(SymbolicLinkName) == NULL;
    if (is_new)
        sn_list_push_back(&links, &l->link);
    pthread_mutex_unlock(&lock);
    if (!is_new) {
        free_link(l);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    return STATUS_SUCCESS;
}

NTSTATUS IoCreateUnprotectedSymbolicLink(
    PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    return IoCreateSymbolicLink(SymbolicLinkName, DeviceName);
}

NTSTATUS IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName)
{
    struct symlink *l;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    pthread_mutex_lock(&lock);
    l = find_link(SymbolicLinkName);
    if (l != NULL)
        sn_list_remove(&l->link);
    pthread_mutex_unlock(&lock);
    if (l == NULL)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    free_link(l);
    return STATUS_SUCCESS;
}
