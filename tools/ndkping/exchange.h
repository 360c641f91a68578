/* SPDX-License-Identifier: MIT */
/*
 * What ndkping says over a connection: its own exchange, or that of rdma-core's rping. Each role of
 * each is one function; main.c connects and listens.
 */
#ifndef TOOLS_NDKPING_EXCHANGE_H
#define TOOLS_NDKPING_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/channel.h"

enum {
    PING_SIZE_MAX = 1 << 30,
    PING_READS = 16, /* read limits that both roles ask for */
};

struct ping_options {
    uint64_t size;
    uint64_t count; /* client: pings */
    double interval_s;
    bool is_verbose;
};

/* What to print in the lines of a connection; and what it came to. */
struct ping_report {
    const char *peer;
    uint64_t pings;                    /* that were verified to the last octet */
    uint64_t min_ns, max_ns, total_ns; /* of their times */
};

/* Adds a verified ping and prints its line. */
void ping_done(struct ping_report *r, uint64_t size, uint64_t began_ns);
/* Waits for the next ping is due; false: the user interrupted. */
bool ping_pause(const struct ping_options *o, uint64_t began_ns);
/* "NAME: PEER: ping N: WHILE: WORDS" and the exit status TOOL_FAILED. */
int ping_fail(const struct ping_report *r, const char *while_what, const char *words);

/* ---- Our own exchange (own.c) ---- */

enum { OWN_HELLO_SIZE = 32, OWN_ANSWER_SIZE = 32 };

struct own_hello {
    uint64_t size, count, seed;
};

/* Private data of a connect. */
void own_hello_write(const struct own_hello *h, uint8_t out[OWN_HELLO_SIZE]);
/* False: the peer is no ndkping, or of another version, or asks for what no ndkping asks. */
bool own_hello_read(const uint8_t *in, size_t n, struct own_hello *h);
/* Private data of an accept: says which hello it answers. */
void own_answer_write(const struct own_hello *h, uint8_t out[OWN_ANSWER_SIZE]);
bool own_answer_read(const uint8_t *in, size_t n, const struct own_hello *h);

NTSTATUS own_open(struct ndk_host *host, struct channel *c);
int own_client(struct channel *c, const struct ping_options *o, const struct own_hello *h,
    struct ping_report *r);
int own_server(struct channel *c, const struct own_hello *h, struct ping_report *r);

/* ---- rping's exchange (rping.c) ---- */

NTSTATUS rping_open(struct ndk_host *host, struct channel *c);
int rping_client(struct channel *c, const struct ping_options *o, struct ping_report *r);
int rping_server(struct channel *c, const struct ping_options *o, struct ping_report *r);
/* The data of one ping (from 0): n octets. */
void rping_fill(uint8_t *out, size_t n, uint64_t ping);

#endif
