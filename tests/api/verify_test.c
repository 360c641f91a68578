/* SPDX-License-Identifier: MIT */
/*
 * The verifier before the real provider, as a plain C consumer gets it: by an environment variable.
 * All its rules have cases in tests/unit/verify; here are those that need real objects.
 */
#include <fcntl.h>
#include <stdlib.h>

#include "support/create.h"
#include "support/death.h"
#include "support/pair.h"
#include "support/unit.h"

static char log_path[64];
static char text[65536];

static const char *written(void)
{
    int fd = open(log_path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);

    assert_true(fd >= 0 && n >= 0);
    text[n] = '\0';
    close(fd);
    return text;
}

static void begin(const char *mode)
{
    assert_int_equal(truncate(log_path, 0), 0);
    assert_int_equal(setenv("SOFTNDK_VERIFY", mode, 1), 0);
    assert_int_equal(setenv("SOFTNDK_VERIFY_LOG", log_path, 1), 0);
}

static VOID closed(PVOID Context)
{
    (void)Context;
}

/* ---- cases ---- */

static void a_clean_connection_says_nothing(void **state)
{
    ULONG before = SoftNdkVerifyCount(NULL);
    struct memory *m;
    struct pair p;

    (void)state;
    begin("warn");
    p = pair_open(NULL);
    m = memory_open(p.c, NULL, 4096, MEMORY_ALL);
    for (uintptr_t i = 0; i < 40; i++) {
        endpoint_receive(p.passive, 100 + i, m, 0, 64);
        endpoint_send(p.active, i, m, 64, 64, 0);
        endpoint_expect_initiated(p.active, i);
        endpoint_expect_received(p.passive, 100 + i, 64);
    }
    endpoint_write(p.active, 1, m, 0, 64, memory_to(m, 1024), m->remote, 0);
    endpoint_expect_initiated(p.active, 1);
    endpoint_read(p.passive, 2, m, 2048, 64, memory_to(m, 0), m->remote, 0);
    endpoint_expect_initiated(p.passive, 2);
    endpoint_disconnect_start(p.active);
    endpoint_wait_disconnected(p.passive);
    assert_ntstatus(endpoint_disconnect(p.passive), STATUS_SUCCESS);
    assert_ntstatus(endpoint_disconnect_wait(p.active), STATUS_SUCCESS);
    memory_close(m);
    pair_close(&p);
    assert_int_equal(SoftNdkVerifyCount(NULL), before);
    assert_string_equal(written(), "");
}

/* The memory of a closed object is still there, and a late call is told from a wild one. */
static void late_calls_are_told(void **state)
{
    ULONG before = SoftNdkVerifyCount("N-L1"), twice = SoftNdkVerifyCount("L2");
    struct consumer *c;
    NDK_RESULT result;
    NDK_CQ *cq = NULL;

    (void)state;
    begin("warn");
    c = consumer_open(NULL);
    assert_ntstatus(consumer_create_cq(c, 16, never_notified, NULL, &cq), STATUS_SUCCESS);
    consumer_close_object(c, &cq->Header);
    assert_int_equal(cq->Dispatch->NdkGetCqResults(cq, &result, 1), 0);
    cq->Dispatch->NdkArmCq(cq, NDK_CQ_NOTIFY_ANY);
    assert_int_equal(SoftNdkVerifyCount("N-L1"), before + 2);
    assert_ntstatus(cq->Dispatch->NdkCloseCq(&cq->Header, closed, NULL), STATUS_SUCCESS);
    assert_int_equal(SoftNdkVerifyCount("L2"), twice + 1);
    consumer_close(c);
    assert_non_null(strstr(written(), "verifier: N-L1 ===="));
    assert_non_null(strstr(text, "NdkGetCqResults"));
    assert_non_null(strstr(text, "  and closed at\n"));
}

static void memory_in_use_is_told(void **state)
{
    ULONG before = SoftNdkVerifyCount("N-P12");
    struct memory *m;
    struct pair p;

    (void)state;
    begin("warn");
    p = pair_open(NULL);
    m = memory_open(p.c, NULL, 4096, MEMORY_ALL);
    endpoint_receive(p.passive, 1, m, 0, 64);
    memory_close(m);
    pair_close(&p);
    assert_true(SoftNdkVerifyCount("N-P12") > before);
    assert_non_null(strstr(written(), "verifier: N-P12 ===="));
}

static void take_line(PVOID Context, const char *Text)
{
    if (strstr(Text, Context) != NULL)
        ((char *)Context)[0] = '!';
}

static void open_objects_are_listed(void **state)
{
    char wanted[] = "CQ 0x";
    struct consumer *c;
    NDK_CQ *cq = NULL;

    (void)state;
    begin("warn");
    c = consumer_open(NULL);
    assert_ntstatus(consumer_create_cq(c, 16, never_notified, NULL, &cq), STATUS_SUCCESS);
    assert_int_equal(SoftNdkVerifyListObjects(take_line, wanted), 3); /* adapter, PD, CQ */
    assert_int_equal(wanted[0], '!');
    consumer_close_object(c, &cq->Header);
    consumer_close(c);
    assert_int_equal(SoftNdkVerifyListObjects(take_line, wanted), 0);
}

static void break_a_rule(void *arg)
{
    struct consumer *c = consumer_open(NULL);
    NDK_CQ *cq = NULL;

    (void)arg;
    assert_ntstatus(consumer_create_cq(c, 16, never_notified, NULL, &cq), STATUS_SUCCESS);
    cq->Dispatch->NdkArmCq(cq, 99);
}

static void break_ends_the_process(void **state)
{
    char said[8192];

    (void)state;
    begin("break");
    assert_int_equal(death_of(break_a_rule, NULL, said, sizeof said), SIGABRT);
    assert_non_null(strstr(said, "N-P7: NdkArmCq takes one of the three"));
    assert_non_null(strstr(written(), "verifier: N-P7 ===="));
}

static void open_one(void *arg)
{
    NDK_ADAPTER *adapter = NULL;
    SOFTNDK_OPTIONS options = consumer_options();

    (void)arg;
    if (SoftNdkOpenAdapter(0, (NDK_VERSION){1, 2}, &options, &adapter) != STATUS_INVALID_PARAMETER)
        abort();
}

static void a_bad_mode_is_refused(void **state)
{
    char said[1024];

    (void)state;
    begin("loudly");
    assert_int_equal(death_of(open_one, NULL, said, sizeof said), 0);
    assert_string_equal(said, "softndk: the environment variable SOFTNDK_VERIFY is \"loudly\"; it "
                              "takes off, warn or break\n");
}

static int make_log(void **state)
{
    int fd;

    (void)state;
    snprintf(log_path, sizeof log_path, "verify-api-XXXXXX");
    fd = mkstemp(log_path);
    return fd < 0 || close(fd) != 0;
}

static int drop_log(void **state)
{
    (void)state;
    return unlink(log_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_connection_says_nothing),
        cmocka_unit_test(late_calls_are_told),
        cmocka_unit_test(memory_in_use_is_told),
        cmocka_unit_test(open_objects_are_listed),
        cmocka_unit_test(break_ends_the_process),
        cmocka_unit_test(a_bad_mode_is_refused),
    };

    return cmocka_run_group_tests(tests, make_log, drop_log);
}
