/* SPDX-License-Identifier: MIT */
/*
 * SOFTNDK_TRACE=FILE, or stderr: a log of every call of the interface and of every callback, one
 * line each, as the consumer sees them: this is the outermost layer. docs/call-trace.md
 *
 * Captures of what goes over the wire are src/trace; that folder stands in front of a platform and
 * knows nothing of the interface, this one knows nothing else.
 */
#ifndef SN_CALLTRACE_CALLTRACE_H
#define SN_CALLTRACE_CALLTRACE_H

#include "ndk/layer.h"

/* Stays out of an adapter without the variable. */
extern const struct ndk_layer calltrace_layer;

#endif
