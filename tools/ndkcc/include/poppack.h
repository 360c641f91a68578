/* SPDX-License-Identifier: MIT */
/* poppack.h: undoes the last pshpackN.h. */
#pragma pack(pop)
