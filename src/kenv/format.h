/* SPDX-License-Identifier: MIT */
/*
 * Formatted text with the meaning that formats have in the Windows kernel: long is 32 bits, %I64
 * and %I32 exist, %wZ and %Z take counted strings, %S and %ws take 16-bit strings (written as
 * UTF-8), %p is sixteen hexadecimal digits. %n is not taken. What is not a conversion is copied as
 * it stands.
 */
#ifndef SN_KENV_FORMAT_H
#define SN_KENV_FORMAT_H

#include <stdarg.h>
#include <wdm.h>

/* Text that is collected: at most size - 1 characters are kept and terminated; length counts all.
 */
struct kenv_text {
    char *out;
    size_t size;
    size_t length;
};

/* Appends to `text`; afterwards text->length < text->size says that all of it was kept. */
void kenv_format(struct kenv_text *text, const char *format, va_list arguments);

#endif
