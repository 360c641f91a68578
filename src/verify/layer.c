/* SPDX-License-Identifier: MIT */
#include "verify/layer.h"

#include <softndk.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "verify/kinds.h"

/* Adapters with a verifier; guarded by lock. For the list of live objects. */
static struct {
    struct sn_lock lock;
    struct verify_adapter *at[64];
    uint32_t count;
} adapters = {.lock = {.rank = SN_RANK_ADAPTER}};

static struct verify_adapter *adapter_new(const struct verify_settings *settings)
{
    struct verify_adapter *a =
        verify_obj_new(NULL, NdkObjectTypeAdapter, sizeof *a, &verify_adapter_table);

    if (a == NULL)
        return NULL;
    a->o.adapter = a;
    a->settings = *settings;
    if (settings->log != NULL)
        a->settings.log = memcpy(a->log, settings->log, strnlen(settings->log, sizeof a->log - 1));
    sn_lock_init(&a->lock, SN_RANK_LEAF);
    sn_list_init(&a->objects);
    sn_list_init(&a->lams);
    for (size_t i = 0; i < SN_ARRAY_COUNT(a->tokens); i++)
        sn_list_init(&a->tokens[i]);
    return a;
}

static NTSTATUS layer_open(char *(*env)(const char *name), void **state, char text[NDK_LAYER_TEXT])
{
    struct verify_settings settings;
    NTSTATUS status = verify_settings_read(env, &settings, text);

    *state = NULL;
    if (!NT_SUCCESS(status) || settings.mode == VERIFY_OFF)
        return status;
    if (!verify_log_begin(settings.log)) {
        snprintf(text, NDK_LAYER_TEXT,
            "the environment variable SOFTNDK_VERIFY_LOG is \"%.100s\"; the file cannot be written",
            settings.log);
        return STATUS_INVALID_PARAMETER;
    }
    *state = adapter_new(&settings);
    if (*state != NULL)
        return STATUS_SUCCESS;
    verify_log_end();
    snprintf(text, NDK_LAYER_TEXT, "no memory for the verifier");
    return STATUS_INSUFFICIENT_RESOURCES;
}

/* The adapter only: what is created beneath it comes through its entries. */
static void layer_wrap(void *state, struct ndk_object *o)
{
    struct verify_adapter *a = state;
    ULONG size = sizeof a->info;

    if (o->Header.ObjectType != NdkObjectTypeAdapter)
        return;
    verify_obj_attach(&a->o, o);
    (void)((const NDK_ADAPTER_DISPATCH *)a->o.lower)
        ->NdkQueryAdapterInfo((NDK_ADAPTER *)(void *)o, &a->info, &size);
    sn_lock_take(&adapters.lock);
    if (adapters.count < SN_ARRAY_COUNT(adapters.at))
        adapters.at[adapters.count++] = a;
    sn_lock_drop(&adapters.lock);
}

/* ---- the end of an adapter ---- */

/* An object that was not closed, with a reference; the `skip`th. NULL: no more. */
static struct verify_obj *left_over(struct verify_adapter *a, unsigned skip)
{
    struct verify_obj *found = NULL;

    sn_lock_take(&a->lock);
    for (struct sn_list *n = a->objects.next; n != &a->objects && found == NULL; n = n->next) {
        struct verify_obj *o = SN_CONTAINER_OF(n, struct verify_obj, link);

        if (verify_state_of(o) == VERIFY_OPEN && skip-- == 0)
            found = o;
    }
    if (found != NULL)
        verify_obj_get(found);
    sn_lock_drop(&a->lock);
    return found;
}

/* Others may be about to close them: waits a while for the last one. */
static bool are_left_over(struct verify_adapter *a)
{
    enum { STEP_MS = 10 };
    struct timespec step = {.tv_nsec = STEP_MS * 1000000};

    for (ULONG waited = 0;; waited += STEP_MS) {
        struct verify_obj *o = left_over(a, 0);

        if (o == NULL)
            return false;
        verify_obj_put(o);
        if (waited >= a->settings.linger_ms)
            return true;
        nanosleep(&step, NULL);
    }
}

