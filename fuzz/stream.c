/* SPDX-License-Identifier: MIT */
/*
 * A peer that sends anything. Input: one octet of options (enum world_option), then what the peer
 * sends. The stream has receives, Sends, Writes and Reads posted. See stream_world.h for what
 * holds.
 * [SEC-015]
 */
#include "stream_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct iw_wr read = {.op = IW_OP_READ, .remote_stag = 1};
    const struct iw_wr send = {.op = IW_OP_SEND};
    const struct iw_wr write = {.op = IW_OP_WRITE, .remote_stag = 1, .remote_to = 1};
    struct world *w;

    if (n == 0)
        return 0;
    w = world_begin(data[0]);
    for (uint32_t i = 0; i < 4; i++)
        world_post_recv(w, world_sge(w, W_LOCAL, 100 * i, 60), world_sge(w, W_RW, 100 * i, 10 * i));
    world_register_fast(w);
    world_bind(w);
    world_post(w, &read, world_sge(w, W_LOCAL, 500, 16));
    world_post(w, &send, world_sge(w, W_RW, 0, 600));
    world_post(w, &write, world_sge(w, W_LOCAL, 0, 30));
    world_post(w, &read, world_sge(w, W_LOCAL, 520, 0));
    world_transmit(w, 3);
    for (size_t at = 1; at < n; at += 300) {
        world_receive(w, data + at, n - at < 300 ? n - at : 300);
        world_transmit(w, 2);
    }
    iw_rx_end(&w->stream, true);
    world_end(w);
    return 0;
}
