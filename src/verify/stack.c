/* SPDX-License-Identifier: MIT */
#include "verify/stack.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/stack.h"
#include "verify/symbol.h"

enum { LINE_OCTETS = 256, SPARE = 8 };

void verify_stack_take(struct verify_stack *s, unsigned skip)
{
    void *pc[VERIFY_STACK_MAX + SPARE];
    unsigned n = sn_stack_take(pc, sizeof pc / sizeof pc[0]);

    skip += 2; /* this function and its caller */
    s->n = 0;
    if (n <= skip)
        return;
    s->n = n - skip < VERIFY_STACK_MAX ? n - skip : VERIFY_STACK_MAX;
    memcpy(s->pc, &pc[skip], s->n * sizeof pc[0]);
}

uint64_t verify_stack_hash(const struct verify_stack *s)
{
    uint64_t h = 0xcbf29ce484222325;

    for (unsigned i = 0; i < s->n; i++)
        h = (h ^ (uint64_t)(uintptr_t)s->pc[i]) * 0x100000001b3;
    return h;
}

static bool is_named(const char *text, const char *name)
{
    size_t n = strlen(name);

    if (n > 0 && name[n - 1] == '*')
        return strncmp(text, name, n - 1) == 0;
    return strncmp(text, name, n) == 0 && text[n] == '+';
}

/* The frame to begin with: `from`, or where it was optimised away the first behind functions of the
 * verifier. */
static unsigned first_of(const struct verify_stack *s, const char *from)
{
    enum { INNERMOST = 8 };
    char text[LINE_OCTETS];
    unsigned behind = 0;

    for (unsigned i = 0; from != NULL && i < s->n && i < INNERMOST; i++) {
        verify_symbol_print((const char *)s->pc[i] - 1, text, sizeof text);
        if (is_named(text, from))
            return i;
        if (is_named(text, "verify_*") && (behind == 0 || behind == i))
            behind = i + 1;
    }
    return behind < s->n ? behind : 0;
}

size_t verify_stack_print(
    const struct verify_stack *s, const char *from, const char *indent, char *out, size_t room)
{
    unsigned first = first_of(s, from);
    size_t at = 0;

    if (room == 0)
        return 0;
    out[0] = '\0';
    for (unsigned i = first; i < s->n && room - at > LINE_OCTETS; i++) {
        at += (size_t)snprintf(out + at, LINE_OCTETS, "%s#%u ", indent, i - first);
        /* A frame holds where it returns to: the call is the instruction before. */
        at += verify_symbol_print((const char *)s->pc[i] - 1, out + at, LINE_OCTETS - 32);
        out[at++] = '\n';
        out[at] = '\0';
    }
    return at;
}
