/* SPDX-License-Identifier: MIT */
#include "verify/settings.h"

#include <stdio.h>
#include <string.h>

enum { MS_MAX = 3600000 };

static bool is_set(const char *s)
{
    return s != NULL && *s != '\0';
}

static NTSTATUS read_mode(
    char *(*env)(const char *name), enum verify_mode *out, char text[NDK_LAYER_TEXT])
{
    static const char *const names[] = {
        [VERIFY_OFF] = "off", [VERIFY_WARN] = "warn", [VERIFY_BREAK] = "break"};
    const char *s = env("SOFTNDK_VERIFY");

    *out = VERIFY_OFF;
    if (!is_set(s))
        return STATUS_SUCCESS;
    for (int i = VERIFY_OFF; i <= VERIFY_BREAK; i++) {
        if (strcmp(s, names[i]) == 0) {
            *out = (enum verify_mode)i;
            return STATUS_SUCCESS;
        }
    }
    snprintf(text, NDK_LAYER_TEXT,
        "the environment variable SOFTNDK_VERIFY is \"%.40s\"; it takes off, warn or break", s);
    return STATUS_INVALID_PARAMETER;
}

/* A number from 0 to max; `otherwise` if the variable is not set. */
static NTSTATUS read_number(char *(*env)(const char *name), const char *name, ULONG max,
    ULONG otherwise, ULONG *out, char text[NDK_LAYER_TEXT])
{
    const char *s = env(name), *p = s;
    ULONG value = 0;

    *out = otherwise;
    if (!is_set(s))
        return STATUS_SUCCESS;
    while (*p >= '0' && *p <= '9' && value <= max)
        value = value * 10 + (ULONG)(*p++ - '0');
    if (*p == '\0' && value <= max) {
        *out = value;
        return STATUS_SUCCESS;
    }
    snprintf(text, NDK_LAYER_TEXT,
        "the environment variable %s is \"%.40s\"; it takes a number from 0 to %u", name, s, max);
    return STATUS_INVALID_PARAMETER;
}

static NTSTATUS read_switch(
    char *(*env)(const char *name), const char *name, bool *out, char text[NDK_LAYER_TEXT])
{
    ULONG value = 0;
    NTSTATUS status = read_number(env, name, 1, 0, &value, text);

    *out = value != 0;
    return status;
}

NTSTATUS verify_settings_read(
    char *(*env)(const char *name), struct verify_settings *out, char text[NDK_LAYER_TEXT])
{
    NTSTATUS status;

    memset(out, 0, sizeof *out);
    status = read_mode(env, &out->mode, text);
    if (NT_SUCCESS(status))
        status = read_switch(env, "SOFTNDK_VERIFY_RISKY", &out->risky, text);
    if (NT_SUCCESS(status))
        status = read_switch(env, "SOFTNDK_VERIFY_BUFFERS", &out->buffers, text);
    if (NT_SUCCESS(status))
        status =
            read_number(env, "SOFTNDK_VERIFY_CALLBACK_MS", MS_MAX, 2000, &out->callback_ms, text);
    if (NT_SUCCESS(status))
        status = read_number(env, "SOFTNDK_VERIFY_LINGER_MS", MS_MAX, 3000, &out->linger_ms, text);
    if (!NT_SUCCESS(status))
        return status;
    out->log = env("SOFTNDK_VERIFY_LOG");
    if (!is_set(out->log))
        out->log = NULL;
    return STATUS_SUCCESS;
}
