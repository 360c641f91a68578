/* SPDX-License-Identifier: MIT */
/* Call stacks: taken where an object is made or closed and where a rule is broken, printed in a
 * report only. */
#ifndef SN_VERIFY_STACK_H
#define SN_VERIFY_STACK_H

#include <stddef.h>
#include <stdint.h>

enum { VERIFY_STACK_MAX = 24 };

struct verify_stack {
    unsigned n;
    void *pc[VERIFY_STACK_MAX];
};

/* The caller's stack, without the caller itself and `skip` frames more. */
void verify_stack_take(struct verify_stack *s, unsigned skip);
/* Equal for equal stacks. */
uint64_t verify_stack_hash(const struct verify_stack *s);
/* One line per frame, each behind `indent`. Returns the length, which is below `room`. If one of
 * the innermost frames is the function `from` ("NdkCreate*": begins with that), it is the first
 * that is printed; NULL: all are. */
size_t verify_stack_print(
    const struct verify_stack *s, const char *from, const char *indent, char *out, size_t room);

#endif
