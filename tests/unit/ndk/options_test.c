/* SPDX-License-Identifier: MIT */
#include "ndk/options.h"

#include "support/unit.h"

/* The environment of a test: pairs, ended by NULL. */
static const char *const *environment;

static char *from_test(const char *name)
{
    for (const char *const *e = environment; e != NULL && *e != NULL; e += 2) {
        if (strcmp(e[0], name) == 0)
            return (char *)(uintptr_t)e[1];
    }
    return NULL;
}

static NTSTATUS resolve(const SOFTNDK_OPTIONS *given, SOFTNDK_OPTIONS *out, char *text)
{
    memset(out, 0, sizeof *out);
    memset(text, 0, NDK_OPTIONS_TEXT);
    return ndk_options_resolve(given, from_test, out, text);
}

/* Every setting, a second time: variable, whether a 0 in the member counts, range, default. */
static const struct {
    size_t offset;
    const char *variable;
    bool zero_counts;
    ULONG min, max, otherwise;
} expected[] = {
    {offsetof(SOFTNDK_OPTIONS, MpaRevision), "SOFTNDK_MPA_REVISION", false, 1, 2, 2},
    {offsetof(SOFTNDK_OPTIONS, Crc), "SOFTNDK_CRC", true, 0, 2, 1},
    {offsetof(SOFTNDK_OPTIONS, Markers), "SOFTNDK_MARKERS", false, 0, 1, 0},
    {offsetof(SOFTNDK_OPTIONS, Rtr), "SOFTNDK_RTR", true, 0, 7, 6},
    {offsetof(SOFTNDK_OPTIONS, MaxFpduPayload), "SOFTNDK_MAX_FPDU_PAYLOAD", false, 64, 65535, 0},
    {offsetof(SOFTNDK_OPTIONS, MpaTimeoutMs), "SOFTNDK_MPA_TIMEOUT_MS", false, 1, 3600000, 10000},
    {offsetof(SOFTNDK_OPTIONS, MaxInboundReadLimit), "SOFTNDK_MAX_INBOUND_READ_LIMIT", false, 1,
        128, 128},
    {offsetof(SOFTNDK_OPTIONS, MaxOutboundReadLimit), "SOFTNDK_MAX_OUTBOUND_READ_LIMIT", false, 1,
        128, 128},
    {offsetof(SOFTNDK_OPTIONS, Rfc7306), "SOFTNDK_RFC7306", false, 0, 1, 0},
    {offsetof(SOFTNDK_OPTIONS, ReceiveWaitMs), "SOFTNDK_RECEIVE_WAIT_MS", false, 1, 3600000, 10000},
    {offsetof(SOFTNDK_OPTIONS, DisconnectTimeoutMs), "SOFTNDK_DISCONNECT_TIMEOUT_MS", false, 1,
        3600000, 5000},
    {offsetof(SOFTNDK_OPTIONS, ConnectTimeoutMs), "SOFTNDK_CONNECT_TIMEOUT_MS", false, 1, 3600000,
        15000},
    {offsetof(SOFTNDK_OPTIONS, AcceptQuietMs), "SOFTNDK_ACCEPT_QUIET_MS", false, 1, 3600000, 200},
    {offsetof(SOFTNDK_OPTIONS, Lanes), "SOFTNDK_LANES", false, 1, 16, 0},
    {offsetof(SOFTNDK_OPTIONS, SpinUs), "SOFTNDK_SPIN_US", true, 0, 1000000, 0},
    {offsetof(SOFTNDK_OPTIONS, AllowWildcard), "SOFTNDK_ALLOW_WILDCARD", false, 0, 1, 0},
    {offsetof(SOFTNDK_OPTIONS, RequireReadSink), "SOFTNDK_REQUIRE_READ_SINK", false, 0, 1, 0},
    {offsetof(SOFTNDK_OPTIONS, SocketBufferBytes), "SOFTNDK_SOCKET_BUFFER_BYTES", false, 4096,
        1073741824, 0},
};

