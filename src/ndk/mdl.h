/* SPDX-License-Identifier: MIT */
/* Memory that a consumer describes by an MDL chain. [NDKPI NDK_FN_REGISTER_MR] */
#ifndef SN_NDK_MDL_H
#define SN_NDK_MDL_H

#include <wdm.h>

#include "base/attr.h"
#include "base/status.h"

/*
 * The first `length` octets of the chain, which must be virtually contiguous. MDLs of no octets are
 * stepped over; what lies behind `length` is not looked at. The memory itself is not touched.
 * SN_OK: *start is where they begin. SN_INVALID: mdl NULL, length 0, a gap, or a chain too short.
 */
SN_MUST_CHECK enum sn_status ndk_mdl_range(const MDL *mdl, SIZE_T length, uint8_t **start);

#endif
