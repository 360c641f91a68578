/* SPDX-License-Identifier: MIT */
/*
 * ndkcc_wide.h: the routines of the kernel's C run-time that the host's C library lacks, or has for
 * 32-bit wide characters. Each keeps its Windows name by a macro, so that a driver never reaches
 * the host's by accident. Included by the string.h, wchar.h and stdlib.h beside it.
 */
#ifndef SOFTNDK_NDKCC_WIDE_H
#define SOFTNDK_NDKCC_WIDE_H

#include <ntdef.h>

#define NDKCC_CRT static __inline__ __attribute__((unused))

NDKCC_CRT int ndkcc_lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

NDKCC_CRT int ndkcc_upper(int c)
{
    return c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c;
}

/* ---- Narrow ---------------------------------------------------------------------------------- */

NDKCC_CRT int ndkcc_strnicmp(const char *a, const char *b, size_t n)
{
    for (; n > 0; a++, b++, n--) {
        int difference = ndkcc_lower((unsigned char)*a) - ndkcc_lower((unsigned char)*b);

        if (difference != 0 || *a == '\0')
            return difference;
    }
    return 0;
}

NDKCC_CRT int ndkcc_stricmp(const char *a, const char *b)
{
    return ndkcc_strnicmp(a, b, (size_t)-1);
}

NDKCC_CRT char *ndkcc_strlwr(char *s)
{
    for (char *p = s; *p != '\0'; p++)
        *p = (char)ndkcc_lower((unsigned char)*p);
    return s;
}

NDKCC_CRT char *ndkcc_strupr(char *s)
{
    for (char *p = s; *p != '\0'; p++)
        *p = (char)ndkcc_upper((unsigned char)*p);
    return s;
}

NDKCC_CRT size_t ndkcc_strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0')
        n++;
    return n;
}

#define _stricmp  ndkcc_stricmp
#define stricmp   ndkcc_stricmp
#define _strnicmp ndkcc_strnicmp
#define strnicmp  ndkcc_strnicmp
#define _strlwr   ndkcc_strlwr
#define _strupr   ndkcc_strupr
#define strnlen   ndkcc_strnlen
#define _memccpy  memccpy

/* ---- Wide, 16 bits --------------------------------------------------------------------------- */

NDKCC_CRT size_t ndkcc_wcsnlen(const WCHAR *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != 0)
        n++;
    return n;
}

NDKCC_CRT size_t ndkcc_wcslen(const WCHAR *s)
{
    return ndkcc_wcsnlen(s, (size_t)-1);
}

NDKCC_CRT WCHAR *ndkcc_wcsncpy(WCHAR *to, const WCHAR *from, size_t n)
{
    size_t i = 0;

    for (; i < n && from[i] != 0; i++)
        to[i] = from[i];
    for (; i < n; i++)
        to[i] = 0;
    return to;
}

NDKCC_CRT WCHAR *ndkcc_wcscpy(WCHAR *to, const WCHAR *from)
{
    return ndkcc_wcsncpy(to, from, ndkcc_wcslen(from) + 1);
}

NDKCC_CRT WCHAR *ndkcc_wcscat(WCHAR *to, const WCHAR *from)
{
    ndkcc_wcscpy(to + ndkcc_wcslen(to), from);
    return to;
}

NDKCC_CRT WCHAR *ndkcc_wcsncat(WCHAR *to, const WCHAR *from, size_t n)
{
    size_t begin = ndkcc_wcslen(to), count = ndkcc_wcsnlen(from, n);

    ndkcc_wcsncpy(to + begin, from, count);
    to[begin + count] = 0;
    return to;
}

NDKCC_CRT int ndkcc_wcsncmp(const WCHAR *a, const WCHAR *b, size_t n)
{
    for (; n > 0; a++, b++, n--)
        if (*a != *b || *a == 0)
            return (int)*a - (int)*b;
    return 0;
}

NDKCC_CRT int ndkcc_wcscmp(const WCHAR *a, const WCHAR *b)
{
    return ndkcc_wcsncmp(a, b, (size_t)-1);
}

NDKCC_CRT int ndkcc_wcsnicmp(const WCHAR *a, const WCHAR *b, size_t n)
{
    for (; n > 0; a++, b++, n--) {
        int difference = ndkcc_lower(*a) - ndkcc_lower(*b);

        if (difference != 0 || *a == 0)
            return difference;
    }
    return 0;
}

NDKCC_CRT int ndkcc_wcsicmp(const WCHAR *a, const WCHAR *b)
{
    return ndkcc_wcsnicmp(a, b, (size_t)-1);
}

NDKCC_CRT WCHAR *ndkcc_wcschr(const WCHAR *s, WCHAR c)
{
    for (;; s++) {
        if (*s == c)
            return (WCHAR *)(ULONG_PTR)s;
        if (*s == 0)
            return NULL;
    }
}

NDKCC_CRT WCHAR *ndkcc_wcsrchr(const WCHAR *s, WCHAR c)
{
    const WCHAR *last = NULL;

    for (;; s++) {
        if (*s == c)
            last = s;
        if (*s == 0)
            return (WCHAR *)(ULONG_PTR)last;
    }
}

NDKCC_CRT WCHAR *ndkcc_wcsstr(const WCHAR *s, const WCHAR *what)
{
    size_t n = ndkcc_wcslen(what);

    for (;; s++) {
        if (ndkcc_wcsncmp(s, what, n) == 0)
            return (WCHAR *)(ULONG_PTR)s;
        if (*s == 0)
            return NULL;
    }
}

#define wcsnlen   ndkcc_wcsnlen
#define wcslen    ndkcc_wcslen
#define wcsncpy   ndkcc_wcsncpy
#define wcscpy    ndkcc_wcscpy
#define wcscat    ndkcc_wcscat
#define wcsncat   ndkcc_wcsncat
#define wcsncmp   ndkcc_wcsncmp
#define wcscmp    ndkcc_wcscmp
#define _wcsnicmp ndkcc_wcsnicmp
#define _wcsicmp  ndkcc_wcsicmp
#define wcschr    ndkcc_wcschr
#define wcsrchr   ndkcc_wcsrchr
#define wcsstr    ndkcc_wcsstr
#define towlower  ndkcc_lower
#define towupper  ndkcc_upper

#endif /* SOFTNDK_NDKCC_WIDE_H */
