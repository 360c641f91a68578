/* SPDX-License-Identifier: MIT */
/* Adapters over a platform that is there already: what SoftNdkOpenAdapter and the simulation share.
 */
#ifndef SN_NDK_ADAPTER_H
#define SN_NDK_ADAPTER_H

#include <ndkpi.h>

#include "base/attr.h"
#include "ndk/layer.h"
#include "rnic/adapter.h"

/* `plat` stays the caller's and outlives the adapter. STATUS_SUCCESS; STATUS_INVALID_PARAMETER:
 * options; STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL. */
SN_MUST_CHECK NTSTATUS ndk_adapter_open(
    struct plat *plat, const struct rnic_options *options, NDK_ADAPTER **out);
/* The same with `layers` (NULL: none) between, which become the adapter's if it opens and stay the
 * caller's otherwise. */
SN_MUST_CHECK NTSTATUS ndk_adapter_open_layered(struct plat *plat,
    const struct rnic_options *options, struct ndk_layers *layers, NDK_ADAPTER **out);

/* Waits until everything below is closed and every callback has returned, and closes the layers.
 * Called from a callback it is a bugcheck that names `function`. PASSIVE_LEVEL. */
void ndk_adapter_close(NDK_ADAPTER *pNdkAdapter, const char *function);

#endif
