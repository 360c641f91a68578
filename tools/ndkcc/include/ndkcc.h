/* SPDX-License-Identifier: MIT */
/*
 * ndkcc.h: stands before every source that ndkcc compiles. The words of the compiler that Windows
 * drivers are written for, as this compiler knows them; the annotations; ntdef.h. No routine is
 * declared here.
 */
#ifndef SOFTNDK_NDKCC_H
#define SOFTNDK_NDKCC_H

/* ---- Target ---------------------------------------------------------------------------------- */

#define _WIN32        1
#define _WIN64        1
#define WINNT         1
#define _KERNEL_MODE  1
#define _WIN32_WINNT  0x0A00
#define WINVER        0x0A00
#define NTDDI_VERSION 0x0A00000C
#if defined(__x86_64__)
#define _AMD64_  1
#define AMD64    1
#define _M_AMD64 100
#define _M_X64   100
#elif defined(__aarch64__)
#define _ARM64_  1
#define ARM64    1
#define _M_ARM64 1
#endif

/* ---- Words of the language ------------------------------------------------------------------- */

#define __cdecl
#define _cdecl
#define __stdcall
#define _stdcall
#define __fastcall
#define _fastcall
#define __vectorcall
#define __thiscall
#define __clrcall
#define WINAPI
#define CALLBACK
#define APIENTRY
#define __ptr32
#define __ptr64
#define __w64
#define __unaligned
#define UNALIGNED
#define UNALIGNED64
#define RESTRICTED_POINTER __restrict

#define _inline __inline
#if !defined(__clang__)
#define __forceinline __inline __attribute__((always_inline))
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define __pragma(...) _Pragma(#__VA_ARGS__)

#define __declspec(what) NDKCC_DECLSPEC_##what
#define NDKCC_DECLSPEC_align(n)   __attribute__((aligned(n)))
#define NDKCC_DECLSPEC_noinline   __attribute__((noinline))
#define NDKCC_DECLSPEC_noreturn   __attribute__((noreturn))
#define NDKCC_DECLSPEC_nothrow    __attribute__((nothrow))
#define NDKCC_DECLSPEC_naked      __attribute__((naked))
#define NDKCC_DECLSPEC_selectany  __attribute__((weak))
#define NDKCC_DECLSPEC_thread     __thread
#define NDKCC_DECLSPEC_deprecated __attribute__((deprecated))
#define NDKCC_DECLSPEC_dllimport
#define NDKCC_DECLSPEC_dllexport
#define NDKCC_DECLSPEC_restrict
#define NDKCC_DECLSPEC_noalias
#define NDKCC_DECLSPEC_novtable
#define NDKCC_DECLSPEC_safebuffers
#define NDKCC_DECLSPEC_allocator
#define NDKCC_DECLSPEC_guard(what)
#define NDKCC_DECLSPEC_strict_gs_check
#define NDKCC_DECLSPEC_allocate(section) __attribute__((section(section)))
#define NDKCC_DECLSPEC_code_seg(section)
#define NDKCC_DECLSPEC_uuid(text)
#endif

#define __assume(condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            __builtin_unreachable();                                                               \
    } while (0)
#define __noop(...)    ((void)0)
#define __debugbreak() __builtin_trap()
#define __alignof(type) __alignof__(type)
#define _alloca(n)              __builtin_alloca(n)
#define _ReturnAddress()        __builtin_return_address(0)
#define _ReadWriteBarrier()     __asm__ __volatile__("" ::: "memory")
#define _byteswap_ushort(x)     __builtin_bswap16(x)
#define _byteswap_ulong(x)      __builtin_bswap32(x)
#define _byteswap_uint64(x)     __builtin_bswap64(x)
#define RtlUshortByteSwap(x)    __builtin_bswap16(x)
#define RtlUlongByteSwap(x)     __builtin_bswap32(x)
#define RtlUlonglongByteSwap(x) __builtin_bswap64(x)

#include <ndkcc_sal.h>
#include <ntdef.h>

/* ---- What ntdef.h may leave out -------------------------------------------------------------- */

#ifndef DECLSPEC_ALIGN
#define DECLSPEC_ALIGN(n) __attribute__((aligned(n)))
#endif
#ifndef DECLSPEC_CACHEALIGN
#define DECLSPEC_CACHEALIGN __attribute__((aligned(64)))
#endif
#ifndef DECLSPEC_NOINLINE
#define DECLSPEC_NOINLINE __attribute__((noinline))
#endif
#ifndef DECLSPEC_NORETURN
#define DECLSPEC_NORETURN __attribute__((noreturn))
#endif
#ifndef DECLSPEC_SELECTANY
#define DECLSPEC_SELECTANY __attribute__((weak))
#endif
#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef min
#define min(a, b) ((a) < (b) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) ((a) > (b) ? (a) : (b))
#endif
#endif
#ifndef STDAPICALLTYPE
#define STDAPICALLTYPE
#endif
#ifndef EXTERN_C
#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif
#endif
#ifndef TEXT
#define TEXT(text) L##text
#endif

#endif /* SOFTNDK_NDKCC_H */
