/* SPDX-License-Identifier: MIT */
#include "ndk/lam.h"

#include "support/unit.h"

enum { PAGE = 4096, HEAD = 16 };

/* Nothing of the adapter is looked at but its references. */
static struct rnic_adapter adapter;
static const struct rnic_obj_class adapter_class = {.kind = RNIC_ADAPTER};

static int set_up(void **state)
{
    (void)state;
    memset(&adapter, 0, sizeof adapter);
    adapter.obj.class = &adapter_class;
    adapter.obj.adapter = &adapter;
    sn_a32_store_relaxed(&adapter.obj.refs, 1);
    sn_a32_store_relaxed(&adapter.obj.ref_reasons[RNIC_REF_OWNER], 1);
    return 0;
}

static uint32_t mappings(void)
{
    return sn_a32_load_relaxed(&adapter.obj.ref_reasons[RNIC_REF_SUCCESSOR]);
}

static MDL mdl_of(uintptr_t va, ULONG count)
{
    return (MDL){
        .StartVa = (PVOID)(va & ~(uintptr_t)(PAGE - 1)),
        .ByteOffset = (ULONG)(va & (PAGE - 1)),
        .ByteCount = count,
    };
}

union room {
    NDK_LOGICAL_ADDRESS_MAPPING lam;
    uint8_t octets[HEAD + 8 * 8];
};

/* [NDKPI NDK_FN_BUILD_LAM] The pages of the region, both partial ones included. */
static void a_mapping_lists_the_pages(void **state)
{
    static const struct {
        uintptr_t va;
        ULONG length, pages;
    } cases[] = {
        {0x10000, 1, 1},
        {0x10000, PAGE, 1},
        {0x10000, PAGE + 1, 2},
        {0x10fff, 1, 1},
        {0x10fff, 2, 2},
        {0x10001, PAGE, 2},
        {0x10123, 3 * PAGE, 4},
        {0x10000, 8 * PAGE, 8},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        MDL mdl = mdl_of(cases[i].va, 8 * PAGE);
        union room room;
        const NDK_LOGICAL_ADDRESS *pages = room.lam.AdapterPageArray;
        ULONG size = sizeof room, fbo = 99;

        memset(&room, 0xee, sizeof room);
        assert_int_equal(
            ndk_lam_build(&adapter, &mdl, cases[i].length, &room.lam, &size, &fbo), STATUS_SUCCESS);
        assert_int_equal(size, HEAD + 8 * cases[i].pages);
        assert_int_equal(room.lam.AdapterPageCount, cases[i].pages);
        assert_int_equal(fbo, cases[i].va % PAGE);
        for (ULONG p = 0; p < cases[i].pages; p++)
            assert_int_equal(
                pages[p].QuadPart, (LONGLONG)(cases[i].va - cases[i].va % PAGE + p * PAGE));
        for (size_t o = size; o < sizeof room; o++)
            assert_int_equal(room.octets[o], 0xee);
        assert_int_equal(mappings(), 1);
        ndk_lam_release(&adapter, &room.lam);
        assert_int_equal(mappings(), 0);
    }
}

static void a_buffer_too_small_is_told_the_size(void **state)
{
    MDL mdl = mdl_of(0x10800, 4 * PAGE);

    (void)state;
    for (ULONG given = 0; given < HEAD + 3 * 8; given++) {
        union room room;
        ULONG size = given, fbo = 99;

        memset(&room, 0xee, sizeof room);
        assert_int_equal(ndk_lam_build(&adapter, &mdl, 2 * PAGE, &room.lam, &size, &fbo),
            STATUS_BUFFER_TOO_SMALL);
        assert_int_equal(size, HEAD + 3 * 8);
        assert_int_equal(fbo, 99);
        for (size_t o = 0; o < sizeof room; o++)
            assert_int_equal(room.octets[o], 0xee);
        size = given;
        assert_int_equal(
            ndk_lam_build(&adapter, &mdl, 2 * PAGE, NULL, &size, &fbo), STATUS_BUFFER_TOO_SMALL);
        assert_int_equal(size, HEAD + 3 * 8);
    }
    assert_int_equal(mappings(), 0);
}

static void what_cannot_be_mapped_is_refused(void **state)
{
    MDL mdl = mdl_of(0x10000, PAGE), gap = mdl_of(0x20000, PAGE), high;
    MDL chain[600];
    union room room;
    ULONG size = sizeof room, fbo;

    (void)state;
    assert_int_equal(
        ndk_lam_build(&adapter, NULL, 1, &room.lam, &size, &fbo), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        ndk_lam_build(&adapter, &mdl, 0, &room.lam, &size, &fbo), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        ndk_lam_build(&adapter, &mdl, PAGE + 1, &room.lam, &size, &fbo), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        ndk_lam_build(&adapter, &mdl, 1, &room.lam, NULL, &fbo), STATUS_INVALID_PARAMETER);
    assert_int_equal(
        ndk_lam_build(&adapter, &mdl, 1, &room.lam, &size, NULL), STATUS_INVALID_PARAMETER);
    mdl.Next = &gap;
    assert_int_equal(
        ndk_lam_build(&adapter, &mdl, PAGE + 1, &room.lam, &size, &fbo), STATUS_INVALID_PARAMETER);
    high = mdl_of(UINTPTR_MAX - PAGE, 2 * PAGE); /* beyond the end of the address space */
    assert_int_equal(
        ndk_lam_build(&adapter, &high, 2 * PAGE, &room.lam, &size, &fbo), STATUS_INVALID_PARAMETER);
    /* 2.4 TB: more pages than a ULONG of octets can list. */
    for (size_t i = 0; i < SN_ARRAY_COUNT(chain); i++) {
        chain[i] = mdl_of((uintptr_t)i * 0xfffff000u + PAGE, 0xfffff000u);
        chain[i].Next = i + 1 < SN_ARRAY_COUNT(chain) ? &chain[i + 1] : NULL;
    }
    assert_int_equal(ndk_lam_build(&adapter, &chain[0], SN_ARRAY_COUNT(chain) * (SIZE_T)0xfffff000u,
                         &room.lam, &size, &fbo),
        STATUS_INVALID_PARAMETER);
    assert_int_equal(size, sizeof room);
    assert_int_equal(mappings(), 0);
}

static void a_mapping_is_released_once_and_by_its_adapter(void **state)
{
    MDL mdl = mdl_of(0x10000, PAGE);
    struct rnic_adapter other = {0};
    union room a, b;
    ULONG size = sizeof a, fbo;

    (void)state;
    assert_int_equal(ndk_lam_build(&adapter, &mdl, 1, &a.lam, &size, &fbo), STATUS_SUCCESS);
    size = sizeof b;
    assert_int_equal(ndk_lam_build(&adapter, &mdl, 1, &b.lam, &size, &fbo), STATUS_SUCCESS);
    assert_int_equal(mappings(), 2);
    ndk_lam_release(&other, &a.lam);
    ndk_lam_release(&adapter, NULL);
    assert_int_equal(mappings(), 2);
    ndk_lam_release(&adapter, &a.lam);
    ndk_lam_release(&adapter, &a.lam);
    assert_int_equal(mappings(), 1);
    ndk_lam_release(&adapter, &b.lam);
    assert_int_equal(mappings(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_mapping_lists_the_pages, set_up),
        cmocka_unit_test_setup(a_buffer_too_small_is_told_the_size, set_up),
        cmocka_unit_test_setup(what_cannot_be_mapped_is_refused, set_up),
        cmocka_unit_test_setup(a_mapping_is_released_once_and_by_its_adapter, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
