/* SPDX-License-Identifier: MIT */
/* Reads a capture back, by libpcap, and judges each packet as a TCP would. */
#ifndef TESTS_UNIT_TRACE_READER_H
#define TESTS_UNIT_TRACE_READER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "base/bytes.h"
#include "plat/plat.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, PACKETS_MAX = 64 };

struct packet {
    uint16_t from, to;
    uint32_t seq, ack;
    uint8_t flags;
    size_t n;
    uint8_t first, last; /* octets of the payload */
};

struct packets {
    unsigned count;
    struct packet at[PACKETS_MAX];
};

static inline void capture_path(char out[64], const char *name)
{
    snprintf(out, 64, "/tmp/softndk-%s-%ld.pcap", name, (long)getpid());
}

static inline uint32_t words_of(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (i & 1) != 0 ? p[i] : (uint32_t)p[i] << 8;
    return sum;
}

static inline uint32_t folded(uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static inline struct packet packet_read(const uint8_t *ip, size_t n)
{
    bool is_6 = ip[0] >> 4 == 6;
    size_t ip_len = is_6 ? 40 : 20, tcp_len, addr_len = is_6 ? 32 : 8;
    const uint8_t *tcp = ip + ip_len, *addr = ip + (is_6 ? 8 : 12);
    struct packet p;

    if (is_6) {
        assert_int_equal(sn_get_be16(ip + 4), n - 40);
        assert_int_equal(ip[6], 6);
    } else {
        assert_int_equal(ip[0], 0x45);
        assert_int_equal(sn_get_be16(ip + 2), n);
        assert_int_equal(ip[9], 6);
        assert_int_equal(folded(words_of(ip, 20)), 0xffff);
    }
    assert_int_equal(
        folded(words_of(addr, addr_len) + 6 + (uint32_t)(n - ip_len) + words_of(tcp, n - ip_len)),
        0xffff);
    tcp_len = (size_t)(tcp[12] >> 4) * 4;
    p = (struct packet){.from = sn_get_be16(tcp),
        .to = sn_get_be16(tcp + 2),
        .seq = sn_get_be32(tcp + 4),
        .ack = sn_get_be32(tcp + 8),
        .flags = tcp[13],
        .n = n - ip_len - tcp_len};
    if (p.n > 0) {
        p.first = tcp[tcp_len];
        p.last = ip[n - 1];
    }
    return p;
}

/* Reads and removes the file. */
static inline struct packets *packets_read(const char *path)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *file = pcap_open_offline(path, why);
    struct packets *all = calloc(1, sizeof(*all));
    struct pcap_pkthdr *header;
    const u_char *data;

    assert_non_null(file);
    assert_non_null(all);
    assert_int_equal(pcap_datalink(file), DLT_RAW);
    while (pcap_next_ex(file, &header, &data) == 1) {
        assert_int_equal(header->caplen, header->len);
        assert_true(all->count < PACKETS_MAX);
        all->at[all->count++] = packet_read(data, header->caplen);
    }
    pcap_close(file);
    unlink(path);
    return all;
}

/* Flags, direction by the sender's port, and payload length of packet i; sequence and
 * acknowledgement numbers continue what was before. */
static inline void packet_expect(
    const struct packets *all, unsigned i, uint8_t flags, uint16_t from, size_t n)
{
    const struct packet *p = &all->at[i];

    assert_true(i < all->count);
    assert_int_equal(p->flags, flags);
    assert_int_equal(p->from, from);
    assert_int_equal(p->n, n);
    for (unsigned before = i; before-- > 0;) {
        const struct packet *b = &all->at[before];
        uint32_t next = b->seq + (uint32_t)b->n + ((b->flags & (SYN | FIN)) != 0);

        if (b->from == p->from && b->to == p->to) {
            assert_int_equal(p->seq, next);
            break;
        }
        if (b->from == p->to && b->to == p->from && before + 1 == i)
            assert_int_equal(p->ack, next);
    }
}

#endif
