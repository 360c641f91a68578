/* SPDX-License-Identifier: MIT */
#include "common/verify.h"

#include <string.h>

/* Eight octets of the data: a mix in which every bit of the input changes half of the output. */
static uint64_t word_at(uint64_t seed, uint64_t index)
{
    uint64_t x = seed + (index + 1) * 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t verify_seed(uint64_t seed, uint64_t index)
{
    return word_at(seed ^ 0x5851f42d4c957f2du, index);
}

/* Octet i is bits 8*(i%8) and up of word i/8, whatever the host's byte order. */
static uint8_t octet_at(uint64_t seed, uint64_t at)
{
    return (uint8_t)(word_at(seed, at / 8) >> (at % 8 * 8));
}

static void word_octets(uint64_t seed, uint64_t index, uint8_t out[8])
{
    uint64_t word = word_at(seed, index);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    memcpy(out, &word, 8);
}

void verify_fill(void *p, size_t n, uint64_t seed, uint64_t at)
{
    uint8_t *out = p;
    size_t i = 0;

    for (; i < n && (at + i) % 8 != 0; i++)
        out[i] = octet_at(seed, at + i);
    for (; n - i >= 8; i += 8)
        word_octets(seed, (at + i) / 8, out + i);
    for (; i < n; i++)
        out[i] = octet_at(seed, at + i);
}

bool verify_check(const void *p, size_t n, uint64_t seed, uint64_t at, size_t *wrong)
{
    const uint8_t *in = p;
    size_t i = 0;

    while (i < n) {
        if ((at + i) % 8 == 0 && n - i >= 8) {
            uint8_t want[8];

            word_octets(seed, (at + i) / 8, want);
            if (memcmp(want, in + i, 8) == 0) {
                i += 8;
                continue;
            }
        }
        if (in[i] != octet_at(seed, at + i)) {
            *wrong = i;
            return false;
        }
        i++;
    }
    return true;
}
