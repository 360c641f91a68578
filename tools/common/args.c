/* SPDX-License-Identifier: MIT */
#include "common/args.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Is `word` (n characters) among the words of `list`? Its index, or -1. */
static int word_index(const char *list, const char *word, size_t n, bool any_case)
{
    int index = 0;

    while (*list != '\0') {
        size_t length = strcspn(list, " ");

        if (length == n && (any_case ? strncasecmp(list, word, n) : strncmp(list, word, n)) == 0)
            return index;
        list += length;
        list += strspn(list, " ");
        index++;
    }
    return -1;
}

static const struct args_option *find_option(
    const struct args_option *options, size_t count, const char *name, size_t n)
{
    /* -ServerAddr is -serveraddr, but -W is not -w, and --size not --SIZE. */
    bool any_case = n > 2 && name[1] != '-';

    for (size_t i = 0; i < count; i++) {
        if (word_index(options[i].names, name, n, any_case) >= 0)
            return &options[i];
    }
    return NULL;
}

/* A decimal number of octets with a unit; *end is behind it. */
static bool read_size(const char *text, bool has_unit, uint64_t *value, const char **end)
{
    char *behind;
    unsigned shift = 0;
    unsigned long long number;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    number = strtoull(text, &behind, 10);
    if (errno != 0)
        return false;
    if (has_unit) {
        switch (*behind) {
        case 'k':
        case 'K':
            shift = 10;
            break;
        case 'm':
        case 'M':
            shift = 20;
            break;
        case 'g':
        case 'G':
            shift = 30;
            break;
        default:
            break;
        }
    }
    if (shift != 0) {
        if (number > UINT64_MAX >> shift)
            return false;
        number <<= shift;
        behind++;
    }
    *value = number;
    *end = behind;
    return true;
}

static bool set_number(const struct args_option *o, const char *text, bool has_unit)
{
    const char *end;
    uint64_t value;

    if (!read_size(text, has_unit, &value, &end) || *end != '\0' || value < o->min ||
        value > o->max)
        return false;
    *(uint64_t *)o->value = value;
    return true;
}

static bool set_sizes(const struct args_option *o, const char *text)
{
    struct args_sizes sizes = {.count = 0};

    for (;;) {
        uint64_t value;

        if (sizes.count == ARGS_SIZES_MAX || !read_size(text, true, &value, &text) ||
            value < o->min || value > o->max)
            return false;
        sizes.value[sizes.count++] = value;
        if (*text == '\0')
            break;
        if (*text++ != ',')
            return false;
    }
    *(struct args_sizes *)o->value = sizes;
    return true;
}

static bool set_seconds(const struct args_option *o, const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(value) || value <= 0 || value > (double)o->max)
        return false;
    *(double *)o->value = value;
    return true;
}

static bool set_choice(const struct args_option *o, const char *text)
{
    int index = word_index(o->choices, text, strlen(text), false);

    if (index < 0 || *text == '\0')
        return false;
    *(int *)o->value = index;
    return true;
}

static bool add_text(const struct args_option *o, const char *text)
{
    struct args_texts *texts = o->value;

    if (texts->count == ARGS_TEXTS_MAX)
        return false;
    texts->value[texts->count++] = text;
    return true;
}

static bool set_value(const struct args_option *o, const char *text)
{
    switch (o->kind) {
    case ARGS_TEXT:
        *(const char **)o->value = text;
        return true;
    case ARGS_TEXTS:
        return add_text(o, text);
    case ARGS_NUMBER:
        return set_number(o, text, false);
    case ARGS_SIZE:
        return set_number(o, text, true);
    case ARGS_SIZES:
        return set_sizes(o, text);
    case ARGS_SECONDS:
        return set_seconds(o, text);
    case ARGS_CHOICE:
        return set_choice(o, text);
    case ARGS_FLAG:
        break;
    }
    return false;
}

static void explain(const struct args_option *o, const char *name, int n, const char *text,
    struct args_result *result)
{
    char *out = result->error;
    size_t room = sizeof result->error;

    switch (o->kind) {
    case ARGS_CHOICE:
        snprintf(out, room, "'%.*s' takes one of: %s; not '%s'", n, name, o->choices, text);
        break;
    case ARGS_SECONDS:
        snprintf(out, room, "'%.*s' takes seconds, more than 0 and at most %llu; not '%s'", n, name,
            (unsigned long long)o->max, text);
        break;
    case ARGS_SIZES:
        snprintf(out, room,
            "'%.*s' takes up to %d sizes from %llu to %llu with commas between; not '%s'", n, name,
            ARGS_SIZES_MAX, (unsigned long long)o->min, (unsigned long long)o->max, text);
        break;
    case ARGS_TEXTS:
        snprintf(out, room, "'%.*s' may be given %d times", n, name, ARGS_TEXTS_MAX);
        break;
    case ARGS_FLAG:
    case ARGS_TEXT:
    case ARGS_NUMBER:
    case ARGS_SIZE:
        snprintf(out, room, "'%.*s' takes a number from %llu to %llu; not '%s'", n, name,
            (unsigned long long)o->min, (unsigned long long)o->max, text);
        break;
    }
}

/* One option at argv[*at]; moves *at over its value. */
static bool take_option(const struct args_option *options, size_t option_count, int argc,
    char **argv, int *at, struct args_result *result)
{
    const char *word = argv[*at], *value = strchr(word, '=');
    size_t n = value != NULL ? (size_t)(value - word) : strlen(word);
    const struct args_option *o = find_option(options, option_count, word, n);

    if (o == NULL) {
        snprintf(result->error, sizeof result->error,
            "there is no option '%.*s'; --help lists the options", (int)n, word);
        return false;
    }
    if (o->kind == ARGS_FLAG) {
        if (value != NULL) {
            snprintf(result->error, sizeof result->error, "'%.*s' takes no value", (int)n, word);
            return false;
        }
        *(bool *)o->value = true;
        return true;
    }
    if (value != NULL) {
        value++;
    } else if (*at + 1 < argc) {
        value = argv[++*at];
    } else {
        snprintf(result->error, sizeof result->error, "'%.*s' needs a value", (int)n, word);
        return false;
    }
    if (!set_value(o, value)) {
        explain(o, word, (int)n, value, result);
        return false;
    }
    return true;
}

bool args_parse(const struct args_option *options, size_t option_count, int argc, char **argv,
    struct args_result *result)
{
    bool are_options = true;

    memset(result, 0, sizeof *result);
    for (int at = 1; at < argc; at++) {
        const char *word = argv[at];

        if (are_options && strcmp(word, "--") == 0) {
            are_options = false;
        } else if (are_options && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            result->wants_help = true;
            return true;
        } else if (are_options && strcmp(word, "--version") == 0) {
            result->wants_version = true;
            return true;
        } else if (are_options && word[0] == '-' && word[1] != '\0') {
            if (!take_option(options, option_count, argc, argv, &at, result))
                return false;
        } else if (result->rest_count == ARGS_REST_MAX) {
            snprintf(result->error, sizeof result->error,
                "'%s' is one argument too many; --help shows the usage", word);
            return false;
        } else {
            result->rest[result->rest_count++] = word;
        }
    }
    return true;
}
