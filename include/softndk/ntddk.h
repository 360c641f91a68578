/* SPDX-License-Identifier: MIT */
/* ntddk.h: the kernel routines of wdm.h, under the name that older drivers include. */
#ifndef SOFTNDK_NTDDK_H
#define SOFTNDK_NTDDK_H

#include <wdm.h>

#endif /* SOFTNDK_NTDDK_H */
