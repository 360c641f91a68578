/* SPDX-License-Identifier: MIT */
/* Drivers, devices and IRPs as the other parts of kenv see them. */
#ifndef SN_KENV_IO_H
#define SN_KENV_IO_H

#include "kenv/track.h"

/* A driver object with its name and default dispatch routines; NULL: no memory. */
PDRIVER_OBJECT kenv_driver_create(const char *name, PDRIVER_INITIALIZE entry);
/* Takes the driver object out of the list and gives its reference back. */
void kenv_driver_destroy(PDRIVER_OBJECT driver);
/* True if the pointer is a driver or a device that exists. */
bool kenv_io_knows(const void *object);
/* A device by any of its names, with a reference; NULL: none. */
PDEVICE_OBJECT kenv_device_find(PCUNICODE_STRING name);
/* The driver's first device (the one it created first), with a reference; NULL: none. */
PDEVICE_OBJECT kenv_device_first(PDRIVER_OBJECT driver);

/* Where an IRP that kenv made ends: runs after the last completion routine, frees the IRP or not.
 */
typedef void kenv_irp_end(PIRP irp, void *context);
/* An IRP of IoAllocateIrp with an end of its own. NULL: no memory. */
PIRP kenv_irp_create(CCHAR stack_size, kenv_irp_end *end, void *context, const char *name);

/* One control request from open to close; see SoftNdkDrvIoctl. */
NTSTATUS kenv_ioctl(PDEVICE_OBJECT device, ULONG code, const void *input, ULONG input_length,
    void *output, ULONG output_length, ULONG timeout_ms, ULONG_PTR *returned);

#endif
