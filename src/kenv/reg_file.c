/* SPDX-License-Identifier: MIT */
/*
 * The text that fills the registry: .reg files as Windows exports them, and what people write by
 * hand. Each line is brought to 16-bit characters first; continued lines of hex data are joined.
 */
#include "base/alloc.h"
#include "kenv/reg.h"

#include <softndk_driver.h>
#include <stdio.h>

#define LINE_MAX_CHARS 32768
#define FILE_MAX_BYTES ((long)16 << 20)

struct parser {
    const unsigned char *text;
    size_t n, at;
    bool is_utf16;
    unsigned line; /* of what was read last */
    WCHAR *chars;  /* the logical line, LINE_MAX_CHARS */
    size_t length;
    unsigned char *data;      /* of one value; as many octets as a line could describe */
    struct kenv_reg_key *key; /* of the section; NULL: before the first, or a deleted one */
    bool has_section;
};

/* One character of the text, or -1 at its end. What is not UTF-8 becomes U+FFFD. */
static long next_char(struct parser *p)
{
    const unsigned char *t = p->text + p->at;
    size_t left = p->n - p->at;
    unsigned long c, extra;

    if (p->is_utf16) {
        if (left < 2)
            return -1;
        p->at += 2;
        return t[0] | t[1] << 8;
    }
    if (left == 0)
        return -1;
    c = t[0];
    extra = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : 9;
    if (extra == 0 || extra >= left) {
        p->at++;
        return extra == 0 ? (long)c : 0xfffd;
    }
    c &= 0x3fu >> extra;
    for (unsigned long i = 1; i <= extra; i++) {
        if ((t[i] & 0xc0) != 0x80) {
            p->at++;
            return 0xfffd;
        }
        c = c << 6 | (t[i] & 0x3f);
    }
    p->at += extra + 1;
    return (long)c;
}

/* Appends one line of the text without its end. False: too long, or (at_end) there is none. */
static bool append_line(struct parser *p, bool *at_end)
{
    bool any = false;

    for (;;) {
        long c = next_char(p);

        if (c < 0) {
            *at_end = !any;
            return any;
        }
        any = true;
        if (c == '\n')
            break;
        if (c == '\r')
            continue;
        if (p->length == LINE_MAX_CHARS)
            return false;
        p->chars[p->length++] = (WCHAR)c;
    }
    return true;
}

static void trim(struct parser *p)
{
    size_t first = 0;

    while (p->length > 0 && (p->chars[p->length - 1] == ' ' || p->chars[p->length - 1] == '\t'))
        p->length--;
    while (first < p->length && (p->chars[first] == ' ' || p->chars[first] == '\t'))
        first++;
    p->length -= first;
    memmove(p->chars, p->chars + first, p->length * sizeof(WCHAR));
}

static bool starts_with(const struct parser *p, size_t at, const char *word)
{
    for (; *word != 0; word++, at++)
        if (at >= p->length || p->chars[at] >= 0x80 || (p->chars[at] | 0x20) != (*word | 0x20))
            return false;
    return true;
}

/* A logical line: joined while it ends in a backslash and is not text in quotes or brackets. */
static bool read_line(struct parser *p, bool *at_end)
{
    p->length = 0;
    for (;;) {
        size_t had = p->length;

        *at_end = false;
        if (!append_line(p, at_end))
            return had != 0 && *at_end;
        p->line++;
        trim(p);
        if (p->length == 0 || p->chars[p->length - 1] != '\\' || p->chars[0] == '[' ||
            p->chars[0] == ';')
            return true;
        p->length--;
    }
}

/* ---- Sections ------------------------------------------------------------------------------ */

static const struct {
    const char *text, *path;
} hives[] = {
    {"HKEY_LOCAL_MACHINE", "\\Registry\\Machine"},
    {"HKLM", "\\Registry\\Machine"},
    {"HKEY_USERS", "\\Registry\\User"},
    {"HKU", "\\Registry\\User"},
    {"\\Registry", "\\Registry"},
};

