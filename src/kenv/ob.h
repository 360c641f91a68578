/* SPDX-License-Identifier: MIT */
/* Objects with a count of references, and handles to them. */
#ifndef SN_KENV_OB_H
#define SN_KENV_OB_H

#include "kenv/track.h"

struct _OBJECT_TYPE {
    const char *name;
    void (*destroy)(
        void *body); /* the last reference is gone; frees nothing of the object itself */
};

/* Stands in front of the body, which is what drivers see. */
struct kenv_object {
    _Alignas(16) uint64_t magic;
    const struct _OBJECT_TYPE *type;
    LONG_PTR references; /* atomic */
    bool is_static;      /* not freed with the last reference */
};

extern struct _OBJECT_TYPE kenv_thread_type, kenv_event_type, kenv_file_type, kenv_device_type,
    kenv_driver_type, kenv_key_type;

/* A zeroed body of `size` octets with one reference; NULL: no memory. */
void *kenv_ob_create(const struct _OBJECT_TYPE *type, size_t size);
/* For an object whose memory is not the heap's. */
void kenv_ob_init_static(struct kenv_object *object, const struct _OBJECT_TYPE *type);
/* True if `body` has that type (NULL: any). */
bool kenv_ob_is(const void *body, const struct _OBJECT_TYPE *type);

/* A handle to the object, which takes one reference of its own. Name: for the list of leaks.
 * STATUS_SUCCESS; STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS kenv_handle_open(void *body, const char *name, HANDLE *handle);
/* The object with a reference for the caller; NULL: no such handle. */
void *kenv_handle_get(HANDLE handle);

#endif
