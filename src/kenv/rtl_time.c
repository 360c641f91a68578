/* SPDX-License-Identifier: MIT */
/* Calendar time, random numbers, memory that is all zero. */
#include <wdm.h>

#define TICKS_PER_MS 10000
#define MS_PER_DAY   86400000
#define DAYS_PER_400 146097
#define MULTIPLIER   1664525u
#define INCREMENT    1013904223u

static LONG is_leap(LONG year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static LONG days_of_month(LONG year, LONG month)
{
    static const UCHAR days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 ? is_leap(year) : 0);
}

/* Days from 1 January 1601 to 1 January of the year. */
static LONGLONG days_before(LONG year)
{
    LONGLONG n = year - 1601;

    return n * 365 + n / 4 - n / 100 + n / 400;
}

VOID RtlTimeToTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields)
{
    LONGLONG ms = Time->QuadPart / TICKS_PER_MS;
    LONGLONG days = ms / MS_PER_DAY;
    LONG of_day = (LONG)(ms % MS_PER_DAY);
    LONG year = 1601 + (LONG)(days / DAYS_PER_400 * 400), month = 1;

    TimeFields->Weekday = (CSHORT)((days + 1) % 7); /* 1 January 1601 was a Monday */
    while (days_before(year + 1) <= days)
        year++;
    days -= days_before(year);
    while (days >= days_of_month(year, month))
        days -= days_of_month(year, month++);
    TimeFields->Year = (CSHORT)year;
    TimeFields->Month = (CSHORT)month;
    TimeFields->Day = (CSHORT)(days + 1);
    TimeFields->Hour = (CSHORT)(of_day / 3600000);
    TimeFields->Minute = (CSHORT)(of_day / 60000 % 60);
    TimeFields->Second = (CSHORT)(of_day / 1000 % 60);
    TimeFields->Milliseconds = (CSHORT)(of_day % 1000);
}

BOOLEAN RtlTimeFieldsToTime(PTIME_FIELDS TimeFields, PLARGE_INTEGER Time)
{
    const TIME_FIELDS *f = TimeFields;
    LONGLONG days, ms;

    if (f->Year < 1601 || f->Month < 1 || f->Month > 12 || f->Day < 1 ||
        f->Day > days_of_month(f->Year, f->Month) || f->Hour < 0 || f->Hour > 23 || f->Minute < 0 ||
        f->Minute > 59 || f->Second < 0 || f->Second > 59 || f->Milliseconds < 0 ||
        f->Milliseconds > 999)
        return FALSE;
    days = days_before(f->Year) + f->Day - 1;
    for (LONG month = 1; month < f->Month; month++)
        days += days_of_month(f->Year, month);
    ms = ((days * 24 + f->Hour) * 60 + f->Minute) * 60 + f->Second;
    Time->QuadPart = (ms * 1000 + f->Milliseconds) * TICKS_PER_MS;
    return TRUE;
}

ULONG RtlRandomEx(PULONG Seed)
{
    ULONG x = *Seed * MULTIPLIER + INCREMENT;

    *Seed = x;
    /* The low bits of such a sequence are poor: mix before the range is cut. */
    x ^= x >> 16;
    x *= 0x45d9f3bu;
    x ^= x >> 16;
    return x % MAXLONG;
}

ULONG RtlRandom(PULONG Seed)
{
    return RtlRandomEx(Seed);
}

BOOLEAN SoftNdkIsZeroMemory(const VOID *Buffer, SIZE_T Length)
{
    const UCHAR *p = Buffer;

    for (SIZE_T i = 0; i < Length; i++)
        if (p[i] != 0)
            return FALSE;
    return TRUE;
}
