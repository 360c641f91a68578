/* SPDX-License-Identifier: MIT */
/* wdmsec.h: IoCreateDeviceSecure, which wdm.h declares. */
#ifndef SOFTNDK_WDMSEC_H
#define SOFTNDK_WDMSEC_H

#include <wdm.h>

#endif /* SOFTNDK_WDMSEC_H */
