/* SPDX-License-Identifier: MIT */
/* Big-endian fields in byte buffers of any alignment; the only way wire data becomes numbers. */
#ifndef SN_BASE_BYTES_H
#define SN_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t sn_get_be16(const uint8_t *p)
{
    return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t sn_get_be32(const uint8_t *p)
{
    return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline uint64_t sn_get_be64(const uint8_t *p)
{
    return ((uint64_t)sn_get_be32(p) << 32) | sn_get_be32(p + 4);
}

static inline void sn_put_be16(uint8_t *p, uint16_t x)
{
    p[0] = (uint8_t)(x >> 8);
    p[1] = (uint8_t)x;
}

static inline void sn_put_be32(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

static inline void sn_put_be64(uint8_t *p, uint64_t x)
{
    sn_put_be32(p, (uint32_t)(x >> 32));
    sn_put_be32(p + 4, (uint32_t)x);
}

/* Little-endian 32 bits: the CRC field of an FPDU. [RFC5044 4.4] */
static inline uint32_t sn_get_le32(const uint8_t *p)
{
    return ((uint32_t)p[3] << 24) | ((uint32_t)p[2] << 16) | ((uint32_t)p[1] << 8) | p[0];
}

static inline void sn_put_le32(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
    p[2] = (uint8_t)(x >> 16);
    p[3] = (uint8_t)(x >> 24);
}

/* Memory of ours or of the consumer that octets go to, or come from. */
struct sn_span {
    uint8_t *p;
    size_t n;
};
struct sn_cspan {
    const uint8_t *p;
    size_t n;
};

#endif
