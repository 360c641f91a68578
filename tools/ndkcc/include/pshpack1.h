/* SPDX-License-Identifier: MIT */
/* pshpack1.h: members at multiples of 1 at most, until poppack.h. Included again and again. */
#pragma pack(push, 1)
