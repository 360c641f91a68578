/* SPDX-License-Identifier: MIT */
#include "ndk/info.h"

#include <ndkpi.h>
#include <string.h>

#include "iwarp/mpa_start.h"
#include "ndk/obj.h"

/* The structure ended here before 2.0. */
enum { INFO_OCTETS_1_2 = offsetof(NDK_ADAPTER_INFO, RdmaTechnology) };
_Static_assert(INFO_OCTETS_1_2 == 96, "[NDKPI NDK_ADAPTER_INFO]");
_Static_assert(sizeof(NDK_ADAPTER_INFO) == 104, "[NDKPI NDK_ADAPTER_INFO]");

/* Highest minor of each major. A consumer names the lowest that it can use; it is given 2.1, of
 * which the others are subsets. Shipped consumers ask for 1.0. */
static const NDK_VERSION highest[] = {{1, 2}, {NDK_MAJOR, NDK_MINOR}};

bool ndk_version_is_accepted(NDK_VERSION version)
{
    for (size_t i = 0; i < SN_ARRAY_COUNT(highest); i++) {
        if (highest[i].Major == version.Major)
            return version.Minor <= highest[i].Minor;
    }
    return false;
}

/* IN_ORDER_DMA is not there: a copy may write the octets of an FPDU in any order, so only a
 * completion says that data is in place. */
static ULONG flags_of(const struct rnic_adapter *a)
{
    ULONG flags = NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED |
                  NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED;

    if (!a->options.require_read_sink)
        flags |= NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED |
                 NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED |
                 NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED;
    if (a->lanes_count > 1)
        flags |= NDK_ADAPTER_FLAG_MULTI_ENGINE_SUPPORTED;
    return flags;
}

void ndk_info_fill(const struct rnic_adapter *a, NDK_ADAPTER_INFO *out)
{
    const struct rnic_options *o = &a->options;
    ULONG private_max = iw_mpa_private_max(&o->mpa);

    *out = (NDK_ADAPTER_INFO){
        .Version = {.Major = NDK_MAJOR, .Minor = NDK_MINOR},
        .VendorId = NDK_VENDOR_ID,
        .DeviceId = NDK_DEVICE_ID,
        .MaxRegistrationSize = NDK_REGION_MAX,
        .MaxWindowSize = NDK_REGION_MAX,
        .FRMRPageCount = RNIC_FRMR_PAGES,
        .MaxInitiatorRequestSge = RNIC_SGE_MAX,
        .MaxReceiveRequestSge = RNIC_SGE_MAX,
        .MaxReadRequestSge = ndk_read_sge_max(o),
        .MaxTransferLength = RNIC_TRANSFER_MAX,
        .MaxInlineDataSize = ndk_inline_max(o),
        .MaxInboundReadLimit = o->mpa.ird_max,
        .MaxOutboundReadLimit = o->mpa.ord_max,
        .MaxReceiveQueueDepth = RNIC_QUEUE_DEPTH_MAX,
        .MaxInitiatorQueueDepth = RNIC_QUEUE_DEPTH_MAX,
        .MaxSrqDepth = ndk_srq_depth_max(o),
        .MaxCqDepth = RNIC_CQ_DEPTH_MAX,
        .LargeRequestThreshold = NDK_LARGE_REQUEST,
        .MaxCallerData = private_max,
        .MaxCalleeData = private_max,
        .AdapterFlags = flags_of(a),
        .RdmaTechnology = NdkiWarp,
    };
}

NTSTATUS ndk_info_write(const struct rnic_adapter *a, NDK_ADAPTER_INFO *info, ULONG *size)
{
    NDK_ADAPTER_INFO whole;

    if (size == NULL)
        return STATUS_INVALID_PARAMETER;
    if (info == NULL || *size < INFO_OCTETS_1_2) {
        *size = sizeof whole;
        return STATUS_BUFFER_TOO_SMALL;
    }
    ndk_info_fill(a, &whole);
    if (*size > sizeof whole)
        *size = sizeof whole;
    memcpy(info, &whole, *size);
    return STATUS_SUCCESS;
}