/* "[HKEY_LOCAL_MACHINE\SYSTEM\...]", a minus behind the bracket deletes. */
static const char *section(struct parser *p)
{
    size_t at = p->length > 1 && p->chars[1] == '-' ? 2 : 1;
    bool is_delete = at == 2;
    UNICODE_STRING path = {0, 0, NULL};
    WCHAR full[512];
    size_t n = 0;

    if (p->chars[p->length - 1] != ']')
        return "a section does not end in ']'";
    for (size_t i = 0; i < ARRAYSIZE(hives) && path.Buffer == NULL; i++) {
        if (!starts_with(p, at, hives[i].text))
            continue;
        at += strlen(hives[i].text);
        for (const char *c = hives[i].path; *c != 0; c++)
            full[n++] = (WCHAR)*c;
        path.Buffer = full;
    }
    if (path.Buffer == NULL || (p->chars[at] != '\\' && p->chars[at] != ']'))
        return "a section begins with none of HKEY_LOCAL_MACHINE, HKEY_USERS, \\Registry";
    for (; at + 1 < p->length; at++) {
        if (n == ARRAYSIZE(full))
            return "the path of a section is too long";
        full[n++] = p->chars[at];
    }
    path.Length = path.MaximumLength = (USHORT)(n * sizeof(WCHAR));
    p->has_section = true;
    p->key = kenv_reg_find(NULL, &path, !is_delete, NULL);
    if (!is_delete)
        return p->key != NULL ? NULL : "no memory";
    if (p->key != NULL && p->key != kenv_reg_root())
        kenv_reg_remove(p->key);
    p->key = NULL;
    return NULL;
}

/* ---- Values -------------------------------------------------------------------------------- */

