/* SPDX-License-Identifier: MIT */
/* A driver's shared object: what it needs, what is missing, loading it. */
#ifndef TOOLS_NDKRUN_IMAGE_H
#define TOOLS_NDKRUN_IMAGE_H

#include <softndk_driver.h>
#include <stdbool.h>
#include <stddef.h>

struct image {
    const char *path;
    char name[64]; /* of the service: the file's name without its ending */
    void *handle;
    PDRIVER_INITIALIZE entry;
    const void *start;
    size_t size;
};

/*
 * If one of the files was made with a sanitizer whose run-time must be the first library of the
 * process, starts this program again with it (LD_PRELOAD) and does not return. Otherwise says
 * whether a sanitizer is in the process.
 */
bool image_sanitizer(char **argv, const char *const *paths, size_t count);

/* Fills in path and name; says on stderr which routines are missing, all of them. False: some are,
 * or the file is none. */
bool image_check(struct image *image, const char *path);
/* Loads it and finds DriverEntry. False: said on stderr why not. */
bool image_load(struct image *image);

#endif
