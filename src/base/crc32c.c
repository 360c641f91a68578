/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

#include <isa-l/crc.h>

uint32_t sn_crc32c_add(uint32_t running, const void *p, size_t n)
{
    const uint8_t *at = p;

    /* isa-l takes an int; an FPDU is far smaller, but a caller need not know. It only reads. */
    while (n > 0) {
        size_t piece = n < 0x40000000u ? n : 0x40000000u;

        running = crc32_iscsi((unsigned char *)(uintptr_t)at, (int)piece, running);
        at += piece;
        n -= piece;
    }
    return running;
}
