/* SPDX-License-Identifier: MIT */
/*
 * NDK_OP_FLAG_...: which request knows which, and what they are below. Moves of bits, because this
 * is the data path. The two ALLOW_..._WRITE flags are special: REMOTE_WRITE is two bits, of which
 * the lower one is LOCAL_WRITE. [NDKPI NDK_FN_FAST_REGISTER]
 */
#ifndef SN_NDK_FLAGS_H
#define SN_NDK_FLAGS_H

#include <ndkpi.h>
#include <stdbool.h>

#include "iwarp/wr.h"
#include "rnic/qp.h"

enum ndk_wr {
    NDK_WR_SEND,
    NDK_WR_SEND_AND_INVALIDATE,
    NDK_WR_READ,
    NDK_WR_WRITE,
    NDK_WR_BIND,
    NDK_WR_FAST_REGISTER,
    NDK_WR_INVALIDATE,
    NDK_WR_COUNT
};

/* Flags that each request knows. NDK_OP_FLAG_INLINE on a write is missing from the page of the
 * function, but defined for "a single send or write request". */
extern const ULONG ndk_wr_flags[NDK_WR_COUNT];

static inline bool ndk_flags_are_known(enum ndk_wr wr, ULONG flags)
{
    return (flags & ~ndk_wr_flags[wr]) == 0;
}

/* A bit of `flags` moved down from `from` to `to`; both constants, so it is a mask and a shift. */
#define NDK_MOVE_BIT(flags, from, to) (((flags) & (from)) / ((from) / (to)))

/* Flags of rnic_qp_send and its like, out of flags that are known to the request. */
static inline uint32_t ndk_flags_to_post(ULONG flags)
{
    _Static_assert((int)IW_WR_SILENT == NDK_OP_FLAG_SILENT_SUCCESS, "same bit");
    _Static_assert((int)IW_WR_READ_FENCE == NDK_OP_FLAG_READ_FENCE, "same bit");
    _Static_assert((int)IW_WR_SOLICITED == NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT, "same bit");
    return (flags & (NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_READ_FENCE |
                        NDK_OP_FLAG_SEND_AND_SOLICIT_EVENT)) |
           NDK_MOVE_BIT(flags, NDK_OP_FLAG_INLINE, IW_WR_INLINE) |
           NDK_MOVE_BIT(flags, NDK_OP_FLAG_RDMA_READ_LOCAL_INVALIDATE, IW_WR_INVALIDATE) |
           NDK_MOVE_BIT(flags, NDK_OP_FLAG_DEFER, RNIC_POST_DEFER);
}

/*
 * The rights that a bind or fast register asks for; *rights has no MEM_LOCAL_READ, which a region
 * has anyway and a window never. False: half of NDK_OP_FLAG_ALLOW_REMOTE_WRITE.
 */
static inline bool ndk_flags_to_rights(enum ndk_wr wr, ULONG flags, uint32_t *rights)
{
    ULONG write = flags & NDK_OP_FLAG_ALLOW_REMOTE_WRITE;

    *rights = NDK_MOVE_BIT(flags, NDK_OP_FLAG_ALLOW_REMOTE_READ, MEM_REMOTE_READ) |
              NDK_MOVE_BIT(flags, NDK_OP_FLAG_RDMA_READ_SINK, MEM_READ_SINK);
    if (write == 0)
        return true;
    if (write == NDK_OP_FLAG_ALLOW_REMOTE_WRITE) {
        *rights |= wr == NDK_WR_BIND ? MEM_REMOTE_WRITE : MEM_REMOTE_WRITE | MEM_LOCAL_WRITE;
        return true;
    }
    *rights |= MEM_LOCAL_WRITE;
    return write == NDK_OP_FLAG_ALLOW_LOCAL_WRITE && wr == NDK_WR_FAST_REGISTER;
}

#endif
