/* SPDX-License-Identifier: MIT */
/*
 * The WSK way to an adapter: registration, capture, and the NDK control code. Opening and closing
 * go to SoftNdkOpenAdapter and SoftNdkCloseAdapter, softndk's public interface; nothing of src/ndk
 * is included here. Sockets are in wsk_socket.c.
 */
#include "base/alloc.h"
#include "kenv/bugcheck.h"
#include "kenv/irql.h"
#include "kenv/report.h"
#include "kenv/wsk_socket.h"

#include <pthread.h>
#include <softndk.h>
#include <wskndk.h>

/* One per registration; the handle that the consumer sees. */
struct _WSK_CLIENT {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const WSK_CLIENT_NPI *npi;
    ULONG capture_count;     /* guarded by lock */
    ULONG adapter_count;     /* guarded by lock */
    BOOLEAN is_deregistered; /* guarded by lock */
};

/* ---- NDK ----------------------------------------------------------------------------------- */

static NTSTATUS wsk_open_ndk_adapter(
    PWSK_CLIENT Client, NDK_VERSION NdkVersion, NET_IFINDEX IfIndex, NDK_ADAPTER **ppNdkAdapter)
{
    NTSTATUS status;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (Client == NULL || ppNdkAdapter == NULL)
        return STATUS_INVALID_PARAMETER;
    status = SoftNdkOpenAdapter(IfIndex, NdkVersion, NULL, ppNdkAdapter);
    if (NT_SUCCESS(status)) {
        pthread_mutex_lock(&Client->lock);
        Client->adapter_count++;
        pthread_mutex_unlock(&Client->lock);
    }
    return status;
}

static VOID wsk_close_ndk_adapter(PWSK_CLIENT Client, NDK_ADAPTER *pNdkAdapter)
{
    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (Client == NULL || pNdkAdapter == NULL)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Client, (ULONG_PTR)pNdkAdapter,
            0, 0,
            "WskCloseNdkAdapter was given client %p and adapter %p; both must be those of the open",
            (void *)Client, (void *)pNdkAdapter);
    SoftNdkCloseAdapter(pNdkAdapter);
    pthread_mutex_lock(&Client->lock);
    if (Client->adapter_count == 0)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)Client, (ULONG_PTR)pNdkAdapter,
            0, 0, "WskCloseNdkAdapter: client %p has no adapter open", (void *)Client);
    Client->adapter_count--;
    pthread_cond_broadcast(&Client->changed);
    pthread_mutex_unlock(&Client->lock);
}

/* [NDKPI WskControlClient] */
/* Refused like any wrong size; but this one was taken for "no RDMA here" too often. */
static void report_pointer_size(void)
{
    static const struct kenv_report report = {
        .rule = "size-of-a-pointer",
        .text = "WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH was asked for with an output size of 8, the "
                "size of a pointer, instead of 16, the size of WSK_PROVIDER_NDK_DISPATCH",
        .advice = "Pass sizeof(WSK_PROVIDER_NDK_DISPATCH), or sizeof of the table itself, not of a "
                  "pointer to it.",
        .page = "WskControlClient",
    };

    kenv_report(&report);
}

static NTSTATUS wsk_control_client(PWSK_CLIENT Client, ULONG ControlCode, SIZE_T InputSize,
    PVOID InputBuffer, SIZE_T OutputSize, PVOID OutputBuffer, SIZE_T *OutputSizeReturned, PIRP Irp)
{
    static const WSK_PROVIDER_NDK_DISPATCH ndk = {
        .WskOpenNdkAdapter = wsk_open_ndk_adapter,
        .WskCloseNdkAdapter = wsk_close_ndk_adapter,
    };

    UNREFERENCED_PARAMETER(InputBuffer);
    NDK_REQUIRE_IRQL_MAX(DISPATCH_LEVEL);
    if (ControlCode != WSKNDK_GET_WSK_PROVIDER_NDK_DISPATCH)
        return STATUS_NOT_SUPPORTED;
    /* A size that is not exactly the table's is refused: a consumer that passed the size of a
     * pointer would otherwise see half a table. */
    if (kenv_is_checked && OutputSize == sizeof(void *))
        report_pointer_size();
    if (Client == NULL || InputSize != 0 || OutputBuffer == NULL || OutputSize != sizeof(ndk) ||
        Irp != NULL)
        return STATUS_INVALID_PARAMETER;
    memcpy(OutputBuffer, &ndk, sizeof(ndk));
    if (OutputSizeReturned != NULL)
        *OutputSizeReturned = sizeof(ndk);
    return STATUS_SUCCESS;
}

/* ---- Names: not there ---------------------------------------------------------------------- */

static NTSTATUS wsk_get_address_info(PWSK_CLIENT Client, PUNICODE_STRING NodeName,
    PUNICODE_STRING ServiceName, ULONG NameSpace, GUID *Provider, struct _ADDRINFOEXW *Hints,
    struct _ADDRINFOEXW **Result, struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread,
    PIRP Irp)
{
    (void)Client, (void)NodeName, (void)ServiceName, (void)NameSpace, (void)Provider, (void)Hints;
    (void)Result, (void)OwningProcess, (void)OwningThread, (void)Irp;
    return STATUS_NOT_SUPPORTED;
}

