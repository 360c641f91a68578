/* SPDX-License-Identifier: MIT */
#include "kenv/reg.h"

#include "base/alloc.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Guarded by lock, as is everything below it. */
static struct kenv_reg_key root = {
    .link = {&root.link, &root.link},
    .keys = {&root.keys, &root.keys},
    .values = {&root.values, &root.values},
};

void kenv_reg_lock(void)
{
    pthread_mutex_lock(&lock);
}

void kenv_reg_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

struct kenv_reg_key *kenv_reg_root(void)
{
    return &root;
}

static bool copy_name(PUNICODE_STRING to, PCUNICODE_STRING from)
{
    to->Buffer = sn_zalloc((size_t)from->Length + sizeof(WCHAR));
    if (to->Buffer == NULL)
        return false;
    if (from->Length != 0)
        memcpy(to->Buffer, from->Buffer, from->Length);
    to->Length = from->Length;
    to->MaximumLength = (USHORT)(from->Length + sizeof(WCHAR));
    return true;
}

static struct kenv_reg_key *child(const struct kenv_reg_key *key, PCUNICODE_STRING name)
{
    for (struct sn_list *i = key->keys.next; i != &key->keys; i = i->next) {
        struct kenv_reg_key *k = (struct kenv_reg_key *)(void *)i;

        if (RtlEqualUnicodeString(&k->name, name, TRUE))
            return k;
    }
    return NULL;
}

static struct kenv_reg_key *create_child(struct kenv_reg_key *key, PCUNICODE_STRING name)
{
    struct kenv_reg_key *k = sn_zalloc(sizeof(*k));

    if (k == NULL)
        return NULL;
    if (!copy_name(&k->name, name)) {
        sn_free(k);
        return NULL;
    }
    sn_list_init(&k->keys);
    sn_list_init(&k->values);
    k->parent = key;
    sn_list_push_back(&key->keys, &k->link);
    return k;
}

/* The next component of *path, which is cut off; its Length is 0 at the end. */
static UNICODE_STRING component(PUNICODE_STRING path)
{
    UNICODE_STRING name;
    USHORT n = 0, count;

    while (path->Length != 0 && path->Buffer[0] == '\\') {
        path->Buffer++;
        path->Length = (USHORT)(path->Length - sizeof(WCHAR));
    }
    count = path->Length / sizeof(WCHAR);
    while (n < count && path->Buffer[n] != '\\')
        n++;
    name.Buffer = path->Buffer;
    name.Length = name.MaximumLength = (USHORT)(n * sizeof(WCHAR));
    path->Buffer += n;
    path->Length = (USHORT)(path->Length - name.Length);
    return name;
}

static bool is_named(PCUNICODE_STRING name, const char *text)
{
    size_t n = 0;

    for (; n < name->Length / sizeof(WCHAR); n++)
        if (text[n] == 0 || name->Buffer[n] >= 0x80 || (name->Buffer[n] | 0x20) != (text[n] | 0x20))
            return false;
    return text[n] == 0;
}

struct kenv_reg_key *kenv_reg_find(
    struct kenv_reg_key *from, PCUNICODE_STRING path, bool may_create, bool *is_new)
{
    UNICODE_STRING rest = *path, name;
    struct kenv_reg_key *key = from;
    bool made = false;

    if (from == NULL) {
        name = component(&rest);
        if (!is_named(&name, "Registry"))
            return NULL;
        key = &root;
    } else if (path->Length != 0 && path->Buffer[0] == '\\') {
        return NULL; /* relative paths do not begin with a backslash */
    }
    for (;;) {
        struct kenv_reg_key *next;

        name = component(&rest);
        if (name.Length == 0)
            break;
        next = child(key, &name);
        made = next == NULL;
        if (made && may_create)
            next = create_child(key, &name);
        if (next == NULL)
            return NULL;
        key = next;
    }
    if (is_new != NULL)
        *is_new = made;
    return key;
}

/* ---- Values -------------------------------------------------------------------------------- */

struct kenv_reg_value *kenv_reg_value_find(const struct kenv_reg_key *key, PCUNICODE_STRING name)
{
    for (struct sn_list *i = key->values.next; i != &key->values; i = i->next) {
        struct kenv_reg_value *v = (struct kenv_reg_value *)(void *)i;

        if (RtlEqualUnicodeString(&v->name, name, TRUE))
            return v;
    }
    return NULL;
}

bool kenv_reg_value_set(
    struct kenv_reg_key *key, PCUNICODE_STRING name, ULONG type, const void *data, ULONG size)
{
    struct kenv_reg_value *value = kenv_reg_value_find(key, name);
    void *copy = sn_zalloc((size_t)size + 1);

    if (copy == NULL)
        return false;
    if (size != 0)
        memcpy(copy, data, size);
    if (value == NULL) {
        value = sn_zalloc(sizeof(*value));
        if (value == NULL || !copy_name(&value->name, name)) {
            sn_free(value);
            sn_free(copy);
            return false;
        }
        sn_list_push_back(&key->values, &value->link);
    }
    sn_free(value->data);
    value->data = copy;
    value->type = type;
    value->size = size;
    return true;
}

void kenv_reg_value_remove(struct kenv_reg_value *value)
{
    sn_list_remove(&value->link);
    sn_free(value->name.Buffer);
    sn_free(value->data);
    sn_free(value);
}

/* ---- Removing ------------------------------------------------------------------------------ */

static void free_key(struct kenv_reg_key *key)
{
    while (!sn_list_is_empty(&key->values))
        kenv_reg_value_remove((struct kenv_reg_value *)(void *)key->values.next);
    sn_free(key->name.Buffer);
    sn_free(key);
}

/* The deepest key on the way down along first children: goes before those above it. */
static struct kenv_reg_key *deepest(struct kenv_reg_key *key)
{
    while (!sn_list_is_empty(&key->keys))
        key = (struct kenv_reg_key *)(void *)key->keys.next;
    return key;
}

static void remove_leaf(struct kenv_reg_key *key)
{
    sn_list_remove(&key->link);
    key->parent = NULL;
    key->is_deleted = true;
    if (key->references == 0)
        free_key(key);
}

void kenv_reg_remove(struct kenv_reg_key *key)
{
    for (;;) {
        struct kenv_reg_key *leaf = deepest(key);
        bool is_last = leaf == key;

        remove_leaf(leaf);
        if (is_last)
            return;
    }
}

void kenv_reg_put(struct kenv_reg_key *key)
{
    key->references--;
    if (key->references == 0 && key->is_deleted)
        free_key(key);
}

void kenv_reg_clear(void)
{
    while (!sn_list_is_empty(&root.keys))
        kenv_reg_remove((struct kenv_reg_key *)(void *)root.keys.next);
}
