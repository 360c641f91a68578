/* SPDX-License-Identifier: MIT */
#include "ndk/info.h"

#include <ndkpi.h>

#include "support/unit.h"

static struct rnic_adapter adapter_with_defaults(void)
{
    struct rnic_adapter a = {.lanes_count = 1};

    a.options = (struct rnic_options){
        .mpa = {.revision = 2, .rtr = IW_RTR_WRITE, .ird_max = 16, .ord_max = 128}};
    return a;
}

static void versions(void **state)
{
    static const struct {
        NDK_VERSION version;
        bool is_accepted;
    } cases[] = {
        {{0, 0}, false},
        {{0, 9}, false},
        {{1, 0}, true},
        {{1, 1}, true},
        {{1, 2}, true},
        {{1, 3}, false},
        {{2, 0}, true},
        {{2, 1}, true},
        {{2, 2}, false},
        {{2, 65535}, false},
        {{3, 0}, false},
        {{65535, 0}, false},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++)
        assert_int_equal(ndk_version_is_accepted(cases[i].version), cases[i].is_accepted);
}

/* [NDKPI NDK_ADAPTER_INFO] What known consumers need in order to start. */
static void the_limits_suffice_for_known_consumers(void **state)
{
    struct rnic_adapter a = adapter_with_defaults();
    NDK_ADAPTER_INFO info;

    (void)state;
    memset(&info, 0xee, sizeof info);
    ndk_info_fill(&a, &info);
    assert_int_equal(info.Version.Major, 2);
    assert_int_equal(info.Version.Minor, 1);
    assert_int_equal(info.VendorId & 0xff000000, 0);
    assert_true((info.VendorId & 0x020000) != 0); /* locally administered: nobody else's */
    assert_true(info.FRMRPageCount >= 16);
    assert_true(info.MaxInitiatorRequestSge >= 16);
    assert_true(info.MaxReceiveRequestSge >= 16);
    assert_true(info.MaxReadRequestSge >= 1);
    assert_true(info.MaxReceiveQueueDepth >= 1024);
    assert_true(info.MaxInitiatorQueueDepth >= 1024);
    assert_true(info.MaxSrqDepth >= 1024);
    assert_true(info.MaxCqDepth >= info.MaxReceiveQueueDepth + info.MaxInitiatorQueueDepth);
    assert_true(info.MaxRegistrationSize >= (SIZE_T)1 << 40);
    assert_true(info.MaxWindowSize == info.MaxRegistrationSize);
    assert_true(info.MaxCallerData >= 56);
    assert_int_equal(info.MaxCallerData, 508);
    assert_int_equal(info.MaxCalleeData, 508);
    assert_int_equal(info.MaxInboundReadLimit, 16);
    assert_int_equal(info.MaxOutboundReadLimit, 128);
    assert_int_equal(info.RdmaTechnology, NdkiWarp);
    a.options.mpa.revision = 1;
    ndk_info_fill(&a, &info);
    assert_int_equal(info.MaxCallerData, 512);
}

static void flags_say_what_is_there(void **state)
{
    struct rnic_adapter a = adapter_with_defaults();
    const ULONG always = NDK_ADAPTER_FLAG_RDMA_READ_LOCAL_INVALIDATE_SUPPORTED |
                         NDK_ADAPTER_FLAG_LOOPBACK_CONNECTIONS_SUPPORTED;
    const ULONG lenient = NDK_ADAPTER_FLAG_RDMA_READ_SINK_NOT_REQUIRED |
                          NDK_ADAPTER_FLAG_CQ_INTERRUPT_MODERATION_SUPPORTED |
                          NDK_ADAPTER_FLAG_CQ_RESIZE_SUPPORTED;
    NDK_ADAPTER_INFO info;

    (void)state;
    ndk_info_fill(&a, &info);
    assert_int_equal(info.AdapterFlags, always | lenient);
    a.lanes_count = 2;
    ndk_info_fill(&a, &info);
    assert_int_equal(info.AdapterFlags, always | lenient | NDK_ADAPTER_FLAG_MULTI_ENGINE_SUPPORTED);
    a.lanes_count = 1;
    a.options.require_read_sink = true;
    ndk_info_fill(&a, &info);
    assert_int_equal(info.AdapterFlags, always);
    assert_int_equal(info.MaxReadRequestSge, 1);
    assert_int_equal(info.MaxInlineDataSize, 0);
    assert_int_equal(info.MaxSrqDepth, 0);
}

/* [NDKPI NDK_FN_QUERY_ADAPTER_INFO] A consumer compiled against the layout of 1.2 gives 96. */
static void as_much_is_written_as_fits(void **state)
{
    struct rnic_adapter a = adapter_with_defaults();
    NDK_ADAPTER_INFO whole;

    (void)state;
    memset(&whole, 0, sizeof whole);
    ndk_info_fill(&a, &whole);
    for (ULONG room = 0; room <= sizeof whole + 16; room++) {
        uint8_t out[sizeof whole + 16], before[sizeof whole + 16];
        ULONG size = room;
        NTSTATUS got;

        memset(out, 0xee, sizeof out);
        memset(before, 0xee, sizeof before);
        got = ndk_info_write(&a, (NDK_ADAPTER_INFO *)(void *)out, &size);
        if (room < 96) {
            assert_int_equal(got, STATUS_BUFFER_TOO_SMALL);
            assert_int_equal(size, 104);
            assert_memory_equal(out, before, sizeof out);
        } else {
            assert_int_equal(got, STATUS_SUCCESS);
            assert_int_equal(size, room < 104 ? room : 104);
            assert_memory_equal(out, &whole, 12); /* up to the first padding */
            assert_memory_equal(out + 16, (uint8_t *)&whole + 16, 80);
            assert_memory_equal(out + size, before, sizeof out - size);
        }
    }
}

static void the_size_can_be_asked_for(void **state)
{
    struct rnic_adapter a = adapter_with_defaults();
    ULONG size = 0;

    (void)state;
    assert_int_equal(ndk_info_write(&a, NULL, &size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(size, 104);
    assert_int_equal(ndk_info_write(&a, NULL, &size), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(ndk_info_write(&a, NULL, NULL), STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),
        cmocka_unit_test(the_limits_suffice_for_known_consumers),
        cmocka_unit_test(flags_say_what_is_there),
        cmocka_unit_test(as_much_is_written_as_fits),
        cmocka_unit_test(the_size_can_be_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
