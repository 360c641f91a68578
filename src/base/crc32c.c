/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#include <isa-l/crc.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
enum { SHORT_MAX = 192 };

/* isa-l is slow at short pieces: headers, trailers, whole small FPDUs. Here an instruction takes
 * eight octets. */
static bool is_short(size_t n)
{
    return n <= SHORT_MAX && __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint32_t add_short(
    uint32_t running, const uint8_t *p, size_t n)
{
    uint64_t wide = running;

    for (; n >= sizeof(wide); n -= sizeof(wide), p += sizeof(wide)) {
        uint64_t x;

        memcpy(&x, p, sizeof(x));
        wide = __builtin_ia32_crc32di(wide, x);
    }
    running = (uint32_t)wide;
    while (n-- > 0)
        running = __builtin_ia32_crc32qi(running, *p++);
    return running;
}

/*
 * isa-l's widest version leaves the upper halves of the vector registers in use, and every switch
 * between such code and ours then costs more than the sum of a small FPDU (measured: 180 ns).
 */
__attribute__((target("avx"))) static void clear_upper_halves(void)
{
    __builtin_ia32_vzeroupper();
}

static void leave_isal(void)
{
    if (__builtin_cpu_supports("avx"))
        clear_upper_halves();
}
#else
static bool is_short(size_t n)
{
    (void)n;
    return false;
}

static uint32_t add_short(uint32_t running, const uint8_t *p, size_t n)
{
    (void)p;
    (void)n;
    return running;
}

static void leave_isal(void)
{
}
#endif

uint32_t sn_crc32c_add(uint32_t running, const void *p, size_t n)
{
    const uint8_t *at = p;

    if (is_short(n))
        return add_short(running, at, n);
    /* isa-l takes an int; an FPDU is far smaller, but a caller need not know. It only reads. */
    while (n > 0) {
        size_t piece = n < 0x40000000u ? n : 0x40000000u;

        running = crc32_iscsi((unsigned char *)(uintptr_t)at, (int)piece, running);
        at += piece;
        n -= piece;
    }
    leave_isal();
    return running;
}
