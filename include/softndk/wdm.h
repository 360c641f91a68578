/* SPDX-License-Identifier: MIT */
/*
 * wdm.h: the kernel routines that NDK consumer drivers need, in user mode.
 *
 * IRQL is a number per thread: PASSIVE_LEVEL until a spin lock, KeRaiseIrql or a callback of the
 * provider raises it. A call made at a higher IRQL than its comment allows is a bugcheck, which
 * prints what happened and aborts the process. "Any IRQL" means up to HIGH_LEVEL, "DISPATCH" means
 * at most DISPATCH_LEVEL. Routines follow the Windows page of their name; a difference is marked
 * [DEVIATION]. docs/kenv/ has a page per family.
 *
 * The parts stand in headers of their own, softndk_*.h; drivers include this one (or ntddk.h).
 */
#ifndef SOFTNDK_WDM_H
#define SOFTNDK_WDM_H

#include <softndk_dbg.h>
#include <softndk_ex.h>
#include <softndk_exlock.h>
#include <softndk_interlocked.h>
#include <softndk_io.h>
#include <softndk_ke.h>
#include <softndk_mm.h>
#include <softndk_ps.h>
#include <softndk_reg.h>
#include <softndk_rtl.h>
#include <softndk_seh.h>

#endif /* SOFTNDK_WDM_H */
