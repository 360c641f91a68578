/* SPDX-License-Identifier: MIT */
/*
 * Prints stacks as an author reads them: function, file and line for the driver's own frames,
 * function and object for the others. Frames of a driver are looked up by addr2line, where that is
 * installed; everything else comes from the symbols of the loaded files.
 */
#ifndef TOOLS_NDKRUN_STACK_H
#define TOOLS_NDKRUN_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A driver whose frames deserve file and line; the path is kept, not copied. At most STACK_DRIVERS.
 * image: an address in it. */
enum { STACK_DRIVERS = 8 };
void stack_add_driver(const char *path, const void *image);

/* Is one of the frames in a driver? */
bool stack_has_driver(void *const *frames, size_t count);

/* One line per frame, indented; frames outside any driver at the outer end are left out. */
void stack_print(FILE *out, void *const *frames, size_t count);

#endif
