/* SPDX-License-Identifier: MIT */
#include "verify/symbol.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_OCTETS = 96 };

/* A module's file in memory. */
struct image {
    const unsigned char *p;
    size_t n;
};

static bool image_open(const char *path, struct image *im)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p = MAP_FAILED;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof(Elf64_Ehdr))
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return false;
    im->p = p;
    im->n = (size_t)st.st_size;
    return true;
}

/* `count` records of `size` octets at `at`, or NULL if the file does not hold them. */
static const void *image_at(const struct image *im, uint64_t at, uint64_t count, uint64_t size)
{
    if (at > im->n || count > (im->n - at) / size || at % 8 != 0)
        return NULL;
    return im->p + at;
}

/* The function that holds `address`, an address as the file counts. */
static bool find_function(const struct image *im, const Elf64_Shdr *sections, size_t sections_count,
    const Elf64_Shdr *table, uint64_t address, char name[NAME_MAX_OCTETS], uint64_t *start)
{
    uint64_t count = table->sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym *symbols = image_at(im, table->sh_offset, count, sizeof(Elf64_Sym));
    const Elf64_Shdr *names;

    if (symbols == NULL || table->sh_link >= sections_count)
        return false;
    names = &sections[table->sh_link];
    if (names->sh_offset > im->n || names->sh_size > im->n - names->sh_offset)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const Elf64_Sym *s = &symbols[i];

        if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || address < s->st_value ||
            address - s->st_value >= s->st_size || s->st_name >= names->sh_size)
            continue;
        snprintf(name, NAME_MAX_OCTETS, "%.*s", (int)(names->sh_size - s->st_name),
            (const char *)im->p + names->sh_offset + s->st_name);
        name[strcspn(name, ".")] = '\0'; /* "f.cold" and the like are parts of f */
        *start = s->st_value;
        return true;
    }
    return false;
}

static bool look_into(
    const char *path, uint64_t address, char name[NAME_MAX_OCTETS], uint64_t *start)
{
    const Elf64_Ehdr *head;
    const Elf64_Shdr *sections;
    struct image im;
    bool is_found = false;

    if (!image_open(path, &im))
        return false;
    head = (const Elf64_Ehdr *)(const void *)im.p;
    if (memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 && head->e_ident[EI_CLASS] == ELFCLASS64) {
        sections = image_at(&im, head->e_shoff, head->e_shnum, sizeof(Elf64_Shdr));
        for (size_t i = 0; sections != NULL && i < head->e_shnum && !is_found; i++) {
            if (sections[i].sh_type == SHT_SYMTAB)
                is_found =
                    find_function(&im, sections, head->e_shnum, &sections[i], address, name, start);
        }
    }
    munmap((void *)(uintptr_t)im.p, im.n);
    return is_found;
}

/* Where the file's address 0 lies: a program that is not position-independent is not moved. */
static uint64_t bias_of(const void *base)
{
    const Elf64_Ehdr *head = base;

    return head->e_type == ET_DYN ? (uint64_t)(uintptr_t)base : 0;
}

size_t verify_symbol_print(const void *pc, char *out, size_t room)
{
    char name[NAME_MAX_OCTETS];
    const char *file;
    uint64_t start, address;
    Dl_info info;
    int n;

    if (dladdr(pc, &info) == 0 || info.dli_fname == NULL) {
        n = snprintf(out, room, "%p", pc);
        return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
    }
    address = (uint64_t)(uintptr_t)pc - bias_of(info.dli_fbase);
    file = strrchr(info.dli_fname, '/') != NULL ? strrchr(info.dli_fname, '/') + 1 : info.dli_fname;
    if (look_into(info.dli_fname, address, name, &start))
        n = snprintf(out, room, "%s+0x%llx (%s+0x%llx)", name,
            (unsigned long long)(address - start), file, (unsigned long long)address);
    else if (info.dli_sname != NULL)
        n = snprintf(out, room, "%s+0x%llx (%s+0x%llx)", info.dli_sname,
            (unsigned long long)((uintptr_t)pc - (uintptr_t)info.dli_saddr), file,
            (unsigned long long)address);
    else
        n = snprintf(out, room, "%s+0x%llx", file, (unsigned long long)address);
    return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}
