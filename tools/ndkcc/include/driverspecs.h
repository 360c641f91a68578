/* SPDX-License-Identifier: MIT */
/* driverspecs.h: the annotations are there from the start, see ndkcc_sal.h. */
#ifndef SOFTNDK_NDKCC_DRIVERSPECS_H
#define SOFTNDK_NDKCC_DRIVERSPECS_H
#endif
