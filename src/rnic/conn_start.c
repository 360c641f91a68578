/* SPDX-License-Identifier: MIT */
/* Start-up frames between a connector and its pipe, and the hand-over to the QP. [RFC5044 7.1] */
#include "base/assert.h"
#include "rnic/connector_impl.h"

void rnic_conn_build(struct rnic_connector *c, const struct mpa_frame *f)
{
    c->tx_len = mpa_frame_build(f, c->tx, sizeof c->tx);
    c->tx_sent = 0;
    SN_ASSERT(c->tx_len >= MPA_FRAME_HEADER_LEN);
}

enum rnic_conn_io rnic_conn_write(struct rnic_connector *c, bool reading)
{
    while (c->tx_sent < c->tx_len) {
        const struct sn_cspan rest = {c->tx + c->tx_sent, c->tx_len - c->tx_sent};
        size_t sent = 0;

        switch (plat_pipe_writev(c->pipe, &rest, 1, &sent)) {
        case PLAT_IO_OK:
            c->tx_sent += sent;
            break;
        case PLAT_IO_AGAIN:
            plat_pipe_watch(c->pipe, reading, true);
            return RNIC_CONN_IO_MORE;
        case PLAT_IO_END:
        case PLAT_IO_ERROR:
            return RNIC_CONN_IO_ERROR;
        }
    }
    plat_pipe_watch(c->pipe, reading, false);
    return RNIC_CONN_IO_WHOLE;
}

/* One read of up to n octets to p. WHOLE: some came. */
static enum rnic_conn_io read_some(struct rnic_connector *c, uint8_t *p, size_t n, size_t *got)
{
    const struct sn_span to = {p, n};

    *got = 0;
    switch (plat_pipe_readv(c->pipe, &to, 1, got)) {
    case PLAT_IO_OK:
        return RNIC_CONN_IO_WHOLE;
    case PLAT_IO_AGAIN:
        return RNIC_CONN_IO_MORE;
    case PLAT_IO_END:
        return RNIC_CONN_IO_END;
    case PLAT_IO_ERROR:
        break;
    }
    return RNIC_CONN_IO_ERROR;
}

enum rnic_conn_io rnic_conn_read(struct rnic_connector *c, enum mpa_role role, struct mpa_frame *f)
{
    size_t used, got, need = MPA_FRAME_HEADER_LEN;

    for (;;) {
        enum rnic_conn_io io;

        /* Parsed after every read, so that a wrong key is seen at its first octet. */
        switch (mpa_frame_parse(role, c->rx, c->rx_len, f, &used, &need)) {
        case MPA_PARSE_OK:
            return RNIC_CONN_IO_WHOLE;
        case MPA_PARSE_MORE:
            break;
        case MPA_PARSE_BAD_KEY:
        case MPA_PARSE_BAD_LEN:
            return RNIC_CONN_IO_BAD;
        }
        SN_ASSERT(need > c->rx_len);
        SN_ASSERT(need <= sizeof c->rx);
        io = read_some(c, c->rx + c->rx_len, need - c->rx_len, &got);
        if (io != RNIC_CONN_IO_WHOLE)
            return io;
        c->rx_len += got;
    }
}

enum rnic_conn_io rnic_conn_listen_for_end(struct rnic_connector *c)
{
    enum rnic_conn_io io = RNIC_CONN_IO_MORE;
    size_t got;

    if (!c->has_early)
        io = read_some(c, &c->early, 1, &got);
    if (io != RNIC_CONN_IO_WHOLE)
        return io;
    c->has_early = true;
    plat_pipe_watch(c->pipe, false, false);
    return RNIC_CONN_IO_MORE;
}

enum sn_status rnic_conn_attach(
    struct rnic_connector *c, bool is_initiator, const struct iw_mpa_result *mpa)
{
    enum sn_status s = rnic_qp_attach(c->qp, c, c->pipe, is_initiator, mpa);

    if (s != SN_OK)
        return s;
    c->pipe = NULL;
    c->is_attached = true;
    /* One octet is the beginning of an FPDU at most: nothing comes of it yet. */
    if (c->has_early)
        iw_rx_feed(&c->qp->stream, &c->early, 1);
    return SN_OK;
}
