/* SPDX-License-Identifier: MIT */
#include "ndk/layer.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"

void ndk_layer_free_object(struct ndk_object *o)
{
    sn_free_aligned(o);
}

static NTSTATUS open_one(const struct ndk_layer *layer, char *(*env)(const char *name),
    struct ndk_layers *l, char text[NDK_LAYER_TEXT])
{
    void *state = NULL;
    NTSTATUS status = layer->open(env, &state, text);

    if (!NT_SUCCESS(status) || state == NULL)
        return status;
    SN_ASSERT(l->count < NDK_SLOT_COUNT);
    l->at[l->count].layer = layer;
    l->at[l->count].state = state;
    l->count++;
    return STATUS_SUCCESS;
}

NTSTATUS ndk_layers_open(const struct ndk_layer *const *layers, char *(*env)(const char *name),
    struct ndk_layers **out, char text[NDK_LAYER_TEXT])
{
    struct ndk_layers *l;
    NTSTATUS status = STATUS_SUCCESS;

    *out = NULL;
    if (layers == NULL || *layers == NULL)
        return STATUS_SUCCESS;
    l = sn_zalloc(sizeof *l);
    if (l == NULL) {
        snprintf(text, NDK_LAYER_TEXT, "no memory for the layers of an adapter");
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (; *layers != NULL && NT_SUCCESS(status); layers++)
        status = open_one(*layers, env, l, text);
    if (!NT_SUCCESS(status) || l->count == 0) {
        ndk_layers_closed(l);
        return status;
    }
    *out = l;
    return STATUS_SUCCESS;
}

void ndk_layers_wrap(const struct ndk_layers *l, struct ndk_object *o)
{
    if (l == NULL)
        return;
    for (unsigned i = l->count; i-- > 0;)
        l->at[i].layer->wrap(l->at[i].state, o);
}

void ndk_layers_closing(const struct ndk_layers *l, NDK_ADAPTER *adapter, const char *function)
{
    if (l == NULL)
        return;
    for (unsigned i = 0; i < l->count; i++) {
        if (l->at[i].layer->closing != NULL)
            l->at[i].layer->closing(l->at[i].state, adapter, function);
    }
}

bool ndk_layers_keep(const struct ndk_layers *l, struct ndk_object *o)
{
    if (l == NULL)
        return false;
    for (unsigned i = 0; i < l->count; i++) {
        if (l->at[i].layer->keep != NULL && l->at[i].layer->keep(l->at[i].state, o))
            return true;
    }
    return false;
}

void ndk_layers_closed(struct ndk_layers *l)
{
    if (l == NULL)
        return;
    for (unsigned i = l->count; i-- > 0;)
        l->at[i].layer->closed(l->at[i].state);
    sn_free(l);
}
