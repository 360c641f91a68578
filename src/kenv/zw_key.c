/* SPDX-License-Identifier: MIT */
/* Keys behind handles. The answers are laid out by one helper: fixed part, then name, then data. */
#include "kenv/irql.h"
#include "kenv/ob.h"
#include "kenv/reg.h"

struct key_body {
    struct kenv_reg_key *key;
};

static void destroy_key(void *body)
{
    struct key_body *k = body;

    if (k->key == NULL)
        return;
    kenv_reg_lock();
    kenv_reg_put(k->key);
    kenv_reg_unlock();
}

struct _OBJECT_TYPE kenv_key_type = {"key", destroy_key};

/* The key of a handle with a reference on its object, and the registry locked. NULL: not a key (or
 * one that was deleted, *status); then nothing is locked. */
static struct key_body *enter(HANDLE handle, NTSTATUS *status)
{
    struct key_body *body = kenv_handle_get(handle);

    *status = STATUS_INVALID_HANDLE;
    if (body == NULL)
        return NULL;
    if (!kenv_ob_is(body, &kenv_key_type)) {
        *status = STATUS_OBJECT_TYPE_MISMATCH;
        ObfDereferenceObject(body);
        return NULL;
    }
    kenv_reg_lock();
    if (!body->key->is_deleted) {
        *status = STATUS_SUCCESS;
        return body;
    }
    *status = STATUS_DELETE_PENDING;
    kenv_reg_unlock();
    ObfDereferenceObject(body);
    return NULL;
}

static NTSTATUS leave(struct key_body *body, NTSTATUS status)
{
    kenv_reg_unlock();
    ObfDereferenceObject(body);
    return status;
}

static NTSTATUS open_key(
    PHANDLE handle, POBJECT_ATTRIBUTES attributes, bool may_create, PULONG disposition)
{
    struct key_body *root = NULL, *body;
    struct kenv_reg_key *key;
    bool is_new = false;
    NTSTATUS status;

    *handle = NULL;
    if (attributes == NULL || attributes->ObjectName == NULL)
        return STATUS_INVALID_PARAMETER;
    body = kenv_ob_create(&kenv_key_type, sizeof(*body));
    if (body == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (attributes->RootDirectory != NULL) {
        root = enter(attributes->RootDirectory, &status);
        if (root == NULL) {
            ObfDereferenceObject(body);
            return status;
        }
    } else {
        kenv_reg_lock();
    }
    key =
        kenv_reg_find(root != NULL ? root->key : NULL, attributes->ObjectName, may_create, &is_new);
    if (key != NULL)
        key->references++;
    kenv_reg_unlock();
    if (root != NULL)
        ObfDereferenceObject(root);
    body->key = key;
    status = key != NULL ? kenv_handle_open(body, "handle of a registry key", handle)
                         : STATUS_OBJECT_NAME_NOT_FOUND;
    if (NT_SUCCESS(status) && disposition != NULL)
        *disposition = is_new ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
    ObfDereferenceObject(body);
    return status;
}

NTSTATUS ZwOpenKey(
    PHANDLE KeyHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes)
{
    UNREFERENCED_PARAMETER(DesiredAccess);
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    return open_key(KeyHandle, ObjectAttributes, false, NULL);
}

NTSTATUS ZwOpenKeyEx(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes, ULONG OpenOptions)
{
    UNREFERENCED_PARAMETER(OpenOptions);
    return ZwOpenKey(KeyHandle, DesiredAccess, ObjectAttributes);
}

NTSTATUS ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes, ULONG TitleIndex, PUNICODE_STRING Class,
    ULONG CreateOptions, PULONG Disposition)
{
    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(TitleIndex);
    UNREFERENCED_PARAMETER(Class);
    UNREFERENCED_PARAMETER(CreateOptions);
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    return open_key(KeyHandle, ObjectAttributes, true, Disposition);
}

/* ---- Answers ------------------------------------------------------------------------------- */

struct answer {
    unsigned char *out;
    ULONG room, used;
};

/* Copies as much as there is room for. */
static void put(struct answer *a, const void *data, ULONG n)
{
    ULONG left = a->used < a->room ? a->room - a->used : 0;

    if (n < left)
        left = n;
    if (left != 0)
        memcpy(a->out + a->used, data, left);
    a->used += n;
}

