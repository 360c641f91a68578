/* SPDX-License-Identifier: MIT */
/* What drivers ask about the system they run on. */
#include "kenv/irql.h"

#include <dlfcn.h>
#include <sys/random.h>

#define MAJOR_VERSION  10
#define BUILD_NUMBER   20348
#define PLATFORM_NT    2
#define NAME_MAX_CHARS 128

NTSTATUS RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation)
{
    lpVersionInformation->dwMajorVersion = MAJOR_VERSION;
    lpVersionInformation->dwMinorVersion = 0;
    lpVersionInformation->dwBuildNumber = BUILD_NUMBER;
    lpVersionInformation->dwPlatformId = PLATFORM_NT;
    lpVersionInformation->szCSDVersion[0] = 0;
    return STATUS_SUCCESS;
}

NTSTATUS ExUuidCreate(GUID *Uuid)
{
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    if (getrandom(Uuid, sizeof(*Uuid), 0) != (ssize_t)sizeof(*Uuid))
        return STATUS_RETRY;
    Uuid->Data3 = (uint16_t)((Uuid->Data3 & 0x0fff) | 0x4000);
    Uuid->Data4[0] = (uint8_t)((Uuid->Data4[0] & 0x3f) | 0x80);
    return STATUS_SUCCESS;
}

PVOID MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    size_t n = SystemRoutineName->Length / sizeof(WCHAR);
    char name[NAME_MAX_CHARS];

    NDK_REQUIRE_IRQL_MAX(PASSIVE_LEVEL);
    if (n >= sizeof(name))
        return NULL;
    for (size_t i = 0; i < n; i++)
        name[i] = SystemRoutineName->Buffer[i] < 0x80 ? (char)SystemRoutineName->Buffer[i] : '?';
    name[n] = 0;
    return dlsym(RTLD_DEFAULT, name);
}

USHORT KeGetCurrentNodeNumber(VOID)
{
    return 0;
}

KAFFINITY KeQueryActiveProcessors(VOID)
{
    KAFFINITY mask = 0;

    (void)KeQueryActiveProcessorCount(&mask);
    return mask;
}

VOID KeQueryNodeActiveAffinity(USHORT NodeNumber, PGROUP_AFFINITY Affinity, PUSHORT Count)
{
    if (Affinity != NULL) {
        memset(Affinity, 0, sizeof(*Affinity));
        Affinity->Mask = NodeNumber == 0 ? KeQueryActiveProcessors() : 0;
    }
    if (Count != NULL)
        *Count = NodeNumber == 0 ? (USHORT)KeQueryActiveProcessorCount(NULL) : 0;
}
