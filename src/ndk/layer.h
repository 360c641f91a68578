/* SPDX-License-Identifier: MIT */
/*
 * Layers between consumer and provider, as Windows' own network stack is one. A layer gets at an
 * object by replacing its Dispatch with a table of its own, keeps what it needs in one of the four
 * words of NdkReserved, and passes calls on through the table that it found. Object pointers are
 * the same above and below, so arguments need no translation. [NDKPI NDK_OBJECT_HEADER]
 *
 *     consumer -> layers[0] -> layers[1] -> ... -> src/ndk
 *
 * Objects reach the consumer in four ways: the adapter from its open, the out parameter of a create
 * call, a create completion (a lower layer may let a call pend that finishes inline here) and the
 * connect event. Each object is given to `wrap` of each layer before anybody above can see it, the
 * innermost layer first; what it was created from and with is seen by the layer's own entries.
 *
 * A layer that is not wanted replaces nothing, and then costs nothing: no branch, no indirection.
 *
 * Who links a program gives the list of layers to ndk_layers_open: src/product/open.c does for the
 * library; nothing here knows a layer by name.
 */
#ifndef SN_NDK_LAYER_H
#define SN_NDK_LAYER_H

#include <ndkpi.h>
#include <stdbool.h>

#include "base/attr.h"

/* The word of NdkReserved that is a layer's own, in every object. */
enum ndk_layer_slot {
    NDK_SLOT_VERIFY = 0,
    NDK_SLOT_CHAOS = 1,
    NDK_SLOT_CALLTRACE = 2,
    NDK_SLOT_TEST = 3, /* layers that a test makes up */
    NDK_SLOT_COUNT = 4
};

/* Room for the sentence that says why a layer refuses to open. */
enum { NDK_LAYER_TEXT = 256 };

/* The shape that all kinds of object share; Header.ObjectType says which it is. */
struct ndk_object {
    NDK_OBJECT_HEADER Header;
    const VOID *Dispatch;
};

struct ndk_layer {
    const char *name;
    /*
     * An adapter is being opened, at PASSIVE_LEVEL; nothing of it exists yet. `env` looks up an
     * environment variable (getenv, in tests a table). STATUS_SUCCESS with *state NULL: this
     * adapter goes without the layer. STATUS_SUCCESS with *state: what the other routines get.
     * Anything else refuses the open; `text` then holds one sentence for a person.
     */
    NTSTATUS (*open)(char *(*env)(const char *name), void **state, char text[NDK_LAYER_TEXT]);
    /*
     * A new object, the adapter first: header and table are complete, NdkReserved of this layer is
     * NULL. Any thread, also inside a lower layer's call, DISPATCH_LEVEL or below, no lock held.
     * Cannot fail: without memory it leaves the object alone.
     */
    void (*wrap)(void *state, struct ndk_object *o);
    /* The consumer closes the adapter; `function` is what it called. Everything still works. At
     * PASSIVE_LEVEL unless the consumer errs; outermost layer first. May be NULL. */
    void (*closing)(void *state, NDK_ADAPTER *adapter, const char *function);
    /* The adapter is gone, or never came to be: no routine is called with this state any more.
     * Frees it. PASSIVE_LEVEL. */
    void (*closed)(void *state);
    /*
     * An object is gone, its close completion has returned, and its memory is about to be freed.
     * True: the layer takes the memory over, to notice late uses, and frees it with
     * ndk_layer_free_object, also after the adapter is gone. Not called for the adapter. Any
     * thread. May be NULL.
     */
    bool (*keep)(void *state, struct ndk_object *o);
};

/* Frees what `keep` took over. Any thread. */
void ndk_layer_free_object(struct ndk_object *o);

/* ---- for src/ndk ---- */

/* The open layers of one adapter, outermost first. */
struct ndk_layers {
    unsigned count;
    struct {
        const struct ndk_layer *layer;
        void *state;
    } at[NDK_SLOT_COUNT];
};

/*
 * Opens each of `layers`, a list that ends with NULL (or NULL: none). STATUS_SUCCESS: *out, which
 * is NULL if all of them stay out. Otherwise those already opened are closed, and `text` says why:
 * a layer's own status, or STATUS_INSUFFICIENT_RESOURCES.
 */
SN_MUST_CHECK NTSTATUS ndk_layers_open(const struct ndk_layer *const *layers,
    char *(*env)(const char *name), struct ndk_layers **out, char text[NDK_LAYER_TEXT]);
/* Each of these does nothing for NULL. */
void ndk_layers_wrap(const struct ndk_layers *l, struct ndk_object *o);
void ndk_layers_closing(const struct ndk_layers *l, NDK_ADAPTER *adapter, const char *function);
SN_MUST_CHECK bool ndk_layers_keep(const struct ndk_layers *l, struct ndk_object *o);
/* Frees `l` as well. */
void ndk_layers_closed(struct ndk_layers *l);

#endif
