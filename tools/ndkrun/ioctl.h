/* SPDX-License-Identifier: MIT */
/* --ioctl CODE[=HEX]. */
#ifndef TOOLS_NDKRUN_IOCTL_H
#define TOOLS_NDKRUN_IOCTL_H

#include <softndk_driver.h>
#include <stdbool.h>

bool ioctl_is_valid(const char *text);
/* Sends it to the driver's first device and prints the answer on stderr. False: it failed. */
bool ioctl_send(PSOFTNDK_DRV driver, const char *text);

#endif
