/* SPDX-License-Identifier: MIT */
#include "chaos/faults.h"

#include "support/unit.h"

static struct chaos_rules parsed(const char *text)
{
    struct chaos_rules rules;
    char why[CHAOS_TEXT] = "";

    if (!chaos_rules_parse(text, &rules, why))
        fail_msg("%s: %s", text, why);
    return rules;
}

static void specs_are_read(void **state)
{
    struct chaos_rules r;

    (void)state;
    assert_int_equal(parsed(NULL).count, 0);
    assert_int_equal(parsed("").count, 0);
    r = parsed("alloc:nth=3,NdkConnect:nth=2:status=STATUS_CONNECTION_REFUSED:async,"
               "NdkCreateQp:p=0.25,disconnect:after=100,seed=0x10,cq-overrun:every=7,"
               "NdkListen:status=SHARING_VIOLATION");
    assert_int_equal(r.count, 6);
    assert_int_equal(r.seed, 16);
    assert_int_equal(r.rule[0].target, CHAOS_TARGET_ALLOC);
    assert_int_equal(r.rule[0].nth, 3);
    assert_int_equal(r.rule[1].entry, CHAOS_CONNECT);
    assert_int_equal(r.rule[1].nth, 2);
    assert_int_equal(r.rule[1].status, STATUS_CONNECTION_REFUSED);
    assert_true(r.rule[1].is_async);
    assert_int_equal(r.rule[2].entry, CHAOS_CREATE_QP);
    assert_true(r.rule[2].is_random);
    assert_int_equal(r.rule[2].chance, UINT32_MAX / 4);
    assert_int_equal(r.rule[3].target, CHAOS_TARGET_DISCONNECT);
    assert_int_equal(r.rule[3].after, 100);
    assert_int_equal(r.rule[4].target, CHAOS_TARGET_CQ_OVERRUN);
    assert_int_equal(r.rule[4].every, 7);
    assert_int_equal(r.rule[5].status, STATUS_SHARING_VIOLATION);
    assert_true(chaos_rules_have(&r, CHAOS_TARGET_ALLOC));
    assert_true(chaos_rules_have_call(&r, CHAOS_LISTEN));
    assert_false(chaos_rules_have_call(&r, CHAOS_SEND));
    assert_false(chaos_rules_have(&(struct chaos_rules){0}, CHAOS_TARGET_CALL));
}

static void bad_specs_are_refused_at_their_place(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"NdkConnec", "\"NdkConnec\" at character 1 is nothing that can fail"},
        {"alloc,", "\"\" at character 7 is nothing that can fail"},
        {"alloc:nth=", "\"\" at character 11 is not a number"},
        {"alloc:nth=0", "\"0\" at character 11 is not a number from 1"},
        {"alloc:nth=3,NdkSend:nht=2", "\"nht=2\" at character 21 is no key"},
        {"alloc:status=STATUS_IO_TIMEOUT", "at character 7 is no key here"},
        {"alloc:", "\"\" at character 7 is no key here"},
        {"NdkClose", "has no documented failure"},
        {"NdkArmCq:nth=1", "\"NdkArmCq\" at character 1 has no documented failure"},
        {"NdkPd:nth=1", "is nothing that can fail"},
        {"NdkSend:p=1.5", "\"1.5\" at character 11 is not a fraction"},
        {"NdkSend:p=", "is not a fraction"},
        {"NdkSend:p=.", "is not a fraction"},
        {"NdkSend:p=0.1.2", "is not a fraction"},
        {"NdkSend:async", "\"async\" at character 9 is for calls that may return STATUS_PENDING"},
        {"NdkListen:status=STATUS_IO_TIMEOUT",
            "\"STATUS_IO_TIMEOUT\" at character 18 is not documented for NdkListen; it takes "
            "SHARING_VIOLATION, INSUFFICIENT_RESOURCES"},
        {"seed=x", "\"x\" at character 6 is no seed"},
        {"seed=", "is nothing that can fail"},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        struct chaos_rules rules;
        char why[CHAOS_TEXT] = "";

        assert_false(chaos_rules_parse(cases[i].text, &rules, why));
        if (strstr(why, cases[i].part) == NULL)
            fail_msg("%s: %s", cases[i].text, why);
    }
}

/* The longest of everything: the sentence ends with a 0 inside the text. */
static void sentences_and_lists_have_an_end(void **state)
{
    char text[CHAOS_RULES_MAX * 8 + 8] = "", name[1000], why[CHAOS_TEXT];
    struct chaos_rules rules;

    (void)state;
    for (int i = 0; i < CHAOS_RULES_MAX; i++)
        strncat(text, i == 0 ? "NdkSend" : ",NdkSend", sizeof(text) - strlen(text) - 1);
    assert_int_equal(parsed(text).count, CHAOS_RULES_MAX);
    strncat(text, ",alloc", sizeof(text) - strlen(text) - 1);
    assert_false(chaos_rules_parse(text, &rules, why));
    assert_non_null(strstr(why, "one too many"));
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memcpy(name, "NdkConnect:status=", 18);
    memset(why, 'y', sizeof(why));
    assert_false(chaos_rules_parse(name, &rules, why));
    assert_non_null(memchr(why, '\0', sizeof(why)));
}

