/* SPDX-License-Identifier: MIT */
/* string.h: the host's, and what the Windows kernel's run-time has beside it. */
#include_next <string.h>
#if !defined(__cplusplus)
#include <ndkcc_wide.h>
#endif
