/* SPDX-License-Identifier: MIT */
/*
 * A raw peer: the other end of an iWARP connection, octet by octet, in the hands of a test. It
 * builds start-up frames and FPDUs, right or spoiled in one place, and reads what comes back. It
 * shares no code with the library, on purpose: a mistake made twice would go unseen.
 *
 * Sockets block, each wait is bounded (RAW_WAIT_MS), and what does not come as expected fails the
 * running cmocka test at the caller's line. So: only from the thread that runs the test. A case is
 *
 *     struct raw_fpdu f = raw_send(1, "hello", 5);
 *     f.ddp = 0x40;
 *     raw_put(p, &f);
 *     raw_expect_terminate(p, 1, 2, 6);
 *     raw_expect_fin(p);
 */
#ifndef TESTS_SUPPORT_RAW_PEER_H
#define TESTS_SUPPORT_RAW_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RAW_WAIT_MS = 10000,  /* how long anything that must come may take */
    RAW_SILENCE_MS = 150, /* how long we look for what must not come */
    RAW_PRIVATE_MAX = 65535,
    RAW_FPDU_MAX = 65536 + 8 + 4 * 130, /* with its markers */
};

/* ---- connections ---- */

struct raw_peer;
struct raw_listener;

struct raw_tcp {
    int mss;    /* TCP_MAXSEG; 0: as it comes */
    int rcvbuf; /* SO_RCVBUF, to have a receiver that is soon full; 0: as it comes */
};

/* host: "127.0.0.1" or "::1". tcp may be NULL. Fails the test if there is no connection. */
struct raw_peer *raw_connect(const char *host, uint16_t port, const struct raw_tcp *tcp);
struct raw_listener *raw_listen(const char *host, const struct raw_tcp *tcp);
uint16_t raw_listener_port(const struct raw_listener *l);
struct raw_peer *raw_accept(struct raw_listener *l);
/* A connection attempt is refused. */
void raw_expect_refused(const char *host, uint16_t port);
/* Nobody connects for RAW_SILENCE_MS. */
void raw_expect_no_connection(struct raw_listener *l);
void raw_listener_close(struct raw_listener *l);

void raw_close(struct raw_peer *p); /* FIN (RST if octets are unread), and frees p; NULL: nothing */
void raw_reset(struct raw_peer *p); /* RST, and frees p */
void raw_half_close(struct raw_peer *p); /* FIN; still reads */
uint16_t raw_local_port(const struct raw_peer *p);

/* ---- octets ---- */

/* Sends them all, in one call. Fails the test on an error. */
void raw_octets(struct raw_peer *p, const void *octets, size_t n);
/* The same, but the other side may have closed already: then false. */
bool raw_octets_lax(struct raw_peer *p, const void *octets, size_t n);
/* Sends them in pieces of `piece` octets, each its own segment, with a breath between them. */
void raw_octets_split(struct raw_peer *p, const void *octets, size_t n, size_t piece);

/* From now on what is put is collected, until raw_flush sends it in one call. */
void raw_cork(struct raw_peer *p);
void raw_flush(struct raw_peer *p);
/* From now on each put is sent in pieces of so many octets; 0: whole again. */
void raw_split(struct raw_peer *p, size_t piece);

/* ---- start-up frames ---- */

enum {
    RAW_M = 0x80,
    RAW_C = 0x40,
    RAW_R = 0x20,
    RAW_S = 0x10,
    RAW_BIT_A = 0x8000, /* in .ird */
    RAW_BIT_B = 0x4000, /* in .ird */
    RAW_BIT_C = 0x8000, /* in .ord */
    RAW_BIT_D = 0x4000, /* in .ord */
};

/* To send: every field goes out as it is. */
struct raw_frame {
    bool is_reply;
    uint8_t flags, revision;
    uint16_t ird, ord; /* the enhanced block with its bits: written if flags has RAW_S */
    const void *private_data;
    uint16_t private_len;
    int32_t pd_length; /* what PD_Length says; below 0: the truth */
    int key_octet;     /* this octet of the key is wrong; below 0: none */
};

struct raw_frame raw_request(uint8_t flags, uint8_t revision);
struct raw_frame raw_reply(uint8_t flags, uint8_t revision);
/* Writes the frame to out; returns its length, at most 20 + 4 + private_len. */
size_t raw_frame_octets(const struct raw_frame *f, uint8_t *out);
void raw_put_frame(struct raw_peer *p, const struct raw_frame *f);

