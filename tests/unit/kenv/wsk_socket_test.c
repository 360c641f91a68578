/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "support/death.h"
#include "unit/kenv/wsk_irp.h"

static struct wsk_call a, b;
static PWSK_SOCKET listener;
static SOCKADDR_IN address;

static int set_up(void **state)
{
    (void)state;
    wsk_call_init(&a);
    wsk_call_init(&b);
    listener = wsk_listen(&a, &address);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wsk_close(&a, listener);
    wsk_call_fini(&a);
    wsk_call_fini(&b);
    return 0;
}

static NTSTATUS send_some(struct wsk_call *call, PWSK_SOCKET s, ULONG offset, SIZE_T n)
{
    call->buffer.Offset = offset;
    call->buffer.Length = n;
    return wsk_call_end(call, wsk_connection(s)->WskSend(s, &call->buffer, 0, wsk_call_irp(call)));
}

static NTSTATUS receive_some(struct wsk_call *call, PWSK_SOCKET s, ULONG flags, SIZE_T n)
{
    call->buffer.Offset = 0;
    call->buffer.Length = n;
    return wsk_call_end(
        call, wsk_connection(s)->WskReceive(s, &call->buffer, flags, wsk_call_irp(call)));
}

static void octets_both_ways(void **state)
{
    PWSK_SOCKET ends[2];
    SOCKADDR_IN peer;
    NTSTATUS status;

    (void)state;
    wsk_pair(&a, &b, listener, &address, ends);
    status =
        wsk_connection(ends[0])->WskGetRemoteAddress(ends[0], (PSOCKADDR)&peer, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
    assert_int_equal(peer.sin_port, address.sin_port);

    for (size_t i = 0; i < sizeof(a.memory); i++)
        a.memory[i] = (char)i;
    assert_int_equal(send_some(&a, ends[0], 10, 4000), STATUS_SUCCESS);
    assert_int_equal(a.irp->IoStatus.Information, 4000);
    memset(b.memory, 0, sizeof(b.memory));
    assert_int_equal(receive_some(&b, ends[1], WSK_FLAG_WAITALL, 4000), STATUS_SUCCESS);
    assert_int_equal(b.irp->IoStatus.Information, 4000);
    assert_memory_equal(b.memory, a.memory + 10, 4000);
    assert_int_equal(send_some(&b, ends[1], 0, 3), STATUS_SUCCESS);
    assert_int_equal(receive_some(&a, ends[0], 0, 100), STATUS_SUCCESS);
    assert_int_equal(a.irp->IoStatus.Information, 3);

    /* Our end finishes: the peer reads to the end, and may still send. */
    status = wsk_connection(ends[0])->WskDisconnect(ends[0], NULL, 0, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
    assert_int_equal(receive_some(&b, ends[1], 0, 100), STATUS_SUCCESS);
    assert_int_equal(b.irp->IoStatus.Information, 0);
    assert_int_equal(send_some(&b, ends[1], 0, 5), STATUS_SUCCESS);
    assert_int_equal(receive_some(&a, ends[0], WSK_FLAG_WAITALL, 5), STATUS_SUCCESS);
    wsk_close(&a, ends[0]);
    wsk_close(&b, ends[1]);
}

/* A buffer over two MDLs, beginning in the first and ending in the second. */
static void chained_buffers(void **state)
{
    static char one[100], two[100];
    PWSK_SOCKET ends[2];
    PMDL first = IoAllocateMdl(one, sizeof(one), FALSE, FALSE, NULL);
    PMDL second = IoAllocateMdl(two, sizeof(two), FALSE, FALSE, NULL);
    WSK_BUF buffer = {first, 90, 30};
    NTSTATUS status;

    (void)state;
    memset(one, 'a', sizeof(one));
    memset(two, 'b', sizeof(two));
    MmBuildMdlForNonPagedPool(first);
    MmBuildMdlForNonPagedPool(second);
    first->Next = second;
    wsk_pair(&a, &b, listener, &address, ends);
    status = wsk_connection(ends[0])->WskSend(ends[0], &buffer, 0, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
    assert_int_equal(receive_some(&b, ends[1], WSK_FLAG_WAITALL, 30), STATUS_SUCCESS);
    assert_memory_equal(b.memory, "aaaaaaaaaabbbbbbbbbbbbbbbbbbbb", 30);
    buffer.Length = 111;
    status = wsk_connection(ends[0])->WskSend(ends[0], &buffer, 0, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_INVALID_PARAMETER);
    wsk_close(&a, ends[0]);
    wsk_close(&b, ends[1]);
    IoFreeMdl(first);
    IoFreeMdl(second);
}

static void connected_in_one_call(void **state)
{
    static int client;
    SOCKADDR_IN any = {.sin_family = AF_INET};
    NTSTATUS accepting, status;
    PWSK_SOCKET ends[2];

    (void)state;
    accepting =
        wsk_listener(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, wsk_call_irp(&b));
    status = kenv_wsk_socket_connect((PWSK_CLIENT)(void *)&client, 1, 6, (PSOCKADDR)&any,
        (PSOCKADDR)&address, 0, NULL, NULL, NULL, NULL, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
    ends[0] = (PWSK_SOCKET)a.irp->IoStatus.Information;
    assert_int_equal(wsk_call_end(&b, accepting), STATUS_SUCCESS);
    ends[1] = (PWSK_SOCKET)b.irp->IoStatus.Information;
    assert_int_equal(send_some(&a, ends[0], 0, 1), STATUS_SUCCESS);
    assert_int_equal(receive_some(&b, ends[1], 0, 1), STATUS_SUCCESS);
    wsk_close(&a, ends[0]);
    wsk_close(&b, ends[1]);
}

static void options(void **state)
{
    PWSK_SOCKET s = wsk_open(&a, WSK_FLAG_CONNECTION_SOCKET);
    const WSK_PROVIDER_BASIC_DISPATCH *d = s->Dispatch;
    ULONG on = 1, out = 0;
    SIZE_T n = 0;

    (void)state;
    assert_int_equal(
        d->WskControlSocket(s, WskSetOption, 1, 6, sizeof(on), &on, 0, NULL, NULL, NULL), 0);
    assert_int_equal(
        d->WskControlSocket(s, WskGetOption, 1, 6, 0, NULL, sizeof(out), &out, &n, NULL), 0);
    assert_int_equal(out, 1);
    assert_int_equal(n, 4);
    assert_int_equal(d->WskControlSocket(s, WskSetOption, 4, 0xffff, sizeof(on), &on, 0, NULL, NULL,
                         wsk_call_irp(&a)),
        STATUS_PENDING);
    assert_int_equal(wsk_call_end(&a, STATUS_PENDING), STATUS_SUCCESS);
    assert_int_equal(
        d->WskControlSocket(s, WskSetOption, 99, 6, sizeof(on), &on, 0, NULL, NULL, NULL),
        STATUS_NOT_SUPPORTED);
    assert_int_equal(
        d->WskControlSocket(s, WskIoctl, 1, 6, 0, NULL, 0, NULL, NULL, NULL), STATUS_NOT_SUPPORTED);
    assert_int_equal(d->WskControlSocket(s, WskGetOption, 1, 6, 0, NULL, 1, &out, &n, NULL),
        STATUS_BUFFER_TOO_SMALL);
    wsk_close(&a, s);
}

static void what_is_refused(void **state)
{
    static int client;
    SOCKADDR_IN any = {.sin_family = AF_INET};
    SOCKADDR_IN6 six = {.sin6_family = SOFTNDK_AF_INET6};
    PWSK_SOCKET s = wsk_open(&a, WSK_FLAG_LISTEN_SOCKET);
    NTSTATUS status;

    (void)state;
    /* The port is taken. */
    status = wsk_listener(s)->WskBind(s, (PSOCKADDR)&address, 0, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_ADDRESS_ALREADY_EXISTS);
    status = wsk_listener(s)->WskInspectComplete(s, NULL, 0, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_NOT_SUPPORTED);
    wsk_close(&a, s);
    status = kenv_wsk_socket((PWSK_CLIENT)(void *)&client, AF_INET, 2, 6, WSK_FLAG_DATAGRAM_SOCKET,
        NULL, NULL, NULL, NULL, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_NOT_SUPPORTED);
    status = kenv_wsk_socket((PWSK_CLIENT)(void *)&client, 77, 1, 6, WSK_FLAG_CONNECTION_SOCKET,
        NULL, NULL, NULL, NULL, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_INVALID_PARAMETER);
    status = kenv_wsk_socket_connect((PWSK_CLIENT)(void *)&client, 1, 6, (PSOCKADDR)&any,
        (PSOCKADDR)&six, 0, NULL, NULL, NULL, NULL, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_INVALID_PARAMETER);
}

static void addresses(void **state)
{
    SOCKADDR_IN6 six = {.sin6_family = SOFTNDK_AF_INET6, .sin6_port = 0x1234}, back;
    SOCKADDR other = {.sa_family = 99};
    struct sockaddr_in6 host;

    (void)state;
    six.sin6_addr.u.Byte[15] = 1;
    assert_int_equal(kenv_wsk_to_host((PSOCKADDR)&six, &host), sizeof(host));
    assert_int_equal(host.sin6_family, 10);
    kenv_wsk_from_host(&host, (PSOCKADDR)&back);
    assert_memory_equal(&six, &back, sizeof(six));
    assert_int_equal(kenv_wsk_to_host(&other, &host), 0);
    assert_int_equal(kenv_wsk_to_host(NULL, &host), 0);
}

static PWSK_SOCKET open_datagram(struct wsk_call *call, SOCKADDR_IN *at)
{
    static int client;
    NTSTATUS status = kenv_wsk_socket((PWSK_CLIENT)(void *)&client, AF_INET, 2, 17,
        WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, NULL, NULL, NULL, wsk_call_irp(call));
    const WSK_PROVIDER_DATAGRAM_DISPATCH *d;
    PWSK_SOCKET s;

    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
    s = (PWSK_SOCKET)call->irp->IoStatus.Information;
    d = s->Dispatch;
    *at = (SOCKADDR_IN){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    status = d->WskBind(s, (PSOCKADDR)at, 0, wsk_call_irp(call));
    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
    status = d->WskGetLocalAddress(s, (PSOCKADDR)at, wsk_call_irp(call));
    assert_int_equal(wsk_call_end(call, status), STATUS_SUCCESS);
    return s;
}

/* Datagrams keep their ends, say where they come from, and are cut when the buffer is short. */
static void datagrams(void **state)
{
    static const SIZE_T sizes[] = {0, 1, 100, 1400};
    SOCKADDR_IN here, there, from;
    PWSK_SOCKET s = open_datagram(&a, &here), t = open_datagram(&b, &there);
    const WSK_PROVIDER_DATAGRAM_DISPATCH *ds = s->Dispatch, *dt = t->Dispatch;
    ULONG flags, control;
    NTSTATUS status;

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        NTSTATUS receiving;

        memset(a.memory, (int)i + 1, sizeof(a.memory));
        memset(b.memory, 0, sizeof(b.memory));
        memset(&from, 0, sizeof(from));
        flags = control = 77;
        b.buffer.Offset = 0;
        b.buffer.Length = sizeof(b.memory);
        receiving = dt->WskReceiveFrom(
            t, &b.buffer, 0, (PSOCKADDR)&from, &control, NULL, &flags, wsk_call_irp(&b));
        a.buffer.Offset = 0;
        a.buffer.Length = sizes[i];
        status = ds->WskSendTo(s, &a.buffer, 0, (PSOCKADDR)&there, 0, NULL, wsk_call_irp(&a));
        assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
        assert_int_equal(a.irp->IoStatus.Information, sizes[i]);
        assert_int_equal(wsk_call_end(&b, receiving), STATUS_SUCCESS);
        assert_int_equal(b.irp->IoStatus.Information, sizes[i]);
        assert_memory_equal(a.memory, b.memory, sizes[i]);
        assert_int_equal(b.memory[sizes[i]], 0);
        assert_int_equal(from.sin_port, here.sin_port);
        assert_int_equal(from.sin_addr.s_addr, here.sin_addr.s_addr);
        assert_int_equal(flags, 0);
        assert_int_equal(control, 0);
    }
    a.buffer.Length = 100;
    status = ds->WskSendTo(s, &a.buffer, 0, (PSOCKADDR)&there, 0, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
    b.buffer.Length = 40;
    status = dt->WskReceiveFrom(t, &b.buffer, 0, NULL, NULL, NULL, &flags, wsk_call_irp(&b));
    assert_int_equal(wsk_call_end(&b, status), STATUS_SUCCESS);
    assert_int_equal(b.irp->IoStatus.Information, 40);
    assert_int_equal(flags, 0x100); /* MSG_TRUNC of Windows */
    wsk_close(&a, s);
    wsk_close(&b, t);
}

static void what_datagrams_refuse(void **state)
{
    SOCKADDR_IN here;
    PWSK_SOCKET s = open_datagram(&a, &here);
    const WSK_PROVIDER_DATAGRAM_DISPATCH *d = s->Dispatch;
    NTSTATUS status, receiving;

    (void)state;
    a.buffer.Offset = 0;
    a.buffer.Length = 10;
    status = d->WskSendTo(s, &a.buffer, 0, NULL, 0, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_INVALID_PARAMETER);
    status = d->WskSendTo(s, &a.buffer, 1, (PSOCKADDR)&here, 0, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_INVALID_PARAMETER);
    status = d->WskSendTo(s, &a.buffer, 0, (PSOCKADDR)&here, 16, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_NOT_SUPPORTED);
    status = d->WskSendTo(s, NULL, 0, (PSOCKADDR)&here, 0, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_INVALID_PARAMETER);
    status = d->WskReceiveFrom(s, &a.buffer, 1, NULL, NULL, NULL, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_INVALID_PARAMETER);
    assert_int_equal(d->WskRelease(s, NULL), STATUS_NOT_SUPPORTED);
    /* A close ends what waits. */
    receiving = d->WskReceiveFrom(s, &b.buffer, 0, NULL, NULL, NULL, NULL, wsk_call_irp(&b));
    wsk_close(&a, s);
    assert_int_equal(wsk_call_end(&b, receiving), STATUS_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_both_ways),
        cmocka_unit_test(chained_buffers),
        cmocka_unit_test(connected_in_one_call),
        cmocka_unit_test(options),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(addresses),
        cmocka_unit_test(datagrams),
        cmocka_unit_test(what_datagrams_refuse),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
