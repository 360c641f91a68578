/* SPDX-License-Identifier: MIT */
/* What a report says, how often, where to, and what break does. */
#include "verify/report.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/death.h"
#include "unit/verify/world.h"

static char log_path[64];
static char text[65536];

static void begin(const char *mode)
{
    memset(&fake, 0, sizeof fake);
    fake.mode = mode;
    fake.log = log_path;
    fake.linger = "0";
    assert_int_equal(truncate(log_path, 0), 0);
}

/* What the log holds. */
static const char *written(void)
{
    int fd = open(log_path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);

    assert_true(fd >= 0 && n >= 0);
    text[n] = '\0';
    close(fd);
    return text;
}

static unsigned count_of(const char *what)
{
    unsigned count = 0;

    for (const char *at = written(); (at = strstr(at, what)) != NULL; at++)
        count++;
    return count;
}

/* Not static, so that its name is on the stack. */
void the_driver_sends_too_early(struct world *w);

__attribute__((noinline)) void the_driver_sends_too_early(struct world *w)
{
    OK(send_nothing(w, 0));
    (void)collect(w);
}

static void a_report_says_what_is_needed(void **state)
{
    static const char *const parts[] = {"==== softndk verifier: N-W6 ====", "  rule    Send, read",
        "  found   the QP was not given to a connector\n", "  call    NdkSend, thread ", "IRQL 0\n",
        "  stack\n", "#0 NdkSend+", " the_driver_sends_too_early+", "  object  QP 0x",
        "of this process), open\n", "which was created at\n", "#0 NdkCreateQp+", "+0x",
        "  to do   Start in", "  page    NDK_FN_SEND\n"};
    struct world w;

    (void)state;
    begin("warn");
    world_open(&w, WANT_QP);
    the_driver_sends_too_early(&w);
    (void)written();
    for (size_t i = 0; i < SN_ARRAY_COUNT(parts); i++) {
        if (strstr(text, parts[i]) == NULL)
            fail_msg("\"%s\" is missing in:\n%s", parts[i], text);
    }
    world_close(&w, WANT_QP);
    assert_non_null(strstr(written(), "\nsoftndk verifier: "));
    assert_non_null(strstr(text, " of N-W6"));
    verify_drop_kept();
}

static void use_closed_pd(struct world *w)
{
    NDK_PD *pd = w->pd;
    UINT32 token;

    close_any(&pd->Header);
    w->pd = NULL;
    pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(pd, &token);
}

static void two_stacks_of_a_closed_object(void **state)
{
    struct world w;

    (void)state;
    begin("warn");
    world_open(&w, 0);
    use_closed_pd(&w);
    (void)written();
    assert_non_null(strstr(text, "), closed\n"));
    assert_non_null(strstr(text, "  and closed at\n"));
    assert_non_null(strstr(text, "0x000000D1 DRIVER_IRQL_NOT_LESS_OR_EQUAL"));
    world_close(&w, 0);
    verify_drop_kept();
}

/* From one place once, from two places twice; each counts. */
static void repetitions_are_counted(void **state)
{
    uint32_t before = verify_count(VERIFY_P7);
    struct world w;

    (void)state;
    begin("warn");
    world_open(&w, 0);
    for (volatile int i = 0; i < 5; i++)
        w.cq->Dispatch->NdkArmCq(w.cq, 77);
    assert_int_equal(count_of("verifier: N-P7 ===="), 1);
    w.cq->Dispatch->NdkArmCq(w.cq, 77);
    assert_int_equal(count_of("verifier: N-P7 ===="), 2);
    assert_int_equal(verify_count(VERIFY_P7) - before, 6);
    assert_int_equal(SoftNdkVerifyCount("N-P7"), verify_count(VERIFY_P7));
    assert_int_equal(SoftNdkVerifyCount("nonsense"), 0);
    assert_true(SoftNdkVerifyCount(NULL) >= 6);
    world_close(&w, 0);
    verify_drop_kept();
}

/* What is only risky is told on request. */
static void risky_is_quiet(void **state)
{
    uint32_t before = verify_count(VERIFY_RULE_COUNT);
    struct world w;

    (void)state;
    begin("warn");
    world_open(&w, WANT_CONNECTED);
    close_any(&w.connector->Header);
    w.connector = NULL;
    world_close(&w, WANT_CONNECTED);
    assert_int_equal(verify_count(VERIFY_RULE_COUNT), before);
    assert_string_equal(written(), "");
    verify_drop_kept();
}

static void break_it(void *arg)
{
    struct world w;

    (void)arg;
    fake.mode = "break";
    world_open(&w, 0);
    use_closed_pd(&w);
}

