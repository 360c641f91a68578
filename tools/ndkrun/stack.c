/* SPDX-License-Identifier: MIT */
#include "ndkrun/stack.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "ndkrun/elf.h"

enum { OBJECTS_MAX = 16, PATH_TEXT_MAX = 1024, LINE_MAX_CHARS = 1024 };

struct object {
    const void *base;
    struct elf_file file; /* octets NULL: could not be read */
};

/* Used by one thread at a time: reports come one by one, and a crash ends the others. */
static struct object objects[OBJECTS_MAX];
static size_t object_count;
static struct {
    const char *path;
    const void *base;
} drivers[STACK_DRIVERS];
static size_t driver_count;

static const void *base_of(const void *address)
{
    Dl_info info;

    return dladdr(address, &info) == 0 ? NULL : info.dli_fbase;
}

void stack_add_driver(const char *path, const void *image)
{
    if (driver_count == STACK_DRIVERS)
        return;
    drivers[driver_count].path = path;
    drivers[driver_count].base = base_of(image);
    driver_count++;
}

static const char *driver_path(const void *base)
{
    for (size_t i = 0; i < driver_count; i++)
        if (drivers[i].base == base)
            return drivers[i].path;
    return NULL;
}

static const struct elf_file *file_of(const Dl_info *info)
{
    const char *why;
    struct object *object;

    for (size_t i = 0; i < object_count; i++)
        if (objects[i].base == info->dli_fbase)
            return &objects[i].file;
    if (object_count == OBJECTS_MAX)
        return NULL;
    object = &objects[object_count++];
    object->base = info->dli_fbase;
    if (!elf_open(info->dli_fname, &object->file, &why))
        object->file.octets = NULL;
    return &object->file;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* "CleanupQueue at queue.c:120", with what was inlined on lines of their own. False: not known. */
static bool print_line_of(
    FILE *out, const char *indent, const char *path, uintptr_t offset, size_t number)
{
    char command[PATH_TEXT_MAX + 128], line[LINE_MAX_CHARS];
    bool is_first = true;
    FILE *pipe;

    if (strpbrk(path, "'\\") != NULL || strlen(path) > PATH_TEXT_MAX)
        return false;
    snprintf(command, sizeof command, "addr2line -f -p -i -s -e '%s' 0x%lx 2>/dev/null", path,
        (unsigned long)offset);
    pipe = popen(command, "re"); /* NOLINT(cert-env33-c) */
    if (pipe == NULL)
        return false;
    while (fgets(line, (int)sizeof line, pipe) != NULL) {
        const char *text = line + strspn(line, " ");

        line[strcspn(line, "\n")] = '\0';
        if (is_first && strstr(text, "??:") != NULL)
            break;
        if (is_first)
            fprintf(out, "%s#%zu %s (%s)\n", indent, number, text, last_part(path));
        else
            fprintf(out, "%s   %s\n", indent, text);
        is_first = false;
    }
    pclose(pipe);
    return !is_first;
}

static const char *path_of_name(const char *file_name)
{
    for (size_t i = 0; i < driver_count; i++)
        if (strcmp(last_part(drivers[i].path), file_name) == 0)
            return drivers[i].path;
    return NULL;
}

bool stack_is_driver_name(const char *file_name)
{
    return path_of_name(file_name) != NULL;
}

bool stack_print_place(
    FILE *out, const char *indent, size_t number, const char *file_name, uintptr_t offset)
{
    const char *path = path_of_name(file_name);

    return path != NULL && print_line_of(out, indent, path, offset, number);
}

static void print_frame(FILE *out, void *frame, size_t depth, size_t number)
{
    /* A return address is behind its call, perhaps in the next line or function. */
    const char *address = (const char *)frame - (depth == 0 ? 0 : 1);
    const struct elf_file *file;
    const char *function = NULL, *path;
    uint64_t behind = 0;
    uintptr_t offset;
    Dl_info info;

    if (dladdr(address, &info) == 0) {
        fprintf(out, "    #%zu %p\n", number, frame);
        return;
    }
    offset = (uintptr_t)address - (uintptr_t)info.dli_fbase;
    path = driver_path(info.dli_fbase);
    if (path != NULL && print_line_of(out, "    ", path, offset, number))
        return;
    file = file_of(&info);
    if (file != NULL && file->octets != NULL)
        function = elf_function_at(file, offset, &behind);
    if (function == NULL && info.dli_sname != NULL)
        function = info.dli_sname;
    if (function != NULL)
        fprintf(out, "    #%zu %s (%s)\n", number, function, last_part(info.dli_fname));
    else
        fprintf(out, "    #%zu %p (%s+0x%lx)\n", number, frame, last_part(info.dli_fname),
            (unsigned long)offset);
}

static bool is_driver_frame(const void *frame)
{
    const void *base = base_of(frame);

    return base != NULL && driver_path(base) != NULL;
}

bool stack_has_driver(void *const *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_driver_frame((const char *)frames[i] - 1))
            return true;
    return false;
}

void stack_print(FILE *out, void *const *frames, size_t count)
{
    size_t begin = 0, end = count;

    /* From the routine that the driver called to the driver's outermost frame: how a routine works
     * inside and how a thread begins says nothing. Without any frame of a driver, show all. */
    while (end > 0 && !is_driver_frame((const char *)frames[end - 1] - 1))
        end--;
    while (begin + 1 < end && !is_driver_frame((const char *)frames[begin] - 1) &&
           !is_driver_frame((const char *)frames[begin + 1] - 1))
        begin++;
    if (end == 0)
        end = count;
    for (size_t i = begin; i < end; i++)
        print_frame(out, frames[i], i, i - begin);
}
