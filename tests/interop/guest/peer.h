/* SPDX-License-Identifier: MIT */
/*
 * What the NDK test on this side tells the verbs program in the guest to do, and what that answers.
 * Both are of the same machine type: fields are in its order.
 *
 * A connection begins with private data of struct peer_greeting and whatever follows. Then a Send
 * that is a struct peer_command is carried out and answered by a struct peer_reply; any other Send
 * is data, and answered by a reply about it.
 */
#ifndef TESTS_INTEROP_GUEST_PEER_H
#define TESTS_INTEROP_GUEST_PEER_H

#include <stddef.h>
#include <stdint.h>

enum {
    PEER_MAGIC = 0x50656572,
    PEER_MEMORY = 4 << 20,  /* octets of memory with all rights */
    PEER_SLOT = 65536,      /* octets of each receive, on both sides */
    PEER_RECEIVES = 16,     /* posted at a time, on both sides */
    PEER_DEPTH = 1024,      /* requests at a time */
    PEER_READ_ONLY = 65536, /* octets of memory that may only be read */
};

enum peer_mode {
    PEER_TALK = 'T',   /* accept, take commands */
    PEER_ECHO = 'E',   /* the same, and answer with the private data */
    PEER_REJECT = 'R', /* reject with the private data */
    PEER_HOLD = 'H',   /* say nothing for three seconds, then reject */
};

struct peer_greeting {
    uint8_t mode;
    uint8_t ird, ord; /* what to accept with; 0 and 0: what was asked */
};

enum peer_verb {
    PEER_INFO,  /* where its memory is: address, token, and in extra the read-only token */
    PEER_FILL,  /* offset, length, seed */
    PEER_CHECK, /* status 0: what is there is the pattern; 1: extra says where not */
    PEER_WRITE, /* count Writes of length octets each, offset and address move on by length */
    PEER_READ,  /* likewise, from address to offset */
    PEER_SEND,  /* count Sends of length octets from offset; flags; the reply follows */
    PEER_LAST,  /* status of the first request that failed in the connection before this one */
};

enum peer_flag {
    PEER_SOLICITED = 1,
    PEER_INVALIDATE = 2, /* token */
};

struct peer_command {
    uint32_t magic, verb, flags, token, seed, count;
    uint64_t address, offset, length;
};

enum peer_about { PEER_DONE, PEER_DATA };

struct peer_reply {
    uint32_t magic, about, status, token;
    uint64_t address, length,
        extra; /* PEER_DATA: octets, their sum, token invalidated in `token` */
};

static inline uint8_t peer_pattern(uint32_t seed, size_t i)
{
    return (uint8_t)(seed + i * 31 + (i >> 8));
}

static inline uint64_t peer_sum(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = sum * 3 + p[i];
    return sum;
}

#endif
