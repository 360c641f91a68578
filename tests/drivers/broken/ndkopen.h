/* SPDX-License-Identifier: MIT */
/* What the small drivers of this folder share: WSK, an adapter, a protection domain. */
#pragma once

#include <ntddk.h>
#include <wsk.h>
#include <ndkpi.h>
#include <wskndk.h>

static const WSK_CLIENT_DISPATCH g_Dispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
static WSK_CLIENT_NPI g_ClientNpi = { NULL, &g_Dispatch };
static WSK_REGISTRATION g_Registration;
static WSK_PROVIDER_NPI g_Provider;
static WSK_PROVIDER_NDK_DISPATCH g_Ndk;
static NDK_ADAPTER *g_Adapter;

static NTSTATUS OpenAdapter(VOID)
{
    NDK_VERSION Version = { 1, 2 };
    NTSTATUS Status;

    Status = WskRegister(&g_ClientNpi, &g_Registration);
    if (NT_SUCCESS(Status)) {
        Status = WskCaptureProviderNPI(&g_Registration, WSK_INFINITE_WAIT, &g_Provider);
    }
    if (NT_SUCCESS(Status)) {
        Status = g_Provider.Dispatch->WskControlClient(
            g_Provider.Client, WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH, 0, NULL, sizeof(g_Ndk),
            &g_Ndk, NULL, NULL);
    }
    if (NT_SUCCESS(Status)) {
        Status = g_Ndk.WskOpenNdkAdapter(g_Provider.Client, Version, 0, &g_Adapter);
    }
    return Status;
}

static VOID CloseAdapter(VOID)
{
    g_Ndk.WskCloseNdkAdapter(g_Provider.Client, g_Adapter);
    WskReleaseProviderNPI(&g_Registration);
    WskDeregister(&g_Registration);
}

typedef struct _COMPLETION {
    KEVENT Event;
    NTSTATUS Status;
    NDK_OBJECT_HEADER *Object;
} COMPLETION, *PCOMPLETION;

static VOID CreateCompletion(PVOID Context, NTSTATUS Status, NDK_OBJECT_HEADER *Object)
{
    PCOMPLETION Completion = (PCOMPLETION)Context;

    Completion->Status = Status;
    Completion->Object = Object;
    KeSetEvent(&Completion->Event, IO_NO_INCREMENT, FALSE);
}

static VOID RequestCompletion(PVOID Context, NTSTATUS Status)
{
    CreateCompletion(Context, Status, NULL);
}

static VOID CloseCompletion(PVOID Context)
{
    KeSetEvent((PRKEVENT)Context, IO_NO_INCREMENT, FALSE);
}

static NDK_OBJECT_HEADER *Await(PCOMPLETION Completion, NTSTATUS Status, PVOID Object)
{
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Completion->Event, Executive, KernelMode, FALSE, NULL);
        return Completion->Object;
    }
    return NT_SUCCESS(Status) ? (NDK_OBJECT_HEADER *)Object : NULL;
}

static VOID CloseObject(NDK_OBJECT_HEADER *Object, NDK_FN_CLOSE_OBJECT Close)
{
    KEVENT Closed;

    KeInitializeEvent(&Closed, NotificationEvent, FALSE);
    if (Close(Object, CloseCompletion, &Closed) == STATUS_PENDING) {
        KeWaitForSingleObject(&Closed, Executive, KernelMode, FALSE, NULL);
    }
}

static NDK_PD *CreatePd(VOID)
{
    COMPLETION Completion;
    NDK_PD *Pd = NULL;
    NTSTATUS Status;

    KeInitializeEvent(&Completion.Event, NotificationEvent, FALSE);
    Status = g_Adapter->Dispatch->NdkCreatePd(g_Adapter, CreateCompletion, &Completion, &Pd);
    return (NDK_PD *)Await(&Completion, Status, Pd);
}
