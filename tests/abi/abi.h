/* SPDX-License-Identifier: MIT */
/* Words for writing down a documented layout; each is checked when the file compiles. */
#ifndef TESTS_ABI_ABI_H
#define TESTS_ABI_ABI_H

#include <stddef.h>

/* The value of an integer constant. */
#define VALUE(name, value)                                                                         \
    _Static_assert((long long)(name) == (long long)(value), #name " is not " #value)
/* Size and alignment of a type. */
#define SIZE(type, size)   _Static_assert(sizeof(type) == (size), "size of " #type)
#define ALIGN(type, align) _Static_assert(_Alignof(type) == (align), "alignment of " #type)
/* Offset of a member. */
#define AT(type, member, offset)                                                                   \
    _Static_assert(offsetof(type, member) == (offset), "offset of " #type "." #member)
/* An expression has exactly this type. */
#define HAS_TYPE(expression, ...)                                                                  \
    _Static_assert(_Generic((expression), __VA_ARGS__ : 1, default : 0), #expression)
/* Offset and type of a member. */
#define FIELD(type, member, offset, ...)                                                           \
    AT(type, member, offset);                                                                      \
    HAS_TYPE(((type *)0)->member, __VA_ARGS__)
/* Entry number `index` of a dispatch table. */
#define ENTRY(table, index, member, type) FIELD(table, member, 8 * (index), type)

#endif