static ULONG *member(SOFTNDK_OPTIONS *o, size_t i)
{
    return (ULONG *)(void *)((uint8_t *)o + expected[i].offset);
}

static void nothing_given_means_defaults(void **state)
{
    const SOFTNDK_OPTIONS open = SOFTNDK_OPTIONS_INIT;
    const SOFTNDK_OPTIONS *given[] = {NULL, &open};
    SOFTNDK_OPTIONS out;
    char text[NDK_OPTIONS_TEXT];

    (void)state;
    environment = NULL;
    for (size_t g = 0; g < SN_ARRAY_COUNT(given); g++) {
        assert_int_equal(resolve(given[g], &out, text), STATUS_SUCCESS);
        assert_int_equal(out.Size, sizeof out);
        assert_int_equal(out.Transport, SOFTNDK_TRANSPORT_AUTO);
        for (size_t i = 0; i < SN_ARRAY_COUNT(expected); i++)
            assert_int_equal(*member(&out, i), expected[i].otherwise);
    }
}

static void the_member_wins_over_the_variable(void **state)
{
    SOFTNDK_OPTIONS out;
    char text[NDK_OPTIONS_TEXT], max[16], min[16];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(expected); i++) {
        SOFTNDK_OPTIONS given = SOFTNDK_OPTIONS_INIT;
        const char *env[] = {expected[i].variable, max, NULL};

        snprintf(max, sizeof max, "%u", expected[i].max);
        snprintf(min, sizeof min, "0x%x", expected[i].min);
        environment = env;
        assert_int_equal(resolve(&given, &out, text), STATUS_SUCCESS);
        assert_int_equal(*member(&out, i), expected[i].max);
        env[1] = min;
        assert_int_equal(resolve(&given, &out, text), STATUS_SUCCESS);
        assert_int_equal(*member(&out, i), expected[i].min);
        env[1] = max;
        *member(&given, i) = expected[i].min != 0 || expected[i].zero_counts ? expected[i].min : 1;
        assert_int_equal(resolve(&given, &out, text), STATUS_SUCCESS);
        assert_int_equal(*member(&out, i), *member(&given, i));
        *member(&given, i) = SOFTNDK_OPTION_DEFAULT;
        assert_int_equal(resolve(&given, &out, text), STATUS_SUCCESS);
        assert_int_equal(*member(&out, i), expected[i].max);
        if (!expected[i].zero_counts) {
            *member(&given, i) = 0;
            assert_int_equal(resolve(&given, &out, text), STATUS_SUCCESS);
            assert_int_equal(*member(&out, i), expected[i].max);
        }
    }
}

static void a_member_out_of_range_is_named(void **state)
{
    SOFTNDK_OPTIONS out;
    char text[NDK_OPTIONS_TEXT];

    (void)state;
    environment = NULL;
    for (size_t i = 0; i < SN_ARRAY_COUNT(expected); i++) {
        for (int which = 0; which < 2; which++) {
            SOFTNDK_OPTIONS given = SOFTNDK_OPTIONS_INIT;
            ULONG value = which == 0 ? expected[i].max + 1 : expected[i].min - 1;

            if (which == 1 && expected[i].min <= 1)
                continue; /* 0 is open, and below 0 there is nothing */
            *member(&given, i) = value;
            assert_int_equal(resolve(&given, &out, text), STATUS_INVALID_PARAMETER);
            assert_int_equal(out.Size, 0);
            assert_non_null(strstr(text, "SOFTNDK_OPTIONS."));
            assert_non_null(strstr(text, "takes a number from"));
        }
    }
}

