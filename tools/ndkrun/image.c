/* SPDX-License-Identifier: MIT */
#include "ndkrun/image.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ndkrun/elf.h"
#include "ndkrun/report.h"

enum { PATH_TEXT_MAX = 4096 };

/* ---- Sanitizers ---------------------------------------------------------------------------- */

struct run_time {
    char path[PATH_TEXT_MAX]; /* empty: none is needed */
    const char *folder;       /* where the file says that its libraries are */
};

static void look_for_run_time(void *context, const char *library)
{
    struct run_time *found = context;
    char path[PATH_TEXT_MAX];

    if (strstr(library, "asan") == NULL && strstr(library, "tsan") == NULL)
        return;
    snprintf(found->path, sizeof found->path, "%s", library);
    if (found->folder == NULL || strchr(library, '/') != NULL)
        return;
    snprintf(path, sizeof path, "%s/%s", found->folder, library);
    if (access(path, R_OK) == 0)
        snprintf(found->path, sizeof found->path, "%s", path);
}

static bool is_in_process(void)
{
    return dlsym(RTLD_DEFAULT, "__asan_init") != NULL || dlsym(RTLD_DEFAULT, "__tsan_init") != NULL;
}

bool image_sanitizer(char **argv, const char *const *paths, size_t count)
{
    struct run_time found = {.path = ""};

    for (size_t i = 0; i < count; i++) {
        struct elf_file file;
        const char *why;

        if (!elf_open(paths[i], &file, &why))
            continue; /* image_check says so */
        found.folder = elf_runpath(&file);
        elf_each_needed(&file, look_for_run_time, &found);
        elf_close(&file);
    }
    if (found.path[0] == '\0' || is_in_process() || getenv("NDKRUN_PRELOADED") != NULL) {
        /* For the children, such as addr2line. */
        if (getenv("NDKRUN_PRELOADED") != NULL)
            unsetenv("LD_PRELOAD");
        return is_in_process();
    }
    setenv("LD_PRELOAD", found.path, 1);
    setenv("NDKRUN_PRELOADED", "1", 1);
    execv("/proc/self/exe", argv);
    report_say("cannot start again with %s", found.path);
    return false;
}

/* ---- What is missing ----------------------------------------------------------------------- */

struct search {
    void *libraries[16];
    size_t library_count;
    bool is_listing; /* the second time: print */
    size_t missing;
};

static void open_library(void *context, const char *name)
{
    struct search *search = context;
    void *handle = dlopen(name, RTLD_LAZY);

    if (handle != NULL && search->library_count < 16)
        search->libraries[search->library_count++] = handle;
}

static void look_for(void *context, const char *name)
{
    struct search *search = context;

    if (dlsym(RTLD_DEFAULT, name) != NULL)
        return;
    for (size_t i = 0; i < search->library_count; i++)
        if (dlsym(search->libraries[i], name) != NULL)
            return;
    search->missing++;
    if (search->is_listing)
        fprintf(stderr, "  %s\n", name);
}

bool image_check(struct image *image, const char *path)
{
    const char *slash = strrchr(path, '/'), *why;
    struct search search = {.missing = 0};
    struct elf_file file;

    image->path = path;
    snprintf(image->name, sizeof image->name, "%s", slash == NULL ? path : slash + 1);
    image->name[strcspn(image->name, ".")] = '\0';
    if (!elf_open(path, &file, &why)) {
        report_say("%s: %s", path, why);
        return false;
    }
    elf_each_needed(&file, open_library, &search);
    elf_each_undefined(&file, look_for, &search);
    if (search.missing > 0) {
        report_say("%s needs %zu routine%s that softndk %s lacks:", path, search.missing,
            search.missing == 1 ? "" : "s", SOFTNDK_TOOL_VERSION);
        search.is_listing = true;
        elf_each_undefined(&file, look_for, &search);
        fprintf(stderr, "  The driver was not loaded.\n");
    }
    elf_close(&file);
    return search.missing == 0;
}

/* ---- Loading ------------------------------------------------------------------------------- */

static int find_extent(struct dl_phdr_info *info, size_t size, void *context)
{
    struct image *image = context;
    uintptr_t low = UINTPTR_MAX, high = 0, entry = (uintptr_t)image->entry;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        if (begin < low)
            low = begin;
        if (begin + info->dlpi_phdr[i].p_memsz > high)
            high = begin + info->dlpi_phdr[i].p_memsz;
    }
    if (entry < low || entry >= high)
        return 0;
    image->start = (const void *)low; /* NOLINT(performance-no-int-to-ptr) */
    image->size = high - low;
    return 1;
}

bool image_load(struct image *image)
{
    char path[PATH_TEXT_MAX];
    void *entry;

    /* A name without a slash would be looked for in the system's folders. */
    snprintf(path, sizeof path, "%s%s", strchr(image->path, '/') == NULL ? "./" : "", image->path);
    image->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (image->handle == NULL) {
        report_say("%s cannot be loaded: %s", image->path, dlerror()); /* NOLINT */
        return false;
    }
    entry = dlsym(image->handle, "DriverEntry");
    if (entry == NULL) {
        report_say("%s exports no DriverEntry; make it with ndkcc", image->path);
        return false;
    }
    memcpy(&image->entry, &entry, sizeof entry);
    dl_iterate_phdr(find_extent, image);
    return true;
}
