/* SPDX-License-Identifier: MIT */
/*
 * SoftNdkOpenAdapter and SoftNdkCloseAdapter: where the Linux platform, the RNIC, the boundary and
 * the layers above it are put together.
 */
#include <softndk.h>

#include <stdio.h>
#include <stdlib.h>

#include "calltrace/calltrace.h"
#include "chaos/chaos.h"
#include "kenv/irql.h"
#include "ndk/adapter.h"
#include "ndk/info.h"
#include "ndk/layer.h"
#include "ndk/map.h"
#include "ndk/obj.h"
#include "ndk/options.h"
#include "plat/linux/linux.h"
#include "trace/tap.h"
#include "verify/layer.h"

/* What may stand between consumer and provider, the consumer's side first. */
static const struct ndk_layer *const known_layers[] = {
    &calltrace_layer, &verify_layer, &chaos_layer, NULL};

/* getenv, with no other thread changing the environment meanwhile: the consumer's duty. */
static char *environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

static NTSTATUS check_interface(NET_IFINDEX index)
{
    NET_LUID luid;

    if (index == NET_IFINDEX_UNSPECIFIED)
        return STATUS_SUCCESS;
    return ConvertInterfaceIndexToLuid(index, &luid);
}

/* SOFTNDK_PCAP=FILE: what passes the sockets goes to a capture file as well. */
static NTSTATUS begin_capture(struct plat *plat)
{
    const char *path = environment("SOFTNDK_PCAP");
    char why[NDK_OPTIONS_TEXT];
    enum sn_status status;

    if (path == NULL || *path == '\0')
        return STATUS_SUCCESS;
    status = trace_tap_begin(plat, path, why, sizeof(why));
    if (status == SN_OK)
        return STATUS_SUCCESS;
    fprintf(
        stderr, "softndk: the environment variable SOFTNDK_PCAP is \"%.100s\": %s\n", path, why);
    return status == SN_NO_MEMORY ? STATUS_INSUFFICIENT_RESOURCES : STATUS_INVALID_PARAMETER;
}

static NTSTATUS open_layered(
    struct plat *plat, const struct rnic_options *options, NDK_ADAPTER **ppAdapter)
{
    struct ndk_layers *layers;
    char text[NDK_LAYER_TEXT];
    NTSTATUS status = ndk_layers_open(known_layers, environment, &layers, text);

    if (!NT_SUCCESS(status)) {
        fprintf(stderr, "softndk: %s\n", text);
        return status;
    }
    status = ndk_adapter_open_layered(plat, options, layers, ppAdapter);
    if (!NT_SUCCESS(status))
        ndk_layers_closed(layers);
    return status;
}

static NTSTATUS open_on_linux(
    const SOFTNDK_OPTIONS *settings, NET_IFINDEX index, NDK_ADAPTER **ppAdapter)
{
    struct plat_linux_options plat_options = {.spin_us = settings->SpinUs};
    struct rnic_options options;
    struct plat *plat = plat_linux_create(&plat_options);
    NDK_ADAPTER *adapter;
    NTSTATUS status;

    if (plat == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    ndk_options_to_rnic(settings, index, &options);
    status = begin_capture(plat);
    if (NT_SUCCESS(status))
        status = open_layered(plat, &options, &adapter);
    if (!NT_SUCCESS(status)) {
        trace_tap_end(plat);
        plat_linux_destroy(plat);
        return status;
    }
    ((struct ndk_adapter *)(void *)adapter)->owned_plat = plat;
    *ppAdapter = adapter;
    return STATUS_SUCCESS;
}

NTSTATUS SoftNdkOpenAdapter(NET_IFINDEX IfIndex, NDK_VERSION Version,
    const SOFTNDK_OPTIONS *Options, NDK_ADAPTER **ppAdapter)
{
    SOFTNDK_OPTIONS settings;
    char text[NDK_OPTIONS_TEXT];
    NTSTATUS status;

    _Static_assert(sizeof text >= NDK_MAP_TEXT, "one room for both");
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (ppAdapter == NULL)
        return STATUS_INVALID_PARAMETER;
    if (!ndk_version_is_accepted(Version))
        return NDIS_STATUS_BAD_VERSION;
    status = ndk_options_resolve(Options, environment, &settings, text);
    if (!NT_SUCCESS(status)) {
        fprintf(stderr, "softndk: %s\n", text);
        return status;
    }
    status = ndk_map_begin(environment, text);
    if (!NT_SUCCESS(status)) {
        fprintf(stderr, "softndk: the environment variable SOFTNDK_MAP: %s\n", text);
        return status;
    }
    IfIndex = ndk_map_index(IfIndex);
    status = check_interface(IfIndex);
    if (!NT_SUCCESS(status))
        return status;
    return open_on_linux(&settings, IfIndex, ppAdapter);
}

VOID SoftNdkCloseAdapter(NDK_ADAPTER *pAdapter)
{
    struct plat *plat;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (pAdapter == NULL)
        return;
    plat = ((struct ndk_adapter *)(void *)pAdapter)->owned_plat;
    ndk_adapter_close(pAdapter, __func__);
    if (plat == NULL)
        return;
    trace_tap_end(plat);
    plat_linux_destroy(plat);
}
