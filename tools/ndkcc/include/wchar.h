/* SPDX-License-Identifier: MIT */
/* wchar.h: 16-bit wide characters; the host's routines are for 32. */
#if defined(__cplusplus)
#include_next <wchar.h>
#else
#include <ndkcc_wide.h>
#endif