static void report_left_over(struct verify_adapter *a, const char *function)
{
    struct verify_obj *o;

    for (unsigned i = 0; (o = left_over(a, i)) != NULL; i++) {
        verify_report(o->is_from_event ? VERIFY_L9 : VERIFY_L5, &a->o, o, function,
            "the %s was not closed", verify_type_name(o->type));
        verify_obj_put(o);
    }
}

static void layer_closing(void *state, NDK_ADAPTER *adapter, const char *function)
{
    struct verify_adapter *a = state;
    unsigned lams;

    (void)adapter;
    if (verify_callback_now() != NULL) {
        verify_report(VERIFY_L4, &a->o, verify_callback_now()->o, function, "the thread is in %s",
            verify_callback_now()->name);
        return;
    }
    if (are_left_over(a))
        report_left_over(a, function);
    lams = verify_lams_drop(a);
    if (lams != 0)
        verify_report(VERIFY_P11, &a->o, NULL, function, "%u LAMs were not released", lams);
}

static void layer_closed(void *state)
{
    struct verify_adapter *a = state;

    sn_lock_take(&adapters.lock);
    for (uint32_t i = 0; i < adapters.count; i++) {
        if (adapters.at[i] == a)
            adapters.at[i--] = adapters.at[--adapters.count];
    }
    sn_lock_drop(&adapters.lock);
    (void)verify_lams_drop(a);
    sn_a32_store_release(&a->o.state, VERIFY_GONE);
    a->o.pub = NULL;
    verify_log_end();
    verify_obj_put(&a->o);
}

static bool layer_keep(void *state, struct ndk_object *o)
{
    (void)state;
    return verify_obj_keep(o);
}

const struct ndk_layer verify_layer = {
    .name = "verify",
    .open = layer_open,
    .wrap = layer_wrap,
    .closing = layer_closing,
    .closed = layer_closed,
    .keep = layer_keep,
};

/* ---- softndk.h ---- */

ULONG SoftNdkVerifyCount(const char *Rule)
{
    enum verify_rule rule = Rule != NULL ? verify_rule_of(Rule) : VERIFY_RULE_COUNT;

    if (Rule != NULL && rule == VERIFY_RULE_COUNT)
        return 0;
    return verify_count(rule);
}

/* The `index`th adapter with a reference; NULL: no more. */
static struct verify_adapter *adapter_at(uint32_t index)
{
    struct verify_adapter *a = NULL;

    sn_lock_take(&adapters.lock);
    if (index < adapters.count) {
        a = adapters.at[index];
        verify_obj_get(&a->o);
    }
    sn_lock_drop(&adapters.lock);
    return a;
}

static void list_one(struct verify_obj *o, SOFTNDK_VERIFY_LINE line, PVOID context)
{
    static const char new_line[] = "\n";
    char text[4096], *at = text;

    verify_object_text(o, text, sizeof text);
    while (*at != '\0') {
        size_t n = strcspn(at, new_line);
        bool is_last = at[n] == '\0';

        at[n] = '\0';
        line(context, at);
        at += is_last ? n : n + 1;
    }
}

ULONG SoftNdkVerifyListObjects(SOFTNDK_VERIFY_LINE Line, PVOID Context)
{
    struct verify_adapter *a;
    struct verify_obj *o;
    ULONG count = 0;

    for (uint32_t i = 0; (a = adapter_at(i)) != NULL; i++) {
        for (unsigned k = 0; (o = left_over(a, k)) != NULL; k++, count++) {
            list_one(o, Line, Context);
            verify_obj_put(o);
        }
        list_one(&a->o, Line, Context);
        count++;
        verify_obj_put(&a->o);
    }
    return count;
}
