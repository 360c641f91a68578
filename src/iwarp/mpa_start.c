/* SPDX-License-Identifier: MIT */
#include "iwarp/mpa_start.h"

enum {
    REVISION_MIN = 1,
    REVISION_MAX = 2,
    REVISION_ENHANCED_MIN = 2,
    RTR_ALL = IW_RTR_SEND | IW_RTR_WRITE | IW_RTR_READ,
    RTR_TAKEN_ALWAYS = IW_RTR_WRITE | IW_RTR_READ, /* every receiver here handles these two */
};

static uint16_t lesser(uint32_t a, uint32_t b)
{
    uint32_t least = a < b ? a : b;

    return (uint16_t)(least < MPA_IRD_ORD_MAX ? least : MPA_IRD_ORD_MAX);
}

/* A peer's limit, or the adapter's own where the peer leaves it to us. */
static uint16_t offered(const struct mpa_frame *f, uint16_t value, uint16_t max)
{
    bool is_open = !f->is_enhanced || value == MPA_IRD_ORD_NOT_NEGOTIATED;

    return is_open ? lesser(max, max) : lesser(value, max);
}

static uint16_t private_max(bool is_enhanced)
{
    return is_enhanced ? MPA_PRIVATE_DATA_MAX - MPA_ENHANCED_LEN : MPA_PRIVATE_DATA_MAX;
}

static bool set_private_data(struct mpa_frame *f, const void *p, size_t len)
{
    if (len > private_max(f->is_enhanced))
        return false;
    f->private_data = len > 0 ? p : NULL;
    f->private_len = (uint16_t)len;
    return true;
}

static unsigned rtr_mask(const struct mpa_frame *f)
{
    return (f->rtr_send ? (unsigned)IW_RTR_SEND : 0) | (f->rtr_write ? (unsigned)IW_RTR_WRITE : 0) |
           (f->rtr_read ? (unsigned)IW_RTR_READ : 0);
}

static void set_rtr_mask(struct mpa_frame *f, unsigned mask)
{
    f->rtr_send = (mask & IW_RTR_SEND) != 0;
    f->rtr_write = (mask & IW_RTR_WRITE) != 0;
    f->rtr_read = (mask & IW_RTR_READ) != 0;
}

/*
 * The one of `common` to use: Write leaves no trace, Read takes a place in the read queues, Send
 * takes a receive that must be hidden from the consumer.
 */
static enum iw_rtr rtr_best(unsigned common)
{
    if ((common & IW_RTR_WRITE) != 0)
        return IW_RTR_WRITE;
    if ((common & IW_RTR_READ) != 0)
        return IW_RTR_READ;
    return (common & IW_RTR_SEND) != 0 ? IW_RTR_SEND : IW_RTR_NONE;
}

uint16_t iw_mpa_private_max(const struct iw_mpa_options *o)
{
    return private_max(o->revision >= REVISION_ENHANCED_MIN);
}

/* ---- initiator ---- */

bool iw_mpa_request(const struct iw_mpa_options *o, uint32_t ird, uint32_t ord,
    const void *private_data, size_t private_len, struct mpa_frame *request)
{
    struct mpa_frame f = {
        .role = MPA_REQUEST,
        .revision = o->revision,
        .markers = o->markers,
        .crc = o->crc != IW_CRC_NEVER_ASK,
        .is_enhanced = o->revision >= REVISION_ENHANCED_MIN,
        /* Not on the wire in revision 1, but what iw_mpa_judge_reply starts from. */
        .ird = lesser(ird, o->ird_max),
        .ord = lesser(ord, o->ord_max),
    };
    unsigned rtr = o->rtr & (unsigned)RTR_ALL;

    if (!set_private_data(&f, private_data, private_len))
        return false;
    if (f.ord == 0)
        rtr &= ~(unsigned)IW_RTR_READ; /* it is a Read: it counts against ORD */
    if (f.is_enhanced && rtr != 0) {
        f.p2p = true;
        set_rtr_mask(&f, rtr);
    }
    *request = f;
    return true;
}

/* Each side lowers its ORD to the other's IRD, or raises its IRD to the other's ORD. */
static enum iw_mpa_verdict judge_limits(const struct iw_mpa_options *o,
    const struct mpa_frame *request, const struct mpa_frame *reply, struct iw_mpa_result *r)
{
    r->ird = request->ird;
    r->ord = request->ord;
    if (!r->is_enhanced)
        return IW_MPA_OK;
    if (reply->ird != MPA_IRD_ORD_NOT_NEGOTIATED)
        r->ord = lesser(r->ord, reply->ird);
    if (reply->ord != MPA_IRD_ORD_NOT_NEGOTIATED && reply->ord > r->ird) {
        if (reply->ord > o->ird_max)
            return IW_MPA_TERMINATE;
        r->ird = reply->ord;
    }
    return IW_MPA_OK;
}

/* Picks the RTR to send. A Read is a last resort where the Reply's IRD leaves no room for one. */
static enum iw_rtr choose_rtr(
    const struct mpa_frame *request, const struct mpa_frame *reply, uint32_t ord)
{
    unsigned common = rtr_mask(request) & rtr_mask(reply);

    if (ord == 0 && (common & ~(unsigned)IW_RTR_READ) != 0)
        common &= ~(unsigned)IW_RTR_READ;
    return rtr_best(common);
}

/* Does the Reply speak what the Request spoke? */
static bool is_mirrored(const struct mpa_frame *request, const struct mpa_frame *reply)
{
    return reply->revision == request->revision && reply->is_enhanced == request->is_enhanced;
}

enum iw_mpa_verdict iw_mpa_judge_reply(const struct iw_mpa_options *o,
    const struct mpa_frame *request, const struct mpa_frame *reply, struct iw_mpa_result *out,
    enum wire_err *err)
{
    struct iw_mpa_result r = {0};

