/* SPDX-License-Identifier: MIT */
#include "trace/pcap.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,

    TCP_LEN = 20,
    SYN_OPTIONS_LEN = 8,
    IP4_LEN = 20,
    IP6_LEN = 40,
    HEADERS_MAX = IP6_LEN + TCP_LEN + SYN_OPTIONS_LEN,
    PAYLOAD_MAX = 65000, /* of one packet: whatever the headers, an IP length holds it */
    MSS = 65000,
    WINDOW_SHIFT = 14,
    PACKET_MAX = HEADERS_MAX + PAYLOAD_MAX,
    PATH_TEXT_MAX = 4096,
};

struct pcap_out {
    pthread_mutex_t lock; /* recursive; guards all of it, and the flows */
    pcap_t *format;
    pcap_dumper_t *dumper;
    struct sn_list flows;
    uint8_t packet[PACKET_MAX];
};

struct pcap_flow {
    struct sn_list link;
    struct pcap_out *out;
    unsigned users;
    bool is_whole; /* both ends are of this process */
    bool has_syn, has_reset;
    struct {
        struct plat_addr addr;
        uint32_t seq; /* of the next octet */
        bool has_fin;
    } ends[2];
};

/* ---- The file ---- */

/* "%p" becomes the process's number. False: too long. */
static bool expand(const char *path, char *out, size_t cap)
{
    size_t used = 0;

    while (*path != '\0') {
        int n;

        if (path[0] == '%' && path[1] == 'p') {
            n = snprintf(out + used, cap - used, "%ld", (long)getpid());
            path += 2;
        } else {
            n = snprintf(out + used, cap - used, "%c", *path++);
        }
        if (n < 0 || (size_t)n >= cap - used)
            return false;
        used += (size_t)n;
    }
    out[used] = '\0';
    return used > 0;
}

static void init_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

enum sn_status pcap_out_open(const char *path, struct pcap_out **out, char *why, size_t cap)
{
    char name[PATH_TEXT_MAX];
    struct pcap_out *o;

    if (!expand(path, name, sizeof(name))) {
        snprintf(why, cap, "the name of the capture file is empty or too long");
        return SN_INVALID;
    }
    o = sn_zalloc(sizeof(*o));
    if (o == NULL) {
        snprintf(why, cap, "no memory for a capture");
        return SN_NO_MEMORY;
    }
    o->format =
        pcap_open_dead_with_tstamp_precision(DLT_RAW, PACKET_MAX, PCAP_TSTAMP_PRECISION_NANO);
    o->dumper = o->format != NULL ? pcap_dump_open(o->format, name) : NULL;
    if (o->dumper == NULL) {
        snprintf(why, cap, "the capture cannot be written: %s",
            o->format != NULL ? pcap_geterr(o->format) : "no memory");
        if (o->format != NULL)
            pcap_close(o->format);
        sn_free(o);
        return SN_INVALID;
    }
    pcap_dump_flush(o->dumper); /* the file's header */
    sn_list_init(&o->flows);
    init_lock(&o->lock);
    *out = o;
    return SN_OK;
}

void pcap_out_close(struct pcap_out *o)
{
    if (o == NULL)
        return;
    SN_ASSERT(sn_list_is_empty(&o->flows));
    pcap_dump_close(o->dumper);
    pcap_close(o->format);
    pthread_mutex_destroy(&o->lock);
    sn_free(o);
}

void pcap_lock(struct pcap_out *o)
{
    pthread_mutex_lock(&o->lock);
}

void pcap_unlock(struct pcap_out *o)
{
    pthread_mutex_unlock(&o->lock);
}

/* ---- Packets ---- */

/* Sum of 16-bit words, to be folded; an odd last octet counts as the high half. */
static uint64_t sum16(uint64_t sum, const uint8_t *p, size_t n)
{
    for (; n > 1; p += 2, n -= 2)
        sum += sn_get_be16(p);
    return n == 1 ? sum + ((uint64_t)p[0] << 8) : sum;
}

