/* SPDX-License-Identifier: MIT */
/* The verifier's settings: environment variables, read when an adapter is opened. */
#ifndef SN_VERIFY_SETTINGS_H
#define SN_VERIFY_SETTINGS_H

#include <ndkpi.h>
#include <stdbool.h>

#include "base/attr.h"
#include "ndk/layer.h"

enum verify_mode { VERIFY_OFF, VERIFY_WARN, VERIFY_BREAK };

struct verify_settings {
    enum verify_mode mode; /* SOFTNDK_VERIFY=off|warn|break; not set: off */
    bool risky;            /* SOFTNDK_VERIFY_RISKY=0|1: report what is legal but risky, too */
    bool buffers;          /* SOFTNDK_VERIFY_BUFFERS=0|1: checksums of what is being sent */
    ULONG callback_ms;     /* SOFTNDK_VERIFY_CALLBACK_MS: longer is "blocks" (N-T5) */
    ULONG linger_ms;       /* SOFTNDK_VERIFY_LINGER_MS: how long an adapter's close waits for
                            * objects before they are reported (N-L5) */
    const char *log;       /* SOFTNDK_VERIFY_LOG=FILE; NULL: stderr */
};

/* `env` looks up a variable. STATUS_SUCCESS; STATUS_INVALID_PARAMETER: `text` says which variable
 * holds what it may not. out->log points to what `env` gave. */
SN_MUST_CHECK NTSTATUS verify_settings_read(
    char *(*env)(const char *name), struct verify_settings *out, char text[NDK_LAYER_TEXT]);

#endif
