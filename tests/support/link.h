/* SPDX-License-Identifier: MIT */
/*
 * A connection between the library, used through the public interface, and a raw peer: what a
 * conformance test starts from. The library is the active side (connects) or the passive one.
 */
#ifndef TESTS_SUPPORT_LINK_H
#define TESTS_SUPPORT_LINK_H

#include "support/consumer.h"
#include "support/raw_peer.h"

enum link_role { LINK_PASSIVE, LINK_ACTIVE };

struct link_how {
    enum link_role role;
    const SOFTNDK_OPTIONS *options; /* NULL: consumer_options() */
    const struct endpoint_options *endpoint;
    const struct endpoint_terms *terms;
    const struct raw_tcp *tcp;
    uint8_t peer_flags; /* M and C of the peer's start-up frame */
    uint16_t ird, ord;  /* of the peer's; 0 and 0: 16 and 16 */
};

enum { LINK_MEMORY = 65536, LINK_RECEIVE = 4096 };

struct link {
    struct consumer *c;
    struct endpoint *e;
    struct raw_peer *p;
    struct acceptor *a;        /* passive */
    struct raw_listener *l;    /* active */
    struct memory *m;          /* LINK_MEMORY octets, every remote right */
    struct memory *r;          /* LINK_RECEIVE octets, local write, for receives */
    struct raw_frame_in frame; /* the library's start-up frame */
    uint32_t peer_msn;         /* next Send of the peer */
};

/* Opens everything up to the TCP connection and the first start-up frame: passive: nothing was
 * said yet; active: the Request was read. */
struct link link_begin(const struct link_how *how);
/* Revision 2 with RTR by Write up to full operation of both sides. how NULL: passive, all usual. */
struct link link_open(const struct link_how *how);
/* Ends what there is, in any state, and checks the callbacks. */
void link_close(struct link *k);

/* The Request or Reply that link_open gives: a test spoils one field. */
struct raw_frame link_frame(const struct link_how *how);
/* Passive: takes the connect event and accepts. Active: nothing. */
void link_accept(struct link *k, const struct link_how *how);

/* The peer sends `text`, it arrives in receive 1, and its completion is seen: the link works. */
void link_check_receive(struct link *k);
/* The library sends a few octets and the peer reads them as Send of this MSN. */
void link_check_send(struct link *k, uint32_t msn);
/* The connection ends with this Terminate and FIN; the consumer hears of it. */
#define link_expect_terminate(k, layer, type, code)                                                \
    link_expect_terminate_at(k, layer, type, code, __FILE__, __LINE__)
struct raw_term_in link_expect_terminate_at(
    struct link *k, uint8_t layer, uint8_t type, uint8_t code, const char *file, int line);

#endif
