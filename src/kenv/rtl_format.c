/* SPDX-License-Identifier: MIT */
/* The formatter behind DbgPrint and ntstrsafe.h. Numbers are left to snprintf, one at a time. */
#include "kenv/format.h"

#include <stdbool.h>
#include <stdio.h>

/* Widths and precisions above this are cut to it: longer than any number, short enough to buffer.
 */
#define FIELD_MAX 512

enum size { SIZE_32, SIZE_8, SIZE_16, SIZE_64, SIZE_WIDE };

struct conversion {
    bool is_left, is_zero, has_plus, has_space, is_alternate;
    int width;
    int precision; /* -1: none */
    enum size size;
    char kind;
};

/* A va_list that can be passed on by address: the type itself may be an array. */
struct arguments {
    va_list list;
};

static void put(struct kenv_text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (t->length + 1 < t->size)
            t->out[t->length] = s[i];
        t->length++;
    }
    if (t->size > 0)
        t->out[t->length < t->size ? t->length : t->size - 1] = 0;
}

static void put_blanks(struct kenv_text *t, size_t n)
{
    while (n-- > 0)
        put(t, " ", 1);
}

/* Text of n characters in the field's width; columns is how wide it looks. */
static void put_field(
    struct kenv_text *t, const struct conversion *c, const char *s, size_t n, size_t columns)
{
    size_t blanks = c->width > 0 && (size_t)c->width > columns ? (size_t)c->width - columns : 0;

    if (!c->is_left)
        put_blanks(t, blanks);
    put(t, s, n);
    if (c->is_left)
        put_blanks(t, blanks);
}

