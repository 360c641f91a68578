/* SPDX-License-Identifier: MIT */
/* Processor numbers: the host's, all in group 0. */
#include <sched.h>
#include <unistd.h>
#include <wdm.h>

static ULONG count_of(USHORT group, int what)
{
    long n;

    if (group != 0 && group != ALL_PROCESSOR_GROUPS)
        return 0;
    n = sysconf(what);
    return n > 0 ? (ULONG)n : 1;
}

ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
    return count_of(GroupNumber, _SC_NPROCESSORS_ONLN);
}

ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
    return count_of(GroupNumber, _SC_NPROCESSORS_CONF);
}

ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    int cpu = sched_getcpu();
    ULONG index = cpu >= 0 ? (ULONG)cpu : 0;

    if (ProcNumber != NULL) {
        ProcNumber->Group = 0;
        ProcNumber->Number = (UCHAR)index;
        ProcNumber->Reserved = 0;
    }
    return index;
}

ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors)
{
    ULONG n = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);

    if (ActiveProcessors != NULL)
        *ActiveProcessors = n >= 64 ? ~(KAFFINITY)0 : ((KAFFINITY)1 << n) - 1;
    return n;
}

ULONG KeQueryMaximumProcessorCount(VOID)
{
    return KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS);
}

USHORT KeQueryActiveGroupCount(VOID)
{
    return 1;
}

USHORT KeQueryMaximumGroupCount(VOID)
{
    return 1;
}

USHORT KeQueryHighestNodeNumber(VOID)
{
    return 0;
}

NTSTATUS KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcIndex >= KeQueryMaximumProcessorCount())
        return STATUS_INVALID_PARAMETER;
    ProcNumber->Group = 0;
    ProcNumber->Number = (UCHAR)ProcIndex;
    ProcNumber->Reserved = 0;
    return STATUS_SUCCESS;
}

ULONG KeGetProcessorIndexFromNumber(PPROCESSOR_NUMBER ProcNumber)
{
    if (ProcNumber->Group != 0 || ProcNumber->Reserved != 0 ||
        ProcNumber->Number >= KeQueryMaximumProcessorCount())
        return INVALID_PROCESSOR_INDEX;
    return ProcNumber->Number;
}
