/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/reg.h"

static UNICODE_STRING wide(PCWSTR text)
{
    UNICODE_STRING s;

    RtlInitUnicodeString(&s, text);
    return s;
}

#define W(text) SOFTNDK_WIDE_(text)

static void keys(void **state)
{
    UNICODE_STRING path = wide(W("\\Registry\\Machine\\A\\B")), below = wide(W("a\\b"));
    UNICODE_STRING machine = wide(W("\\REGISTRY\\MACHINE\\")), other = wide(W("\\Other\\Machine"));
    UNICODE_STRING absolute = wide(W("\\A"));
    struct kenv_reg_key *key, *m;
    bool is_new = false;

    (void)state;
    kenv_reg_lock();
    assert_null(kenv_reg_find(NULL, &path, false, NULL));
    key = kenv_reg_find(NULL, &path, true, &is_new);
    assert_non_null(key);
    assert_true(is_new);
    assert_ptr_equal(kenv_reg_find(NULL, &path, true, &is_new), key);
    assert_false(is_new);
    m = kenv_reg_find(NULL, &machine, false, NULL);
    assert_non_null(m);
    assert_ptr_equal(kenv_reg_find(m, &below, false, NULL), key);
    assert_null(kenv_reg_find(m, &absolute, true, NULL));
    assert_null(kenv_reg_find(NULL, &other, true, NULL));
    /* A key that is held outlives its removal. */
    key->references++;
    kenv_reg_remove(m);
    assert_true(key->is_deleted);
    assert_null(kenv_reg_find(NULL, &path, false, NULL));
    kenv_reg_put(key);
    kenv_reg_clear();
    assert_true(sn_list_is_empty(&kenv_reg_root()->keys));
    kenv_reg_unlock();
}

static void values(void **state)
{
    UNICODE_STRING path = wide(W("\\Registry\\User\\x")), name = wide(W("Name"));
    UNICODE_STRING lower = wide(W("nAME")), empty = wide(W(""));
    struct kenv_reg_value *v;
    struct kenv_reg_key *key;

    (void)state;
    kenv_reg_lock();
    key = kenv_reg_find(NULL, &path, true, NULL);
    assert_null(kenv_reg_value_find(key, &name));
    assert_true(kenv_reg_value_set(key, &name, REG_BINARY, "abc", 3));
    assert_true(kenv_reg_value_set(key, &empty, REG_NONE, NULL, 0));
    assert_true(kenv_reg_value_set(key, &lower, REG_DWORD, "defg", 4));
    v = kenv_reg_value_find(key, &name);
    assert_non_null(v);
    assert_int_equal(v->type, REG_DWORD);
    assert_int_equal(v->size, 4);
    assert_memory_equal(v->data, "defg", 4);
    kenv_reg_value_remove(v);
    assert_null(kenv_reg_value_find(key, &name));
    assert_non_null(kenv_reg_value_find(key, &empty));
    kenv_reg_clear();
    kenv_reg_unlock();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
