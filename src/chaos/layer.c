/* SPDX-License-Identifier: MIT */
/* The layer as src/ndk sees it: it is opened with the adapter, and closed after it. */
#include <softndk_driver.h>
#include <stdio.h>

#include "base/alloc.h"
#include "chaos/chaos.h"
#include "chaos/impl.h"

_Static_assert((int)CHAOS_TEXT <= (int)NDK_LAYER_TEXT, "a parser's sentence is the layer's");

/* The rules for allocations. The first to begin makes them; then they only count. */
static struct sn_a32 is_pool_begun;
static struct chaos_faults pool_faults;

static BOOLEAN fails_now(PVOID context, SOFTNDK_DRV_KIND kind, ULONG tag, SIZE_T octets)
{
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(kind);
    UNREFERENCED_PARAMETER(tag);
    UNREFERENCED_PARAMETER(octets);
    return chaos_faults_event(&pool_faults, CHAOS_TARGET_ALLOC, 0, 0);
}

static NTSTATUS refuse(const char *variable, const char *why, char text[NDK_LAYER_TEXT])
{
    snprintf(text, NDK_LAYER_TEXT, "%s: %.236s", variable, why);
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS read_rules(
    char *(*env)(const char *name), struct chaos_rules *rules, char text[NDK_LAYER_TEXT])
{
    char why[CHAOS_TEXT];

    if (!chaos_rules_parse(env("SOFTNDK_FAULTS"), rules, why))
        return refuse("SOFTNDK_FAULTS", why, text);
    return STATUS_SUCCESS;
}

static void begin_pool(const struct chaos_rules *rules)
{
    if (!chaos_rules_have(rules, CHAOS_TARGET_ALLOC))
        return;
    if (sn_a32_exchange(&is_pool_begun, 1) != 0)
        return;
    chaos_faults_init(&pool_faults, rules);
    SoftNdkDrvSetFault(fails_now, NULL);
}

NTSTATUS chaos_pool_begin(char *(*env)(const char *name), char text[NDK_LAYER_TEXT])
{
    struct chaos_rules rules;
    NTSTATUS status = read_rules(env, &rules, text);

    if (NT_SUCCESS(status))
        begin_pool(&rules);
    return status;
}

void chaos_pool_end(void)
{
    SoftNdkDrvSetFault(NULL, NULL);
    sn_a32_store_release(&is_pool_begun, 0);
}

static bool is_wanted(enum chaos_schedule schedule, const struct chaos_rules *rules)
{
    return schedule != CHAOS_SCHEDULE_LENIENT || chaos_rules_have(rules, CHAOS_TARGET_CALL) ||
           chaos_rules_have(rules, CHAOS_TARGET_DISCONNECT) ||
           chaos_rules_have(rules, CHAOS_TARGET_CQ_OVERRUN);
}

static NTSTATUS open(char *(*env)(const char *name), void **state, char text[NDK_LAYER_TEXT])
{
    enum chaos_schedule schedule;
    struct chaos_rules rules;
    struct chaos_state *s;
    char why[CHAOS_TEXT];
    uint64_t seed;
    NTSTATUS status;

    *state = NULL;
    if (!chaos_schedule_parse(env("SOFTNDK_SCHEDULE"), &schedule, &seed, why))
        return refuse("SOFTNDK_SCHEDULE", why, text);
    status = read_rules(env, &rules, text);
    if (!NT_SUCCESS(status))
        return status;
    begin_pool(&rules);
    if (!is_wanted(schedule, &rules))
        return STATUS_SUCCESS;
    s = sn_zalloc(sizeof *s);
    if (s == NULL) {
        snprintf(text, NDK_LAYER_TEXT, "no memory for SOFTNDK_SCHEDULE and SOFTNDK_FAULTS");
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    s->schedule = schedule;
    s->seed = seed;
    chaos_faults_init(&s->faults, &rules);
    sn_lock_init(&s->lock, SN_RANK_LEAF);
    *state = s;
    return STATUS_SUCCESS;
}

/* Every operation held an object, so none is left. */
static void closed(void *state)
{
    struct chaos_state *s = state;
    struct chaos_obj *adapter = s->adapter_obj;
    struct chaos_routine *orphan = sn_aptr_load_acquire(&s->orphans);

    if (s->lane != NULL)
        plat_lane_destroy(s->lane);
    if (adapter != NULL)
        chaos_free_obj(adapter);
    while (orphan != NULL) {
        struct chaos_routine *next = orphan->next;

        sn_free(orphan);
        orphan = next;
    }
    sn_free(s);
}

const struct ndk_layer chaos_layer = {
    .name = "chaos",
    .open = open,
    .wrap = chaos_wrap,
    .closed = closed,
};