/* One code point as UTF-8; returns its length. */
static size_t encode(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

/* n 16-bit characters; a lone surrogate becomes U+FFFD. */
static void put_wide(struct kenv_text *t, const struct conversion *c, const WCHAR *s, size_t n)
{
    size_t blanks = c->width > 0 && (size_t)c->width > n ? (size_t)c->width - n : 0;

    if (!c->is_left)
        put_blanks(t, blanks);
    for (size_t i = 0; i < n; i++) {
        uint32_t point = (uint16_t)s[i];
        char utf8[4];

        if (point >= 0xD800 && point < 0xDC00 && i + 1 < n && ((uint16_t)s[i + 1] >> 10) == 0x37) {
            i++;
            point = 0x10000 + ((point & 0x3FF) << 10) + ((uint16_t)s[i] & 0x3FFu);
        } else if (point >= 0xD800 && point < 0xE000) {
            point = 0xFFFD;
        }
        put(t, utf8, encode(point, utf8));
    }
    if (c->is_left)
        put_blanks(t, blanks);
}

/* Length of a string that need not be terminated if the precision ends it. */
static size_t cut_length(const struct conversion *c, const char *narrow, const WCHAR *wide)
{
    size_t limit = c->precision >= 0 ? (size_t)c->precision : SIZE_MAX, n = 0;

    while (n < limit && (narrow != NULL ? narrow[n] != 0 : wide[n] != 0))
        n++;
    return n;
}

static void put_string(struct kenv_text *t, const struct conversion *c, struct arguments *a)
{
    bool is_wide = c->size == SIZE_64 || c->size == SIZE_WIDE ||
                   (c->kind == 'S' && c->size != SIZE_16 && c->size != SIZE_8);
    const void *s = va_arg(a->list, const void *);

    if (s == NULL)
        put_field(t, c, "(null)", 6, 6);
    else if (is_wide)
        put_wide(t, c, s, cut_length(c, NULL, s));
    else
        put_field(t, c, s, cut_length(c, s, NULL), cut_length(c, s, NULL));
}

/* %Z and %wZ: counted strings. */
static void put_counted(struct kenv_text *t, const struct conversion *c, struct arguments *a)
{
    const void *s = va_arg(a->list, const void *);
    const STRING *narrow = s;
    const UNICODE_STRING *wide = s;

    if (s == NULL || narrow->Buffer == NULL)
        put_field(t, c, "(null)", 6, 6);
    else if (c->size == SIZE_WIDE || c->size == SIZE_64)
        put_wide(t, c, wide->Buffer, wide->Length / sizeof(WCHAR));
    else
        put_field(t, c, narrow->Buffer, narrow->Length, narrow->Length);
}

static void put_character(struct kenv_text *t, const struct conversion *c, struct arguments *a)
{
    unsigned value = va_arg(a->list, unsigned);
    WCHAR wide = (WCHAR)value;
    char narrow = (char)value;

    if (c->size == SIZE_64 || c->size == SIZE_WIDE || (c->kind == 'C' && c->size != SIZE_16))
        put_wide(t, c, &wide, 1);
    else
        put_field(t, c, &narrow, 1, 1);
}

/* The conversion as snprintf wants it, with the size `size`. */
static void rebuild(const struct conversion *c, const char *size, char kind, char out[64])
{
    char precision[16] = "";

    if (c->precision >= 0)
        snprintf(precision, sizeof(precision), ".%d", c->precision);
    snprintf(out, 64, "%%%s%s%s%s%s%.*d%s%s%c", c->is_left ? "-" : "", c->is_zero ? "0" : "",
        c->has_plus ? "+" : "", c->has_space ? " " : "", c->is_alternate ? "#" : "",
        c->width > 0 ? 1 : 0, c->width, precision, size, kind);
}

static void put_number(struct kenv_text *t, const struct conversion *c, struct arguments *a)
{
    bool is_signed = c->kind == 'd' || c->kind == 'i';
    bool is_float = c->kind != 0 && strchr("feEgGaA", c->kind) != NULL;
    char spec[64], text[FIELD_MAX + 400];
    unsigned long long value;
    int n;

    rebuild(c, is_float ? "" : "ll", c->kind, spec);
    if (is_float) {
        n = snprintf(text, sizeof(text), spec, va_arg(a->list, double));
    } else {
        value = c->size == SIZE_64 ? va_arg(a->list, unsigned long long)
                                   : (unsigned long long)va_arg(a->list, unsigned);
        if (c->size != SIZE_64)
            value = is_signed ? (unsigned long long)(long long)(int)(unsigned)value : value;
        if (c->size == SIZE_16)
            value = is_signed ? (unsigned long long)(long long)(short)value : (USHORT)value;
        if (c->size == SIZE_8)
            value = is_signed ? (unsigned long long)(long long)(signed char)value : (UCHAR)value;
        n = snprintf(text, sizeof(text), spec, value);
    }
    if (n > 0)
        put(t, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

static void put_pointer(struct kenv_text *t, const struct conversion *c, struct arguments *a)
{
    char text[24];
    int n = snprintf(
        text, sizeof(text), "%016llX", (unsigned long long)(uintptr_t)va_arg(a->list, void *));

    put_field(t, c, text, (size_t)n, (size_t)n);
}

/* A number in the format, or the next argument for an asterisk. */
static int number(const char **f, struct arguments *a)
{
    int n = 0;

    if (**f == '*') {
        (*f)++;
        n = va_arg(a->list, int);
        return n > FIELD_MAX ? FIELD_MAX : n < -FIELD_MAX ? -FIELD_MAX : n;
    }
    for (; **f >= '0' && **f <= '9'; (*f)++)
        n = n < FIELD_MAX ? n * 10 + (**f - '0') : n;
    return n > FIELD_MAX ? FIELD_MAX : n;
}

static enum size size_of(const char **f)
{
    static const struct {
        const char *text;
        enum size size;
    } sizes[] = {
        {"I64", SIZE_64},
        {"I32", SIZE_32},
        {"I", SIZE_64}, /* as wide as a pointer */
        {"ll", SIZE_64},
        {"l", SIZE_WIDE}, /* 32 bits of a number, a wide string or character */
        {"w", SIZE_WIDE},
        {"hh", SIZE_8},
        {"h", SIZE_16},
        {"z", SIZE_64},
        {"j", SIZE_64},
        {"t", SIZE_64},
        {"L", SIZE_32},
    };

    for (size_t i = 0; i < ARRAYSIZE(sizes); i++) {
        size_t n = strlen(sizes[i].text);

        if (strncmp(*f, sizes[i].text, n) == 0) {
            *f += n;
            return sizes[i].size;
        }
    }
    return SIZE_32;
}

/* What stands between % and the letter; *f is behind the letter afterwards. */
static struct conversion parse(const char **f, struct arguments *a)
{
    struct conversion c = {.precision = -1};

    for (;; (*f)++) {
        if (**f == '-')
            c.is_left = true;
        else if (**f == '0')
            c.is_zero = true;
        else if (**f == '+')
            c.has_plus = true;
        else if (**f == ' ')
            c.has_space = true;
        else if (**f == '#')
            c.is_alternate = true;
        else
            break;
    }
    c.width = number(f, a);
    if (c.width < 0) {
        c.is_left = true;
        c.width = -c.width;
    }
    if (**f == '.') {
        (*f)++;
        c.precision = number(f, a);
        if (c.precision < 0)
            c.precision = -1;
    }
    c.size = size_of(f);
    c.kind = **f;
    if (**f != 0)
        (*f)++;
    return c;
}

static void convert(struct kenv_text *t, const char **f, struct arguments *a)
{
    const char *start = *f - 1;
    struct conversion c = parse(f, a);

    switch (c.kind) {
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X':
    case 'f':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        put_number(t, &c, a);
        break;
    case 's':
    case 'S':
        put_string(t, &c, a);
        break;
    case 'c':
    case 'C':
        put_character(t, &c, a);
        break;
    case 'Z':
        put_counted(t, &c, a);
        break;
    case 'p':
        put_pointer(t, &c, a);
        break;
    case '%':
        put(t, "%", 1);
        break;
    default:
        put(t, start, (size_t)(*f - start));
        break;
    }
}

void kenv_format(struct kenv_text *text, const char *format, va_list arguments)
{
    struct arguments a;

    va_copy(a.list, arguments);
    put(text, "", 0);
    while (*format != 0) {
        size_t n = strcspn(format, "%");

        put(text, format, n);
        format += n;
        if (*format == '%') {
            format++;
            convert(text, &format, &a);
        }
    }
    va_end(a.list);
}
