/* SPDX-License-Identifier: MIT */
/* The GUIDs that ndisndk.h declares. */
#include <ndisndk.h>

const GUID GUID_NDIS_NDK_CAPABILITIES = GUID_NDIS_NDK_CAPABILITIES_INIT;
const GUID GUID_NDIS_NDK_STATE = GUID_NDIS_NDK_STATE_INIT;
