/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over named files without libFuzzer, so that every corpus is a plain test in
 * every build flavour. usage: fuzz_<target> FILE-OR-FOLDER...
 *
 * Each input is given in an allocation of exactly its size, so that AddressSanitizer sees a read
 * one byte outside.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX (1024L * 1024L)

/* Runs the target on one file. 0, or -1 after a sentence on stderr. */
static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;
    int result = -1;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
        rewind(file);
    }
    if (size < 0) {
        fprintf(stderr, "replay: cannot read '%s'; is it a readable file?\n", path);
        goto out;
    }
    if (size > INPUT_BYTES_MAX) {
        fprintf(stderr, "replay: '%s' has %ld bytes, more than the %ld allowed; shorten it.\n",
            path, size, INPUT_BYTES_MAX);
        goto out;
    }
    data = malloc(size > 0 ? (size_t)size : 1);
    if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size) {
        fprintf(stderr, "replay: reading '%s' failed.\n", path);
        goto out;
    }
    LLVMFuzzerTestOneInput(data, (size_t)size);
    result = 0;
out:
    free(data);
    if (file != NULL)
        fclose(file);
    return result;
}

/* Runs the target on every file of a folder; returns how many, or -1 after a sentence. */
static int replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    char name[4096];
    int count = 0;

    if (folder == NULL) {
        fprintf(stderr, "replay: cannot open the folder '%s'; does the corpus exist?\n", path);
        return -1;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >= (int)sizeof(name) ||
            replay_file(name) != 0) {
            count = -1;
            break;
        }
        count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        struct stat info;
        int count = 1;

        if (stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode))
            count = replay_folder(argv[i]);
        else if (replay_file(argv[i]) != 0)
            count = -1;
        if (count < 0)
            return 1;
        total += count;
    }
    if (total == 0) {
        fprintf(stderr, "replay: no input; give a corpus folder with at least one named file.\n");
        return 1;
    }
    printf("%d inputs replayed\n", total);
    return 0;
}
