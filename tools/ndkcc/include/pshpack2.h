/* SPDX-License-Identifier: MIT */
/* pshpack2.h: members at multiples of 2 at most, until poppack.h. Included again and again. */
#pragma pack(push, 2)
