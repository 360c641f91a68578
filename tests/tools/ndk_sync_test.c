/* SPDX-License-Identifier: MIT */
/* The tools' helpers against themselves: two adapters, the passive one in a thread of its own. */
#include "common/ndk_sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "common/addr.h"
#include "common/channel.h"

enum { SLOT = 256, SLOTS = 4 };

static struct ndk_host client_host, server_host;
static struct ndk_server server;
static SOCKADDR_INET at, from;

static void listen_somewhere(void)
{
    ULONG length = sizeof at;

    assert_true(addr_parse("127.0.0.1:1", 1, &at));
    addr_set_port(&at, 0);
    from = at;
    assert_int_equal(ndk_server_open(&server_host, &server, &at), STATUS_SUCCESS);
    assert_int_equal(
        server.listener->Dispatch->NdkGetLocalAddress(server.listener, (PSOCKADDR)&at, &length),
        STATUS_SUCCESS);
}

static int open_hosts(void **state)
{
    (void)state;
    assert_int_equal(ndk_host_open(&client_host, 0, NULL), STATUS_SUCCESS);
    assert_int_equal(ndk_host_open(&server_host, 0, NULL), STATUS_SUCCESS);
    listen_somewhere();
    return 0;
}

static int close_hosts(void **state)
{
    (void)state;
    ndk_server_close(&server);
    ndk_host_close(&server_host);
    ndk_host_close(&client_host);
    return 0;
}

static NDK_CONNECTOR *wait_caller(void)
{
    NDK_CONNECTOR *connector;

    while ((connector = ndk_server_take(&server)) == NULL)
        ndk_host_wait(&server_host);
    return connector;
}

/* The passive side: private data there and back, then echoes until the peer ends; its result. */
static void *echo(void *context)
{
    static const char hello[] = "welcome";
    struct ndk_terms terms = {1, 1, hello, sizeof hello};
    struct channel c;
    enum channel_result result;
    ULONG length;
    unsigned slot, send_slot;
    uint8_t *p;

    if (!NT_SUCCESS(channel_open(&server_host, &c, SLOT, SLOTS, SLOTS)) ||
        !NT_SUCCESS(ndk_link_accept(&c.link, wait_caller(), &terms)))
        return NULL;
    memcpy(context, c.link.private_data, 8);
    while ((result = channel_receive(&c, true, &slot, &length)) == CHANNEL_OK) {
        if (channel_send_slot(&c, &send_slot, &p) != CHANNEL_OK)
            break;
        memcpy(p, channel_received(&c, slot), length);
        if (channel_repost(&c, slot) != CHANNEL_OK ||
            channel_send(&c, send_slot, length) != CHANNEL_OK)
            break;
    }
    channel_close(&c);
    return result == CHANNEL_ENDED ? context : NULL;
}

static void connects_and_echoes(void **state)
{
    static const char hello[] = "hello";
    struct ndk_terms terms = {1, 1, hello, sizeof hello};
    char heard[8] = "";
    struct channel c;
    pthread_t thread;
    void *ended;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, echo, heard), 0);
    assert_int_equal(channel_open(&client_host, &c, SLOT, SLOTS, SLOTS), STATUS_SUCCESS);
    assert_int_equal(ndk_link_connect(&c.link, &from, &at, &terms), STATUS_SUCCESS);
    assert_string_equal((const char *)c.link.private_data, "welcome");
    for (unsigned i = 0; i < 100; i++) {
        unsigned slot;
        ULONG length;
        uint8_t *p;

        assert_int_equal(channel_send_slot(&c, &slot, &p), CHANNEL_OK);
        memset(p, (int)i, SLOT);
        assert_int_equal(channel_send(&c, slot, i + 1), CHANNEL_OK);
        assert_int_equal(channel_receive(&c, false, &slot, &length), CHANNEL_OK);
        assert_int_equal(length, i + 1);
        assert_int_equal(channel_received(&c, slot)[i], i);
        assert_int_equal(channel_repost(&c, slot), CHANNEL_OK);
    }
    assert_int_equal(channel_drain(&c), CHANNEL_OK);
    channel_close(&c);
    assert_int_equal(pthread_join(thread, &ended), 0);
    assert_ptr_equal(ended, heard);
    assert_string_equal(heard, "hello");
}

static void *refuse(void *context)
{
    NDK_CONNECTOR *connector = wait_caller();

    connector->Dispatch->NdkReject(connector, context, 8);
    ndk_close(&connector->Header);
    return NULL;
}

static void says_why_it_was_refused(void **state)
{
    struct ndk_terms terms = {1, 1, NULL, 0};
    char why[8] = "because";
    struct channel c;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, refuse, why), 0);
    assert_int_equal(channel_open(&client_host, &c, SLOT, SLOTS, SLOTS), STATUS_SUCCESS);
    assert_int_equal(ndk_link_connect(&c.link, &from, &at, &terms), STATUS_CONNECTION_REFUSED);
    assert_int_equal(c.link.private_length, 8);
    assert_string_equal((const char *)c.link.private_data, "because");
    channel_close(&c);
    pthread_join(thread, NULL);
}

/* Nobody takes the caller: the listener's close sends it away. */
static void *call(void *context)
{
    struct ndk_terms terms = {1, 1, NULL, 0};
    struct channel c;
    NTSTATUS *status = context;

    *status = channel_open(&client_host, &c, SLOT, SLOTS, SLOTS);
    if (NT_SUCCESS(*status))
        *status = ndk_link_connect(&c.link, &from, &at, &terms);
    channel_close(&c);
    return NULL;
}

static void closing_sends_callers_away(void **state)
{
    NTSTATUS status = STATUS_PENDING;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, call, &status), 0);
    for (;;) {
        ULONG count;
        KIRQL irql;

        KeAcquireSpinLock(&server.lock, &irql);
        count = server.count;
        KeReleaseSpinLock(&server.lock, irql);
        if (count > 0)
            break;
        ndk_host_wait(&server_host);
    }
    ndk_server_close(&server);
    pthread_join(thread, NULL);
    assert_int_equal(status, STATUS_CONNECTION_REFUSED);
    listen_somewhere();
}

static void memory_has_tokens_and_addresses(void **state)
{
    struct ndk_memory m;
    NDK_SGE sge;

    (void)state;
    assert_int_equal(
        ndk_memory_open(&client_host, &m, 100000, NDK_MR_FLAG_ALLOW_REMOTE_WRITE), STATUS_SUCCESS);
    assert_true(m.remote != 0);
    sge = ndk_memory_sge(&m, 5, 10);
    assert_ptr_equal(sge.VirtualAddress, m.p + 5);
    assert_int_equal(sge.Length, 10);
    assert_int_equal(sge.MemoryRegionToken, m.local);
    assert_int_equal(ndk_memory_address(&m, 7), (uintptr_t)m.p + 7);
    ndk_memory_close(&m);
    assert_null(m.p);
    ndk_memory_close(&m); /* closing nothing does nothing */
    assert_int_not_equal(ndk_memory_open(&client_host, &m, (size_t)1 << 33, 0), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_echoes),
        cmocka_unit_test(says_why_it_was_refused),
        cmocka_unit_test(closing_sends_callers_away),
        cmocka_unit_test(memory_has_tokens_and_addresses),
    };

    return cmocka_run_group_tests(tests, open_hosts, close_hosts);
}
