/* SPDX-License-Identifier: MIT */
/* Asks for the NDK entry points with the size of a pointer to them. */
#include "ndkopen.h"

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PWSK_PROVIDER_NDK_DISPATCH Dispatch = &g_Ndk;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    (VOID)WskRegister(&g_ClientNpi, &g_Registration);
    (VOID)WskCaptureProviderNPI(&g_Registration, WSK_INFINITE_WAIT, &g_Provider);
    Status = g_Provider.Dispatch->WskControlClient(
        g_Provider.Client, WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH, 0, NULL, sizeof(Dispatch),
        Dispatch, NULL, NULL);
    if (!NT_SUCCESS(Status)) {
        DbgPrint("RDMA is not available\n");
        WskReleaseProviderNPI(&g_Registration);
        WskDeregister(&g_Registration);
    }
    return Status;
}
