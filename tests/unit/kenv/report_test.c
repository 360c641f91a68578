/* SPDX-License-Identifier: MIT */
#include "support/unit.h"

#include "kenv/report.h"
#include "support/death.h"

static const struct kenv_report sample = {
    .rule = "sample-rule",
    .text = "the driver did it.",
    .advice = "do not do it.",
    .page = "a page",
};

struct sunk {
    int count;
    BOOLEAN takes, had_stack, had_freed;
    char rule[32];
};

static BOOLEAN sink(PVOID context, const SOFTNDK_DRV_REPORT *report)
{
    struct sunk *sunk = context;

    sunk->count++;
    sunk->had_stack = report->FrameCount > 0;
    sunk->had_freed = report->FreedFrameCount == 2 && report->ObjectFrameCount == 1;
    (void)snprintf(sunk->rule, sizeof(sunk->rule), "%s", report->Rule);
    if (report->IsFatal)
        fprintf(stderr, "sink saw %s\n", report->Rule);
    return sunk->takes;
}

static void goes_to_the_sink(void **state)
{
    struct sunk sunk = {.takes = TRUE};
    struct kenv_report r = sample;
    struct kenv_stack created = {.count = 1}, freed = {.count = 2};
    ULONG before = SoftNdkDrvReportCount();

    (void)state;
    r.created = &created;
    r.freed = &freed;
    SoftNdkDrvSetReportSink(sink, &sunk);
    kenv_report(&r);
    SoftNdkDrvSetReportSink(NULL, NULL);
    assert_int_equal(sunk.count, 1);
    assert_true(sunk.had_stack);
    assert_true(sunk.had_freed);
    assert_string_equal(sunk.rule, "sample-rule");
    assert_int_equal(SoftNdkDrvReportCount(), before + 1);
}

static void print_it(void *unused)
{
    (void)unused;
    kenv_report(&sample);
}

static void die_of_it(void *context)
{
    struct kenv_report r = sample;

    SoftNdkDrvSetReportSink(sink, context);
    r.is_fatal = true;
    r.code = 0x77;
    r.parameters[2] = 0xabc;
    kenv_report(&r);
}

static void printed_and_fatal(void **state)
{
    struct sunk sunk = {.takes = FALSE};
    char text[8192];

    (void)state;
    assert_int_equal(death_of(print_it, NULL, text, sizeof(text)), 0);
    assert_non_null(strstr(text, "rule broken: sample-rule"));
    assert_non_null(strstr(text, "the driver did it.\n*** do not do it.\n*** see a page\n"));
    assert_non_null(strstr(text, "*** stack:"));
    assert_int_equal(death_of(die_of_it, &sunk, text, sizeof(text)), SIGABRT);
    assert_non_null(strstr(text, "sink saw sample-rule"));
    assert_non_null(strstr(text, "bugcheck 0x00000077 (sample-rule)"));
    assert_non_null(strstr(text, "0xABC"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_to_the_sink),
        cmocka_unit_test(printed_and_fatal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
