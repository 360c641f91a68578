/* SPDX-License-Identifier: MIT */
/*
 * guiddef.h: GUIDs by name. DEFINE_GUID declares one, or defines it in a source that includes
 * initguid.h (or defines INITGUID) before. Included again after that, it switches.
 */
#ifndef SOFTNDK_GUIDDEF_H
#define SOFTNDK_GUIDDEF_H

#include <ntdef.h>

typedef GUID *PGUID;
typedef const GUID *LPCGUID;
#if defined(__cplusplus)
typedef const GUID &REFGUID;
#define SOFTNDK_EXTERN_GUID extern "C" const GUID
#else
typedef const GUID *REFGUID;
#define SOFTNDK_EXTERN_GUID extern const GUID
#endif

#endif /* SOFTNDK_GUIDDEF_H */

#undef DEFINE_GUID
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                               \
    SOFTNDK_EXTERN_GUID name;                                                                      \
    __attribute__((weak))                                                                          \
    const GUID name = {(l), (w1), (w2), {(b1), (b2), (b3), (b4), (b5), (b6), (b7), (b8)}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) SOFTNDK_EXTERN_GUID name
#endif
