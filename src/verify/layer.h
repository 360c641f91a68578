/* SPDX-License-Identifier: MIT */
/*
 * The verifier: a layer on the dispatch tables that checks the consumer's side of NDKPI and tells
 * what it did wrong. src/product/open.c puts it between; docs/verifier.md is for its users.
 */
#ifndef SN_VERIFY_LAYER_H
#define SN_VERIFY_LAYER_H

#include "ndk/layer.h"

extern const struct ndk_layer verify_layer;

#endif
