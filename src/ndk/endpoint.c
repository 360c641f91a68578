/* SPDX-License-Identifier: MIT */
/* NDK_SHARED_ENDPOINT_DISPATCH. */
#include "base/assert.h"
#include "kenv/irql.h"
#include "ndk/addr.h"
#include "ndk/obj.h"

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkCloseSharedEndpoint(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* [NDKPI NDK_FN_GET_SHARED_ENDPOINT_LOCAL_ADDRESS] */
static NTSTATUS NdkGetLocalAddress(
    NDK_SHARED_ENDPOINT *pNdkSharedEndpoint, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct plat_addr local;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    rnic_endpoint_local(ndk_endpoint_to_rnic(pNdkSharedEndpoint), &local);
    return ndk_addr_write(&local, pAddress, pAddressLength);
}

static const NDK_SHARED_ENDPOINT_DISPATCH dispatch = {
    .NdkCloseSharedEndpoint = NdkCloseSharedEndpoint,
    .NdkQueryExtension = ndk_query_extension,
    .NdkGetLocalAddress = NdkGetLocalAddress,
};

NDK_SHARED_ENDPOINT *ndk_endpoint_publish(struct rnic_endpoint *e)
{
    ndk_obj_publish(rnic_endpoint_obj(e), NdkObjectTypeSharedEndpoint, &dispatch);
    SN_ASSERT((void *)rnic_endpoint_obj(e) == (void *)e);
    return (NDK_SHARED_ENDPOINT *)(void *)e;
}