static VOID wsk_free_address_info(PWSK_CLIENT Client, struct _ADDRINFOEXW *AddrInfo)
{
    (void)Client, (void)AddrInfo; /* None was ever handed out. */
}

static NTSTATUS wsk_get_name_info(PWSK_CLIENT Client, PSOCKADDR SockAddr, ULONG SockAddrLength,
    PUNICODE_STRING NodeName, PUNICODE_STRING ServiceName, ULONG Flags,
    struct _EPROCESS *OwningProcess, struct _ETHREAD *OwningThread, PIRP Irp)
{
    (void)Client, (void)SockAddr, (void)SockAddrLength, (void)NodeName, (void)ServiceName;
    (void)Flags, (void)OwningProcess, (void)OwningThread, (void)Irp;
    return STATUS_NOT_SUPPORTED;
}

static const WSK_PROVIDER_DISPATCH wsk_provider = {
    .Version = MAKE_WSK_VERSION(1, 0),
    .Reserved = 0,
    .WskSocket = kenv_wsk_socket,
    .WskSocketConnect = kenv_wsk_socket_connect,
    .WskControlClient = wsk_control_client,
    .WskGetAddressInfo = wsk_get_address_info,
    .WskFreeAddressInfo = wsk_free_address_info,
    .WskGetNameInfo = wsk_get_name_info,
};

/* ---- Registration -------------------------------------------------------------------------- */

static PWSK_CLIENT client_of(PWSK_REGISTRATION registration, const char *function)
{
    PWSK_CLIENT client = registration->ReservedRegistrationContext;

    if (client == NULL)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)registration, 0, 0, 0,
            "%s: %p is not a registration of WskRegister", function, (void *)registration);
    return client;
}

NTSTATUS WskRegister(PWSK_CLIENT_NPI WskClientNpi, PWSK_REGISTRATION WskRegistration)
{
    PWSK_CLIENT client;

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (WskClientNpi == NULL || WskClientNpi->Dispatch == NULL || WskRegistration == NULL)
        return STATUS_INVALID_PARAMETER;
    client = sn_zalloc(sizeof(*client));
    if (client == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->changed, NULL);
    client->npi = WskClientNpi;
    WskRegistration->ReservedRegistrationState = 0;
    KeInitializeSpinLock(&WskRegistration->ReservedRegistrationLock);
    WskRegistration->ReservedRegistrationContext = client;
    return STATUS_SUCCESS;
}

VOID WskDeregister(PWSK_REGISTRATION WskRegistration)
{
    PWSK_CLIENT client = client_of(WskRegistration, __func__);

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    pthread_mutex_lock(&client->lock);
    client->is_deregistered = TRUE;
    while (client->capture_count > 0)
        pthread_cond_wait(&client->changed, &client->lock);
    pthread_mutex_unlock(&client->lock);
    WskRegistration->ReservedRegistrationContext = NULL;
    pthread_cond_destroy(&client->changed);
    pthread_mutex_destroy(&client->lock);
    sn_free(client);
}

NTSTATUS WskCaptureProviderNPI(
    PWSK_REGISTRATION WskRegistration, ULONG WaitTimeout, PWSK_PROVIDER_NPI WskProviderNpi)
{
    PWSK_CLIENT client;
    NTSTATUS status = STATUS_SUCCESS;

    NDK_REQUIRE_IRQL_MAX(WaitTimeout == WSK_NO_WAIT ? DISPATCH_LEVEL : PASSIVE_LEVEL);
    if (WskRegistration == NULL || WskRegistration->ReservedRegistrationContext == NULL ||
        WskProviderNpi == NULL)
        return STATUS_INVALID_PARAMETER;
    client = WskRegistration->ReservedRegistrationContext;
    if (client->npi->Dispatch->Version != MAKE_WSK_VERSION(1, 0))
        return STATUS_NOINTERFACE;
    pthread_mutex_lock(&client->lock);
    if (client->is_deregistered)
        status = STATUS_DEVICE_NOT_READY;
    else
        client->capture_count++;
    pthread_mutex_unlock(&client->lock);
    if (NT_SUCCESS(status)) {
        WskProviderNpi->Client = client;
        WskProviderNpi->Dispatch = &wsk_provider;
    }
    return status;
}

VOID WskReleaseProviderNPI(PWSK_REGISTRATION WskRegistration)
{
    PWSK_CLIENT client = client_of(WskRegistration, __func__);

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    pthread_mutex_lock(&client->lock);
    if (client->capture_count == 0)
        kenv_bugcheck(DRIVER_VERIFIER_DETECTED_VIOLATION, (ULONG_PTR)WskRegistration, 0, 0, 0,
            "WskReleaseProviderNPI without a capture that it undoes");
    while (client->capture_count == 1 && client->adapter_count > 0)
        pthread_cond_wait(&client->changed, &client->lock);
    client->capture_count--;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}