/* As received. */
struct raw_frame_in {
    bool is_reply;
    uint8_t flags, revision;
    uint16_t pd_length;
    uint16_t ird, ord;         /* with their bits, if flags has RAW_S and pd_length >= 4 */
    uint8_t private_data[512]; /* of the ULP: without the enhanced block */
    uint16_t private_len;
    uint8_t octets[20 + 512]; /* the whole frame */
};

/*
 * Start-up: sends a Request and returns the Reply; waits for a Request and returns it; answers it.
 * Whether CRCs are on and markers go in which direction follows from both frames.
 */
#define raw_start(p, request) raw_start_at(p, request, __FILE__, __LINE__)
#define raw_expect_request(p) raw_expect_frame_at(p, false, __FILE__, __LINE__)
#define raw_expect_reply(p)   raw_expect_frame_at(p, true, __FILE__, __LINE__)
struct raw_frame_in raw_start_at(
    struct raw_peer *p, const struct raw_frame *request, const char *file, int line);
struct raw_frame_in raw_expect_frame_at(
    struct raw_peer *p, bool is_reply, const char *file, int line);

/* By hand. Positions of markers count from the call. */
void raw_set_crc(struct raw_peer *p, bool is_on);
void raw_set_markers(struct raw_peer *p, bool tx, bool rx);

/* ---- FPDUs to send ---- */

/* A segment, every header field as it goes out. The functions below fill one that is right. */
struct raw_fpdu {
    uint8_t ddp, rdmap;             /* control octets; bit 0x80 of ddp: tagged */
    uint32_t stag;                  /* tagged */
    uint64_t to;                    /* tagged */
    uint32_t inv_stag, qn, msn, mo; /* untagged */
    uint8_t head[64];               /* RDMAP header, if any */
    size_t head_len;
    const void *payload;
    size_t len;
    /* spoils */
    int32_t ulpdu_length; /* what ULPDU_Length says; below 0: the truth */
    size_t cut;           /* so many octets of the ULPDU's end are not there */
    uint32_t crc_xor;     /* flipped in the CRC */
    bool crc_fixed;       /* the field is crc_value whatever is on */
    uint32_t crc_value;
    uint8_t pad;         /* value of the pad octets */
    uint16_t marker_xor; /* flipped in FPDUPTR of each marker */
};

enum {
    RAW_OP_WRITE = 0x40,
    RAW_OP_READ_REQUEST = 0x41,
    RAW_OP_READ_RESPONSE = 0x42,
    RAW_OP_SEND = 0x43,
    RAW_OP_SEND_INV = 0x44,
    RAW_OP_SEND_SE = 0x45,
    RAW_OP_SEND_SE_INV = 0x46,
    RAW_OP_TERMINATE = 0x47,

    RAW_LAST = 0x40, /* in ddp */
    RAW_TAGGED = 0x80,
};

struct raw_fpdu raw_send(uint32_t msn, const void *payload, size_t len);
struct raw_fpdu raw_send_inv(uint32_t msn, uint32_t stag, const void *payload, size_t len);
struct raw_fpdu raw_write(uint32_t stag, uint64_t to, const void *payload, size_t len);
struct raw_fpdu raw_read_request(uint32_t msn, uint32_t sink_stag, uint64_t sink_to, uint32_t size,
    uint32_t src_stag, uint64_t src_to);
struct raw_fpdu raw_read_response(uint32_t stag, uint64_t to, const void *payload, size_t len);
/* Without headers. */
struct raw_fpdu raw_terminate(uint8_t layer, uint8_t type, uint8_t code);

/* The three RTRs. */
struct raw_fpdu raw_rtr_write(void);
struct raw_fpdu raw_rtr_read(void);
struct raw_fpdu raw_rtr_send(void);

/*
 * Writes the FPDU to out (RAW_FPDU_MAX) as it goes out at stream position *pos, and moves *pos;
 * markers only if asked for. Returns its octets.
 */
size_t raw_fpdu_octets(
    const struct raw_fpdu *f, bool crc, bool markers, uint64_t *pos, uint8_t *out);

void raw_put(struct raw_peer *p, const struct raw_fpdu *f);
/* The same, but the other side may have closed already. */
bool raw_put_lax(struct raw_peer *p, const struct raw_fpdu *f);
/* A whole message as FPDUs of `part` octets of payload at most; f is its first segment. */
void raw_put_message(struct raw_peer *p, const struct raw_fpdu *f, size_t part);

/* ---- FPDUs received ---- */