static void a_variable_that_does_not_parse_is_named(void **state)
{
    static const char *const bad[] = {"maybe", "-1", "1 ", " 1", "0x", "1.0",
        "99999999999999999999", "4294967296", "1a", "0xg", "auto"};
    SOFTNDK_OPTIONS out;
    char text[NDK_OPTIONS_TEXT];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(expected); i++) {
        for (size_t b = 0; b < SN_ARRAY_COUNT(bad); b++) {
            const char *env[] = {expected[i].variable, bad[b], NULL};
            char range[64];

            environment = env;
            assert_int_equal(resolve(NULL, &out, text), STATUS_INVALID_PARAMETER);
            assert_int_equal(out.Size, 0);
            assert_non_null(strstr(text, expected[i].variable));
            assert_non_null(strstr(text, bad[b]));
            snprintf(range, sizeof range, "from %u to %u", expected[i].min, expected[i].max);
            assert_non_null(strstr(text, range));
        }
    }
}

static void a_variable_out_of_range_is_refused_and_an_empty_one_is_none(void **state)
{
    SOFTNDK_OPTIONS out;
    char text[NDK_OPTIONS_TEXT], value[16];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(expected); i++) {
        const char *env[] = {expected[i].variable, value, NULL};

        environment = env;
        snprintf(value, sizeof value, "%u", expected[i].max + 1);
        assert_int_equal(resolve(NULL, &out, text), STATUS_INVALID_PARAMETER);
        if (expected[i].min > 0) {
            snprintf(value, sizeof value, "%u", expected[i].min - 1);
            assert_int_equal(resolve(NULL, &out, text), STATUS_INVALID_PARAMETER);
        }
        value[0] = '\0';
        assert_int_equal(resolve(NULL, &out, text), STATUS_SUCCESS);
        assert_int_equal(*member(&out, i), expected[i].otherwise);
    }
}

static void a_long_value_does_not_break_the_sentence(void **state)
{
    char value[2000], text[NDK_OPTIONS_TEXT];
    const char *env[] = {"SOFTNDK_MAX_OUTBOUND_READ_LIMIT", value, NULL};
    SOFTNDK_OPTIONS out;

    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    environment = env;
    assert_int_equal(resolve(NULL, &out, text), STATUS_INVALID_PARAMETER);
    assert_non_null(strstr(text, "from 1 to 128"));
}

static void transports_have_names(void **state)
{
    static const struct {
        const char *value;
        NTSTATUS want;
        ULONG transport;
    } cases[] = {
        {"auto", STATUS_SUCCESS, SOFTNDK_TRANSPORT_AUTO},
        {"tcp", STATUS_SUCCESS, SOFTNDK_TRANSPORT_TCP},
        {"0", STATUS_SUCCESS, SOFTNDK_TRANSPORT_AUTO},
        {"1", STATUS_SUCCESS, SOFTNDK_TRANSPORT_TCP},
        {"shm", STATUS_NOT_SUPPORTED, 0},
        {"2", STATUS_NOT_SUPPORTED, 0},
        {"3", STATUS_INVALID_PARAMETER, 0},
        {"TCP", STATUS_INVALID_PARAMETER, 0},
    };
    SOFTNDK_OPTIONS out, shm = SOFTNDK_OPTIONS_INIT;
    char text[NDK_OPTIONS_TEXT];

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        const char *env[] = {"SOFTNDK_TRANSPORT", cases[i].value, NULL};

        environment = env;
        assert_int_equal(resolve(NULL, &out, text), cases[i].want);
        if (cases[i].want == STATUS_SUCCESS)
            assert_int_equal(out.Transport, cases[i].transport);
        else
            assert_true(strlen(text) > 20);
    }
    environment = NULL;
    shm.Transport = SOFTNDK_TRANSPORT_SHM;
    assert_int_equal(resolve(&shm, &out, text), STATUS_NOT_SUPPORTED);
    assert_int_equal(out.Size, 0);
}

