/* SPDX-License-Identifier: MIT */
/* How WSK requests end that do not end well. */
#include "support/unit.h"

#include "support/death.h"
#include "unit/kenv/wsk_irp.h"

#include <errno.h>

static struct wsk_call a, b, c;
static PWSK_SOCKET listener;
static SOCKADDR_IN address;

static int set_up(void **state)
{
    (void)state;
    wsk_call_init(&a);
    wsk_call_init(&b);
    wsk_call_init(&c);
    listener = wsk_listen(&a, &address);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wsk_close(&a, listener);
    wsk_call_fini(&a);
    wsk_call_fini(&b);
    wsk_call_fini(&c);
    return 0;
}

static void cancelled(void **state)
{
    NTSTATUS status;

    (void)state;
    status =
        wsk_listener(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, wsk_call_irp(&b));
    assert_int_equal(status, STATUS_PENDING);
    assert_true(IoCancelIrp(b.irp));
    assert_int_equal(wsk_call_end(&b, status), STATUS_CANCELLED);
    /* Cancelled before it begins. */
    wsk_call_irp(&b)->Cancel = TRUE;
    status = wsk_listener(listener)->WskAccept(listener, 0, NULL, NULL, NULL, NULL, b.irp);
    assert_int_equal(wsk_call_end(&b, status), STATUS_CANCELLED);
}

static void a_close_ends_what_is_pending(void **state)
{
    PWSK_SOCKET ends[2];
    NTSTATUS first, second;

    (void)state;
    wsk_pair(&a, &b, listener, &address, ends);
    first = wsk_connection(ends[0])->WskReceive(ends[0], &b.buffer, 0, wsk_call_irp(&b));
    second = wsk_connection(ends[0])->WskReceive(ends[0], &c.buffer, 0, wsk_call_irp(&c));
    wsk_close(&a, ends[0]);
    assert_int_equal(wsk_call_end(&b, first), STATUS_CANCELLED);
    assert_int_equal(wsk_call_end(&c, second), STATUS_CANCELLED);
    wsk_close(&a, ends[1]);
}

/* Receives are served in the order in which they were asked for. */
static void in_order(void **state)
{
    PWSK_SOCKET ends[2];
    NTSTATUS first, second, sending;

    (void)state;
    wsk_pair(&a, &b, listener, &address, ends);
    b.buffer.Length = 2;
    c.buffer.Length = 2;
    first =
        wsk_connection(ends[1])->WskReceive(ends[1], &b.buffer, WSK_FLAG_WAITALL, wsk_call_irp(&b));
    second =
        wsk_connection(ends[1])->WskReceive(ends[1], &c.buffer, WSK_FLAG_WAITALL, wsk_call_irp(&c));
    memcpy(a.memory, "1234", 4);
    a.buffer.Length = 4;
    sending = wsk_connection(ends[0])->WskSend(ends[0], &a.buffer, 0, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, sending), STATUS_SUCCESS);
    assert_int_equal(wsk_call_end(&b, first), STATUS_SUCCESS);
    assert_int_equal(wsk_call_end(&c, second), STATUS_SUCCESS);
    assert_memory_equal(b.memory, "12", 2);
    assert_memory_equal(c.memory, "34", 2);
    wsk_close(&a, ends[0]);
    wsk_close(&a, ends[1]);
}

static void refused_and_reset(void **state)
{
    static int client;
    SOCKADDR_IN any = {.sin_family = AF_INET}, gone;
    PWSK_SOCKET other = wsk_open(&a, WSK_FLAG_CONNECTION_SOCKET), ends[2];
    NTSTATUS status;

    (void)state;
    /* A port that is ours, and on which nobody listens. */
    memset(&gone, 0, sizeof(gone));
    gone.sin_family = AF_INET;
    gone.sin_addr.s_addr = htonl(0x7f000001);
    status = wsk_connection(other)->WskBind(other, (PSOCKADDR)&gone, 0, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
    status = wsk_connection(other)->WskGetLocalAddress(other, (PSOCKADDR)&gone, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
    status = kenv_wsk_socket_connect((PWSK_CLIENT)(void *)&client, 1, 6, (PSOCKADDR)&any,
        (PSOCKADDR)&gone, 0, NULL, NULL, NULL, NULL, NULL, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_CONNECTION_REFUSED);
    wsk_close(&a, other);

    wsk_pair(&a, &b, listener, &address, ends);
    status =
        wsk_connection(ends[0])->WskDisconnect(ends[0], NULL, WSK_FLAG_ABORTIVE, wsk_call_irp(&a));
    assert_int_equal(wsk_call_end(&a, status), STATUS_SUCCESS);
    wsk_close(&a, ends[0]);
    status = wsk_connection(ends[1])->WskReceive(ends[1], &b.buffer, 0, wsk_call_irp(&b));
    assert_int_equal(wsk_call_end(&b, status), STATUS_CONNECTION_RESET);
    wsk_close(&a, ends[1]);
}

static void statuses(void **state)
{
    static const struct {
        int error;
        NTSTATUS status;
    } cases[] = {
        {0, STATUS_SUCCESS},
        {ECONNREFUSED, STATUS_CONNECTION_REFUSED},
        {EPIPE, STATUS_CONNECTION_RESET},
        {EMFILE, STATUS_INSUFFICIENT_RESOURCES},
        {EXDEV, STATUS_UNSUCCESSFUL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++)
        assert_int_equal(kenv_wsk_status(cases[i].error), cases[i].status);
}

static void without_a_location(void *unused)
{
    PIRP irp = IoAllocateIrp(1, FALSE);

    (void)unused;
    IoSetNextIrpStackLocation(irp);
    kenv_wsk_irp_begin(irp);
}

static void misuse(void **state)
{
    char text[8192];

    (void)state;
    assert_int_equal(death_of(without_a_location, NULL, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "no stack location left"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(misuse),
        cmocka_unit_test(statuses),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(a_close_ends_what_is_pending),
        cmocka_unit_test(in_order),
        cmocka_unit_test(refused_and_reset),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
