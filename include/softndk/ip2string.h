/* SPDX-License-Identifier: MIT */
/* ip2string.h: text to IP address and back, which ws2ipdef.h declares. */
#ifndef SOFTNDK_IP2STRING_H
#define SOFTNDK_IP2STRING_H

#include <ws2ipdef.h>

#endif /* SOFTNDK_IP2STRING_H */
