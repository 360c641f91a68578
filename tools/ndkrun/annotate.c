/* SPDX-License-Identifier: MIT */
#include "ndkrun/annotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ndkrun/stack.h"

static bool read_frame(const char *line, struct annotate_frame *f)
{
    const char *open = strrchr(line, '('), *plus;
    char *end;

    f->indent = strspn(line, " ");
    if (line[f->indent] != '#' || f->indent > 24)
        return false;
    snprintf(f->line, sizeof f->line, "%s", line);
    f->is_driver = false;
    if (open == NULL || (plus = strstr(open, "+0x")) == NULL)
        return true;
    snprintf(f->file, sizeof f->file, "%.*s", (int)(plus - open - 1), open + 1);
    f->place = strtoul(plus + 1, &end, 16);
    f->is_driver = *end == ')' && stack_is_driver_name(f->file);
    return true;
}

/* From the routine that the driver called to the driver's outermost frame; all, if it is in none.
 */
static void print_frames(struct annotate *a)
{
    size_t begin = 0, end = a->count;

    while (end > 0 && !a->frames[end - 1].is_driver)
        end--;
    while (begin + 1 < end && !a->frames[begin].is_driver && !a->frames[begin + 1].is_driver)
        begin++;
    if (end == 0)
        end = a->count;
    for (size_t i = begin; i < end; i++) {
        const struct annotate_frame *f = &a->frames[i];
        const char *name = f->line + f->indent;
        char indent[32];

        snprintf(indent, sizeof indent, "%*s", (int)f->indent, "");
        /* A return address is behind its call. */
        if (f->is_driver && stack_print_place(stderr, indent, i - begin, f->file, f->place - 1))
            continue;
        name += strcspn(name, " ");
        fprintf(stderr, "%s#%zu%s\n", indent, i - begin, name);
    }
    a->count = 0;
}

void annotate_line(struct annotate *a, const char *line)
{
    if (a->count < ANNOTATE_FRAMES_MAX && read_frame(line, &a->frames[a->count])) {
        a->count++;
        return;
    }
    print_frames(a);
    fprintf(stderr, "%s\n", line);
}

void annotate_end(struct annotate *a)
{
    print_frames(a);
}