struct raw_in {
    uint16_t ulpdu_length;
    uint8_t ddp, rdmap;
    bool is_tagged, is_last;
    uint32_t stag;
    uint64_t to;
    uint32_t inv_stag, qn, msn, mo;
    const uint8_t *payload; /* behind the DDP header; good until the next one is read */
    size_t len;
    uint32_t crc; /* the field, in host form */
    bool crc_is_right;
    bool pad_is_zero;
    unsigned markers; /* inside, or before it */
    uint64_t pos;     /* stream position of ULPDU_Length, markers counted */
    size_t octets;    /* of the FPDU on the wire, markers included */
};

enum raw_event {
    RAW_FPDU,
    RAW_FIN, /* at an FPDU boundary */
    RAW_RST,
    RAW_SILENCE, /* nothing, or not the rest, within the time */
    RAW_BROKEN,  /* FIN inside an FPDU, a marker that is wrong, or a ULPDU too short for its header
                  */
};

/* What comes next within wait_ms. Judges framing only: see crc_is_right. */
enum raw_event raw_get(struct raw_peer *p, struct raw_in *in, int wait_ms);

/* The next FPDU, checked: CRC if on, pad zero, versions and reserved bits as they must be. */
#define raw_expect_fpdu(p) raw_expect_fpdu_at(p, __FILE__, __LINE__)
struct raw_in raw_expect_fpdu_at(struct raw_peer *p, const char *file, int line);
/* The same, and it has this RDMAP control octet. */
#define raw_expect_op(p, op) raw_expect_op_at(p, op, __FILE__, __LINE__)
struct raw_in raw_expect_op_at(struct raw_peer *p, uint8_t op, const char *file, int line);

/* An untagged message or a Write, whole, that must be exactly these octets. Returns its last
 * segment. Others may not come between. */
#define raw_expect_message(p, op, octets, n)                                                       \
    raw_expect_message_at(p, op, octets, n, __FILE__, __LINE__)
struct raw_in raw_expect_message_at(
    struct raw_peer *p, uint8_t op, const void *octets, size_t n, const char *file, int line);

struct raw_read_in {
    uint32_t msn;
    uint32_t sink_stag, size, src_stag;
    uint64_t sink_to, src_to;
};
#define raw_expect_read_request(p) raw_expect_read_request_at(p, __FILE__, __LINE__)
struct raw_read_in raw_expect_read_request_at(struct raw_peer *p, const char *file, int line);

struct raw_term_in {
    uint8_t layer, type, code;
    bool m, d, r;
    uint16_t segment_length;
    uint8_t ddp_header[18];
    size_t ddp_header_len; /* 0, 14 or 18 */
    uint8_t read_header[28];
    bool has_read_header;
};

/* The next FPDU is this Terminate, well formed: QN 2, MSN 1, MO 0, L. */
#define raw_expect_terminate(p, layer, type, code)                                                 \
    raw_expect_terminate_at(p, layer, type, code, __FILE__, __LINE__)
struct raw_term_in raw_expect_terminate_at(
    struct raw_peer *p, uint8_t layer, uint8_t type, uint8_t code, const char *file, int line);
/* The next FPDU is a Terminate, whichever. */
#define raw_expect_any_terminate(p) raw_expect_any_terminate_at(p, __FILE__, __LINE__)
struct raw_term_in raw_expect_any_terminate_at(struct raw_peer *p, const char *file, int line);

/* ---- ends ---- */

/* No more octets, then FIN. */
#define raw_expect_fin(p) raw_expect_fin_at(p, __FILE__, __LINE__)
void raw_expect_fin_at(struct raw_peer *p, const char *file, int line);
/* No more octets, then FIN or RST. */
#define raw_expect_end(p) raw_expect_end_at(p, __FILE__, __LINE__)
void raw_expect_end_at(struct raw_peer *p, const char *file, int line);
/* Neither octets nor an end for RAW_SILENCE_MS. */
#define raw_expect_silence(p) raw_expect_silence_at(p, __FILE__, __LINE__)
void raw_expect_silence_at(struct raw_peer *p, const char *file, int line);
/* Exactly these octets come next. */
#define raw_expect_octets(p, octets, n) raw_expect_octets_at(p, octets, n, __FILE__, __LINE__)
void raw_expect_octets_at(
    struct raw_peer *p, const void *octets, size_t n, const char *file, int line);
/* Whatever comes, and then FIN or RST. */
#define raw_drain(p) raw_drain_at(p, __FILE__, __LINE__)
void raw_drain_at(struct raw_peer *p, const char *file, int line);

/* CRC32c, own table: in host form; the wire has its least significant octet first. */
uint32_t raw_crc32c(const void *octets, size_t n);

#endif