static uint16_t checksum(uint64_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* The IP header for `length` octets of TCP. Returns its length. */
static size_t put_ip(
    uint8_t *p, const struct plat_addr *from, const struct plat_addr *to, size_t length)
{
    if (from->family == 6) {
        memset(p, 0, IP6_LEN);
        p[0] = 0x60;
        sn_put_be16(p + 4, (uint16_t)length);
        p[6] = 6; /* TCP */
        p[7] = 64;
        memcpy(p + 8, from->ip, 16);
        memcpy(p + 24, to->ip, 16);
        return IP6_LEN;
    }
    memset(p, 0, IP4_LEN);
    p[0] = 0x45;
    sn_put_be16(p + 2, (uint16_t)(IP4_LEN + length));
    p[6] = 0x40; /* do not fragment */
    p[8] = 64;
    p[9] = 6; /* TCP */
    memcpy(p + 12, from->ip, 4);
    memcpy(p + 16, to->ip, 4);
    sn_put_be16(p + 10, checksum(sum16(0, p, IP4_LEN)));
    return IP4_LEN;
}

/* What the TCP checksum covers besides the segment: addresses, protocol, length. */
static uint64_t pseudo_sum(const struct plat_addr *from, const struct plat_addr *to, size_t length)
{
    size_t n = from->family == 6 ? 16 : 4;

    return sum16(sum16(6 + (uint64_t)length, from->ip, n), to->ip, n);
}

/* The TCP header, checksum still 0. Returns its length. */
static size_t put_tcp(uint8_t *p, const struct pcap_flow *f, enum pcap_end from, uint8_t flags)
{
    enum pcap_end to = from == PCAP_A ? PCAP_B : PCAP_A;
    size_t length = (flags & TCP_SYN) != 0 ? TCP_LEN + SYN_OPTIONS_LEN : TCP_LEN;

    memset(p, 0, length);
    sn_put_be16(p, f->ends[from].addr.port);
    sn_put_be16(p + 2, f->ends[to].addr.port);
    sn_put_be32(p + 4, f->ends[from].seq);
    if ((flags & TCP_ACK) != 0)
        sn_put_be32(p + 8, f->ends[to].seq);
    p[12] = (uint8_t)(length / 4 << 4);
    p[13] = flags;
    sn_put_be16(p + 14, 0xffff);
    if ((flags & TCP_SYN) != 0) {
        p[20] = 2; /* maximum segment size */
        p[21] = 4;
        sn_put_be16(p + 22, MSS);
        p[24] = 1; /* no operation */
        p[25] = 3; /* window scale */
        p[26] = 3;
        p[27] = WINDOW_SHIFT;
    }
    return length;
}

/* One packet; its payload of n octets lies at out->packet + HEADERS_MAX already. */
static void put_packet(struct pcap_flow *f, enum pcap_end from, uint8_t flags, size_t n)
{
    struct pcap_out *o = f->out;
    const struct plat_addr *source = &f->ends[from].addr;
    const struct plat_addr *target = &f->ends[from == PCAP_A ? PCAP_B : PCAP_A].addr;
    size_t tcp_length = (flags & TCP_SYN) != 0 ? TCP_LEN + SYN_OPTIONS_LEN : TCP_LEN;
    size_t ip_length = source->family == 6 ? IP6_LEN : IP4_LEN;
    uint8_t *tcp = o->packet + HEADERS_MAX - tcp_length, *start = tcp - ip_length;
    struct pcap_pkthdr header;
    struct timespec now;

    put_tcp(tcp, f, from, flags);
    sn_put_be16(
        tcp + 16, checksum(sum16(pseudo_sum(source, target, tcp_length + n), tcp, tcp_length + n)));
    put_ip(start, source, target, tcp_length + n);

    clock_gettime(CLOCK_REALTIME, &now);
    header.ts.tv_sec = now.tv_sec;
    header.ts.tv_usec = now.tv_nsec; /* the file's unit is the nanosecond */
    header.caplen = header.len = (bpf_u_int32)(ip_length + tcp_length + n);
    pcap_dump((u_char *)o->dumper, &header, start);
    f->ends[from].seq += (uint32_t)n + ((flags & (TCP_SYN | TCP_FIN)) != 0);
}

static void put_handshake(struct pcap_flow *f)
{
    if (f->has_syn)
        return;
    f->has_syn = true;
    put_packet(f, PCAP_A, TCP_SYN, 0);
    put_packet(f, PCAP_B, TCP_SYN | TCP_ACK, 0);
    put_packet(f, PCAP_A, TCP_ACK, 0);
}

static void put_data(struct pcap_flow *f, enum pcap_end from, const struct sn_cspan *v, size_t n)
{
    uint8_t *to = f->out->packet + HEADERS_MAX;
    size_t filled = 0;

    pcap_lock(f->out);
    put_handshake(f);
    for (size_t done = 0; n > 0; v++, done = 0) {
        size_t length = v->n < n ? v->n : n;

        n -= length;
        while (done < length) {
            size_t part = length - done;

            if (part > PAYLOAD_MAX - filled)
                part = PAYLOAD_MAX - filled;
            memcpy(to + filled, v->p + done, part);
            filled += part;
            done += part;
            if (filled == PAYLOAD_MAX) {
                put_packet(f, from, TCP_ACK | TCP_PSH, filled);
                filled = 0;
            }
        }
    }
    if (filled > 0)
        put_packet(f, from, TCP_ACK | TCP_PSH, filled);
    /* A process that is killed leaves what it did. */
    pcap_dump_flush(f->out->dumper);
    pcap_unlock(f->out);
}

/* ---- Flows ---- */

static struct pcap_flow *find_other(struct pcap_out *o, const struct plat_addr *local,
    const struct plat_addr *peer, enum pcap_end end)
{
    enum pcap_end other = end == PCAP_A ? PCAP_B : PCAP_A;

    for (struct sn_list *link = o->flows.next; link != &o->flows; link = link->next) {
        struct pcap_flow *f = SN_CONTAINER_OF(link, struct pcap_flow, link);

        if (!f->is_whole && plat_addr_equal(&f->ends[end].addr, local) &&
            plat_addr_equal(&f->ends[other].addr, peer))
            return f;
    }
    return NULL;
}

struct pcap_flow *pcap_flow_open(struct pcap_out *o, const struct plat_addr *local,
    const struct plat_addr *peer, enum pcap_end end)
{
    struct pcap_flow *f;

    pcap_lock(o);
    f = find_other(o, local, peer, end);
    if (f != NULL) {
        f->is_whole = true;
        f->users++;
    } else if ((f = sn_zalloc(sizeof(*f))) != NULL) {
        f->out = o;
        f->users = 1;
        f->ends[end].addr = *local;
        f->ends[end == PCAP_A ? PCAP_B : PCAP_A].addr = *peer;
        f->ends[PCAP_A].seq = 1000000000;
        f->ends[PCAP_B].seq = 2000000000;
        sn_list_push_back(&o->flows, &f->link);
    }
    pcap_unlock(o);
    return f;
}

void pcap_flow_close(struct pcap_flow *f)
{
    struct pcap_out *o;

    if (f == NULL)
        return;
    o = f->out;
    pcap_lock(o);
    if (--f->users == 0) {
        sn_list_remove(&f->link);
        sn_free(f);
    }
    pcap_unlock(o);
}

void pcap_flow_sent(struct pcap_flow *f, enum pcap_end end, const struct sn_cspan *v, size_t n)
{
    put_data(f, end, v, n);
}

void pcap_flow_received(struct pcap_flow *f, enum pcap_end end, const struct sn_cspan *v, size_t n)
{
    bool is_whole;

    pcap_lock(f->out);
    is_whole = f->is_whole;
    if (!is_whole)
        put_data(f, end == PCAP_A ? PCAP_B : PCAP_A, v, n);
    pcap_unlock(f->out);
}

void pcap_flow_fin(struct pcap_flow *f, enum pcap_end end)
{
    pcap_lock(f->out);
    if (f->has_syn && !f->has_reset && !f->ends[end].has_fin) {
        f->ends[end].has_fin = true;
        put_packet(f, end, TCP_FIN | TCP_ACK, 0);
        put_packet(f, end == PCAP_A ? PCAP_B : PCAP_A, TCP_ACK, 0);
        pcap_dump_flush(f->out->dumper);
    }
    pcap_unlock(f->out);
}

void pcap_flow_reset(struct pcap_flow *f, enum pcap_end end)
{
    pcap_lock(f->out);
    if (f->has_syn && !f->has_reset && !(f->ends[PCAP_A].has_fin && f->ends[PCAP_B].has_fin)) {
        f->has_reset = true;
        put_packet(f, end, TCP_RST | TCP_ACK, 0);
        pcap_dump_flush(f->out->dumper);
    }
    pcap_unlock(f->out);
}
