/* SPDX-License-Identifier: MIT */
#include <softndk.h>

const char *SoftNdkVersionString(VOID)
{
    return SOFTNDK_VERSION;
}
