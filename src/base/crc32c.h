/* SPDX-License-Identifier: MIT */
/*
 * CRC32c (Castagnoli), the digest of FPDUs. [RFC5044 4.4] By isa-l, which uses what the CPU has.
 * Running form: start with SN_CRC32C_INIT, add pieces in order, finish once. The finished value is
 * stored least significant octet first (sn_put_le32).
 */
#ifndef SN_BASE_CRC32C_H
#define SN_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#define SN_CRC32C_INIT 0xFFFFFFFFu

uint32_t sn_crc32c_add(uint32_t running, const void *p, size_t n);

static inline uint32_t sn_crc32c_finish(uint32_t running)
{
    return ~running;
}

#endif
