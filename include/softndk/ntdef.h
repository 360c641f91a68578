/* SPDX-License-Identifier: MIT */
/*
 * ntdef.h: the basic Windows types, in the widths of x64 Windows (LLP64).
 *
 * ULONG and LONG are 32 bits although the host's long is 64: never mix them with unsigned long.
 * SAL annotations and calling conventions expand to nothing. Everything here can stand in one
 * translation unit with the system's own headers.
 */
#ifndef SOFTNDK_NTDEF_H
#define SOFTNDK_NTDEF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define SOFTNDK_BEGIN_DECLS extern "C" {
#define SOFTNDK_END_DECLS   }
#else
#define SOFTNDK_BEGIN_DECLS
#define SOFTNDK_END_DECLS
#endif

/* Marks a function that libsoftndk exports. */
#if defined(__GNUC__)
#define SOFTNDK_API __attribute__((visibility("default")))
#else
#define SOFTNDK_API
#endif

#if defined(__cplusplus)
#define SOFTNDK_NORETURN [[noreturn]]
#else
#define SOFTNDK_NORETURN _Noreturn
#endif

/* Calling conventions and linkage: x64 has one convention, the host has its own. */
#define NTAPI
#define WSKAPI
#define NTAPI_INLINE
#define NTSYSAPI
#define NTSYSCALLAPI
#define NTKERNELAPI
#define NTHALAPI
#define DECLSPEC_IMPORT
#define FORCEINLINE  static inline __attribute__((unused))
#define CFORCEINLINE FORCEINLINE
#ifndef DECLSPEC_NORETURN
#define DECLSPEC_NORETURN __attribute__((noreturn))
#endif
#ifndef DECLSPEC_ALIGN
#define DECLSPEC_ALIGN(x) __attribute__((aligned(x)))
#endif
#ifndef DECLSPEC_NOINLINE
#define DECLSPEC_NOINLINE __attribute__((noinline))
#endif
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#define ALLOC_PRAGMA        1
#define NOTHING
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif

/* SAL: checked by other compilers, nothing here. */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(n)
#define _In_reads_opt_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _In_range_(low, high)
#define _In_bytecount_(n)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(n)
#define _Inout_updates_opt_(n)
#define _Inout_updates_bytes_(n)
#define _Inout_updates_bytes_opt_(n)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_opt_(n)
#define _Out_writes_z_(n)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Out_writes_to_(n, count)
#define _Out_writes_to_opt_(n, count)
#define _Out_writes_bytes_to_(n, count)
#define _Out_writes_bytes_to_opt_(n, count)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_result_bytebuffer_(n)
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Must_inspect_result_
#define _Check_return_
#define _Printf_format_string_
#define _Null_terminated_
#define _NullNull_terminated_
#define _Reserved_
#define _Success_(condition)
#define _Return_type_success_(condition)
#define _When_(condition, annotations)
#define _At_(target, annotations)
#define _Pre_satisfies_(condition)
#define _Post_satisfies_(condition)
#define _Pre_notnull_
#define _Post_invalid_
#define _Field_size_(n)
#define _Field_size_opt_(n)
#define _Field_size_bytes_(n)
#define _Field_size_bytes_opt_(n)
#define _Struct_size_bytes_(n)
#define _Field_range_(low, high)
#define _Use_decl_annotations_
#define _Function_class_(name)
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _IRQL_requires_min_(level)
#define _IRQL_requires_same_
#define _IRQL_raises_(level)
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_saves_global_(kind, parameter)
#define _IRQL_restores_global_(kind, parameter)
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Requires_lock_not_held_(lock)
#define _Requires_no_locks_held_
#define _Acquires_exclusive_lock_(lock)
#define _Releases_exclusive_lock_(lock)
#define _Guarded_by_(lock)
#define _Interlocked_operand_
#define _Interlocked_
#define _Analysis_assume_(condition)
#define _Analysis_noreturn_
#define _Const_
#define __drv_aliasesMem
#define __drv_freesMem(kind)
#define __drv_allocatesMem(kind)

/* Scalars. */
#ifndef VOID
#define VOID void
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

