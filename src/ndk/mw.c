/* SPDX-License-Identifier: MIT */
/* NDK_MW_DISPATCH. */
#include "kenv/irql.h"
#include "ndk/obj.h"

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkCloseMw(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* [NDKPI NDK_FN_GET_REMOTE_TOKEN_FROM_MW] */
static UINT32 NdkGetRemoteTokenFromMw(NDK_MW *pNdkMw)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    return rnic_mw_stag(ndk_mw_to_rnic(pNdkMw));
}

static const NDK_MW_DISPATCH dispatch = {
    .NdkCloseMw = NdkCloseMw,
    .NdkQueryExtension = ndk_query_extension,
    .NdkGetRemoteTokenFromMw = NdkGetRemoteTokenFromMw,
};

NDK_MW *ndk_mw_publish(struct rnic_mw *mw)
{
    ndk_obj_publish(&mw->obj, NdkObjectTypeMw, &dispatch);
    return (NDK_MW *)(void *)mw;
}
