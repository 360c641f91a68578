/* SPDX-License-Identifier: MIT */
/*++

Module Name:

    adapter.c

Abstract:

    The way to an NDK adapter: WSK registration, the NDK dispatch of its provider, open and close.

--*/
#include "rsock.h"
#include "adapter.tmh"

static const WSK_CLIENT_DISPATCH g_WskClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };

static WSK_REGISTRATION g_WskRegistration;
static WSK_PROVIDER_NPI g_WskProvider;
static WSK_PROVIDER_NDK_DISPATCH g_NdkProvider;

_Use_decl_annotations_
NTSTATUS
RSockRegister(
    VOID
    )
{
    WSK_CLIENT_NPI ClientNpi;
    NTSTATUS Status;
    static WSK_CLIENT_NPI KeptNpi;

    PAGED_CODE();

    ClientNpi.ClientContext = NULL;
    ClientNpi.Dispatch = &g_WskClientDispatch;
    KeptNpi = ClientNpi;
    Status = WskRegister(&KeptNpi, &g_WskRegistration);
    if (!NT_SUCCESS(Status)) {
        RSockFail("WskRegister", Status);
        return Status;
    }

    Status = WskCaptureProviderNPI(&g_WskRegistration, WSK_INFINITE_WAIT, &g_WskProvider);
    if (!NT_SUCCESS(Status)) {
        RSockFail("WskCaptureProviderNPI", Status);
        WskDeregister(&g_WskRegistration);
        return Status;
    }

    Status = g_WskProvider.Dispatch->WskControlClient(
        g_WskProvider.Client, WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH, 0, NULL, sizeof(g_NdkProvider),
        &g_NdkProvider, NULL, NULL);
    if (!NT_SUCCESS(Status)) {
        RSockFail("WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH", Status);
        RSockDeregister();
    }
    return Status;
}

_Use_decl_annotations_
VOID
RSockDeregister(
    VOID
    )
{
    PAGED_CODE();
    WskReleaseProviderNPI(&g_WskRegistration);
    WskDeregister(&g_WskRegistration);
}

_Use_decl_annotations_
NTSTATUS
RSockOpenAdapter(
    NET_IFINDEX IfIndex,
    PRSOCK_ADAPTER Adapter
    )
{
    NDK_VERSION Version = { 1, 2 };
    ULONG Length;
    NTSTATUS Status;

    PAGED_CODE();

    RtlZeroMemory(Adapter, sizeof(*Adapter));
    Status = g_NdkProvider.WskOpenNdkAdapter(
        g_WskProvider.Client, Version, IfIndex, &Adapter->NdkAdapter);
    if (!NT_SUCCESS(Status)) {
        RSockFail("WskOpenNdkAdapter", Status);
        return Status;
    }

    Length = sizeof(Adapter->Info);
    Status = Adapter->NdkAdapter->Dispatch->NdkQueryAdapterInfo(
        Adapter->NdkAdapter, &Adapter->Info, &Length);
    if (NT_SUCCESS(Status) &&
        (Adapter->Info.AdapterFlags & NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED) == 0) {
        Status = STATUS_NOT_SUPPORTED;
    }
    if (!NT_SUCCESS(Status)) {
        RSockFail("NdkQueryAdapterInfo", Status);
        RSockCloseAdapter(Adapter);
    }
    return Status;
}

_Use_decl_annotations_
VOID
RSockCloseAdapter(
    PRSOCK_ADAPTER Adapter
    )
{
    PAGED_CODE();
    if (Adapter->NdkAdapter != NULL) {
        g_NdkProvider.WskCloseNdkAdapter(g_WskProvider.Client, Adapter->NdkAdapter);
        Adapter->NdkAdapter = NULL;
    }
}
