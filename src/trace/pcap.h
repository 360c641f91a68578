/* SPDX-License-Identifier: MIT */
/*
 * A capture file that Wireshark reads. What it holds are the octets of TCP streams, put into IP
 * and TCP headers of our own making: the segments of the wire are the kernel's and are not known
 * here. Handshake, sequence numbers, lengths, checksums and FIN or RST are as a TCP would have
 * them, so that a dissector reassembles the streams.
 *
 * Any thread. Functions that write take the file's lock; who has to order a write to a socket
 * before what is captured of it holds it himself (pcap_lock) and calls them all the same.
 */
#ifndef SN_TRACE_PCAP_H
#define SN_TRACE_PCAP_H

#include "plat/plat.h"

struct pcap_out;  /* a capture file */
struct pcap_flow; /* one TCP connection in it */

/* Which end of a flow: A connected, B accepted. */
enum pcap_end { PCAP_A, PCAP_B };

/*
 * Creates the file. "%p" in the path becomes the process's number. On failure SN_INVALID or
 * SN_NO_MEMORY, and a sentence without a full stop in why[0..cap).
 */
SN_MUST_CHECK enum sn_status pcap_out_open(
    const char *path, struct pcap_out **out, char *why, size_t cap);
/* No flow is left. NULL does nothing. */
void pcap_out_close(struct pcap_out *o);

/* The lock is recursive: functions below may be called with it held. */
void pcap_lock(struct pcap_out *o);
void pcap_unlock(struct pcap_out *o);

/*
 * The flow between the two addresses, seen from `local`, which is its end `end`. When the other end
 * lives in this process and is known already, both get the same flow, and pcap_flow_received then
 * writes nothing: what one end sends is what the other receives. NULL: no memory.
 */
struct pcap_flow *pcap_flow_open(struct pcap_out *o, const struct plat_addr *local,
    const struct plat_addr *peer, enum pcap_end end);
/* The end needs it no more. NULL does nothing. */
void pcap_flow_close(struct pcap_flow *f);

/* `end` sent, or received, the first n octets of the spans (there are as many). */
void pcap_flow_sent(struct pcap_flow *f, enum pcap_end end, const struct sn_cspan *v, size_t n);
void pcap_flow_received(struct pcap_flow *f, enum pcap_end end, const struct sn_cspan *v, size_t n);
/* FIN, or RST, of `end`; only the first of either is written. */
void pcap_flow_fin(struct pcap_flow *f, enum pcap_end end);
void pcap_flow_reset(struct pcap_flow *f, enum pcap_end end);

#endif
