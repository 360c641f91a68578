/* SPDX-License-Identifier: MIT */
/* specstrings.h: the annotations are there from the start, see ndkcc_sal.h. */
#ifndef SOFTNDK_NDKCC_SPECSTRINGS_H
#define SOFTNDK_NDKCC_SPECSTRINGS_H
#endif