/* Which of the first ten calls fail. */
static unsigned failing(const char *text, enum chaos_entry entry)
{
    struct chaos_rules rules = parsed(text);
    struct chaos_faults f;
    unsigned mask = 0;

    chaos_faults_init(&f, &rules);
    for (unsigned i = 0; i < 10; i++) {
        bool is_async = false;

        if (chaos_faults_call(&f, entry, 1, i, &is_async) != STATUS_SUCCESS)
            mask |= 1u << i;
    }
    return mask;
}

static void numbers_count_calls(void **state)
{
    static const struct {
        const char *text;
        unsigned mask;
    } cases[] = {
        {"", 0},
        {"NdkSend", 0x3ff},
        {"NdkSend:nth=3", 0x004},
        {"NdkSend:after=7", 0x380},
        {"NdkSend:every=4", 0x088},
        {"NdkSend:nth=1:after=8", 0x301},
        {"NdkSend:nth=1,NdkSend:nth=3", 0x005},
        {"NdkSend:p=0", 0},
        {"NdkSend:p=1", 0x3ff},
        {"NdkRead:nth=3", 0},
        {"alloc:nth=3", 0},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++)
        assert_int_equal(failing(cases[i].text, CHAOS_SEND), cases[i].mask);
}

static void chance_is_a_matter_of_the_seed(void **state)
{
    unsigned a = failing("NdkSend:p=0.5,seed=1", CHAOS_SEND);

    (void)state;
    assert_int_equal(a, failing("NdkSend:p=0.5,seed=1", CHAOS_SEND));
    assert_int_not_equal(a, failing("NdkSend:p=0.5,seed=2", CHAOS_SEND));
}

static void statuses_are_those_of_the_rule_or_any(void **state)
{
    struct chaos_rules rules = parsed("NdkConnect:after=300:status=IO_TIMEOUT:async,NdkConnect");
    struct chaos_faults f;
    bool seen[CHAOS_STATUSES_MAX] = {false}, is_async = false;
    const struct chaos_entry_info *info = chaos_entry_info(CHAOS_CONNECT);

    (void)state;
    chaos_faults_init(&f, &rules);
    for (unsigned n = 0; n < 300; n++) {
        NTSTATUS status = chaos_faults_call(&f, CHAOS_CONNECT, 1, n, &is_async);

        for (unsigned i = 0; i < chaos_entry_failures(CHAOS_CONNECT); i++)
            seen[i] = seen[i] || status == info->failures[i];
    }
    for (unsigned i = 0; i < chaos_entry_failures(CHAOS_CONNECT); i++)
        assert_true(seen[i]);
    assert_false(is_async);
    assert_int_equal(chaos_faults_call(&f, CHAOS_CONNECT, 1, 300, &is_async), STATUS_IO_TIMEOUT);
    assert_true(is_async);
}

static void events_count_for_themselves_or_per_object(void **state)
{
    struct chaos_rules rules = parsed("alloc:nth=2,disconnect:after=2");
    struct chaos_faults f;

    (void)state;
    chaos_faults_init(&f, &rules);
    assert_false(chaos_faults_event(&f, CHAOS_TARGET_ALLOC, 0, 0));
    assert_true(chaos_faults_event(&f, CHAOS_TARGET_ALLOC, 0, 0));
    assert_false(chaos_faults_event(&f, CHAOS_TARGET_ALLOC, 0, 0));
    assert_false(chaos_faults_event(&f, CHAOS_TARGET_DISCONNECT, 1, 2));
    assert_true(chaos_faults_event(&f, CHAOS_TARGET_DISCONNECT, 1, 3));
    assert_false(chaos_faults_event(&f, CHAOS_TARGET_DISCONNECT, 2, 1));
    assert_false(chaos_faults_event(&f, CHAOS_TARGET_CQ_OVERRUN, 2, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_read),
        cmocka_unit_test(bad_specs_are_refused_at_their_place),
        cmocka_unit_test(sentences_and_lists_have_an_end),
        cmocka_unit_test(numbers_count_calls),
        cmocka_unit_test(chance_is_a_matter_of_the_seed),
        cmocka_unit_test(statuses_are_those_of_the_rule_or_any),
        cmocka_unit_test(events_count_for_themselves_or_per_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
