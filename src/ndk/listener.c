/* SPDX-License-Identifier: MIT */
/* NDK_LISTENER_DISPATCH. */
#include "base/assert.h"
#include "kenv/irql.h"
#include "ndk/addr.h"
#include "ndk/done.h"
#include "ndk/obj.h"
#include "ndk/status_map.h"

/* [NDKPI NDK_FN_CLOSE_OBJECT] */
static NTSTATUS NdkCloseListener(
    NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion, PVOID RequestContext)
{
    return ndk_obj_close(pNdkObject, CloseCompletion, RequestContext, __func__);
}

/* [NDKPI NDK_FN_LISTEN] */
static NTSTATUS NdkListen(NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG AddressLength,
    NDK_FN_REQUEST_COMPLETION RequestCompletion, PVOID RequestContext)
{
    struct plat_addr addr;
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (RequestCompletion == NULL)
        return STATUS_INVALID_PARAMETER;
    status = ndk_addr_read(pAddress, AddressLength, &addr);
    if (!NT_SUCCESS(status))
        return status;
    return ndk_status(rnic_listener_listen(ndk_listener_to_rnic(pNdkListener), &addr,
        ndk_request_done(RequestCompletion, RequestContext)));
}

/* [NDKPI NDK_FN_GET_LISTENER_LOCAL_ADDRESS] */
static NTSTATUS NdkGetLocalAddress(
    NDK_LISTENER *pNdkListener, PSOCKADDR pAddress, ULONG *pAddressLength)
{
    struct plat_addr local;
    enum sn_status s;

    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    s = rnic_listener_local(ndk_listener_to_rnic(pNdkListener), &local);
    if (s != SN_OK)
        return ndk_status(s);
    return ndk_addr_write(&local, pAddress, pAddressLength);
}

/* [NDKPI NDK_FN_CONTROL_CONNECT_EVENTS] */
static VOID NdkControlConnectEvents(NDK_LISTENER *pNdkListener, BOOLEAN Pause)
{
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    rnic_listener_pause(ndk_listener_to_rnic(pNdkListener), Pause != FALSE);
}

static const NDK_LISTENER_DISPATCH dispatch = {
    .NdkCloseListener = NdkCloseListener,
    .NdkQueryExtension = ndk_query_extension,
    .NdkListen = NdkListen,
    .NdkGetLocalAddress = NdkGetLocalAddress,
    .NdkControlConnectEvents = NdkControlConnectEvents,
};

NDK_LISTENER *ndk_listener_publish(struct rnic_listener *l)
{
    ndk_obj_publish(rnic_listener_obj(l), NdkObjectTypeListener, &dispatch);
    SN_ASSERT((void *)rnic_listener_obj(l) == (void *)l);
    return (NDK_LISTENER *)(void *)l;
}
