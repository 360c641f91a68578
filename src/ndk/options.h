/* SPDX-License-Identifier: MIT */
/* Settings of an adapter: the caller's SOFTNDK_OPTIONS, else the environment, else the default. */
#ifndef SN_NDK_OPTIONS_H
#define SN_NDK_OPTIONS_H

#include <softndk.h>

#include "base/attr.h"
#include "rnic/adapter.h"

/* Room for the longest sentence of ndk_options_resolve. */
enum { NDK_OPTIONS_TEXT = 256 };

/*
 * Decides every setting. `given` may be NULL; `env` looks up a variable (getenv, in tests a table).
 * STATUS_SUCCESS: *out holds a value in every member; 0 in Lanes, MaxFpduPayload and
 * SocketBufferBytes leaves the choice to rnic/. Otherwise *out is untouched and `text` holds one
 * sentence for a person: STATUS_INVALID_PARAMETER: a value out of range or a Size that is not
 * known; STATUS_NOT_SUPPORTED: a transport that is not there.
 */
SN_MUST_CHECK NTSTATUS ndk_options_resolve(const SOFTNDK_OPTIONS *given,
    char *(*env)(const char *name), SOFTNDK_OPTIONS *out, char text[NDK_OPTIONS_TEXT]);

/* Resolved settings in the words of rnic/. */
void ndk_options_to_rnic(
    const SOFTNDK_OPTIONS *resolved, NET_IFINDEX if_index, struct rnic_options *out);

#endif
