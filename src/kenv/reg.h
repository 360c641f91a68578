/* SPDX-License-Identifier: MIT */
/* The registry's tree. Whoever uses it holds kenv_reg_lock; what it returns is good until then. */
#ifndef SN_KENV_REG_H
#define SN_KENV_REG_H

#include <stdbool.h>
#include <stddef.h>
#include <wdm.h>

#include "base/list.h"

struct kenv_reg_value {
    struct sn_list link; /* first */
    ULONG type;
    ULONG size;
    void *data;
    UNICODE_STRING name; /* owned */
};

struct kenv_reg_key {
    struct sn_list link;         /* first; in the parent's keys */
    struct kenv_reg_key *parent; /* NULL: the root, or deleted */
    struct sn_list keys;
    struct sn_list values;
    UNICODE_STRING name; /* owned */
    size_t references;   /* of handles; a deleted key lives as long as it has some */
    bool is_deleted;
};

void kenv_reg_lock(void);
void kenv_reg_unlock(void);

/* The root of everything: \Registry. Never NULL. */
struct kenv_reg_key *kenv_reg_root(void);
/*
 * A key below `from` (NULL: by a full path, "\Registry\Machine\..."); NULL: there is none, or no
 * memory. Makes keys on the way if `may_create`; *is_new (may be NULL) tells whether the last one
 * is.
 */
struct kenv_reg_key *kenv_reg_find(
    struct kenv_reg_key *from, PCUNICODE_STRING path, bool may_create, bool *is_new);
struct kenv_reg_value *kenv_reg_value_find(const struct kenv_reg_key *key, PCUNICODE_STRING name);
/* Makes or replaces a value. False: no memory. */
bool kenv_reg_value_set(
    struct kenv_reg_key *key, PCUNICODE_STRING name, ULONG type, const void *data, ULONG size);
void kenv_reg_value_remove(struct kenv_reg_value *value);
/* Takes the key with all below it out of the tree; freed when no handle is left. */
void kenv_reg_remove(struct kenv_reg_key *key);
/* One handle less. */
void kenv_reg_put(struct kenv_reg_key *key);
/* Everything below the root goes. */
void kenv_reg_clear(void);

/* Fills the tree from a text in .reg syntax, UTF-8 or UTF-16. False: error[0..size) has a sentence
 * that names the line. */
bool kenv_reg_parse(const unsigned char *text, size_t n, char *error, size_t size);

#endif
