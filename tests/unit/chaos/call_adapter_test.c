/* SPDX-License-Identifier: MIT */
#include <ws2ipdef.h>

#include "each_failure.h"

static NTSTATUS call_cq(struct bench *b)
{
    struct told t = {0};
    NDK_CQ *now = NULL;
    NTSTATUS status = b->w.adapter->Dispatch->NdkCreateCq(
        b->w.adapter, 4, on_completed, NULL, NULL, on_created, &t, &now);

    return end_create(&t, status, now);
}

static NTSTATUS call_pd(struct bench *b)
{
    struct told t = {0};
    NDK_PD *now = NULL;
    NTSTATUS status = b->w.adapter->Dispatch->NdkCreatePd(b->w.adapter, on_created, &t, &now);

    return end_create(&t, status, now);
}

static NTSTATUS call_endpoint(struct bench *b)
{
    SOCKADDR_IN at = {.sin_family = AF_INET};
    struct told t = {0};
    NDK_SHARED_ENDPOINT *now = NULL;
    NTSTATUS status;

    memcpy(&at.sin_addr, "\x7f\0\0\x01", 4);
    status = b->w.adapter->Dispatch->NdkCreateSharedEndpoint(
        b->w.adapter, (PSOCKADDR)&at, sizeof at, on_created, &t, &now);
    return end_create(&t, status, now);
}

static NTSTATUS call_connector(struct bench *b)
{
    struct told t = {0};
    NDK_CONNECTOR *now = NULL;
    NTSTATUS status =
        b->w.adapter->Dispatch->NdkCreateConnector(b->w.adapter, on_created, &t, &now);

    return end_create(&t, status, now);
}

static VOID on_connect(PVOID context, NDK_CONNECTOR *connector)
{
    tell(context, STATUS_SUCCESS, &connector->Header);
}

static NTSTATUS call_listener(struct bench *b)
{
    struct told t = {0};
    NDK_LISTENER *now = NULL;
    NTSTATUS status = b->w.adapter->Dispatch->NdkCreateListener(
        b->w.adapter, on_connect, NULL, on_created, &t, &now);

    return end_create(&t, status, now);
}

static uint8_t memory[64];

static NTSTATUS build(struct bench *b, PVOID context, struct told *t)
{
    uint64_t room[8] = {0};
    NDK_LOGICAL_ADDRESS_MAPPING *lam = (NDK_LOGICAL_ADDRESS_MAPPING *)(void *)room;
    ULONG size = sizeof room, fbo = 0;
    MDL *mdl = IoAllocateMdl(memory, sizeof memory, FALSE, FALSE, NULL);
    NTSTATUS status;

    MmBuildMdlForNonPagedPool(mdl);
    status = finished(t, b->w.adapter->Dispatch->NdkBuildLAM(b->w.adapter, mdl, sizeof memory,
                             on_completed, context, lam, &size, &fbo));
    if (NT_SUCCESS(status)) {
        assert_int_equal(fbo, (uintptr_t)memory & 0xfff);
        b->w.adapter->Dispatch->NdkReleaseLAM(b->w.adapter, lam);
    }
    IoFreeMdl(mdl);
    return status;
}

static NTSTATUS call_lam(struct bench *b)
{
    struct told t = {0};

    return build(b, &t, &t);
}

static void each_failure_of_each_entry(void **state)
{
    (void)state;
    each_failure(CHAOS_CREATE_CQ, call_cq, 2, STATUS_SUCCESS);
    each_failure(CHAOS_CREATE_PD, call_pd, 2, STATUS_SUCCESS);
    each_failure(CHAOS_CREATE_SHARED_ENDPOINT, call_endpoint, 1, STATUS_SUCCESS);
    each_failure(CHAOS_CREATE_CONNECTOR, call_connector, 1, STATUS_SUCCESS);
    each_failure(CHAOS_CREATE_LISTENER, call_listener, 1, STATUS_SUCCESS);
    each_failure(CHAOS_BUILD_LAM, call_lam, 1, STATUS_SUCCESS);
}

/* A routine without a context would not bear to be called: such a consumer gets the list inline. */
static void a_list_without_context_comes_inline(void **state)
{
    struct bench b = bench_open("pend", NULL);
    struct told none = {0}, t = {0};

    (void)state;
    assert_int_equal(build(&b, NULL, &none), STATUS_SUCCESS);
    assert_int_equal(told_count(&none), 0);
    assert_int_equal(build(&b, &t, &t), STATUS_SUCCESS);
    assert_int_equal(told_count(&t), 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_of_each_entry),
        cmocka_unit_test(a_list_without_context_comes_inline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
