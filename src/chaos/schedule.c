/* SPDX-License-Identifier: MIT */
#include "chaos/schedule.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
    [CHAOS_SCHEDULE_LENIENT] = "lenient",
    [CHAOS_SCHEDULE_PEND] = "pend",
    [CHAOS_SCHEDULE_INLINE] = "inline",
    [CHAOS_SCHEDULE_HOSTILE] = "hostile",
};

const char *chaos_schedule_name(enum chaos_schedule schedule)
{
    return names[schedule];
}

static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

bool chaos_number(const char *text, size_t n, uint64_t *out)
{
    unsigned base = 10;
    uint64_t value = 0;

    if (n > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
        n -= 2;
    }
    if (n == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = digit_of(text[i]);

        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return true;
}

bool chaos_schedule_parse(
    const char *text, enum chaos_schedule *schedule, uint64_t *seed, char why[CHAOS_TEXT])
{
    size_t n = text != NULL ? strcspn(text, ":") : 0;
    uint64_t number = 1;
    unsigned i;

    if (text == NULL || *text == '\0') {
        *schedule = CHAOS_SCHEDULE_LENIENT;
        *seed = 1;
        return true;
    }
    for (i = 0; i < SN_ARRAY_COUNT(names); i++) {
        if (strlen(names[i]) == n && strncmp(names[i], text, n) == 0)
            break;
    }
    if (i == SN_ARRAY_COUNT(names)) {
        snprintf(why, CHAOS_TEXT,
            "\"%.40s\" is no schedule; it takes lenient, pend, inline or hostile, and a seed "
            "after a colon",
            text);
        return false;
    }
    if (text[n] == ':' && !chaos_number(text + n + 1, strlen(text + n + 1), &number)) {
        snprintf(why, CHAOS_TEXT, "\"%.40s\" at character %zu is no seed; it takes a number",
            text + n + 1, n + 2);
        return false;
    }
    *schedule = (enum chaos_schedule)i;
    *seed = number;
    return true;
}