static int digit(WCHAR c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Text in quotes at *at, unescaped in place; *at behind it. False: no closing quote. */
static bool quoted(struct parser *p, size_t *at, PUNICODE_STRING out)
{
    size_t from = *at + 1, to = from;

    out->Buffer = p->chars + from;
    for (size_t i = from; i < p->length; i++) {
        if (p->chars[i] == '"') {
            out->Length = out->MaximumLength = (USHORT)((to - from) * sizeof(WCHAR));
            *at = i + 1;
            return true;
        }
        if (p->chars[i] == '\\' && i + 1 < p->length)
            i++;
        p->chars[to++] = p->chars[i];
    }
    return false;
}

static const char *number(struct parser *p, size_t at, PCUNICODE_STRING name, ULONG size)
{
    ULONGLONG value = 0;
    size_t digits = 0;

    for (; at < p->length && digit(p->chars[at]) >= 0; at++, digits++)
        value = value << 4 | (ULONGLONG)digit(p->chars[at]);
    if (digits == 0 || digits > 2 * (size_t)size || at != p->length)
        return "a dword or qword is not 1 to 8 or 16 hexadecimal digits";
    return kenv_reg_value_set(p->key, name, size == 4 ? REG_DWORD : REG_QWORD, &value, size)
               ? NULL
               : "no memory";
}

/* "hex:01,02" or "hex(7):..."; `at` behind "hex". */
static const char *octets(struct parser *p, size_t at, PCUNICODE_STRING name)
{
    ULONG type = REG_BINARY, n = 0;

    if (at < p->length && p->chars[at] == '(') {
        for (type = 0, at++; at < p->length && digit(p->chars[at]) >= 0; at++)
            type = type << 4 | (ULONG)digit(p->chars[at]);
        if (at >= p->length || p->chars[at] != ')')
            return "a type does not end in ')'";
        at++;
    }
    if (at >= p->length || p->chars[at] != ':')
        return "hex is not followed by ':'";
    for (at++; at < p->length;) {
        int high, low;

        if (p->chars[at] == ' ' || p->chars[at] == '\t' || p->chars[at] == ',') {
            at++;
            continue;
        }
        high = digit(p->chars[at]);
        low = at + 1 < p->length ? digit(p->chars[at + 1]) : -1;
        if (high < 0)
            return "hex data holds something that is no octet";
        p->data[n++] = (unsigned char)(low >= 0 ? high << 4 | low : high);
        at += low >= 0 ? 2 : 1;
    }
    return kenv_reg_value_set(p->key, name, type, p->data, n) ? NULL : "no memory";
}

/* "name"=data or @=data. */
static const char *value(struct parser *p)
{
    UNICODE_STRING name = {0, 0, p->chars}, text;
    struct kenv_reg_value *old;
    size_t at = 0;

    if (!p->has_section)
        return "a value comes before the first section";
    if (p->key == NULL)
        return "a value stands below a section that was deleted";
    if (p->chars[0] == '@')
        at = 1;
    else if (p->chars[0] != '"' || !quoted(p, &at, &name))
        return "a line is neither a section, a value in quotes, nor a comment (;)";
    while (at < p->length && p->chars[at] == ' ')
        at++;
    if (at >= p->length || p->chars[at] != '=')
        return "a value has no '='";
    for (at++; at < p->length && p->chars[at] == ' ';)
        at++;
    if (starts_with(p, at, "dword:"))
        return number(p, at + 6, &name, 4);
    if (starts_with(p, at, "qword:"))
        return number(p, at + 6, &name, 8);
    if (starts_with(p, at, "hex"))
        return octets(p, at + 3, &name);
    if (at + 1 == p->length && p->chars[at] == '-') {
        old = kenv_reg_value_find(p->key, &name);
        if (old != NULL)
            kenv_reg_value_remove(old);
        return NULL;
    }
    if (at >= p->length || p->chars[at] != '"' || !quoted(p, &at, &text) || at != p->length)
        return "a value is neither text in quotes, dword:, qword:, hex: nor -";
    text.Buffer[text.Length / sizeof(WCHAR)] = 0; /* over the quote or before it */
    return kenv_reg_value_set(
               p->key, &name, REG_SZ, text.Buffer, (ULONG)(text.Length + sizeof(WCHAR)))
               ? NULL
               : "no memory";
}

static const char *parse(struct parser *p)
{
    bool at_end = false;

    while (read_line(p, &at_end)) {
        const char *wrong = NULL;

        if (p->length == 0 || p->chars[0] == ';' || p->chars[0] == '#')
            continue;
        if (p->chars[0] == '[')
            wrong = section(p);
        else if (p->has_section ||
                 (!starts_with(p, 0, "Windows Registry Editor") && !starts_with(p, 0, "REGEDIT4")))
            wrong = value(p);
        if (wrong != NULL)
            return wrong;
    }
    return at_end ? NULL : "the line is too long";
}

bool kenv_reg_parse(const unsigned char *text, size_t n, char *error, size_t size)
{
    struct parser p = {.text = text, .n = n};
    const char *wrong = "no memory";

    if (n >= 2 && text[0] == 0xff && text[1] == 0xfe) {
        p.is_utf16 = true;
        p.at = 2;
    } else if (n >= 3 && text[0] == 0xef && text[1] == 0xbb && text[2] == 0xbf) {
        p.at = 3;
    }
    p.chars = sn_zalloc_array(LINE_MAX_CHARS + 1, sizeof(WCHAR));
    p.data = sn_zalloc(LINE_MAX_CHARS);
    if (p.chars != NULL && p.data != NULL)
        wrong = parse(&p);
    sn_free(p.chars);
    sn_free(p.data);
    if (wrong != NULL && size != 0)
        (void)snprintf(error, size, "line %u: %s.", p.line, wrong);
    return wrong == NULL;
}

/* The whole file; NULL: it cannot be read, or is larger than any registry of drivers. */
static unsigned char *read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    unsigned char *text = NULL;
    long size = -1;

    if (file == NULL)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size >= 0 && size <= FILE_MAX_BYTES && fseek(file, 0, SEEK_SET) == 0)
        text = sn_zalloc((size_t)size + 1);
    if (text != NULL)
        *n = fread(text, 1, (size_t)size, file);
    (void)fclose(file);
    return text;
}

NTSTATUS SoftNdkDrvRegistryLoad(const char *Path, char *Error, SIZE_T ErrorSize)
{
    unsigned char *text = NULL;
    size_t n = 0;
    bool is_good = true;

    if (Path != NULL) {
        text = read_file(Path, &n);
        if (text == NULL) {
            if (ErrorSize != 0 && Error != NULL)
                (void)snprintf(Error, ErrorSize, "%s cannot be read.", Path);
            return STATUS_NO_SUCH_FILE;
        }
    }
    kenv_reg_lock();
    kenv_reg_clear();
    if (text != NULL)
        is_good = kenv_reg_parse(text, n, Error, Error != NULL ? ErrorSize : 0);
    kenv_reg_unlock();
    sn_free(text);
    return is_good ? STATUS_SUCCESS : STATUS_DATA_ERROR;
}
