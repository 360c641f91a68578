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
#include <stdint.h>
#include <stdio.h>

/* A driver whose frames deserve file and line; the path is kept, not copied. At most STACK_DRIVERS.
 * image: an address in it. */
enum { STACK_DRIVERS = 8 };
void stack_add_driver(const char *path, const void *image);

/* One line for the place `offset` in a driver's file, by the name of the file without its folders:
 * INDENT#NUMBER FUNCTION at FILE:LINE (DRIVER). False: it is no driver, or its lines are not known.
 */
bool stack_print_place(
    FILE *out, const char *indent, size_t number, const char *file_name, uintptr_t offset);
/* Is that the name of a driver's file? */
bool stack_is_driver_name(const char *file_name);

/* Is one of the frames in a driver? */
bool stack_has_driver(void *const *frames, size_t count);

/* One line per frame, indented; frames outside any driver at the outer end are left out. */
void stack_print(FILE *out, void *const *frames, size_t count);

#endif
