/* SPDX-License-Identifier: MIT */
/* Does not close the connector of a connect that failed. */
#include "ndkopen.h"

DRIVER_INITIALIZE DriverEntry;

static VOID CqCallback(PVOID Context, NTSTATUS Status)
{
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Status);
}

static NDK_CONNECTOR *CreateConnector(VOID)
{
    COMPLETION Completion;
    NDK_CONNECTOR *Connector = NULL;
    NTSTATUS Status;

    KeInitializeEvent(&Completion.Event, NotificationEvent, FALSE);
    Status = g_Adapter->Dispatch->NdkCreateConnector(
        g_Adapter, CreateCompletion, &Completion, &Connector);
    return (NDK_CONNECTOR *)Await(&Completion, Status, Connector);
}

static VOID TryToConnect(VOID)
{
    COMPLETION Completion;
    NDK_PD *Pd = CreatePd();
    NDK_CQ *Cq = NULL;
    NDK_QP *Qp = NULL;
    NDK_CONNECTOR *Connector = CreateConnector();
    SOCKADDR_IN Local = { 0 }, Remote = { 0 };
    NTSTATUS Status;

    KeInitializeEvent(&Completion.Event, NotificationEvent, FALSE);
    Status = g_Adapter->Dispatch->NdkCreateCq(
        g_Adapter, 16, CqCallback, NULL, NULL, CreateCompletion, &Completion, &Cq);
    Cq = (NDK_CQ *)Await(&Completion, Status, Cq);
    KeInitializeEvent(&Completion.Event, NotificationEvent, FALSE);
    Status = Pd->Dispatch->NdkCreateQp(
        Pd, Cq, Cq, NULL, 4, 4, 1, 1, 0, CreateCompletion, &Completion, &Qp);
    Qp = (NDK_QP *)Await(&Completion, Status, Qp);

    /* Port 1 of this host: nobody listens there. */
    Local.sin_family = Remote.sin_family = AF_INET;
    Local.sin_addr.s_addr = Remote.sin_addr.s_addr = 0x0100007f;
    Remote.sin_port = 0x0100;
    KeInitializeEvent(&Completion.Event, NotificationEvent, FALSE);
    Status = Connector->Dispatch->NdkConnect(
        Connector, Qp, (PSOCKADDR)&Local, sizeof(Local), (PSOCKADDR)&Remote, sizeof(Remote), 1, 1,
        NULL, 0, RequestCompletion, &Completion);
    if (Status == STATUS_PENDING) {
        KeWaitForSingleObject(&Completion.Event, Executive, KernelMode, FALSE, NULL);
        Status = Completion.Status;
    }
    DbgPrint("the connect ended with 0x%08lx\n", Status);

    CloseObject(&Qp->Header, Qp->Dispatch->NdkCloseQp);
    CloseObject(&Cq->Header, Cq->Dispatch->NdkCloseCq);
    CloseObject(&Pd->Header, Pd->Dispatch->NdkClosePd);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    CloseAdapter();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(RegistryPath);
    Status = OpenAdapter();
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    TryToConnect();
    DriverObject->DriverUnload = Unload;
    return STATUS_SUCCESS;
}
