/* SPDX-License-Identifier: MIT */
/* Clocks and sleeping. */
#include "kenv/ke_time.h"

#include "kenv/irql.h"

#include <errno.h>

#define TICKS_PER_SECOND 10000000u /* of 100 ns */
#define NS_PER_TICK      100u
#define NS_PER_SECOND    1000000000u
/* From 1 January 1601 to 1 January 1970. */
#define EPOCH_SECONDS 11644473600u
/* Further than any clock of ours goes. */
#define SECONDS_MAX (1ull << 40)
/* What KeQueryTickCount counts in: 15.625 ms. */
#define TICK_INCREMENT 156250u

static struct timespec now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t;
}

static ULONGLONG ticks_of(struct timespec t)
{
    return (ULONGLONG)t.tv_sec * TICKS_PER_SECOND + (ULONGLONG)t.tv_nsec / NS_PER_TICK;
}

struct kenv_deadline kenv_deadline_from(const LARGE_INTEGER *timeout)
{
    struct kenv_deadline d = {{0, 0}, false, false};
    ULONGLONG ticks, seconds;

    if (timeout == NULL) {
        d.is_endless = true;
        return d;
    }
    d.is_realtime = timeout->QuadPart > 0;
    ticks = d.is_realtime ? (ULONGLONG)timeout->QuadPart : 0 - (ULONGLONG)timeout->QuadPart;
    seconds = ticks / TICKS_PER_SECOND;
    if (d.is_realtime && seconds < EPOCH_SECONDS)
        return d;
    if (seconds >= SECONDS_MAX) {
        d.is_endless = true;
        return d;
    }
    d.at.tv_nsec = (long)(ticks % TICKS_PER_SECOND * NS_PER_TICK);
    if (d.is_realtime) {
        d.at.tv_sec = (time_t)(seconds - EPOCH_SECONDS);
        return d;
    }
    struct timespec start = now(CLOCK_MONOTONIC);

    d.at.tv_sec = start.tv_sec + (time_t)seconds;
    d.at.tv_nsec += start.tv_nsec;
    if (d.at.tv_nsec >= (long)NS_PER_SECOND) {
        d.at.tv_nsec -= (long)NS_PER_SECOND;
        d.at.tv_sec++;
    }
    return d;
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    struct timespec t = now(CLOCK_MONOTONIC);
    LARGE_INTEGER count;

    if (PerformanceFrequency != NULL)
        PerformanceFrequency->QuadPart = NS_PER_SECOND;
    count.QuadPart = (LONGLONG)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
    return count;
}

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    ULONGLONG ticks = ticks_of(now(CLOCK_REALTIME));

    CurrentTime->QuadPart = (LONGLONG)(ticks + (ULONGLONG)EPOCH_SECONDS * TICKS_PER_SECOND);
}

VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
    KeQuerySystemTime(CurrentTime);
}

ULONGLONG KeQueryInterruptTime(VOID)
{
    return ticks_of(now(CLOCK_MONOTONIC));
}

ULONGLONG KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
    if (QpcTimeStamp != NULL)
        *QpcTimeStamp = (ULONG64)KeQueryPerformanceCounter(NULL).QuadPart;
    return KeQueryInterruptTime();
}

ULONGLONG KeQueryUnbiasedInterruptTime(VOID)
{
    return KeQueryInterruptTime();
}

/* Seconds that the host's time zone is ahead of UTC at a moment given in 100 ns since 1601. */
static LONGLONG zone_seconds(LONGLONG ticks)
{
    time_t seconds = (time_t)(ticks / (LONGLONG)TICKS_PER_SECOND - (LONGLONG)EPOCH_SECONDS);
    struct tm local;

    return localtime_r(&seconds, &local) != NULL ? local.tm_gmtoff : 0;
}

VOID ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
    LocalTime->QuadPart =
        SystemTime->QuadPart + zone_seconds(SystemTime->QuadPart) * (LONGLONG)TICKS_PER_SECOND;
}

VOID ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
    SystemTime->QuadPart =
        LocalTime->QuadPart - zone_seconds(LocalTime->QuadPart) * (LONGLONG)TICKS_PER_SECOND;
}

VOID KeQueryTickCount(PLARGE_INTEGER TickCount)
{
    TickCount->QuadPart = (LONGLONG)(KeQueryInterruptTime() / TICK_INCREMENT);
}

ULONG KeQueryTimeIncrement(VOID)
{
    return TICK_INCREMENT;
}

NTSTATUS KeDelayExecutionThread(
    KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    struct kenv_deadline d = kenv_deadline_from(Interval);

    UNREFERENCED_PARAMETER(WaitMode);
    UNREFERENCED_PARAMETER(Alertable);
    NDK_REQUIRE_IRQL_MAX(APC_LEVEL);
    if (d.is_endless)
        d.at.tv_sec = (time_t)SECONDS_MAX;
    while (clock_nanosleep(d.is_realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, TIMER_ABSTIME, &d.at,
               NULL) == EINTR)
        continue;
    return STATUS_SUCCESS;
}

VOID KeStallExecutionProcessor(ULONG MicroSeconds)
{
    LONGLONG end = KeQueryPerformanceCounter(NULL).QuadPart + (LONGLONG)MicroSeconds * 1000;

    while (KeQueryPerformanceCounter(NULL).QuadPart < end)
        YieldProcessor();
}
