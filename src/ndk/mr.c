/* SPDX-License-Identifier: MIT */
/* NDK_MR_DISPATCH. Everything finishes inline. */
#include "kenv/irql.h"
#include "ndk/info.h"
#include "ndk/mdl.h"
#include "ndk/obj.h"
#include "ndk/status_map.h"

enum {
    REMOTE_WRITE_ALONE = NDK_MR_FLAG_ALLOW_REMOTE_WRITE & ~NDK_MR_FLAG_ALLOW_LOCAL_WRITE,
    FLAGS_KNOWN = NDK_MR_FLAG_ALLOW_LOCAL_WRITE | NDK_MR_FLAG_ALLOW_REMOTE_READ |
                  NDK_MR_FLAG_ALLOW_REMOTE_WRITE | NDK_MR_FLAG_RDMA_READ_SINK,
};

/* False: an unknown flag, or remote write without the local write that belongs to it. */
static bool rights_of(ULONG flags, uint32_t *rights)
{
    if ((flags & ~(ULONG)FLAGS_KNOWN) != 0)
        return false;
    if ((flags & NDK_MR_FLAG_ALLOW_REMOTE_WRITE) == REMOTE_WRITE_ALONE)
        return false;
    *rights = MEM_LOCAL_READ;
    if ((flags & NDK_MR_FLAG_ALLOW_LOCAL_WRITE) != 0)
        *rights |= MEM_LOCAL_WRITE;
    if ((flags & NDK_MR_FLAG_ALLOW_REMOTE_READ) != 0)
        *rights |= MEM_REMOTE_READ;
    if ((flags & NDK_MR_FLAG_ALLOW_REMOTE_WRITE) == NDK_MR_FLAG_ALLOW_REMOTE_WRITE)
        *rights |= MEM_REMOTE_WRITE;
    if ((flags & NDK_MR_FLAG_RDMA_READ_SINK) != 0)
        *rights |= MEM_READ_SINK;
    return true;
}

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkCloseMr(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* [NDKPI NDK_FN_REGISTER_MR] The region's addresses are those of the MDL, which here are the
 * addresses of the memory itself. */
static NTSTATUS NdkRegisterMr(NDK_MR *pNdkMr, MDL *Mdl, SIZE_T Length, ULONG Flags,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    uint8_t *host;
    uint32_t rights;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (RequestCompletion == NULL || Length > NDK_REGION_MAX || !rights_of(Flags, &rights))
        return STATUS_INVALID_PARAMETER;
    if (ndk_mdl_range(Mdl, Length, &host) != SN_OK)
        return STATUS_INVALID_PARAMETER;
    return ndk_status(
        rnic_mr_register(ndk_mr_to_rnic(pNdkMr), host, (uintptr_t)host, Length, rights));
}

/* [NDKPI NDK_FN_DEREGISTER_MR] */
static NTSTATUS NdkDeregisterMr(
    NDK_MR *pNdkMr, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (RequestCompletion == NULL)
        return STATUS_INVALID_PARAMETER;
    return ndk_status(rnic_mr_deregister(ndk_mr_to_rnic(pNdkMr)));
}

/* [NDKPI NDK_FN_INITIALIZE_FAST_REGISTER_MR] */
static NTSTATUS NdkInitializeFastRegisterMr(NDK_MR *pNdkMr, ULONG AdapterPageCount,
    BOOLEAN RemoteAccess, NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(RequestContext);
    if (RequestCompletion == NULL || AdapterPageCount == 0)
        return STATUS_INVALID_PARAMETER;
    return ndk_status_of(NDK_CALL_FAST_INIT,
        rnic_mr_fast_init(ndk_mr_to_rnic(pNdkMr), AdapterPageCount, RemoteAccess != FALSE));
}

/* [NDKPI NDK_FN_GET_REMOTE_TOKEN_FROM_MR] One STag serves both sides. */
static UINT32 NdkGetRemoteTokenFromMr(NDK_MR *pNdkMr)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    return rnic_mr_stag(ndk_mr_to_rnic(pNdkMr));
}

/* [NDKPI NDK_FN_GET_LOCAL_TOKEN_FROM_MR] */
static UINT32 NdkGetLocalTokenFromMr(NDK_MR *pNdkMr)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    return rnic_mr_stag(ndk_mr_to_rnic(pNdkMr));
}

static const NDK_MR_DISPATCH dispatch = {
    .NdkCloseMr = NdkCloseMr,
    .NdkQueryExtension = ndk_query_extension,
    .NdkRegisterMr = NdkRegisterMr,
    .NdkDeregisterMr = NdkDeregisterMr,
    .NdkInitializeFastRegisterMr = NdkInitializeFastRegisterMr,
    .NdkGetRemoteTokenFromMr = NdkGetRemoteTokenFromMr,
    .NdkGetLocalTokenFromMr = NdkGetLocalTokenFromMr,
};

NDK_MR *ndk_mr_publish(struct rnic_mr *mr)
{
    ndk_obj_publish(&mr->obj, NdkObjectTypeMr, &dispatch);
    return (NDK_MR *)(void *)mr;
}
