/* SPDX-License-Identifier: MIT */
#include "support/unit.h"
#include "wire/wire_err.h"

/* The registries of the three layers, with what RFC 5040's table of headers says for each. */
static const struct {
    enum wire_err e;
    uint8_t layer, type, code;
    enum wire_err_headers headers;
} want[] = {
    {WIRE_LOCAL_CATASTROPHIC, 0, 0, 0x00, WIRE_HDR_NONE},
    {WIRE_RDMAP_STAG_INVALID, 0, 1, 0x00, WIRE_HDR_READ},
    {WIRE_RDMAP_BASE_BOUNDS, 0, 1, 0x01, WIRE_HDR_READ},
    {WIRE_RDMAP_ACCESS, 0, 1, 0x02, WIRE_HDR_READ},
    {WIRE_RDMAP_STAG_STREAM, 0, 1, 0x03, WIRE_HDR_READ},
    {WIRE_RDMAP_TO_WRAP, 0, 1, 0x04, WIRE_HDR_READ},
    {WIRE_RDMAP_CANNOT_INVALIDATE, 0, 1, 0x09, WIRE_HDR_READ},
    {WIRE_RDMAP_PROTECTION_UNSPECIFIED, 0, 1, 0xFF, WIRE_HDR_READ},
    {WIRE_RDMAP_VERSION, 0, 2, 0x05, WIRE_HDR_DDP},
    {WIRE_RDMAP_OPCODE, 0, 2, 0x06, WIRE_HDR_DDP},
    {WIRE_RDMAP_STREAM_CATASTROPHIC, 0, 2, 0x07, WIRE_HDR_DDP},
    {WIRE_RDMAP_GLOBAL_CATASTROPHIC, 0, 2, 0x08, WIRE_HDR_DDP},
    {WIRE_RDMAP_INVALIDATE_UNKNOWN, 0, 2, 0x09, WIRE_HDR_DDP},
    {WIRE_RDMAP_UNSPECIFIED, 0, 2, 0xFF, WIRE_HDR_DDP},
    {WIRE_DDP_CATASTROPHIC, 1, 0, 0x00, WIRE_HDR_DDP},
    {WIRE_DDP_STAG_INVALID, 1, 1, 0x00, WIRE_HDR_DDP},
    {WIRE_DDP_BASE_BOUNDS, 1, 1, 0x01, WIRE_HDR_DDP},
    {WIRE_DDP_STAG_STREAM, 1, 1, 0x02, WIRE_HDR_DDP},
    {WIRE_DDP_TO_WRAP, 1, 1, 0x03, WIRE_HDR_DDP},
    {WIRE_DDP_TAGGED_VERSION, 1, 1, 0x04, WIRE_HDR_DDP},
    {WIRE_DDP_QN, 1, 2, 0x01, WIRE_HDR_DDP},
    {WIRE_DDP_NO_BUFFER, 1, 2, 0x02, WIRE_HDR_DDP},
    {WIRE_DDP_MSN_RANGE, 1, 2, 0x03, WIRE_HDR_DDP},
    {WIRE_DDP_MO, 1, 2, 0x04, WIRE_HDR_DDP},
    {WIRE_DDP_TOO_LONG, 1, 2, 0x05, WIRE_HDR_DDP},
    {WIRE_DDP_UNTAGGED_VERSION, 1, 2, 0x06, WIRE_HDR_DDP},
    {WIRE_MPA_CLOSED, 2, 0, 0x01, WIRE_HDR_NONE},
    {WIRE_MPA_CRC, 2, 0, 0x02, WIRE_HDR_NONE},
    {WIRE_MPA_MARKER, 2, 0, 0x03, WIRE_HDR_NONE},
    {WIRE_MPA_FRAME, 2, 0, 0x04, WIRE_HDR_NONE},
    {WIRE_MPA_LOCAL_CATASTROPHIC, 2, 0, 0x05, WIRE_HDR_NONE},
    {WIRE_MPA_NO_IRD, 2, 0, 0x06, WIRE_HDR_NONE},
    {WIRE_MPA_NO_RTR, 2, 0, 0x07, WIRE_HDR_NONE},
};
enum { WANT_COUNT = sizeof(want) / sizeof(want[0]) };

/* [RDM-041] */
static void each_error_has_the_code_of_its_registry(void **state)
{
    (void)state;
    assert_int_equal(WANT_COUNT, WIRE_ERR_COUNT - 1); /* all but OK */
    for (size_t i = 0; i < WANT_COUNT; i++) {
        const struct wire_err_info *info = wire_err_info(want[i].e);

        assert_int_equal(info->layer, want[i].layer);
        assert_int_equal(info->type, want[i].type);
        assert_int_equal(info->code, want[i].code);
        assert_int_equal(info->headers, want[i].headers);
    }
}

static void each_error_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(WIRE_OK, 0);
    assert_string_equal(wire_err_info(WIRE_OK)->name, "OK");
    assert_string_equal(wire_err_info(WIRE_DDP_MO)->name, "DDP_MO");
    for (unsigned i = 0; i < WIRE_ERR_COUNT; i++) {
        const struct wire_err_info *info = wire_err_info((enum wire_err)i);

        assert_true(strlen(info->text) > 5);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(info->name, wire_err_info((enum wire_err)j)->name);
            assert_string_not_equal(info->text, wire_err_info((enum wire_err)j)->text);
        }
    }
}

static void a_value_outside_the_list_is_unspecified(void **state)
{
    (void)state;
    assert_ptr_equal(wire_err_info(WIRE_ERR_COUNT), wire_err_info(WIRE_RDMAP_UNSPECIFIED));
    assert_ptr_equal(
        wire_err_info((enum wire_err)0x7FFFFFFF), wire_err_info(WIRE_RDMAP_UNSPECIFIED));
}

/* [RDM-050] Every layer, type and code that a peer can write. */
static void received_codes_are_understood(void **state)
{
    (void)state;
    for (unsigned layer = 0; layer < 16; layer++) {
        for (unsigned type = 0; type < 16; type++) {
            for (unsigned code = 0; code <= 0xFF; code++) {
                enum wire_err expected = WIRE_OK, got = WIRE_OK;
                bool found;

                for (size_t i = 0; i < WANT_COUNT; i++) {
                    if (want[i].layer != layer)
                        continue;
                    if ((want[i].type == type && want[i].code == code) ||
                        (layer == 2 && type == 3 && want[i].code == code))
                        expected = want[i].e;
                }
                if (layer == 0 && type == 0)
                    expected = WIRE_LOCAL_CATASTROPHIC;
                found = wire_err_from_code((uint8_t)layer, (uint8_t)type, (uint8_t)code, &got);
                assert_int_equal(found, expected != WIRE_OK);
                assert_int_equal(got, expected); /* untouched if there is none */
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_the_code_of_its_registry),
        cmocka_unit_test(each_error_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(a_value_outside_the_list_is_unspecified),
        cmocka_unit_test(received_codes_are_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
