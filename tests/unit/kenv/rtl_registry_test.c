/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include <softndk_driver.h>
#include <wdm.h>

#define W(text) SOFTNDK_WIDE_(text)

static ULONG number = 300;

static int set_up(void **state)
{
    ULONG64 large = 0x1122334455667788;

    (void)state;
#define WRITE(path, name, type, data, size)                                                        \
    assert_int_equal(                                                                              \
        RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, path, name, type, (PVOID)(data), size), 0)
    WRITE(W("drv"), W("Number"), REG_DWORD, &number, 4);
    WRITE(W("drv"), W("Text"), REG_SZ, (uintptr_t)W("abc"), 8);
    WRITE(W("drv\\Sub"), W("Large"), REG_QWORD, &large, 8);
    WRITE(W("drv\\Sub"), W("Many"), REG_MULTI_SZ, (uintptr_t)W("a\0bc\0"), 12);
    WRITE(W("drv\\Sub"), W("Path"), REG_EXPAND_SZ, (uintptr_t)W("%x%"), 8);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return SoftNdkDrvRegistryLoad(NULL, NULL, 0);
}

static NTSTATUS query(PRTL_QUERY_REGISTRY_TABLE table, PVOID context)
{
    return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, W("drv"), table, context, NULL);
}

static void direct(void **state)
{
    WCHAR buffer[8];
    UNICODE_STRING text = {0, sizeof(buffer), buffer}, fresh = {0, 0, NULL}, other = {0, 0, NULL};
    ULONG value = 0, missing = 9, fallback = 42;
    union {
        LONG room;
        ULONG64 value;
    } large = {.room = -8};
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {NULL, RTL_QUERY_REGISTRY_DIRECT, (PWSTR)(uintptr_t)W("Number"), &value, REG_NONE, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, (PWSTR)(uintptr_t)W("Text"), &text, REG_NONE, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, (PWSTR)(uintptr_t)W("Text"), &fresh, REG_NONE, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, (PWSTR)(uintptr_t)W("None"), &missing, REG_DWORD,
            &fallback, 4},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, (PWSTR)(uintptr_t)W("None2"), &other, REG_SZ,
            (PVOID)(uintptr_t)W("default"), 0},
        {NULL, RTL_QUERY_REGISTRY_SUBKEY, (PWSTR)(uintptr_t)W("Sub"), NULL, REG_NONE, NULL, 0},
        {NULL, RTL_QUERY_REGISTRY_DIRECT, (PWSTR)(uintptr_t)W("Large"), &large, REG_NONE, NULL, 0},
        {NULL, 0, NULL, NULL, 0, NULL, 0},
    };

    (void)state;
    assert_int_equal(query(table, NULL), STATUS_SUCCESS);
    assert_int_equal(value, 300);
    assert_int_equal(text.Length, 6);
    assert_memory_equal(text.Buffer, W("abc"), 8);
    assert_int_equal(fresh.Length, 6);
    assert_int_equal(missing, 42);
    assert_int_equal(other.Length, 14);
    assert_true(large.value == 0x1122334455667788);
    ExFreePool(fresh.Buffer);
    ExFreePool(other.Buffer);
    RtlInitUnicodeString(&fresh, NULL);
}

static void what_direct_refuses(void **state)
{
    WCHAR buffer[2];
    UNICODE_STRING text = {0, sizeof(buffer), buffer};
    ULONG value = 0;
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {NULL, RTL_QUERY_REGISTRY_DIRECT, (PWSTR)(uintptr_t)W("Number"), &value, REG_NONE, NULL, 0},
        {NULL, 0, NULL, NULL, 0, NULL, 0},
    };

    (void)state;
    table[0].Flags |= RTL_QUERY_REGISTRY_TYPECHECK | (REG_DWORD << 24);
    assert_int_equal(query(table, NULL), STATUS_SUCCESS);
    table[0].Flags =
        RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK | ((ULONG)REG_SZ << 24);
    assert_int_equal(query(table, NULL), STATUS_OBJECT_TYPE_MISMATCH);
    table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED;
    table[0].Name = (PWSTR)(uintptr_t)W("None");
    assert_int_equal(query(table, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    table[0].Name = (PWSTR)(uintptr_t)W("Text");
    table[0].EntryContext = &text;
    assert_int_equal(query(table, NULL), STATUS_BUFFER_TOO_SMALL);
    table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_SUBKEY;
    assert_int_equal(query(table, NULL), STATUS_INVALID_PARAMETER);
    table[0].Flags = RTL_QUERY_REGISTRY_SUBKEY;
    assert_int_equal(query(table, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
}

struct calls {
    int count;
    ULONG types[8], sizes[8];
    PVOID entry_context;
};

static NTSTATUS on_value(
    PWSTR name, ULONG type, PVOID data, ULONG size, PVOID context, PVOID entry_context)
{
    struct calls *calls = context;

    assert_true(name != NULL || (type == REG_NONE && data == NULL));
    calls->types[calls->count] = type;
    calls->sizes[calls->count] = size;
    calls->entry_context = entry_context;
    calls->count++;
    return calls->count == 7 ? STATUS_CANCELLED : STATUS_SUCCESS;
}

static void routines(void **state)
{
    static const ULONG types[] = {REG_DWORD, REG_SZ, REG_QWORD, REG_SZ, REG_SZ, REG_SZ, REG_NONE};
    static const ULONG sizes[] = {4, 8, 8, 4, 6, 8, 0};
    struct calls calls = {.count = 0};
    RTL_QUERY_REGISTRY_TABLE table[] = {
        {on_value, 0, NULL, &calls, REG_NONE, NULL, 0}, /* every value */
        {on_value, RTL_QUERY_REGISTRY_SUBKEY, (PWSTR)(uintptr_t)W("Sub"), NULL, REG_NONE, NULL, 0},
        {on_value, RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_NOVALUE, NULL, NULL, REG_NONE,
            NULL, 0},
        {on_value, 0, NULL, NULL, REG_NONE, NULL, 0},
        {NULL, 0, NULL, NULL, 0, NULL, 0},
    };

    (void)state;
    assert_int_equal(query(table, &calls), STATUS_CANCELLED);
    assert_int_equal(calls.count, 7);
    for (size_t i = 0; i < ARRAYSIZE(types); i++) {
        assert_int_equal(calls.types[i], types[i]);
        assert_int_equal(calls.sizes[i], sizes[i]);
    }
}

static void by_path(void **state)
{
    RTL_QUERY_REGISTRY_TABLE table[] = {{NULL, 0, NULL, NULL, 0, NULL, 0}};

    (void)state;
    assert_int_equal(
        RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)(uintptr_t)W("drv\\Sub")), 0);
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_ABSOLUTE,
                         (PWSTR)(uintptr_t)W("\\Registry\\Machine\\System\\CurrentControlSet"
                                             "\\Services\\DRV")),
        0);
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_CONTROL, (PWSTR)(uintptr_t)W("x")),
        STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(RtlCreateRegistryKey(RTL_REGISTRY_CONTROL, (PWSTR)(uintptr_t)W("x")), 0);
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_CONTROL, (PWSTR)(uintptr_t)W("x")), 0);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, W("drv\\Sub"), W("Path")), 0);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, W("drv\\Sub"), W("Path")),
        STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(
        RtlQueryRegistryValues(77, W("x"), table, NULL, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, W("none"), table, NULL, NULL),
        STATUS_OBJECT_NAME_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct),
        cmocka_unit_test(what_direct_refuses),
        cmocka_unit_test(routines),
        cmocka_unit_test(by_path),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
