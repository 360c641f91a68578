/* SPDX-License-Identifier: MIT */
/* Registry values by table and by path, on top of the Zw routines. */
#include "base/alloc.h"
#include "kenv/irql.h"

#include <stdbool.h>

#define ANSWER_MAX 65536u

static const char *const bases[] = {
    [RTL_REGISTRY_ABSOLUTE] = "",
    [RTL_REGISTRY_SERVICES] = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\",
    [RTL_REGISTRY_CONTROL] = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\",
    [RTL_REGISTRY_WINDOWS_NT] =
        "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\",
    [RTL_REGISTRY_DEVICEMAP] = "\\Registry\\Machine\\Hardware\\DeviceMap\\",
    [RTL_REGISTRY_USER] = "\\Registry\\User\\.Default\\",
};

/* Opens or makes the key that RelativeTo and Path name. *must_close: it is ours. */
static NTSTATUS open_key(
    ULONG relative, PCWSTR path, bool may_create, HANDLE *handle, bool *must_close)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name = {0, 0, NULL};
    WCHAR full[512];
    size_t n = 0;

    relative &= ~(ULONG)RTL_REGISTRY_OPTIONAL;
    *must_close = relative != RTL_REGISTRY_HANDLE;
    if (!*must_close) {
        *handle = (HANDLE)(uintptr_t)path;
        return STATUS_SUCCESS;
    }
    if (relative >= ARRAYSIZE(bases))
        return STATUS_INVALID_PARAMETER;
    for (const char *p = bases[relative]; *p != 0; p++)
        full[n++] = (WCHAR)*p;
    for (; path != NULL && *path != 0; path++) {
        if (n == ARRAYSIZE(full))
            return STATUS_OBJECT_NAME_INVALID;
        full[n++] = *path;
    }
    name.Buffer = full;
    name.Length = name.MaximumLength = (USHORT)(n * sizeof(WCHAR));
    InitializeObjectAttributes(
        &attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    return may_create
               ? ZwCreateKey(handle, KEY_WRITE, &attributes, 0, NULL, REG_OPTION_NON_VOLATILE, NULL)
               : ZwOpenKey(handle, KEY_READ, &attributes);
}

static void close_key(HANDLE handle, bool must_close)
{
    if (must_close)
        ZwClose(handle);
}

static UNICODE_STRING string(PCWSTR text)
{
    UNICODE_STRING s;

    RtlInitUnicodeString(&s, text);
    return s;
}

/* ---- One value ----------------------------------------------------------------------------- */