/* Ends an answer whose fixed part has `fixed` octets. */
static NTSTATUS finish(const struct answer *a, ULONG fixed, PULONG result_length)
{
    *result_length = a->used;
    if (a->room < fixed)
        return STATUS_BUFFER_TOO_SMALL;
    return a->used <= a->room ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS answer_value(const struct kenv_reg_value *v, KEY_VALUE_INFORMATION_CLASS kind,
    PVOID out, ULONG length, PULONG result_length)
{
    static const unsigned char zeros[8];
    struct answer a = {out, length, 0};
    KEY_VALUE_BASIC_INFORMATION basic = {0, v->type, v->name.Length, {0}};
    KEY_VALUE_PARTIAL_INFORMATION partial = {0, v->type, v->size, {0}};
    KEY_VALUE_FULL_INFORMATION full = {0, v->type, 0, v->size, v->name.Length, {0}};
    ULONG fixed;

    switch (kind) {
    case KeyValueBasicInformation:
        fixed = (ULONG)offsetof(KEY_VALUE_BASIC_INFORMATION, Name);
        put(&a, &basic, fixed);
        put(&a, v->name.Buffer, v->name.Length);
        return finish(&a, fixed, result_length);
    case KeyValuePartialInformation:
        fixed = (ULONG)offsetof(KEY_VALUE_PARTIAL_INFORMATION, Data);
        put(&a, &partial, fixed);
        put(&a, v->data, v->size);
        return finish(&a, fixed, result_length);
    case KeyValueFullInformation:
        fixed = (ULONG)offsetof(KEY_VALUE_FULL_INFORMATION, Name);
        full.DataOffset = (fixed + v->name.Length + 7u) & ~7u;
        put(&a, &full, fixed);
        put(&a, v->name.Buffer, v->name.Length);
        put(&a, zeros, full.DataOffset - fixed - v->name.Length);
        put(&a, v->data, v->size);
        return finish(&a, fixed, result_length);
    case KeyValueFullInformationAlign64:
    case KeyValuePartialInformationAlign64:
        break;
    }
    return STATUS_INVALID_PARAMETER;
}

static void fill_full(const struct kenv_reg_key *key, KEY_FULL_INFORMATION *full)
{
    memset(full, 0, sizeof(*full));
    full->ClassOffset = (ULONG)offsetof(KEY_FULL_INFORMATION, Class);
    for (struct sn_list *i = key->keys.next; i != &key->keys; i = i->next) {
        const struct kenv_reg_key *k = (const struct kenv_reg_key *)(const void *)i;

        full->SubKeys++;
        if (k->name.Length > full->MaxNameLen)
            full->MaxNameLen = k->name.Length;
    }
    for (struct sn_list *i = key->values.next; i != &key->values; i = i->next) {
        const struct kenv_reg_value *v = (const struct kenv_reg_value *)(const void *)i;

        full->Values++;
        if (v->name.Length > full->MaxValueNameLen)
            full->MaxValueNameLen = v->name.Length;
        if (v->size > full->MaxValueDataLen)
            full->MaxValueDataLen = v->size;
    }
}

/* "\REGISTRY\...": outermost name first. */
static void put_path(struct answer *a, const struct kenv_reg_key *key)
{
    static const WCHAR head[] = {'\\', 'R', 'E', 'G', 'I', 'S', 'T', 'R', 'Y'};
    const struct kenv_reg_key *chain[64];
    size_t n = 0;

    for (; key->parent != NULL && n < ARRAYSIZE(chain); key = key->parent)
        chain[n++] = key;
    put(a, head, sizeof(head));
    while (n-- > 0) {
        put(a, head, sizeof(WCHAR));
        put(a, chain[n]->name.Buffer, chain[n]->name.Length);
    }
}

static NTSTATUS answer_key(const struct kenv_reg_key *key, KEY_INFORMATION_CLASS kind, PVOID out,
    ULONG length, PULONG result_length)
{
    struct answer a = {out, length, 0};
    KEY_BASIC_INFORMATION basic = {{.QuadPart = 0}, 0, key->name.Length, {0}};
    KEY_NODE_INFORMATION node = {{.QuadPart = 0}, 0, 0xffffffff, 0, key->name.Length, {0}};
    KEY_NAME_INFORMATION name = {0, {0}};
    KEY_FULL_INFORMATION full;
    struct answer counted = {NULL, 0, 0};
    ULONG fixed;

    switch (kind) {
    case KeyBasicInformation:
        fixed = (ULONG)offsetof(KEY_BASIC_INFORMATION, Name);
        put(&a, &basic, fixed);
        put(&a, key->name.Buffer, key->name.Length);
        return finish(&a, fixed, result_length);
    case KeyNodeInformation:
        fixed = (ULONG)offsetof(KEY_NODE_INFORMATION, Name);
        put(&a, &node, fixed);
        put(&a, key->name.Buffer, key->name.Length);
        return finish(&a, fixed, result_length);
    case KeyFullInformation:
        fixed = (ULONG)offsetof(KEY_FULL_INFORMATION, Class);
        fill_full(key, &full);
        put(&a, &full, fixed);
        return finish(&a, fixed, result_length);
    case KeyNameInformation:
        fixed = (ULONG)offsetof(KEY_NAME_INFORMATION, Name);
        put_path(&counted, key);
        name.NameLength = counted.used;
        put(&a, &name, fixed);
        put_path(&a, key);
        return finish(&a, fixed, result_length);
    }
    return STATUS_INVALID_PARAMETER;
}

static struct sn_list *nth(struct sn_list *head, ULONG index)
{
    struct sn_list *i = head->next;

    while (i != head && index-- > 0)
        i = i->next;
    return i != head ? i : NULL;
}

NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
    KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation, ULONG Length,
    PULONG ResultLength)
{
    const struct kenv_reg_value *v;
    struct key_body *body;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = enter(KeyHandle, &status);
    if (body == NULL)
        return status;
    v = kenv_reg_value_find(body->key, ValueName);
    return leave(body, v != NULL ? answer_value(v, KeyValueInformationClass, KeyValueInformation,
                                       Length, ResultLength)
                                 : STATUS_OBJECT_NAME_NOT_FOUND);
}

