/* SPDX-License-Identifier: MIT */
/*
 * stdio.h: formatting into a buffer, with the meaning that formats have on Windows. There is no
 * console and no file in the kernel, and so no printf and no fopen here: use DbgPrint.
 */
#if defined(__cplusplus)
#include_next <stdio.h>
#elif !defined(SOFTNDK_NDKCC_STDIO_H)
#define SOFTNDK_NDKCC_STDIO_H

#include <ntstrsafe.h>
#include <stdarg.h>
#include <string.h>

/* As on Windows: -1 if the text did not fit. [DEVIATION] It is terminated even then. */
static __inline__ __attribute__((unused)) int ndkcc_vsnprintf(
    char *to, size_t size, const char *format, va_list arguments)
{
    size_t length = 0;

    if (size == 0 || !NT_SUCCESS(RtlStringCbVPrintfA(to, size, format, arguments)))
        return -1;
    while (to[length] != '\0')
        length++;
    return (int)length;
}

static __inline__ __attribute__((unused)) int ndkcc_snprintf(
    char *to, size_t size, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = ndkcc_vsnprintf(to, size, format, arguments);
    va_end(arguments);
    return length;
}

#define _vsnprintf                    ndkcc_vsnprintf
#define _snprintf                     ndkcc_snprintf
#define vsnprintf                     ndkcc_vsnprintf
#define snprintf                      ndkcc_snprintf
#define vsprintf(to, format, list)    ndkcc_vsnprintf(to, NTSTRSAFE_MAX_CCH, format, list)
#define sprintf(to, ...)              ndkcc_snprintf(to, NTSTRSAFE_MAX_CCH, __VA_ARGS__)
#define sprintf_s(to, size, ...)      ndkcc_snprintf(to, size, __VA_ARGS__)
#define vsprintf_s(to, size, f, list) ndkcc_vsnprintf(to, size, f, list)

#endif
