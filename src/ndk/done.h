/* SPDX-License-Identifier: MIT */
/*
 * Every way into the consumer's code: completions, notifications and events as rnic/ takes them,
 * around the consumer's routine and context. Each calls at DISPATCH_LEVEL and checks that the
 * routine came back at that level. A routine that is NULL is not called.
 */
#ifndef SN_NDK_DONE_H
#define SN_NDK_DONE_H

#include <ndkpi.h>

#include "rnic/cq.h"
#include "rnic/listener.h"
#include "rnic/obj.h"
#include "rnic/srq.h"

struct rnic_done ndk_close_done(NDK_FN_CLOSE_COMPLETION fn, PVOID context);
struct rnic_done ndk_request_done(NDK_FN_REQUEST_COMPLETION fn, PVOID context);
struct rnic_cq_notify ndk_cq_notify(NDK_FN_CQ_NOTIFICATION_CALLBACK fn, PVOID context);
struct rnic_srq_notify ndk_srq_notify(NDK_FN_SRQ_NOTIFICATION_CALLBACK fn, PVOID context);
struct rnic_connect_event ndk_connect_event(NDK_FN_CONNECT_EVENT_CALLBACK fn, PVOID context);
struct rnic_disconnect_event ndk_disconnect_event(
    NDK_FN_DISCONNECT_EVENT_CALLBACK fn, PVOID context);
struct rnic_disconnect_event ndk_disconnect_event_ex(
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX fn, PVOID context);

#endif
