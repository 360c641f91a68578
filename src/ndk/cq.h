/* SPDX-License-Identifier: MIT */
/* One completion in the words of NDKPI. */
#ifndef SN_NDK_CQ_H
#define SN_NDK_CQ_H

#include <ndkpi.h>

#include "rnic/cq.h"

/* [NDKPI NDK_RESULT] */
void ndk_result_from(const struct rnic_cqe *e, NDK_RESULT *out);
/* [NDKPI NDK_RESULT_EX] ProviderErrorCode: enum wire_err behind a failure. */
void ndk_result_ex_from(const struct rnic_cqe *e, NDK_RESULT_EX *out);

#endif
