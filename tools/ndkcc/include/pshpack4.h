/* SPDX-License-Identifier: MIT */
/* pshpack4.h: members at multiples of 4 at most, until poppack.h. Included again and again. */
#pragma pack(push, 4)
