/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"

#include <softndk_driver.h>
#include <stdbool.h>
#include <wdm.h>

#define W(text) SOFTNDK_WIDE_(text)

static HANDLE open_at(HANDLE root, PCWSTR path, bool may_create, NTSTATUS wanted)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    HANDLE handle = NULL;
    ULONG disposition = 0;

    RtlInitUnicodeString(&name, path);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, root, NULL);
    if (may_create) {
        assert_int_equal(ZwCreateKey(&handle, KEY_ALL_ACCESS, &attributes, 0, NULL,
                             REG_OPTION_VOLATILE, &disposition),
            wanted);
        assert_int_equal(disposition, REG_CREATED_NEW_KEY);
    } else {
        assert_int_equal(ZwOpenKeyEx(&handle, KEY_READ, &attributes, 0), wanted);
    }
    return handle;
}

static void set(HANDLE key, PCWSTR value, ULONG type, const void *data, ULONG size)
{
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, value);
    assert_int_equal(ZwSetValueKey(key, &name, 0, type, (PVOID)(uintptr_t)data, size), 0);
}

static void values(void **state)
{
    HANDLE key = open_at(NULL, W("\\Registry\\Machine\\Zw\\Values"), true, STATUS_SUCCESS);
    _Alignas(8) unsigned char answer[64];
    PKEY_VALUE_PARTIAL_INFORMATION partial = (PVOID)answer;
    PKEY_VALUE_FULL_INFORMATION full = (PVOID)answer;
    PKEY_VALUE_BASIC_INFORMATION basic = (PVOID)answer;
    UNICODE_STRING name, none;
    ULONG n = 0, dword = 77;

    (void)state;
    RtlInitUnicodeString(&name, W("Dword"));
    RtlInitUnicodeString(&none, W("None"));
    set(key, W("Dword"), REG_DWORD, &dword, sizeof(dword));
    set(key, W("Sz"), REG_SZ, W("abc"), 8);

    assert_int_equal(
        ZwQueryValueKey(key, &name, KeyValuePartialInformation, answer, sizeof(answer), &n), 0);
    assert_int_equal(n, 16);
    assert_int_equal(partial->Type, REG_DWORD);
    assert_int_equal(partial->DataLength, 4);
    assert_memory_equal(partial->Data, &dword, 4);
    assert_int_equal(ZwQueryValueKey(key, &name, KeyValuePartialInformation, answer, 14, &n),
        STATUS_BUFFER_OVERFLOW);
    assert_int_equal(n, 16);
    assert_int_equal(ZwQueryValueKey(key, &name, KeyValuePartialInformation, NULL, 0, &n),
        STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(n, 16);
    assert_int_equal(ZwQueryValueKey(key, &none, KeyValuePartialInformation, answer, 64, &n),
        STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ZwQueryValueKey(key, &name, KeyValuePartialInformationAlign64, answer, 64, &n),
        STATUS_INVALID_PARAMETER);

    assert_int_equal(ZwEnumerateValueKey(key, 1, KeyValueFullInformation, answer, 64, &n), 0);
    assert_int_equal(full->NameLength, 4);
    assert_memory_equal(full->Name, W("Sz"), 4);
    assert_int_equal(full->DataOffset % 8, 0);
    assert_memory_equal(answer + full->DataOffset, W("abc"), 8);
    assert_int_equal(ZwEnumerateValueKey(key, 0, KeyValueBasicInformation, answer, 64, &n), 0);
    assert_int_equal(basic->NameLength, 10);
    assert_memory_equal(basic->Name, W("Dword"), 10);
    assert_int_equal(ZwEnumerateValueKey(key, 2, KeyValueBasicInformation, answer, 64, &n),
        STATUS_NO_MORE_ENTRIES);

    assert_int_equal(ZwFlushKey(key), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteValueKey(key, &name), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteValueKey(key, &name), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ZwClose(key), STATUS_SUCCESS);
}

static void keys(void **state)
{
    static const WCHAR path[] = W("\\REGISTRY\\Machine\\Zw2\\Top");
    HANDLE top = open_at(NULL, W("\\Registry\\Machine\\Zw2\\Top"), true, STATUS_SUCCESS);
    HANDLE sub = open_at(top, W("Sub"), true, STATUS_SUCCESS), again;
    _Alignas(8) unsigned char answer[128];
    PKEY_FULL_INFORMATION full = (PVOID)answer;
    PKEY_BASIC_INFORMATION basic = (PVOID)answer;
    PKEY_NODE_INFORMATION node = (PVOID)answer;
    PKEY_NAME_INFORMATION name = (PVOID)answer;
    ULONG n = 0;

    (void)state;
    set(top, W("a"), REG_BINARY, "12345", 5);
    again = open_at(top, W("sUB"), false, STATUS_SUCCESS);
    assert_int_equal(ZwQueryKey(top, KeyFullInformation, answer, sizeof(answer), &n), 0);
    assert_int_equal(full->SubKeys, 1);
    assert_int_equal(full->Values, 1);
    assert_int_equal(full->MaxNameLen, 6);
    assert_int_equal(full->MaxValueDataLen, 5);
    assert_int_equal(ZwQueryKey(top, KeyNameInformation, answer, sizeof(answer), &n), 0);
    assert_int_equal(name->NameLength, sizeof(path) - sizeof(WCHAR));
    assert_memory_equal(name->Name, path, name->NameLength);
    assert_int_equal(ZwEnumerateKey(top, 0, KeyBasicInformation, answer, sizeof(answer), &n), 0);
    assert_memory_equal(basic->Name, W("Sub"), 6);
    assert_int_equal(ZwEnumerateKey(top, 0, KeyNodeInformation, answer, sizeof(answer), &n), 0);
    assert_int_equal(node->NameLength, 6);
    assert_int_equal(ZwEnumerateKey(top, 1, KeyBasicInformation, answer, sizeof(answer), &n),
        STATUS_NO_MORE_ENTRIES);
    assert_int_equal(
        ZwQueryKey(top, (KEY_INFORMATION_CLASS)9, answer, 1, &n), STATUS_INVALID_PARAMETER);

    assert_int_equal(ZwDeleteKey(top), STATUS_ACCESS_DENIED);
    assert_int_equal(ZwDeleteKey(sub), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteKey(again), STATUS_DELETE_PENDING);
    assert_int_equal(ZwFlushKey(again), STATUS_DELETE_PENDING);
    assert_int_equal(ZwClose(sub), STATUS_SUCCESS);
    assert_int_equal(ZwClose(again), STATUS_SUCCESS);
    open_at(top, W("Sub"), false, STATUS_OBJECT_NAME_NOT_FOUND);
    open_at((HANDLE)(ULONG_PTR)12, W("Sub"), false, STATUS_INVALID_HANDLE);
    assert_int_equal(ZwClose(top), STATUS_SUCCESS);
}

static void other_handles(void **state)
{
    HANDLE event = NULL;

    (void)state;
    assert_int_equal(ZwCreateEvent(&event, EVENT_ALL_ACCESS, NULL, NotificationEvent, FALSE), 0);
    assert_int_equal(ZwFlushKey(event), STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(ZwClose(event), STATUS_SUCCESS);
    assert_int_equal(SoftNdkDrvRegistryLoad(NULL, NULL, 0), STATUS_SUCCESS);
}

static void open_high(void *unused)
{
    HANDLE handle;

    (void)unused;
    KeRaiseIrqlToDpcLevel();
    ZwOpenKey(&handle, KEY_READ, NULL);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(open_high, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "ZwOpenKey was called at IRQL 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(values),
        cmocka_unit_test(keys),
        cmocka_unit_test(other_handles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
