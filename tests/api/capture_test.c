/* SPDX-License-Identifier: MIT */
/*
 * SOFTNDK_PCAP: each kind of message once. Here it is checked that the file is there and has
 * packets; tests/interop/capture.py lets tshark judge what is in it.
 */
#include "support/consumer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/pair.h"
#include "support/unit.h"

static char path[64];

/* Keeps the file when the caller of the program asked for a capture. */
static int setup(void **state)
{
    (void)state;
    if (getenv("SOFTNDK_PCAP") != NULL)
        return 0;
    snprintf(path, sizeof path, "/tmp/softndk-capture-%ld.pcap", (long)getpid());
    return setenv("SOFTNDK_PCAP", path, 1);
}

static int teardown(void **state)
{
    (void)state;
    if (path[0] == '\0')
        return 0;
    unlink(path);
    return unsetenv("SOFTNDK_PCAP");
}

static UINT32 bind_window(
    struct consumer *c, struct endpoint *e, const struct memory *m, uintptr_t id, NDK_MW **mw)
{
    assert_ntstatus(consumer_create_mw(c, c->pd, mw), STATUS_SUCCESS);
    assert_ntstatus(e->qp->Dispatch->NdkBind(
                        e->qp, (PVOID)id, m->mr, *mw, m->p, 64, NDK_OP_FLAG_ALLOW_REMOTE_WRITE),
        STATUS_SUCCESS);
    endpoint_expect_initiated(e, id);
    return (*mw)->Dispatch->NdkGetRemoteTokenFromMw(*mw);
}

/* The four Sends, without and with more octets than one segment takes. */
static void send_each_kind(struct pair *p, struct memory *from, struct memory *to)
{
    static const size_t sizes[] = {0, 5, 100000};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (unsigned kind = 0; kind < 4; kind++) {
            ULONG flags = (kind & 1) != 0 ? NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT : 0;
            NDK_MW *mw = NULL;
            UINT32 token = kind >= 2 ? bind_window(p->c, p->passive, to, 7, &mw) : 0;

            endpoint_receive(p->passive, 1, to, 0, to->n);
            if (kind < 2)
                endpoint_send(p->active, 2, from, 0, sizes[i], flags);
            else
                endpoint_send_inv(p->active, 2, from, 0, sizes[i], flags, token);
            endpoint_expect_received(p->passive, 1, sizes[i]);
            endpoint_expect_initiated(p->active, 2);
            if (mw != NULL)
                consumer_close_object(p->c, &mw->Header);
        }
    }
}

static void each_kind_of_message_is_captured(void **state)
{
    struct pair p = pair_open(NULL);
    struct memory *from = memory_open(p.c, NULL, 100000, MEMORY_ALL);
    struct memory *to = memory_open(p.c, NULL, 100000, MEMORY_ALL);
    struct stat file;

    (void)state;
    for (size_t i = 0; i < from->n; i++)
        from->p[i] = (uint8_t)(i * 7);
    send_each_kind(&p, from, to);
    endpoint_write(p.active, 1, from, 0, from->n, memory_to(to, 0), to->remote, 0);
    endpoint_expect_initiated(p.active, 1);
    endpoint_read(p.active, 2, to, 0, from->n, memory_to(from, 0), from->remote, 0);
    endpoint_expect_initiated(p.active, 2);
    endpoint_read(p.active, 3, to, 0, 0, memory_to(from, 0), from->remote, 0);
    endpoint_expect_initiated(p.active, 3);
    assert_memory_equal(to->p, from->p, from->n);
    /* A token that nobody has: Terminate. */
    endpoint_write(p.passive, 4, from, 0, 8, 0, to->remote ^ 0x5500, 0);
    endpoint_wait_disconnected(p.passive);
    endpoint_wait_disconnected(p.active);
    memory_close(from);
    memory_close(to);
    pair_close(&p);
    if (path[0] != '\0') {
        assert_int_equal(stat(path, &file), 0);
        assert_true(file.st_size > 4 * 100000);
    }
}

static void a_file_that_cannot_be_written_is_refused(void **state)
{
    char *before = strdup(getenv("SOFTNDK_PCAP"));
    NDK_VERSION version = {1, 2};
    NDK_ADAPTER *adapter = NULL;

    (void)state;
    assert_non_null(before);
    assert_int_equal(setenv("SOFTNDK_PCAP", "/nowhere/at/all.pcap", 1), 0);
    assert_ntstatus(SoftNdkOpenAdapter(0, version, NULL, &adapter), STATUS_INVALID_PARAMETER);
    assert_null(adapter);
    assert_int_equal(setenv("SOFTNDK_PCAP", before, 1), 0);
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_message_is_captured),
        cmocka_unit_test(a_file_that_cannot_be_written_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