NTSTATUS ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
    KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass, PVOID KeyValueInformation, ULONG Length,
    PULONG ResultLength)
{
    struct key_body *body;
    struct sn_list *at;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = enter(KeyHandle, &status);
    if (body == NULL)
        return status;
    at = nth(&body->key->values, Index);
    return leave(
        body, at != NULL ? answer_value((const struct kenv_reg_value *)(void *)at,
                               KeyValueInformationClass, KeyValueInformation, Length, ResultLength)
                         : STATUS_NO_MORE_ENTRIES);
}

NTSTATUS ZwQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS KeyInformationClass,
    PVOID KeyInformation, ULONG Length, PULONG ResultLength)
{
    struct key_body *body;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = enter(KeyHandle, &status);
    if (body == NULL)
        return status;
    return leave(
        body, answer_key(body->key, KeyInformationClass, KeyInformation, Length, ResultLength));
}

NTSTATUS ZwEnumerateKey(HANDLE KeyHandle, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass,
    PVOID KeyInformation, ULONG Length, PULONG ResultLength)
{
    struct key_body *body;
    struct sn_list *at;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = enter(KeyHandle, &status);
    if (body == NULL)
        return status;
    at = nth(&body->key->keys, Index);
    return leave(body, at != NULL ? answer_key((const struct kenv_reg_key *)(void *)at,
                                        KeyInformationClass, KeyInformation, Length, ResultLength)
                                  : STATUS_NO_MORE_ENTRIES);
}

/* ---- Changes ------------------------------------------------------------------------------- */

NTSTATUS ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName, ULONG TitleIndex, ULONG Type,
    PVOID Data, ULONG DataSize)
{
    struct key_body *body;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(TitleIndex);
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = enter(KeyHandle, &status);
    if (body == NULL)
        return status;
    return leave(body, kenv_reg_value_set(body->key, ValueName, Type, Data, DataSize)
                           ? STATUS_SUCCESS
                           : STATUS_INSUFFICIENT_RESOURCES);
}

NTSTATUS ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
    struct kenv_reg_value *v;
    struct key_body *body;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = enter(KeyHandle, &status);
    if (body == NULL)
        return status;
    v = kenv_reg_value_find(body->key, ValueName);
    if (v != NULL)
        kenv_reg_value_remove(v);
    return leave(body, v != NULL ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND);
}

NTSTATUS ZwDeleteKey(HANDLE KeyHandle)
{
    struct key_body *body;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = enter(KeyHandle, &status);
    if (body == NULL)
        return status;
    if (!sn_list_is_empty(&body->key->keys) || body->key->parent == NULL)
        return leave(body, STATUS_ACCESS_DENIED);
    kenv_reg_remove(body->key);
    return leave(body, STATUS_SUCCESS);
}

NTSTATUS ZwFlushKey(HANDLE KeyHandle)
{
    struct key_body *body;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    body = enter(KeyHandle, &status);
    return body != NULL ? leave(body, STATUS_SUCCESS) : status;
}