    if (reply->revision < REVISION_MIN || reply->revision > REVISION_MAX) {
        *err = WIRE_MPA_FRAME;
        return IW_MPA_CLOSE;
    }
    /* Before the mirror check: a responder of revision 1 may reject in its own revision. */
    if (reply->rejected)
        return IW_MPA_REJECTED;
    if (!is_mirrored(request, reply) || (o->crc == IW_CRC_REQUIRE && !reply->crc)) {
        *err = WIRE_MPA_FRAME;
        return IW_MPA_CLOSE;
    }

    r.revision = request->revision;
    r.is_enhanced = request->is_enhanced;
    r.crc = request->crc || reply->crc;
    r.markers_rx = request->markers;
    r.markers_tx = reply->markers;
    r.is_p2p = request->p2p;
    if (judge_limits(o, request, reply, &r) != IW_MPA_OK) {
        *out = r;
        *err = WIRE_MPA_NO_IRD;
        return IW_MPA_TERMINATE;
    }
    if (r.is_p2p) {
        r.rtr = choose_rtr(request, reply, r.ord);
        if (r.rtr == IW_RTR_NONE) {
            *out = r;
            *err = WIRE_MPA_NO_RTR;
            return IW_MPA_TERMINATE;
        }
    }
    *out = r;
    return IW_MPA_OK;
}

/* ---- responder ---- */

enum iw_mpa_verdict iw_mpa_judge_request(const struct iw_mpa_options *o,
    const struct mpa_frame *request, struct iw_mpa_offer *out, enum wire_err *err)
{
    struct iw_mpa_offer offer = {.request = *request};

    if (request->revision < REVISION_MIN || request->revision > o->revision) {
        *err = WIRE_MPA_FRAME;
        return IW_MPA_CLOSE;
    }
    offer.request.private_data = NULL;
    offer.request.private_len = 0;
    offer.ird = offered(request, request->ord, o->ird_max);
    offer.ord = offered(request, request->ird, o->ord_max);
    *out = offer;
    if (o->crc == IW_CRC_REQUIRE && !request->crc) {
        *err = WIRE_MPA_FRAME;
        return IW_MPA_REJECT_IT;
    }
    return IW_MPA_OK;
}

/*
 * The RTR bits of a Reply to A=1: one that both have, or else all that we take, never none
 * [ECE-016]. An adapter that offers no peer-to-peer itself still takes it: the Request asks whether
 * the responder can, and every receiver here can.
 */
static unsigned rtr_answer(const struct iw_mpa_options *o, const struct mpa_frame *request)
{
    unsigned own = o->rtr & (unsigned)RTR_ALL;
    unsigned taken = own != 0 ? own : (unsigned)RTR_TAKEN_ALWAYS;
    enum iw_rtr best = rtr_best(rtr_mask(request) & taken);

    return best != IW_RTR_NONE ? (unsigned)best : taken;
}

/* The Reply without its private data, and the limits of this side that stand behind it. */
static struct mpa_frame reply_to(
    const struct iw_mpa_options *o, const struct iw_mpa_offer *offer, uint32_t *ird, uint32_t *ord)
{
    const struct mpa_frame *request = &offer->request;
    struct mpa_frame f = {
        .role = MPA_REPLY,
        .revision = request->revision,
        .markers = o->markers,
        /* siw as initiator looks at the Reply alone, so what it asked for is repeated. */
        .crc = request->crc || o->crc != IW_CRC_NEVER_ASK,
        .is_enhanced = request->is_enhanced,
        .p2p = request->p2p,
    };

    *ird = lesser(*ird, offer->ird);
    *ord = lesser(*ord, offer->ord);
    if (f.p2p)
        set_rtr_mask(&f, rtr_answer(o, request));
    if (f.rtr_read && *ird == 0)
        *ird = 1; /* [RFC6581]: the Read that is the RTR must be answered */
    if (f.is_enhanced) {
        bool keeps_ird = request->ord == MPA_IRD_ORD_NOT_NEGOTIATED;
        bool keeps_ord = request->ird == MPA_IRD_ORD_NOT_NEGOTIATED;

        f.ird = keeps_ird ? (uint16_t)MPA_IRD_ORD_NOT_NEGOTIATED : (uint16_t)*ird;
        f.ord = keeps_ord ? (uint16_t)MPA_IRD_ORD_NOT_NEGOTIATED : (uint16_t)*ord;
    }
    return f;
}

bool iw_mpa_accept(const struct iw_mpa_options *o, const struct iw_mpa_offer *offer, uint32_t ird,
    uint32_t ord, const void *private_data, size_t private_len, struct mpa_frame *reply,
    struct iw_mpa_result *out)
{
    struct mpa_frame f = reply_to(o, offer, &ird, &ord);

    if (!set_private_data(&f, private_data, private_len))
        return false;
    *out = (struct iw_mpa_result){
        .revision = f.revision,
        .is_enhanced = f.is_enhanced,
        .crc = f.crc,
        .markers_tx = offer->request.markers,
        .markers_rx = f.markers,
        .is_p2p = f.p2p,
        .rtr = (enum iw_rtr)rtr_mask(&f),
        .ird = ird,
        .ord = ord,
    };
    *reply = f;
    return true;
}

bool iw_mpa_reject(const struct iw_mpa_options *o, const struct iw_mpa_offer *offer,
    const void *private_data, size_t private_len, struct mpa_frame *reply)
{
    uint32_t ird = offer->ird, ord = offer->ord; /* what could have been */
    struct mpa_frame f = reply_to(o, offer, &ird, &ord);

    if (!set_private_data(&f, private_data, private_len))
        return false;
    f.rejected = true;
    *reply = f;
    return true;
}