typedef void *PVOID;
typedef const void *PCVOID;
typedef void *HANDLE, **PHANDLE;
typedef char CHAR, *PCHAR, *PSTR, *PSZ;
typedef const char *PCSTR, *PCSZ;
typedef signed char SCHAR, *PSCHAR;
typedef char CCHAR, *PCCHAR;
typedef uint8_t UCHAR, *PUCHAR, UINT8, *PUINT8;
typedef int8_t INT8, *PINT8;
typedef int16_t SHORT, *PSHORT, CSHORT, INT16, *PINT16;
typedef uint16_t USHORT, *PUSHORT, UINT16, *PUINT16;
typedef int32_t INT, LONG, *PLONG, INT32, *PINT32, LONG32;
typedef uint32_t UINT, *PUINT, ULONG, *PULONG, UINT32, *PUINT32, ULONG32;
typedef int64_t LONGLONG, *PLONGLONG, LONG64, *PLONG64, INT64, *PINT64;
typedef uint64_t ULONGLONG, *PULONGLONG, ULONG64, *PULONG64, UINT64, *PUINT64, DWORDLONG;
typedef uint8_t BOOLEAN, *PBOOLEAN;

typedef uintptr_t ULONG_PTR, *PULONG_PTR, UINT_PTR, *PUINT_PTR, KAFFINITY, *PKAFFINITY;
typedef intptr_t LONG_PTR, *PLONG_PTR, INT_PTR;
typedef size_t SIZE_T, *PSIZE_T;
typedef ptrdiff_t SSIZE_T, *PSSIZE_T;
typedef ULONG LOGICAL, *PLOGICAL, ACCESS_MASK, *PACCESS_MASK;
typedef int32_t NTSTATUS, *PNTSTATUS;

/* 16 bits, as on Windows: L"" literals fit with -fshort-wchar, u"" literals always. */
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#define SOFTNDK_WIDE_(text) L##text
#elif defined(__cplusplus)
typedef char16_t WCHAR;
#define SOFTNDK_WIDE_(text) u##text
#else
typedef uint16_t WCHAR;
#define SOFTNDK_WIDE_(text) u##text
#endif
typedef WCHAR *PWCHAR, *PWCH, *PWSTR, *PWSZ;
typedef const WCHAR *PCWCH, *PCWSTR;

#define MINCHAR     0x80
#define MAXCHAR     0x7f
#define MAXUCHAR    0xff
#define MINSHORT    0x8000
#define MAXSHORT    0x7fff
#define MAXUSHORT   0xffff
#define MINLONG     0x80000000
#define MAXLONG     0x7fffffff
#define MAXULONG    0xffffffff
#define MAXULONG64  ((ULONG64) ~(ULONG64)0)
#define MAXLONGLONG ((LONGLONG)0x7fffffffffffffffLL)

/* The severity is in the two top bits: 00 success, 01 informational, 10 warning, 11 error. */
#define NT_SUCCESS(Status)     (((NTSTATUS)(Status)) >= 0)
#define NT_INFORMATION(Status) ((((ULONG)(Status)) >> 30) == 1)
#define NT_WARNING(Status)     ((((ULONG)(Status)) >> 30) == 2)
#define NT_ERROR(Status)       ((((ULONG)(Status)) >> 30) == 3)

