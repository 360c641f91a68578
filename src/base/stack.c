/* SPDX-License-Identifier: MIT */
/*
 * The compiler's own unwinder, which every process has. libunwind would do as well, but it exports
 * the unwinder's names and so takes over C++ exceptions and backtrace() of whoever links us; and it
 * keeps memory per thread, which it gives back when the thread has ended for ThreadSanitizer.
 */
#include "base/stack.h"

#include <stdbool.h>
#include <stddef.h>
#include <unwind.h>

struct walk {
    void **frames;
    unsigned count, max;
    bool is_behind_us; /* the first frame is sn_stack_take's own */
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *argument)
{
    struct walk *w = argument;
    void *frame;

    if (!w->is_behind_us) {
        w->is_behind_us = true;
        return _URC_NO_REASON;
    }
    frame = (void *)_Unwind_GetIP(context);
    if (frame == NULL || w->count == w->max) /* nothing called a thread's first function */
        return _URC_END_OF_STACK;
    w->frames[w->count++] = frame;
    return _URC_NO_REASON;
}

__attribute__((noinline)) unsigned sn_stack_take(void **frames, unsigned max)
{
    struct walk w = {.frames = frames, .max = max};

    (void)_Unwind_Backtrace(step, &w);
    return w.count;
}
