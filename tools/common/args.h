/* SPDX-License-Identifier: MIT */
/*
 * Command lines by table. Options may stand anywhere, as "--name value", "--name=value" or, for the
 * spellings of the Windows tools, "-Name value" in any case. "--" ends them. Everything else is an
 * argument.
 */
#ifndef TOOLS_COMMON_ARGS_H
#define TOOLS_COMMON_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum args_kind {
    ARGS_FLAG,    /* bool: set to true */
    ARGS_TEXT,    /* const char * */
    ARGS_TEXTS,   /* struct args_texts: may be given several times */
    ARGS_NUMBER,  /* uint64_t from min to max */
    ARGS_SIZE,    /* the same in octets; K, M, G (powers of 1024) may follow */
    ARGS_SIZES,   /* struct args_sizes: the same, with commas between */
    ARGS_SECONDS, /* double, more than 0, at most max */
    ARGS_CHOICE,  /* int: index into `choices` */
};

enum { ARGS_SIZES_MAX = 64, ARGS_TEXTS_MAX = 16, ARGS_REST_MAX = 4, ARGS_ERROR_MAX = 256 };

struct args_sizes {
    uint64_t value[ARGS_SIZES_MAX];
    size_t count;
};

struct args_texts {
    const char *value[ARGS_TEXTS_MAX];
    size_t count;
};

struct args_option {
    const char *names; /* spellings with blanks between: "--server -S" */
    enum args_kind kind;
    void *value; /* of the type that belongs to the kind; untouched if the option is not given */
    uint64_t min, max;
    const char *choices; /* words with blanks between */
};

struct args_result {
    const char *rest[ARGS_REST_MAX]; /* the arguments */
    size_t rest_count;
    bool wants_help;            /* --help or -h came; nothing behind it was looked at */
    bool wants_version;         /* --version */
    char error[ARGS_ERROR_MAX]; /* a sentence, if args_parse returned false */
};

/* False: the command line is wrong, and result->error says what is. */
bool args_parse(const struct args_option *options, size_t option_count, int argc, char **argv,
    struct args_result *result);

#endif
