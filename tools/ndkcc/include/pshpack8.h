/* SPDX-License-Identifier: MIT */
/* pshpack8.h: members at multiples of 8 at most, until poppack.h. Included again and again. */
#pragma pack(push, 8)
