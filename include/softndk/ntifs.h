/* SPDX-License-Identifier: MIT */
/* ntifs.h: the kernel routines of wdm.h, under the name that file system and network drivers
 * include. */
#ifndef SOFTNDK_NTIFS_H
#define SOFTNDK_NTIFS_H

#include <wdm.h>

#endif /* SOFTNDK_NTIFS_H */
