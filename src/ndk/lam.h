/* SPDX-License-Identifier: MIT */
/*
 * Logical address mappings. The logical address of a page is its host virtual address, so a mapping
 * is a list of page addresses and takes nothing of ours. It is a successor of the adapter all the
 * same: the close of the adapter waits for its release. [NDKPI NDK_FN_BUILD_LAM]
 */
#ifndef SN_NDK_LAM_H
#define SN_NDK_LAM_H

#include <ndkpi.h>

#include "base/attr.h"
#include "rnic/adapter.h"

/*
 * Lists the pages of `length` octets of the chain. *size: room at `lam` in octets, then octets
 * used or needed; `lam` may be NULL. *fbo: offset of the first octet in the first page.
 * STATUS_SUCCESS: the mapping is the consumer's until ndk_lam_release; STATUS_BUFFER_TOO_SMALL:
 * only *size is written; STATUS_INVALID_PARAMETER: a NULL pointer, length 0, a chain that is not
 * contiguous or too short, or more pages than *size can count.
 */
SN_MUST_CHECK NTSTATUS ndk_lam_build(struct rnic_adapter *a, const MDL *mdl, SIZE_T length,
    NDK_LOGICAL_ADDRESS_MAPPING *lam, ULONG *size, ULONG *fbo);

/* Ends a mapping of this adapter; anything else is left alone, a second release included. */
void ndk_lam_release(struct rnic_adapter *a, NDK_LOGICAL_ADDRESS_MAPPING *lam);

#endif
