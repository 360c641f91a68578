/* SPDX-License-Identifier: MIT */
/*
 * Text of the verifier on its way to stderr: frames of its stacks, INDENT#N NAME+0xOFF
 * (FILE+0xPLACE), get lines of the driver's sources, and what is outside the driver is left out.
 */
#ifndef TOOLS_NDKRUN_ANNOTATE_H
#define TOOLS_NDKRUN_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

enum { ANNOTATE_FRAMES_MAX = 64, ANNOTATE_LINE_MAX = 512 };

struct annotate_frame {
    char line[ANNOTATE_LINE_MAX];
    char file[ANNOTATE_LINE_MAX];
    size_t indent;
    unsigned long place;
    bool is_driver;
};

/* Zeroed at first. One thread at a time. */
struct annotate {
    struct annotate_frame frames[ANNOTATE_FRAMES_MAX]; /* of the stack that is being read */
    size_t count;
};

/* One line without its end. */
void annotate_line(struct annotate *a, const char *line);
/* After the last one. */
void annotate_end(struct annotate *a);

#endif
