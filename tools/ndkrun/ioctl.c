/* SPDX-License-Identifier: MIT */
#include "ndkrun/ioctl.h"

#include <ctype.h>
#include <softndk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ndkrun/report.h"

enum { BUFFER_MAX = 65536, PATIENCE_MS = 30000, SHOWN_MAX = 64 };

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Octets may be NULL to check only. False: it is no CODE[=HEX]. */
static bool parse(const char *text, ULONG *code, uint8_t *octets, ULONG *count)
{
    char *end;
    unsigned long value = strtoul(text, &end, 0);

    *count = 0;
    if (end == text || !isdigit((unsigned char)*text) || value > UINT32_MAX)
        return false;
    *code = (ULONG)value;
    if (*end == '\0')
        return true;
    if (*end++ != '=')
        return false;
    for (; *end != '\0'; end += 2) {
        int high = digit_value(end[0]), low = high < 0 ? -1 : digit_value(end[1]);

        if (low < 0 || *count == BUFFER_MAX)
            return false;
        if (octets != NULL)
            octets[*count] = (uint8_t)(high << 4 | low);
        ++*count;
    }
    return true;
}

bool ioctl_is_valid(const char *text)
{
    ULONG code, count;

    return parse(text, &code, NULL, &count);
}

bool ioctl_send(PSOFTNDK_DRV driver, const char *text)
{
    uint8_t *buffer = calloc(1, BUFFER_MAX), *output = calloc(1, BUFFER_MAX);
    ULONG code = 0, length = 0;
    ULONG_PTR returned = 0;
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    if (buffer != NULL && output != NULL && parse(text, &code, buffer, &length))
        status = SoftNdkDrvIoctl(
            driver, NULL, code, buffer, length, output, BUFFER_MAX, PATIENCE_MS, &returned);
    fflush(stdout);
    fprintf(stderr, "ndkrun: control code 0x%X: %s (0x%08X), %zu octets", (unsigned)code,
        SoftNdkStatusName(status), (unsigned)status, (size_t)returned);
    for (size_t i = 0; output != NULL && i < returned && i < SHOWN_MAX; i++)
        fprintf(stderr, "%s%02x", i == 0 ? ": " : "", output[i]);
    fprintf(stderr, "%s\n", returned > SHOWN_MAX ? "..." : "");
    free(buffer);
    free(output);
    return NT_SUCCESS(status);
}