static void break_ends_the_process(void **state)
{
    char said[8192];

    (void)state;
    begin("break");
    assert_int_equal(death_of(break_it, NULL, said, sizeof said), SIGABRT);
    assert_int_equal(count_of("verifier: N-L1 ===="), 1); /* the report comes first */
    assert_non_null(strstr(said, "bugcheck 0x000000D1"));
    assert_non_null(strstr(said, "N-L1: An object is not used after its close was called."));
}

/* A memset of the wrong size, say: the verifier finds nothing of its own any more. */
static void wipe_it(void *arg)
{
    struct world w;
    UINT32 token;

    (void)arg;
    world_open(&w, 0);
    memset(&w.pd->Header.NdkReserved, 0, sizeof w.pd->Header.NdkReserved);
    w.pd->Dispatch->NdkGetPrivilegedMemoryRegionToken(w.pd, &token);
}

static void a_wiped_header_is_told(void **state)
{
    char said[8192];

    (void)state;
    begin("warn");
    assert_int_equal(death_of(wipe_it, NULL, said, sizeof said), SIGABRT);
    assert_non_null(strstr(said, "N-L14: the header of the object "));
}

static void bend_it(void *arg)
{
    struct world w;

    (void)arg;
    fake.mode = "break";
    fake.risky = "1";
    world_open(&w, WANT_CONNECTED);
    close_any(&w.connector->Header);
    _exit(17);
}

static void risky_does_not_break(void **state)
{
    char said[8192];

    (void)state;
    begin("break");
    assert_int_equal(death_of(bend_it, NULL, said, sizeof said), 0);
    assert_int_equal(count_of("verifier: N-C12 (legal, but risky) ===="), 1);
}

/* ---- layer ---- */

static VOID gather(PVOID Context, const char *Text)
{
    char *all = Context;
    size_t at = strlen(all);

    assert_null(strchr(Text, '\n'));
    snprintf(all + at, sizeof text - at, "%s\n", Text);
}

static void live_objects_are_listed(void **state)
{
    struct world w;

    (void)state;
    begin("warn");
    text[0] = '\0';
    assert_int_equal(SoftNdkVerifyListObjects(gather, text), 0);
    world_open(&w, WANT_QP);
    assert_int_equal(SoftNdkVerifyListObjects(gather, text), 4); /* adapter, PD, CQ, QP */
    assert_non_null(strstr(text, "QP 0x"));
    assert_non_null(strstr(text, "NdkCreateCq+"));
    world_close(&w, WANT_QP);
    assert_int_equal(SoftNdkVerifyListObjects(gather, text), 0);
    verify_drop_kept();
}

static void off_stays_out(void **state)
{
    char why[NDK_LAYER_TEXT];

    (void)state;
    begin("off");
    fake.state = &fake;
    assert_int_equal(verify_layer.open(fake_env, &fake.state, why), STATUS_SUCCESS);
    assert_null(fake.state);
    fake.mode = "maybe";
    assert_int_equal(verify_layer.open(fake_env, &fake.state, why), STATUS_INVALID_PARAMETER);
    assert_non_null(strstr(why, "SOFTNDK_VERIFY is \"maybe\""));
    fake.mode = "warn";
    fake.log = "/dev/null/nowhere";
    assert_int_equal(verify_layer.open(fake_env, &fake.state, why), STATUS_INVALID_PARAMETER);
    assert_non_null(strstr(why, "SOFTNDK_VERIFY_LOG"));
}

/* Closed objects stay for a while, not for ever. */
static void kept_objects_are_bounded(void **state)
{
    size_t live = sn_alloc_live_count();
    struct world w;

    (void)state;
    begin("warn");
    world_open(&w, 0);
    for (int i = 0; i < VERIFY_KEPT_MAX + 50; i++) {
        NDK_MR *mr = mr_create(w.pd, FALSE);

        close_any(&mr->Header);
    }
    assert_true(sn_alloc_live_count() - live < 2 * VERIFY_KEPT_MAX + 50);
    world_close(&w, 0);
    verify_drop_kept();
    assert_int_equal(sn_alloc_live_count(), live);
}

static int make_log(void **state)
{
    int fd;

    (void)state;
    snprintf(log_path, sizeof log_path, "verify-report-XXXXXX");
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
        cmocka_unit_test(a_report_says_what_is_needed),
        cmocka_unit_test(two_stacks_of_a_closed_object),
        cmocka_unit_test(repetitions_are_counted),
        cmocka_unit_test(risky_is_quiet),
        cmocka_unit_test(break_ends_the_process),
        cmocka_unit_test(a_wiped_header_is_told),
        cmocka_unit_test(risky_does_not_break),
        cmocka_unit_test(live_objects_are_listed),
        cmocka_unit_test(off_stays_out),
        cmocka_unit_test(kept_objects_are_bounded),
    };

    return cmocka_run_group_tests(tests, make_log, drop_log);
}
