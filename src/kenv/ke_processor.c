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