static void sizes_that_the_library_does_not_know_are_refused(void **state)
{
    const ULONG min = RTL_SIZEOF_THROUGH_FIELD(SOFTNDK_OPTIONS, Rfc7306);
    SOFTNDK_OPTIONS given = SOFTNDK_OPTIONS_INIT, out;
    char text[NDK_OPTIONS_TEXT];

    (void)state;
    environment = NULL;
    for (ULONG size = 0; size < sizeof given + 8; size++) {
        bool is_known = size >= min && size <= sizeof given && size % sizeof(ULONG) == 0;

        given.Size = size;
        assert_int_equal(
            resolve(&given, &out, text), is_known ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER);
    }
    /* What lies behind a smaller Size is not read. */
    given.Size = min;
    given.Lanes = 99;
    assert_int_equal(resolve(&given, &out, text), STATUS_SUCCESS);
    assert_int_equal(out.Lanes, 0);
}

static void settings_reach_the_rnic(void **state)
{
    SOFTNDK_OPTIONS o = SOFTNDK_OPTIONS_INIT, out;
    char text[NDK_OPTIONS_TEXT];
    struct rnic_options r, defaults;

    (void)state;
    environment = NULL;
    rnic_options_init(&defaults);
    assert_int_equal(resolve(NULL, &out, text), STATUS_SUCCESS);
    ndk_options_to_rnic(&out, 0, &r);
    assert_int_equal(r.mpa.revision, 2);
    assert_int_equal(r.mpa.crc, IW_CRC_ASK);
    assert_false(r.mpa.markers);
    assert_int_equal(r.mpa.rtr, IW_RTR_WRITE | IW_RTR_READ);
    assert_int_equal(r.socket_buffer, defaults.socket_buffer);
    assert_int_equal(r.mpa_timeout_ms, 10000);
    assert_int_equal(r.accept_quiet_ms, defaults.accept_quiet_ms);

    o.MpaRevision = 1;
    o.Crc = SOFTNDK_CRC_NEVER;
    o.Markers = 1;
    o.Rtr = 0;
    o.MaxFpduPayload = 1000;
    o.MpaTimeoutMs = 11;
    o.MaxInboundReadLimit = 3;
    o.MaxOutboundReadLimit = 4;
    o.Rfc7306 = 1;
    o.ReceiveWaitMs = 12;
    o.DisconnectTimeoutMs = 13;
    o.ConnectTimeoutMs = 14;
    o.Lanes = 2;
    o.AllowWildcard = 1;
    o.RequireReadSink = 1;
    o.SocketBufferBytes = 8192;
    assert_int_equal(resolve(&o, &out, text), STATUS_SUCCESS);
    ndk_options_to_rnic(&out, 7, &r);
    assert_int_equal(r.if_index, 7);
    assert_int_equal(r.mpa.revision, 1);
    assert_int_equal(r.mpa.crc, IW_CRC_NEVER_ASK);
    assert_true(r.mpa.markers);
    assert_int_equal(r.mpa.rtr, 0);
    assert_int_equal(r.mpa.ird_max, 3);
    assert_int_equal(r.mpa.ord_max, 4);
    assert_int_equal(r.payload_max, 1000);
    assert_true(r.rfc7306);
    assert_true(r.allow_wildcard);
    assert_true(r.require_read_sink);
    assert_int_equal(r.lanes, 2);
    assert_int_equal(r.socket_buffer, 8192);
    assert_int_equal(r.mpa_timeout_ms, 11);
    assert_int_equal(r.receive_wait_ms, 12);
    assert_int_equal(r.disconnect_timeout_ms, 13);
    assert_int_equal(r.connect_timeout_ms, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_means_defaults),
        cmocka_unit_test(the_member_wins_over_the_variable),
        cmocka_unit_test(a_member_out_of_range_is_named),
        cmocka_unit_test(a_variable_that_does_not_parse_is_named),
        cmocka_unit_test(a_variable_out_of_range_is_refused_and_an_empty_one_is_none),
        cmocka_unit_test(a_long_value_does_not_break_the_sentence),
        cmocka_unit_test(transports_have_names),
        cmocka_unit_test(sizes_that_the_library_does_not_know_are_refused),
        cmocka_unit_test(settings_reach_the_rnic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
