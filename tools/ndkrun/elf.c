/* SPDX-License-Identifier: MIT */
#include "ndkrun/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const void *at(const struct elf_file *file, uint64_t offset, uint64_t size)
{
    if (offset > file->size || size > file->size - offset)
        return NULL;
    return file->octets + offset;
}

static const char *text_at(const struct elf_file *file, const Elf64_Shdr *strings, uint64_t offset)
{
    const char *text;

    if (offset >= strings->sh_size)
        return NULL;
    text = at(file, strings->sh_offset, strings->sh_size);
    if (text == NULL || memchr(text + offset, '\0', strings->sh_size - offset) == NULL)
        return NULL;
    return text + offset;
}

static const Elf64_Shdr *section_number(const struct elf_file *file, uint64_t number)
{
    const Elf64_Ehdr *head = (const void *)file->octets;
    const Elf64_Shdr *all = at(file, head->e_shoff, (uint64_t)head->e_shnum * sizeof *all);

    return all == NULL || number >= head->e_shnum ? NULL : &all[number];
}

static const Elf64_Shdr *section_of_type(const struct elf_file *file, uint32_t type)
{
    const Elf64_Ehdr *head = (const void *)file->octets;

    for (uint64_t i = 0; i < head->e_shnum; i++) {
        const Elf64_Shdr *section = section_number(file, i);

        if (section == NULL)
            return NULL;
        if (section->sh_type == type)
            return section;
    }
    return NULL;
}

static bool is_ours(const struct elf_file *file, const char **why)
{
    const Elf64_Ehdr *head = (const void *)file->octets;

    if (file->size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) {
        *why = "it is no shared object";
        return false;
    }
    if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_ident[EI_DATA] != ELFDATA2LSB) {
        *why = "it was made for another kind of machine";
        return false;
    }
    if (head->e_type != ET_DYN || head->e_shoff % _Alignof(Elf64_Shdr) != 0 ||
        head->e_shentsize != sizeof(Elf64_Shdr)) {
        *why = "it is no shared object";
        return false;
    }
    return true;
}

bool elf_open(const char *path, struct elf_file *file, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *octets = MAP_FAILED;

    *why = "it cannot be read";
    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
        octets = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (octets == MAP_FAILED)
        return false;
    *file = (struct elf_file){.octets = octets, .size = (size_t)status.st_size};
    if (is_ours(file, why))
        return true;
    elf_close(file);
    return false;
}

void elf_close(struct elf_file *file)
{
    if (file->octets != NULL)
        munmap((void *)(uintptr_t)file->octets, file->size);
    file->octets = NULL;
}

/* The entries of .dynamic, their count, and the strings that they name. */
static const Elf64_Dyn *dynamic(
    const struct elf_file *file, uint64_t *count, const Elf64_Shdr **strings)
{
    const Elf64_Shdr *section = section_of_type(file, SHT_DYNAMIC);
    const Elf64_Dyn *all;

    if (section == NULL || section->sh_offset % _Alignof(Elf64_Dyn) != 0)
        return NULL;
    *strings = section_number(file, section->sh_link);
    all = at(file, section->sh_offset, section->sh_size);
    *count = section->sh_size / sizeof *all;
    return *strings == NULL ? NULL : all;
}

void elf_each_needed(const struct elf_file *file, void (*each)(void *, const char *), void *context)
{
    uint64_t count = 0;
    const Elf64_Shdr *strings = NULL;
    const Elf64_Dyn *all = dynamic(file, &count, &strings);

    for (uint64_t i = 0; all != NULL && i < count && all[i].d_tag != DT_NULL; i++) {
        const char *name =
            all[i].d_tag == DT_NEEDED ? text_at(file, strings, all[i].d_un.d_val) : NULL;

        if (name != NULL)
            each(context, name);
    }
}

const char *elf_runpath(const struct elf_file *file)
{
    uint64_t count = 0;
    const Elf64_Shdr *strings = NULL;
    const Elf64_Dyn *all = dynamic(file, &count, &strings);

    for (uint64_t i = 0; all != NULL && i < count && all[i].d_tag != DT_NULL; i++)
        if (all[i].d_tag == DT_RUNPATH || all[i].d_tag == DT_RPATH)
            return text_at(file, strings, all[i].d_un.d_val);
    return NULL;
}

/* A table of symbols, its count, and the strings that it names. */
static const Elf64_Sym *symbols(
    const struct elf_file *file, uint32_t type, uint64_t *count, const Elf64_Shdr **strings)
{
    const Elf64_Shdr *section = section_of_type(file, type);
    const Elf64_Sym *all;

    if (section == NULL || section->sh_offset % _Alignof(Elf64_Sym) != 0)
        return NULL;
    *strings = section_number(file, section->sh_link);
    all = at(file, section->sh_offset, section->sh_size);
    *count = section->sh_size / sizeof *all;
    return *strings == NULL ? NULL : all;
}

void elf_each_undefined(
    const struct elf_file *file, void (*each)(void *, const char *), void *context)
{
    uint64_t count = 0;
    const Elf64_Shdr *strings = NULL;
    const Elf64_Sym *all = symbols(file, SHT_DYNSYM, &count, &strings);

    for (uint64_t i = 1; all != NULL && i < count; i++) {
        const char *name;

        if (all[i].st_shndx != SHN_UNDEF || ELF64_ST_BIND(all[i].st_info) != STB_GLOBAL)
            continue;
        name = text_at(file, strings, all[i].st_name);
        if (name != NULL && *name != '\0')
            each(context, name);
    }
}

const char *elf_function_at(const struct elf_file *file, uint64_t address, uint64_t *behind)
{
    uint64_t count = 0;
    const Elf64_Shdr *strings = NULL;
    const Elf64_Sym *all = symbols(file, SHT_SYMTAB, &count, &strings);

    if (all == NULL)
        all = symbols(file, SHT_DYNSYM, &count, &strings);
    for (uint64_t i = 1; all != NULL && i < count; i++) {
        if (ELF64_ST_TYPE(all[i].st_info) != STT_FUNC || all[i].st_shndx == SHN_UNDEF)
            continue;
        if (address < all[i].st_value || address - all[i].st_value >= all[i].st_size)
            continue;
        *behind = address - all[i].st_value;
        return text_at(file, strings, all[i].st_name);
    }
    return NULL;
}
