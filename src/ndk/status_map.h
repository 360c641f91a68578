/* SPDX-License-Identifier: MIT */
/* The only place that knows which NTSTATUS an enum sn_status becomes. */
#ifndef SN_NDK_STATUS_MAP_H
#define SN_NDK_STATUS_MAP_H

#include <ntstatus.h>

#include "base/attr.h"
#include "base/status.h"

/* Calls whose documented words for a failure differ from the common ones. */
enum ndk_call {
    NDK_CALL_COMMON,
    NDK_CALL_CREATE_TOKEN, /* PD, MR, MW: a full table is a lack of resources */
    NDK_CALL_FAST_INIT,    /* NdkInitializeFastRegisterMr */
    NDK_CALL_RESIZE,       /* NdkResizeCq */
    NDK_CALL_MODERATE,     /* NdkControlCqInterruptModeration */
    NDK_CALL_CONNECT,      /* NdkConnect, NdkConnectWithSharedEndpoint */
    NDK_CALL_DISCONNECT,   /* NdkDisconnect */
    NDK_CALL_CONNECTION,   /* NdkGetConnectionData, NdkGetLocalAddress, NdkGetPeerAddress */
    NDK_CALL_POST,         /* work requests */
    NDK_CALL_COUNT
};

/* What a call returns, or a request completion, notification or event is given. */
NTSTATUS ndk_status(enum sn_status s);
/* The same, in the words of one kind of call. */
NTSTATUS ndk_status_of(enum ndk_call call, enum sn_status s);

/* What a work request completes with, by enum sn_status. Every value is mapped. */
extern const NTSTATUS ndk_completion_status[SN_STATUS_COUNT];

#endif
