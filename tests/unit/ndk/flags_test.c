/* SPDX-License-Identifier: MIT */
#include "ndk/flags.h"

#include "support/unit.h"

/* The matrix of the documents, a column per request, a letter per flag that it knows. */
static const struct {
    ULONG flag;
    const char *known_to; /* S send, V send and invalidate, R read, W write, B bind, F fast
                             register, I invalidate */
} matrix[] = {
    {0x001, "SVRWBFI"}, /* SILENT_SUCCESS */
    {0x002, "SVRWBFI"}, /* READ_FENCE */
    {0x004, "SV"},      /* SEND_AND_SOLICIT_EVENT */
    {0x008, "BF"},      /* ALLOW_REMOTE_READ */
    {0x010, "BF"},      /* ALLOW_LOCAL_WRITE; half of ALLOW_REMOTE_WRITE for bind */
    {0x020, "BF"},      /* the other half */
    {0x040, "SVW"},     /* INLINE */
    {0x080, "F"},       /* RDMA_READ_SINK */
    {0x100, "R"},       /* RDMA_READ_LOCAL_INVALIDATE */
    {0x200, "SVRWBFI"}, /* DEFER */
};
static const char letters[NDK_WR_COUNT] = {
    [NDK_WR_SEND] = 'S',
    [NDK_WR_SEND_AND_INVALIDATE] = 'V',
    [NDK_WR_READ] = 'R',
    [NDK_WR_WRITE] = 'W',
    [NDK_WR_BIND] = 'B',
    [NDK_WR_FAST_REGISTER] = 'F',
    [NDK_WR_INVALIDATE] = 'I',
};

static const char *known_to(unsigned bit)
{
    for (size_t i = 0; i < SN_ARRAY_COUNT(matrix); i++) {
        if (matrix[i].flag == 1u << bit)
            return matrix[i].known_to;
    }
    return "";
}

static void each_request_knows_its_flags_and_no_other(void **state)
{
    (void)state;
    for (unsigned wr = 0; wr < NDK_WR_COUNT; wr++) {
        assert_true(ndk_flags_are_known((enum ndk_wr)wr, 0));
        for (unsigned bit = 0; bit < 32; bit++)
            assert_int_equal(ndk_flags_are_known((enum ndk_wr)wr, 1u << bit),
                strchr(known_to(bit), letters[wr]) != NULL);
        /* One wrong bit spoils all. */
        assert_false(ndk_flags_are_known((enum ndk_wr)wr, ndk_wr_flags[wr] | 0x400));
    }
}

static void each_flag_becomes_its_own(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        ULONG flags = 0;
        uint32_t want = 0;

        flags |= (bits & 1) ? NDK_OP_FLAG_SILENT_SUCCESS : 0;
        want |= (bits & 1) ? IW_WR_SILENT : 0;
        flags |= (bits & 2) ? NDK_OP_FLAG_READ_FENCE : 0;
        want |= (bits & 2) ? IW_WR_READ_FENCE : 0;
        flags |= (bits & 4) ? NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT : 0;
        want |= (bits & 4) ? IW_WR_SOLICITED : 0;
        flags |= (bits & 8) ? NDK_OP_FLAG_INLINE : 0;
        want |= (bits & 8) ? IW_WR_INLINE : 0;
        flags |= (bits & 16) ? NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE : 0;
        want |= (bits & 16) ? IW_WR_INVALIDATE : 0;
        flags |= (bits & 32) ? NDK_OP_FLAG_DEFER : 0;
        want |= (bits & 32) ? RNIC_POST_DEFER : 0;
        assert_int_equal(ndk_flags_to_post(flags), want);
        /* The flags that are rights do not leak into the others. */
        assert_int_equal(ndk_flags_to_post(flags | 0xb8), want);
    }
}

/* ALLOW_REMOTE_WRITE is two bits: neither half of it may pass for the whole. */
static void rights_follow_the_flags(void **state)
{
    static const struct {
        enum ndk_wr wr;
        ULONG flags;
        bool is_sound;
        uint32_t rights;
    } cases[] = {
        {NDK_WR_BIND, 0x00, true, 0},
        {NDK_WR_BIND, 0x08, true, MEM_REMOTE_READ},
        {NDK_WR_BIND, 0x30, true, MEM_REMOTE_WRITE},
        {NDK_WR_BIND, 0x38, true, MEM_REMOTE_READ | MEM_REMOTE_WRITE},
        {NDK_WR_BIND, 0x10, false, 0},
        {NDK_WR_BIND, 0x20, false, 0},
        {NDK_WR_BIND, 0x28, false, 0},
        {NDK_WR_FAST_REGISTER, 0x00, true, 0},
        {NDK_WR_FAST_REGISTER, 0x08, true, MEM_REMOTE_READ},
        {NDK_WR_FAST_REGISTER, 0x10, true, MEM_LOCAL_WRITE},
        {NDK_WR_FAST_REGISTER, 0x18, true, MEM_REMOTE_READ | MEM_LOCAL_WRITE},
        {NDK_WR_FAST_REGISTER, 0x30, true, MEM_REMOTE_WRITE | MEM_LOCAL_WRITE},
        {NDK_WR_FAST_REGISTER, 0x80, true, MEM_READ_SINK},
        {NDK_WR_FAST_REGISTER, 0xb8, true,
            MEM_REMOTE_READ | MEM_REMOTE_WRITE | MEM_LOCAL_WRITE | MEM_READ_SINK},
        {NDK_WR_FAST_REGISTER, 0x20, false, 0},
        {NDK_WR_FAST_REGISTER, 0xa0, false, 0},
        /* Flags that are no rights do not count. */
        {NDK_WR_FAST_REGISTER, 0x203, true, 0},
    };

    (void)state;
    for (size_t i = 0; i < SN_ARRAY_COUNT(cases); i++) {
        uint32_t rights;

        assert_int_equal(
            ndk_flags_to_rights(cases[i].wr, cases[i].flags, &rights), cases[i].is_sound);
        if (cases[i].is_sound)
            assert_int_equal(rights, cases[i].rights);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_request_knows_its_flags_and_no_other),
        cmocka_unit_test(each_flag_becomes_its_own),
        cmocka_unit_test(rights_follow_the_flags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
