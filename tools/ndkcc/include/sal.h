/* SPDX-License-Identifier: MIT */
/* sal.h: the annotations are there from the start, see ndkcc_sal.h. */
#ifndef SOFTNDK_NDKCC_SAL_H
#define SOFTNDK_NDKCC_SAL_H
#endif
