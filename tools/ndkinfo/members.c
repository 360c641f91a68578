/* SPDX-License-Identifier: MIT */
#include "ndkinfo/info.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct member {
    const char *name;
    size_t offset, size;
};

#define MEMBER(type, name)                                                                         \
    {                                                                                              \
#name, offsetof(type, name), sizeof(((type *)NULL)->name)                                  \
    }
#define INFO(name)    MEMBER(NDK_ADAPTER_INFO, name)
#define COUNTER(name) MEMBER(SOFTNDK_STATISTICS, name)

/* Those that are plain numbers, in the order of the structure. */
static const struct member info_members[] = {INFO(VendorId), INFO(DeviceId),
    INFO(MaxRegistrationSize), INFO(MaxWindowSize), INFO(FRMRPageCount),
    INFO(MaxInitiatorRequestSge), INFO(MaxReceiveRequestSge), INFO(MaxReadRequestSge),
    INFO(MaxTransferLength), INFO(MaxInlineDataSize), INFO(MaxInboundReadLimit),
    INFO(MaxOutboundReadLimit), INFO(MaxReceiveQueueDepth), INFO(MaxInitiatorQueueDepth),
    INFO(MaxSrqDepth), INFO(MaxCqDepth), INFO(LargeRequestThreshold), INFO(MaxCallerData),
    INFO(MaxCalleeData)};

static const struct member counter_members[] = {COUNTER(Connect), COUNTER(Accept),
    COUNTER(ConnectFailure), COUNTER(ConnectionError), COUNTER(ActiveConnection), COUNTER(CQError),
    COUNTER(RDMAInOctets), COUNTER(RDMAOutOctets), COUNTER(RDMAInFrames), COUNTER(RDMAOutFrames),
    COUNTER(TxSystemCalls), COUNTER(RxSystemCalls), COUNTER(HomeWakeups), COUNTER(TerminatesSent),
    COUNTER(TerminatesReceived)};

static const struct {
    ULONG flag;
    const char *name;
} flags[] = {
    {NDK_ADAPTER_FLAG_IN_ORDER_DMA_SUPPORTED, "IN_ORDER_DMA_SUPPORTED"},
    {NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED, "RDMA_READ_SINK_NOT_REQUIRED"},
    {NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED, "CQ_INTERRUPT_MODERATION_SUPPORTED"},
    {NDK_ADAPTER_FLAG_MULTI_ENGINE_SUPPORTED, "MULTI_ENGINE_SUPPORTED"},
    {NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED, "RDMA_READ_LOCAL_INVALIDATE_SUPPORTED"},
    {NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED, "CQ_RESIZE_SUPPORTED"},
    {NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED, "LOOPBACK_CONNECTIONS_SUPPORTED"},
};

static uint64_t value_of(const struct member *m, const void *structure)
{
    uint64_t value64;
    uint32_t value32;

    if (m->size == sizeof value64) {
        memcpy(&value64, (const char *)structure + m->offset, sizeof value64);
        return value64;
    }
    memcpy(&value32, (const char *)structure + m->offset, sizeof value32);
    return value32;
}

static void print_members(const struct member *m, size_t count, const void *structure)
{
    for (size_t i = 0; i < count; i++)
        printf("  %-24s %" PRIu64 "\n", m[i].name, value_of(&m[i], structure));
}

static void add_members(json_t *object, const struct member *m, size_t count, const void *structure)
{
    for (size_t i = 0; i < count; i++)
        json_object_set_new(
            object, m[i].name, json_integer((json_int_t)value_of(&m[i], structure)));
}

static const char *technology_name(NDK_RDMA_TECHNOLOGY technology)
{
    switch (technology) {
    case NdkiWarp:
        return "iWARP";
    case NdkInfiniBand:
        return "InfiniBand";
    case NdkRoCE:
        return "RoCE";
    case NdkRoCEv2:
        return "RoCEv2";
    case NdkUndefined:
    case NdkMaxTechnology:
        break;
    }
    return "undefined";
}

void info_print(const NDK_ADAPTER_INFO *info)
{
    printf("  %-24s %u.%u\n", "Version", info->Version.Major, info->Version.Minor);
    print_members(info_members, sizeof info_members / sizeof info_members[0], info);
    printf("  %-24s 0x%08x\n", "AdapterFlags", (unsigned)info->AdapterFlags);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((info->AdapterFlags & flags[i].flag) != 0)
            printf("  %-24s   %s\n", "", flags[i].name);
    }
    printf("  %-24s %s\n", "RdmaTechnology", technology_name(info->RdmaTechnology));
}

json_t *info_json(const NDK_ADAPTER_INFO *info)
{
    json_t *names = json_array();
    json_t *object = json_pack("{s:{s:i,s:i}}", "Version", "Major", (int)info->Version.Major,
        "Minor", (int)info->Version.Minor);

    add_members(object, info_members, sizeof info_members / sizeof info_members[0], info);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((info->AdapterFlags & flags[i].flag) != 0)
            json_array_append_new(names, json_string(flags[i].name));
    }
    json_object_set_new(object, "AdapterFlags", json_integer(info->AdapterFlags));
    json_object_set_new(object, "AdapterFlagNames", names);
    json_object_set_new(
        object, "RdmaTechnology", json_string(technology_name(info->RdmaTechnology)));
    return object;
}

void counters_print(const SOFTNDK_STATISTICS *s)
{
    print_members(counter_members, sizeof counter_members / sizeof counter_members[0], s);
}

json_t *counters_json(const SOFTNDK_STATISTICS *s)
{
    json_t *object = json_object();

    add_members(object, counter_members, sizeof counter_members / sizeof counter_members[0], s);
    return object;
}
