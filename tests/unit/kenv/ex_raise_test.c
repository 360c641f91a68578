/* SPDX-License-Identifier: MIT */
#if defined(__clang__)
#pragma clang optimize off /* see softndk_seh.h: variables changed in a __try block */
#endif
#include "support/unit.h"

#include "kenv/seh.h"
#include "support/death.h"

#include <sys/mman.h>
#include <wdm.h>

#pragma GCC diagnostic ignored "-Wshadow" /* a __try inside another */

static void raise_it(NTSTATUS status)
{
    if (status != STATUS_SUCCESS)
        ExRaiseStatus(status);
}

static void handled(void **state)
{
    int before = 0, after = 0;
    NTSTATUS seen = STATUS_SUCCESS;

    (void)state;
    __try {
        before = 1;
        raise_it(STATUS_DATA_ERROR);
        after = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        seen = GetExceptionCode();
    }
    assert_int_equal(before, 1);
    assert_int_equal(after, 0);
    assert_int_equal(seen, STATUS_DATA_ERROR);

    seen = STATUS_SUCCESS;
    __try {
        raise_it(STATUS_SUCCESS);
        after = 2;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        seen = GetExceptionCode();
    }
    assert_int_equal(after, 2);
    assert_int_equal(seen, STATUS_SUCCESS);
}

static LONG only(NTSTATUS code, NTSTATUS wanted, PEXCEPTION_POINTERS pointers)
{
    assert_int_equal(pointers->ExceptionRecord->ExceptionCode, code);
    assert_non_null(pointers->ExceptionRecord->ExceptionAddress);
    return code == wanted ? EXCEPTION_EXECUTE_HANDLER : EXCEPTION_CONTINUE_SEARCH;
}

static void filters_search_outwards(void **state)
{
    int inner = 0, outer = 0, finals = 0;

    (void)state;
    __try {
        __try {
            __try {
                ExRaiseStatus(STATUS_NO_MEMORY);
            } __except (only(GetExceptionCode(), STATUS_DATA_ERROR, GetExceptionInformation())) {
                inner++;
            }
        } __finally {
            assert_true(AbnormalTermination());
            assert_int_equal(outer, 0);
            finals++;
        }
        outer = 100; /* not reached */
    } __except (only(GetExceptionCode(), STATUS_NO_MEMORY, GetExceptionInformation())) {
        outer++;
    }
    assert_int_equal(inner, 0);
    assert_int_equal(finals, 1);
    assert_int_equal(outer, 1);
}

static void finally_always_runs(void **state)
{
    int finals = 0, passed = 0;

    (void)state;
    __try {
        passed = 1;
    } __finally {
        assert_false(AbnormalTermination());
        finals++;
    }
    assert_int_equal(passed, 1);
    assert_int_equal(finals, 1);
    __try {
        for (int i = 0; i < 10; i++)
            while (i < 10)
                if (i++ == 3)
                    __leave;
        passed = 2;
    } __finally {
        finals++;
    }
    assert_int_equal(passed, 1);
    assert_int_equal(finals, 2);
}

static int returns_from_inside(int how)
{
    __try {
        if (how == 0)
            return 1;
        if (how == 1)
            goto out;
        raise_it(STATUS_DATA_ERROR);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return 3;
    }
out:
    return 2;
}

/* The frames that were left by return and goto are not raised into. */
static void leaving_takes_the_frame_along(void **state)
{
    int outer = 0;

    (void)state;
    __try {
        assert_int_equal(returns_from_inside(0), 1);
        assert_int_equal(returns_from_inside(1), 2);
        assert_int_equal(returns_from_inside(2), 3);
        raise_it(STATUS_CANCELLED);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        outer++;
    }
    assert_int_equal(outer, 1);
}

static void a_handler_may_raise(void **state)
{
    NTSTATUS last = STATUS_SUCCESS;

    (void)state;
    __try {
        __try {
            ExRaiseAccessViolation();
        } __except (EXCEPTION_EXECUTE_HANDLER) {
            assert_int_equal(GetExceptionCode(), STATUS_ACCESS_VIOLATION);
            ExRaiseDatatypeMisalignment();
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        last = GetExceptionCode();
    }
    assert_int_equal(last, STATUS_DATATYPE_MISALIGNMENT);
}

static NTSTATUS probe(volatile void *p, SIZE_T n, ULONG alignment, int is_write)
{
    __try {
        if (is_write)
            ProbeForWrite(p, n, alignment);
        else
            ProbeForRead(p, n, alignment);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static void probes(void **state)
{
    char *p = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(p != MAP_FAILED);
    assert_int_equal(munmap(p + 2 * PAGE_SIZE, PAGE_SIZE), 0);
    for (int is_write = 0; is_write < 2; is_write++) {
        assert_int_equal(probe(p, (SIZE_T)2 * PAGE_SIZE, 1, is_write), STATUS_SUCCESS);
        assert_int_equal(probe(p + 1, 8, 4, is_write), STATUS_DATATYPE_MISALIGNMENT);
        assert_int_equal(probe(p + PAGE_SIZE, PAGE_SIZE + 1, 1, is_write), STATUS_ACCESS_VIOLATION);
        assert_int_equal(probe(p + 2 * PAGE_SIZE, 1, 1, is_write), STATUS_ACCESS_VIOLATION);
        assert_int_equal(probe(p + 2 * PAGE_SIZE, 0, 1, is_write), STATUS_SUCCESS);
        assert_int_equal(probe(p, SIZE_MAX, 1, is_write), STATUS_ACCESS_VIOLATION);
    }
    assert_false(kenv_is_readable(NULL, 1));
    assert_int_equal(munmap(p, (size_t)4 * PAGE_SIZE), 0);
}

static void unhandled(void *unused)
{
    (void)unused;
    ExRaiseStatus(STATUS_DATA_ERROR);
}

static void continued(void *unused)
{
    (void)unused;
    __try {
        ExRaiseStatus(STATUS_DATA_ERROR);
    } __except (EXCEPTION_CONTINUE_EXECUTION) {
    }
}

static void broken_out_of(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        __try {
            break;
        } __except (EXCEPTION_EXECUTE_HANDLER) {
        }
    }
}

static void what_ends_the_process(void **state)
{
    static const struct {
        void (*fn)(void *);
        const char *says;
    } cases[] = {
        {unhandled, "KMODE_EXCEPTION_NOT_HANDLED"},
        {continued, "EXCEPTION_CONTINUE_EXECUTION"},
        {broken_out_of, "left with break"},
    };
    char text[8192];

    (void)state;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        assert_int_equal(death_of(cases[i].fn, NULL, text, sizeof(text)), SIGABRT);
        assert_non_null(strstr(text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handled),
        cmocka_unit_test(filters_search_outwards),
        cmocka_unit_test(finally_always_runs),
        cmocka_unit_test(leaving_takes_the_frame_along),
        cmocka_unit_test(a_handler_may_raise),
        cmocka_unit_test(probes),
        cmocka_unit_test(what_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
