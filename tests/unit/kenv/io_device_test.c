/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/io.h"
#include "support/death.h"

static UNICODE_STRING wide(PCWSTR text)
{
    UNICODE_STRING s;

    RtlInitUnicodeString(&s, text);
    return s;
}

#define W(text) SOFTNDK_WIDE_(text)

static void names(void **state)
{
    static const struct {
        PCWSTR name;
        int is_found;
    } cases[] = {
        {W("\\Device\\One"), 1},
        {W("\\device\\ONE"), 1},
        {W("\\Device\\On"), 0},
        {W("\\DosDevices\\Link"), 1},
        {W("\\??\\link"), 1},
        {W("\\DosDevices\\Global\\Link"), 1},
        {W("\\\\.\\Link"), 1},
        {W("\\DosDevices\\Dangling"), 0},
        {W(""), 0},
    };
    PDRIVER_OBJECT driver = kenv_driver_create("names", NULL);
    UNICODE_STRING name = wide(W("\\Device\\One")), link = wide(W("\\DosDevices\\Link"));
    UNICODE_STRING dangling = wide(W("\\??\\Dangling")), gone = wide(W("\\Device\\None"));
    PDEVICE_OBJECT device = NULL, again = NULL, found;

    (void)state;
    assert_int_equal(IoCreateDevice(driver, 100, &name, FILE_DEVICE_NETWORK,
                         FILE_DEVICE_SECURE_OPEN, TRUE, &device),
        STATUS_SUCCESS);
    assert_int_equal(device->DeviceType, FILE_DEVICE_NETWORK);
    assert_int_equal(device->Flags, DO_DEVICE_INITIALIZING | DO_EXCLUSIVE);
    assert_int_equal((uintptr_t)device->DeviceExtension % 16, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(((char *)device->DeviceExtension)[i], 0);
    assert_int_equal(
        IoCreateDeviceSecure(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, NULL, NULL, &again),
        STATUS_OBJECT_NAME_COLLISION);
    assert_null(again);
    assert_int_equal(IoCreateSymbolicLink(&link, &name), STATUS_SUCCESS);
    assert_int_equal(IoCreateSymbolicLink(&link, &name), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(IoCreateUnprotectedSymbolicLink(&dangling, &gone), STATUS_SUCCESS);
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        UNICODE_STRING asked = wide(cases[i].name);

        found = kenv_device_find(&asked);
        assert_ptr_equal(found, cases[i].is_found ? device : NULL);
        if (found != NULL)
            ObDereferenceObject(found);
    }
    assert_int_equal(IoDeleteSymbolicLink(&link), STATUS_SUCCESS);
    assert_int_equal(IoDeleteSymbolicLink(&link), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(IoDeleteSymbolicLink(&dangling), STATUS_SUCCESS);
    IoDeleteDevice(device);
    kenv_driver_destroy(driver);
}

static void devices_of_a_driver(void **state)
{
    PDRIVER_OBJECT driver = kenv_driver_create("many", NULL);
    PDEVICE_OBJECT devices[3], first;

    (void)state;
    assert_null(kenv_device_first(driver));
    assert_true(kenv_io_knows(driver));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &devices[i]), 0);
        assert_true(kenv_io_knows(devices[i]));
        assert_null(devices[i]->DeviceExtension);
    }
    assert_ptr_equal(driver->DeviceObject, devices[2]);
    assert_ptr_equal(devices[2]->NextDevice, devices[1]);
    first = kenv_device_first(driver);
    assert_ptr_equal(first, devices[0]);
    IoDeleteDevice(devices[1]);
    assert_ptr_equal(devices[2]->NextDevice, devices[0]);
    /* A reference keeps the memory of a deleted device, not the device. */
    IoDeleteDevice(devices[0]);
    assert_false(kenv_io_knows(first));
    assert_ptr_equal(first->DriverObject, driver);
    ObDereferenceObject(first);
    IoDeleteDevice(devices[2]);
    assert_null(driver->DeviceObject);
    kenv_driver_destroy(driver);
}

static void extensions(void **state)
{
    PDRIVER_OBJECT driver = kenv_driver_create("extended", NULL);
    PVOID memory = NULL, second = NULL;
    static int id, other;

    (void)state;
    assert_int_equal(IoAllocateDriverObjectExtension(driver, &id, 50, &memory), STATUS_SUCCESS);
    assert_int_equal(
        IoAllocateDriverObjectExtension(driver, &id, 50, &second), STATUS_OBJECT_NAME_COLLISION);
    assert_int_equal(IoAllocateDriverObjectExtension(driver, &other, 8, &second), STATUS_SUCCESS);
    assert_ptr_equal(IoGetDriverObjectExtension(driver, &id), memory);
    assert_ptr_equal(IoGetDriverObjectExtension(driver, &other), second);
    assert_null(IoGetDriverObjectExtension(driver, driver));
    assert_int_equal(driver->DriverName.Length / 2, strlen("\\Driver\\extended"));
    assert_int_equal(driver->DriverExtension->ServiceKeyName.Length / 2, strlen("extended"));
    kenv_driver_destroy(driver);
}

static void delete_twice(void *unused)
{
    PDRIVER_OBJECT driver = kenv_driver_create("twice", NULL);
    PDEVICE_OBJECT device = NULL;

    (void)unused;
    (void)IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device);
    IoDeleteDevice(device);
    IoDeleteDevice(device);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(delete_twice, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "deleted already"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(names),
        cmocka_unit_test(devices_of_a_driver),
        cmocka_unit_test(extensions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
