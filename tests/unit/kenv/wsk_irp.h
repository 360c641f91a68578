/* SPDX-License-Identifier: MIT */
/* An IRP and an event, as consumers of WSK pair them, and a socket of each category. */
#ifndef TESTS_UNIT_KENV_WSK_IRP_H
#define TESTS_UNIT_KENV_WSK_IRP_H

#include "support/unit.h"

#include "kenv/wsk_socket.h"

#include <arpa/inet.h>

struct wsk_call {
    PIRP irp;
    KEVENT done;
    char memory[4096];
    PMDL mdl;
    WSK_BUF buffer;
};

static inline NTSTATUS wsk_call_done(PDEVICE_OBJECT device, PIRP irp, PVOID context)
{
    (void)device, (void)irp;
    assert_true(KeGetCurrentIrql() <= DISPATCH_LEVEL);
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static inline void wsk_call_init(struct wsk_call *call)
{
    call->irp = IoAllocateIrp(1, FALSE);
    assert_non_null(call->irp);
    KeInitializeEvent(&call->done, SynchronizationEvent, FALSE);
    call->mdl = IoAllocateMdl(call->memory, sizeof(call->memory), FALSE, FALSE, NULL);
    assert_non_null(call->mdl);
    MmBuildMdlForNonPagedPool(call->mdl);
    call->buffer.Mdl = call->mdl;
    call->buffer.Offset = 0;
    call->buffer.Length = sizeof(call->memory);
}

static inline void wsk_call_fini(struct wsk_call *call)
{
    IoFreeMdl(call->mdl);
    IoFreeIrp(call->irp);
}

/* The IRP as new, for the next call. */
static inline PIRP wsk_call_irp(struct wsk_call *call)
{
    IoReuseIrp(call->irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(call->irp, wsk_call_done, &call->done, TRUE, TRUE, TRUE);
    return call->irp;
}

/* What the call that returned `status` ended with. */
static inline NTSTATUS wsk_call_end(struct wsk_call *call, NTSTATUS status)
{
    assert_int_equal(
        KeWaitForSingleObject(&call->done, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    if (status != STATUS_PENDING)
        assert_int_equal(status, call->irp->IoStatus.Status);
    return call->irp->IoStatus.Status;
}

static inline const WSK_PROVIDER_CONNECTION_DISPATCH *wsk_connection(PWSK_SOCKET s)
{
    return s->Dispatch;
}

static inline const WSK_PROVIDER_LISTEN_DISPATCH *wsk_listener(PWSK_SOCKET s)
{
    return s->Dispatch;
}

static inline PWSK_SOCKET wsk_open(struct wsk_call *call, ULONG category)
{
    static int client; /* only looked at for NULL */
    NTSTATUS status = kenv_wsk_socket((PWSK_CLIENT)(void *)&client, AF_INET, 1, 6, category, NULL,
        NULL, NULL, NULL, NULL, wsk_call_irp(call));

    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
    return (PWSK_SOCKET)call->irp->IoStatus.Information;
}

/* Any socket's close stands in the same place. */
static inline void wsk_close(struct wsk_call *call, PWSK_SOCKET s)
{
    NTSTATUS status =
        ((const WSK_PROVIDER_BASIC_DISPATCH *)s->Dispatch)->WskCloseSocket(s, wsk_call_irp(call));

    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
}

/* A listener on 127.0.0.1; *address gets its port. */
static inline PWSK_SOCKET wsk_listen(struct wsk_call *call, SOCKADDR_IN *address)
{
    PWSK_SOCKET s = wsk_open(call, WSK_FLAG_LISTEN_SOCKET);
    NTSTATUS status;

    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(0x7f000001);
    status = wsk_listener(s)->WskBind(s, (PSOCKADDR)address, 0, wsk_call_irp(call));
    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
    status = wsk_listener(s)->WskGetLocalAddress(s, (PSOCKADDR)address, wsk_call_irp(call));
    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
    assert_int_not_equal(address->sin_port, 0);
    return s;
}

/* A connection to the listener, both ends. */
static inline void wsk_pair(struct wsk_call *call, struct wsk_call *other, PWSK_SOCKET listener,
    SOCKADDR_IN *address, PWSK_SOCKET ends[2])
{
    SOCKADDR_IN any, local, remote;
    NTSTATUS accepting, status;

    accepting = wsk_listener(listener)->WskAccept(
        listener, 0, NULL, NULL, (PSOCKADDR)&local, (PSOCKADDR)&remote, wsk_call_irp(other));
    ends[0] = wsk_open(call, WSK_FLAG_CONNECTION_SOCKET);
    memset(&any, 0, sizeof(any));
    any.sin_family = AF_INET;
    status = wsk_connection(ends[0])->WskBind(ends[0], (PSOCKADDR)&any, 0, wsk_call_irp(call));
    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
    status =
        wsk_connection(ends[0])->WskConnect(ends[0], (PSOCKADDR)address, 0, wsk_call_irp(call));
    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
    assert_int_equal(wsk_call_end(other, accepting), STATUS_SUCCESS);
    ends[1] = (PWSK_SOCKET)other->irp->IoStatus.Information;
    assert_int_equal(local.sin_port, address->sin_port);
    assert_int_equal(remote.sin_addr.s_addr, address->sin_addr.s_addr);
}

#endif