static bool is_text(ULONG type)
{
    return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

static NTSTATUS store_text(PUNICODE_STRING to, const void *data, ULONG size)
{
    if (size > UNICODE_STRING_MAX_BYTES)
        return STATUS_BUFFER_OVERFLOW;
    if (to->Buffer == NULL) {
        to->Buffer = ExAllocatePoolWithTag(PagedPool, size != 0 ? size : 1, 'trtS');
        if (to->Buffer == NULL)
            return STATUS_NO_MEMORY;
        to->MaximumLength = (USHORT)size;
    } else if (to->MaximumLength < size) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memcpy(to->Buffer, data, size);
    to->Length = (USHORT)(size >= sizeof(WCHAR) ? size - sizeof(WCHAR) : 0);
    return STATUS_SUCCESS;
}

/* The destination of anything but text says in its first LONG how large it is. */
static NTSTATUS store_octets(PVOID to, ULONG type, const void *data, ULONG size)
{
    ULONG head[2] = {size, type};
    LONG room;

    if (size <= sizeof(ULONG)) {
        memcpy(to, data, size);
        return STATUS_SUCCESS;
    }
    memcpy(&room, to, sizeof(room));
    if (room < 0) {
        if ((ULONG)-room < size)
            return STATUS_BUFFER_TOO_SMALL;
        memcpy(to, data, size);
        return STATUS_SUCCESS;
    }
    if ((ULONG)room < sizeof(head) || (ULONG)room - sizeof(head) < size)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy(to, head, sizeof(head));
    memcpy((char *)to + sizeof(head), data, size);
    return STATUS_SUCCESS;
}

static NTSTATUS give_direct(
    const RTL_QUERY_REGISTRY_TABLE *entry, ULONG type, const void *data, ULONG size)
{
    ULONG wanted =
        (entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK_MASK) >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;

    if ((entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK) != 0 && wanted != type)
        return STATUS_OBJECT_TYPE_MISMATCH;
    if (is_text(type)) {
        if ((entry->Flags & RTL_QUERY_REGISTRY_NOSTRING) != 0)
            return STATUS_SUCCESS;
        return store_text(entry->EntryContext, data, size);
    }
    return store_octets(entry->EntryContext, type, data, size);
}

/* Each text of a REG_MULTI_SZ by itself, as REG_SZ. */
static NTSTATUS give_each(
    const RTL_QUERY_REGISTRY_TABLE *entry, PWSTR name, const WCHAR *text, ULONG size, PVOID context)
{
    size_t n = size / sizeof(WCHAR);
    NTSTATUS status = STATUS_SUCCESS;

    while (NT_SUCCESS(status) && n > 0 && *text != 0) {
        size_t length = 0;

        while (length < n && text[length] != 0)
            length++;
        if (length == n)
            break; /* not terminated */
        status = entry->QueryRoutine(name, REG_SZ, (PVOID)(uintptr_t)text,
            (ULONG)((length + 1) * sizeof(WCHAR)), context, entry->EntryContext);
        text += length + 1;
        n -= length + 1;
    }
    return status;
}

static NTSTATUS give(const RTL_QUERY_REGISTRY_TABLE *entry, PWSTR name, ULONG type, void *data,
    ULONG size, PVOID context)
{
    bool may_expand = (entry->Flags & RTL_QUERY_REGISTRY_NOEXPAND) == 0;

    if ((entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0)
        return give_direct(entry, type, data, size);
    if (type == REG_MULTI_SZ && may_expand)
        return give_each(entry, name, data, size, context);
    if (type == REG_EXPAND_SZ && may_expand)
        type = REG_SZ;
    return entry->QueryRoutine(name, type, data, size, context, entry->EntryContext);
}

static NTSTATUS give_default(const RTL_QUERY_REGISTRY_TABLE *entry, PVOID context)
{
    ULONG size = entry->DefaultLength;

    if ((entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (entry->DefaultType == REG_NONE)
        return STATUS_SUCCESS;
    if (size == 0 && is_text(entry->DefaultType) && entry->DefaultData != NULL) {
        const WCHAR *text = entry->DefaultData;

        do
            size += (ULONG)sizeof(WCHAR);
        while (*text++ != 0 || (entry->DefaultType == REG_MULTI_SZ && *text != 0));
    }
    return give(entry, entry->Name, entry->DefaultType, entry->DefaultData, size, context);
}

/* ---- Tables -------------------------------------------------------------------------------- */

/* The value that one entry names. */
static NTSTATUS query_named(
    HANDLE key, const RTL_QUERY_REGISTRY_TABLE *entry, void *answer, PVOID context)
{
    PKEY_VALUE_PARTIAL_INFORMATION info = answer;
    UNICODE_STRING name = string(entry->Name);
    ULONG n = 0;
    NTSTATUS status = ZwQueryValueKey(key, &name, KeyValuePartialInformation, info, ANSWER_MAX, &n);

    if (status == STATUS_OBJECT_NAME_NOT_FOUND)
        return give_default(entry, context);
    if (!NT_SUCCESS(status))
        return status;
    status = give(entry, entry->Name, info->Type, info->Data, info->DataLength, context);
    if (NT_SUCCESS(status) && (entry->Flags & RTL_QUERY_REGISTRY_DELETE) != 0)
        (void)ZwDeleteValueKey(key, &name);
    return status;
}

/* All values of the key. */
static NTSTATUS query_all(
    HANDLE key, const RTL_QUERY_REGISTRY_TABLE *entry, void *answer, PVOID context)
{
    PKEY_VALUE_FULL_INFORMATION info = answer;
    NTSTATUS status = STATUS_SUCCESS;
    ULONG i = 0, n;

    for (; NT_SUCCESS(status); i++) {
        WCHAR name[256];

        status = ZwEnumerateValueKey(key, i, KeyValueFullInformation, info, ANSWER_MAX, &n);
        if (status == STATUS_NO_MORE_ENTRIES)
            return i == 0 && (entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) != 0
                       ? STATUS_OBJECT_NAME_NOT_FOUND
                       : STATUS_SUCCESS;
        if (!NT_SUCCESS(status) || info->NameLength > sizeof(name) - sizeof(WCHAR))
            continue;
        memcpy(name, info->Name, info->NameLength);
        name[info->NameLength / sizeof(WCHAR)] = 0;
        status = give(
            entry, name, info->Type, (char *)answer + info->DataOffset, info->DataLength, context);
    }
    return status;
}

static NTSTATUS open_below(HANDLE top, PCWSTR path, HANDLE *key)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name = string(path);

    InitializeObjectAttributes(
        &attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, top, NULL);
    return ZwOpenKey(key, KEY_READ, &attributes);
}

static bool is_last(const RTL_QUERY_REGISTRY_TABLE *entry)
{
    return entry->QueryRoutine == NULL &&
           (entry->Flags & (RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT)) == 0;
}

static bool is_contradictory(const RTL_QUERY_REGISTRY_TABLE *entry)
{
    if ((entry->Flags & RTL_QUERY_REGISTRY_DIRECT) != 0 &&
        (entry->Name == NULL || entry->QueryRoutine != NULL ||
            (entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0))
        return true;
    return (entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0 && entry->Name == NULL;
}

static NTSTATUS walk(HANDLE top, PRTL_QUERY_REGISTRY_TABLE entry, void *answer, PVOID context)
{
    NTSTATUS status = STATUS_SUCCESS;
    HANDLE key = top;

    for (; NT_SUCCESS(status) && !is_last(entry); entry++) {
        if (is_contradictory(entry)) {
            status = STATUS_INVALID_PARAMETER;
            break;
        }
        if ((entry->Flags & (RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_SUBKEY)) != 0) {
            close_key(key, key != top);
            key = top;
        }
        if ((entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) != 0) {
            status = open_below(top, entry->Name, &key);
            if (!NT_SUCCESS(status))
                key = top;
            else if (entry->QueryRoutine != NULL)
                status = query_all(key, entry, answer, context);
        } else if (entry->Name != NULL) {
            status = query_named(key, entry, answer, context);
        } else if ((entry->Flags & RTL_QUERY_REGISTRY_NOVALUE) != 0) {
            status = entry->QueryRoutine(NULL, REG_NONE, NULL, 0, context, entry->EntryContext);
        } else {
            status = query_all(key, entry, answer, context);
        }
    }
    close_key(key, key != top);
    return status;
}

NTSTATUS RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path, PRTL_QUERY_REGISTRY_TABLE QueryTable,
    PVOID Context, PVOID Environment)
{
    bool must_close = false;
    HANDLE key = NULL;
    NTSTATUS status;
    void *answer;

    UNREFERENCED_PARAMETER(Environment);
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    status = open_key(RelativeTo, Path, false, &key, &must_close);
    if (!NT_SUCCESS(status))
        return status;
    answer = sn_zalloc(ANSWER_MAX);
    status = answer != NULL ? walk(key, QueryTable, answer, Context) : STATUS_NO_MEMORY;
    sn_free(answer);
    close_key(key, must_close);
    return status;
}

/* ---- By path ------------------------------------------------------------------------------- */

NTSTATUS RtlWriteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName, ULONG ValueType,
    PVOID ValueData, ULONG ValueLength)
{
    UNICODE_STRING name = string(ValueName);
    bool must_close = false;
    HANDLE key = NULL;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    status = open_key(RelativeTo, Path, true, &key, &must_close);
    if (!NT_SUCCESS(status))
        return status;
    status = ZwSetValueKey(key, &name, 0, ValueType, ValueData, ValueLength);
    close_key(key, must_close);
    return status;
}

NTSTATUS RtlDeleteRegistryValue(ULONG RelativeTo, PCWSTR Path, PCWSTR ValueName)
{
    UNICODE_STRING name = string(ValueName);
    bool must_close = false;
    HANDLE key = NULL;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    status = open_key(RelativeTo, Path, false, &key, &must_close);
    if (!NT_SUCCESS(status))
        return status;
    status = ZwDeleteValueKey(key, &name);
    close_key(key, must_close);
    return status;
}

NTSTATUS RtlCheckRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    bool must_close = false;
    HANDLE key = NULL;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    status = open_key(RelativeTo, Path, false, &key, &must_close);
    if (NT_SUCCESS(status))
        close_key(key, must_close);
    return status;
}

NTSTATUS RtlCreateRegistryKey(ULONG RelativeTo, PWSTR Path)
{
    bool must_close = false;
    HANDLE key = NULL;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    status = open_key(RelativeTo, Path, true, &key, &must_close);
    if (NT_SUCCESS(status))
        close_key(key, must_close);
    return status;
}
