/* SPDX-License-Identifier: MIT */
/* Names of code addresses, static functions included: dladdr finds the module and what it exports,
 * the module's own symbol table knows the rest. */
#ifndef SN_VERIFY_SYMBOL_H
#define SN_VERIFY_SYMBOL_H

#include <stddef.h>

/* "MyConnect+0x1c (mydriver.so+0x12ac)", or as much of it as is known. Returns the length, which is
 * below `room`. Opens files; any IRQL, no lock of ours is taken. */
size_t verify_symbol_print(const void *pc, char *out, size_t room);

#endif
