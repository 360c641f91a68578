/* SPDX-License-Identifier: MIT */
/*
 * What ndkrun wants to know of a shared object before the dynamic linker sees it, and of one that
 * is loaded, to name the functions in a stack. Reads 64-bit ELF files of this machine; a file is
 * not trusted: every offset is checked.
 */
#ifndef TOOLS_NDKRUN_ELF_H
#define TOOLS_NDKRUN_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file {
    const uint8_t *octets; /* the whole file, mapped */
    size_t size;
};

/* False: *why says what is wrong with the file; static text. */
bool elf_open(const char *path, struct elf_file *file, const char **why);
void elf_close(struct elf_file *file);

/* Calls `each` with every library that the file needs. */
void elf_each_needed(
    const struct elf_file *file, void (*each)(void *, const char *), void *context);
/* The file's DT_RUNPATH or DT_RPATH, or NULL. */
const char *elf_runpath(const struct elf_file *file);
/* Calls `each` with every symbol that must come from elsewhere; not with weak ones. */
void elf_each_undefined(
    const struct elf_file *file, void (*each)(void *, const char *), void *context);
/* The function that holds the address (as the file counts it), and how far behind its start; NULL:
 * none, or the symbols were stripped. */
const char *elf_function_at(const struct elf_file *file, uint64_t address, uint64_t *behind);

#endif
