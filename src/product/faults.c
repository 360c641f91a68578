/* SPDX-License-Identifier: MIT */
/* SoftNdkBeginFaults: failures that are counted before there is an adapter. */
#include <softndk.h>

#include <stdio.h>
#include <stdlib.h>

#include "chaos/chaos.h"

static char *environment(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): as when an adapter is opened */
}

NTSTATUS SoftNdkBeginFaults(VOID)
{
    char text[NDK_LAYER_TEXT] = "";
    NTSTATUS status = chaos_pool_begin(environment, text);

    if (!NT_SUCCESS(status))
        fprintf(stderr, "softndk: %s\n", text);
    return status;
}
