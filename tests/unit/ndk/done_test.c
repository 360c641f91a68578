/* SPDX-License-Identifier: MIT */
#include "ndk/done.h"

#include "base/status.h"
#include "support/death.h"
#include "support/unit.h"

/* What the last callback saw. */
static struct {
    unsigned calls;
    PVOID context;
    NTSTATUS status;
    ULONG reason;
    KIRQL irql;
} seen;

static void saw(PVOID context, NTSTATUS status, ULONG reason)
{
    seen.calls++;
    seen.context = context;
    seen.status = status;
    seen.reason = reason;
    seen.irql = KeGetCurrentIrql();
}

static VOID on_close(PVOID context)
{
    saw(context, 0, 0);
}

static VOID on_status(PVOID context, NTSTATUS status)
{
    saw(context, status, 0);
}

static VOID on_reason(PVOID context, ULONG reason)
{
    saw(context, 0, reason);
}

static void check(unsigned calls, PVOID context, NTSTATUS status, ULONG reason)
{
    assert_int_equal(seen.calls, calls);
    assert_ptr_equal(seen.context, context);
    assert_int_equal(seen.status, status);
    assert_int_equal(seen.reason, reason);
    assert_int_equal(seen.irql, DISPATCH_LEVEL);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static void each_callback_gets_its_words_at_dispatch_level(void **state)
{
    int context;
    struct rnic_done close = ndk_close_done(on_close, &context);
    struct rnic_done request = ndk_request_done(on_status, &context);
    struct rnic_cq_notify cq = ndk_cq_notify(on_status, &context);
    struct rnic_srq_notify srq = ndk_srq_notify(on_status, &context);
    struct rnic_disconnect_event event = ndk_disconnect_event(on_close, &context);
    struct rnic_disconnect_event event_ex = ndk_disconnect_event_ex(on_reason, &context);

    (void)state;
    memset(&seen, 0, sizeof seen);
    close.call(&close, SN_OK);
    check(1, &context, 0, 0);
    request.call(&request, SN_TIMED_OUT);
    check(2, &context, STATUS_IO_TIMEOUT, 0);
    cq.call(&cq, SN_CQ_OVERRUN);
    check(3, &context, STATUS_BUFFER_OVERFLOW, 0);
    cq.call(&cq, SN_OK);
    check(4, &context, STATUS_SUCCESS, 0);
    srq.call(&srq, SN_INTERNAL);
    check(5, &context, STATUS_INTERNAL_ERROR, 0);
    event.call(&event, WIRE_DDP_QN);
    check(6, &context, 0, 0);
    event_ex.call(&event_ex, WIRE_DDP_QN);
    check(7, &context, 0, WIRE_DDP_QN);
}

static void who_does_not_want_to_know_is_not_called(void **state)
{
    struct rnic_done close = ndk_close_done(NULL, NULL);
    struct rnic_done request = ndk_request_done(NULL, NULL);
    struct rnic_srq_notify srq = ndk_srq_notify(NULL, NULL);
    struct rnic_disconnect_event event = ndk_disconnect_event(NULL, NULL);
    struct rnic_disconnect_event event_ex = ndk_disconnect_event_ex(NULL, NULL);

    (void)state;
    close.call(&close, SN_OK);
    request.call(&request, SN_OK);
    srq.call(&srq, SN_OK);
    event.call(&event, 0);
    event_ex.call(&event_ex, 0);
    assert_int_equal(KeGetCurrentIrql(), PASSIVE_LEVEL);
}

static VOID keep_the_level(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeLowerIrql(PASSIVE_LEVEL);
}

static void call_it(void *arg)
{
    struct rnic_done *d = arg;

    d->call(d, SN_OK);
}

static void a_callback_that_changes_the_level_is_named(void **state)
{
    struct rnic_done d = ndk_close_done(keep_the_level, NULL);
    char text[4096];

    (void)state;
    assert_int_equal(death_of(call_it, &d, text, sizeof text), SIGABRT);
    assert_non_null(strstr(text, "NDK_FN_CLOSE_COMPLETION"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_callback_gets_its_words_at_dispatch_level),
        cmocka_unit_test(who_does_not_want_to_know_is_not_called),
        cmocka_unit_test(a_callback_that_changes_the_level_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