typedef union _LARGE_INTEGER {
    __extension__ struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
    __extension__ struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    struct {
        ULONG LowPart;
        ULONG HighPart;
    } u;
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID, *LPGUID;

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink;
    struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

/* Length and MaximumLength count bytes, without and with room for a terminator. */
typedef struct _STRING {
    USHORT Length;
    USHORT MaximumLength;
    PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING;
typedef const STRING *PCSTRING, *PCANSI_STRING;

typedef struct _UNICODE_STRING {
    USHORT Length;
    USHORT MaximumLength;
    PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _CLIENT_ID {
    HANDLE UniqueProcess;
    HANDLE UniqueThread;
} CLIENT_ID, *PCLIENT_ID;

typedef struct _OBJECT_ATTRIBUTES {
    ULONG Length;
    HANDLE RootDirectory;
    PUNICODE_STRING ObjectName;
    ULONG Attributes;
    PVOID SecurityDescriptor;
    PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;
typedef const OBJECT_ATTRIBUTES *PCOBJECT_ATTRIBUTES;

#define OBJ_INHERIT          0x00000002
#define OBJ_PERMANENT        0x00000010
#define OBJ_EXCLUSIVE        0x00000020
#define OBJ_CASE_INSENSITIVE 0x00000040
#define OBJ_OPENIF           0x00000080
#define OBJ_OPENLINK         0x00000100
#define OBJ_KERNEL_HANDLE    0x00000200

#define InitializeObjectAttributes(p, n, a, r, s)                                                  \
    do {                                                                                           \
        (p)->Length = sizeof(OBJECT_ATTRIBUTES);                                                   \
        (p)->RootDirectory = (r);                                                                  \
        (p)->Attributes = (a);                                                                     \
        (p)->ObjectName = (n);                                                                     \
        (p)->SecurityDescriptor = (s);                                                             \
        (p)->SecurityQualityOfService = NULL;                                                      \
    } while (0)
#define RTL_CONSTANT_OBJECT_ATTRIBUTES(n, a)                                                       \
    {                                                                                              \
        sizeof(OBJECT_ATTRIBUTES), NULL, (PUNICODE_STRING)(n), (a), NULL, NULL                     \
    }

typedef struct _GROUP_AFFINITY {
    KAFFINITY Mask;
    USHORT Group;
    USHORT Reserved[3];
} GROUP_AFFINITY, *PGROUP_AFFINITY;

typedef struct _PROCESSOR_NUMBER {
    USHORT Group;
    UCHAR Number;
    UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;

/* Strings whose length the compiler counts. */
#define RTL_CONSTANT_STRING(s)                                                                     \
    {                                                                                              \
        sizeof(s) - sizeof((s)[0]), sizeof(s), (s)                                                 \
    }
#define DECLARE_CONST_UNICODE_STRING(var, string)                                                  \
    const WCHAR var##_buffer[] = string;                                                           \
    const UNICODE_STRING var = {sizeof(string) - sizeof(WCHAR), sizeof(string), (PWCH)var##_buffer}
#define DECLARE_UNICODE_STRING_SIZE(var, size)                                                     \
    WCHAR var##_buffer[size];                                                                      \
    UNICODE_STRING var = {0, (size) * sizeof(WCHAR), var##_buffer}
#define UNICODE_NULL             ((WCHAR)0)
#define UNICODE_STRING_MAX_BYTES ((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS 32767
#define ANSI_NULL                ((CHAR)0)

#define UNREFERENCED_PARAMETER(P)          ((void)(P))
#define DBG_UNREFERENCED_PARAMETER(P)      ((void)(P))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(V) ((void)(V))
#define FIELD_OFFSET(type, field)          ((LONG)offsetof(type, field))
#define UFIELD_OFFSET(type, field)         ((ULONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field)                                                    \
    ((type *)(void *)((PCHAR)(void *)(address)-offsetof(type, field)))
#define RTL_NUMBER_OF(A)                      (sizeof(A) / sizeof((A)[0]))
#define RTL_FIELD_SIZE(type, field)           (sizeof(((type *)0)->field))
#define RTL_SIZEOF_THROUGH_FIELD(type, field) (offsetof(type, field) + RTL_FIELD_SIZE(type, field))
#ifndef ARRAYSIZE
#define ARRAYSIZE(A) RTL_NUMBER_OF(A)
#endif
#if defined(__cplusplus)
#define C_ASSERT(e) static_assert(e, #e)
#else
#define C_ASSERT(e) _Static_assert(e, #e)
#endif

/* In units of the type or of `length` (a power of two). */
#define ALIGN_DOWN_BY(length, alignment) ((ULONG_PTR)(length) & ~((ULONG_PTR)(alignment)-1))
#define ALIGN_UP_BY(length, alignment)                                                             \
    ALIGN_DOWN_BY(((ULONG_PTR)(length) + (alignment)-1), alignment)
#define ALIGN_DOWN_POINTER_BY(address, alignment) ((PVOID)ALIGN_DOWN_BY(address, alignment))
#define ALIGN_UP_POINTER_BY(address, alignment)   ((PVOID)ALIGN_UP_BY(address, alignment))
#define ALIGN_DOWN(length, type)                  ALIGN_DOWN_BY(length, sizeof(type))
#define ALIGN_UP(length, type)                    ALIGN_UP_BY(length, sizeof(type))
#define FlagOn(f, set)                            ((f) & (set))
#define BooleanFlagOn(f, set)                     ((BOOLEAN)(((f) & (set)) != 0))
#define SetFlag(f, set)                           ((f) |= (set))
#define ClearFlag(f, set)                         ((f) &= ~(set))

#endif /* SOFTNDK_NTDEF_H */
