/* SPDX-License-Identifier: MIT */
#include "chaos/entry.h"

#include <string.h>

#define POSTING STATUS_CONNECTION_INVALID, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER

static const struct chaos_entry_info table[CHAOS_ENTRY_COUNT] = {
    [CHAOS_CLOSE] = {"NdkClose", true, {0}}, /* a close cannot fail */
    [CHAOS_CREATE_CQ] = {"NdkCreateCq", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER}},
    [CHAOS_CREATE_PD] = {"NdkCreatePd", true, {STATUS_INSUFFICIENT_RESOURCES}},
    [CHAOS_CREATE_SHARED_ENDPOINT] = {"NdkCreateSharedEndpoint", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_SHARING_VIOLATION, STATUS_TOO_MANY_ADDRESSES,
            STATUS_INVALID_ADDRESS}},
    [CHAOS_CREATE_CONNECTOR] = {"NdkCreateConnector", true, {STATUS_INSUFFICIENT_RESOURCES}},
    [CHAOS_CREATE_LISTENER] = {"NdkCreateListener", true, {STATUS_INSUFFICIENT_RESOURCES}},
    [CHAOS_BUILD_LAM] = {"NdkBuildLAM", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER}},
    [CHAOS_RESIZE_CQ] = {"NdkResizeCq", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_BUFFER_OVERFLOW}},
    [CHAOS_ARM_CQ] = {"NdkArmCq", false, {0}},
    [CHAOS_GET_CQ_RESULTS] = {"NdkGetCqResults", false, {0}},
    [CHAOS_GET_CQ_RESULTS_EX] = {"NdkGetCqResultsEx", false, {0}},
    [CHAOS_MODERATE_CQ] = {"NdkControlCqInterruptModeration", false,
        {STATUS_INSUFFICIENT_RESOURCES}},
    [CHAOS_CREATE_MR] = {"NdkCreateMr", true, {STATUS_INSUFFICIENT_RESOURCES}},
    [CHAOS_CREATE_MW] = {"NdkCreateMw", true, {STATUS_INSUFFICIENT_RESOURCES}},
    [CHAOS_CREATE_SRQ] = {"NdkCreateSrq", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER}},
    [CHAOS_CREATE_QP] = {"NdkCreateQp", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER}},
    [CHAOS_CREATE_QP_WITH_SRQ] = {"NdkCreateQpWithSrq", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER}},
    [CHAOS_REGISTER_MR] = {"NdkRegisterMr", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER}},
    [CHAOS_DEREGISTER_MR] = {"NdkDeregisterMr", true, {STATUS_DEVICE_BUSY}},
    [CHAOS_INIT_FAST_REGISTER_MR] = {"NdkInitializeFastRegisterMr", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_IMPLEMENTATION_LIMIT}},
    [CHAOS_MODIFY_SRQ] = {"NdkModifySrq", true,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_BUFFER_OVERFLOW}},
    [CHAOS_SRQ_RECEIVE] = {"NdkSrqReceive", false,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER}},
    [CHAOS_SEND] = {"NdkSend", false, {POSTING}},
    [CHAOS_SEND_AND_INVALIDATE] = {"NdkSendAndInvalidate", false, {POSTING}},
    [CHAOS_RECEIVE] = {"NdkReceive", false,
        {STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER}},
    [CHAOS_READ] = {"NdkRead", false, {POSTING, STATUS_REMOTE_RESOURCES}},
    [CHAOS_WRITE] = {"NdkWrite", false, {POSTING}},
    [CHAOS_BIND] = {"NdkBind", false, {POSTING, STATUS_ACCESS_VIOLATION}},
    [CHAOS_FAST_REGISTER] = {"NdkFastRegister", false, {POSTING, STATUS_ACCESS_VIOLATION}},
    [CHAOS_INVALIDATE] = {"NdkInvalidate", false, {POSTING}},
    [CHAOS_CONNECT] = {"NdkConnect", true,
        {STATUS_CONNECTION_REFUSED, STATUS_INSUFFICIENT_RESOURCES, STATUS_NETWORK_UNREACHABLE,
            STATUS_HOST_UNREACHABLE, STATUS_IO_TIMEOUT, STATUS_SHARING_VIOLATION,
            STATUS_INVALID_ADDRESS, STATUS_TOO_MANY_ADDRESSES, STATUS_ADDRESS_ALREADY_EXISTS}},
    [CHAOS_CONNECT_WITH_SHARED_ENDPOINT] = {"NdkConnectWithSharedEndpoint", true,
        {STATUS_CONNECTION_REFUSED, STATUS_INSUFFICIENT_RESOURCES, STATUS_NETWORK_UNREACHABLE,
            STATUS_HOST_UNREACHABLE, STATUS_IO_TIMEOUT, STATUS_ADDRESS_ALREADY_EXISTS}},
    [CHAOS_COMPLETE_CONNECT] = {"NdkCompleteConnect", true,
        {STATUS_CONNECTION_ABORTED, STATUS_CONNECTION_INVALID, STATUS_IO_TIMEOUT}},
    [CHAOS_COMPLETE_CONNECT_EX] = {"NdkCompleteConnectEx", true,
        {STATUS_CONNECTION_ABORTED, STATUS_CONNECTION_INVALID, STATUS_IO_TIMEOUT}},
    [CHAOS_ACCEPT] = {"NdkAccept", true,
        {STATUS_CONNECTION_ABORTED, STATUS_IO_TIMEOUT, STATUS_CONNECTION_REFUSED}},
    [CHAOS_ACCEPT_EX] = {"NdkAcceptEx", true,
        {STATUS_CONNECTION_ABORTED, STATUS_IO_TIMEOUT, STATUS_CONNECTION_REFUSED}},
    [CHAOS_REJECT] = {"NdkReject", false, {STATUS_CONNECTION_ABORTED}},
    [CHAOS_GET_CONNECTION_DATA] = {"NdkGetConnectionData", false, {STATUS_CONNECTION_INVALID}},
    [CHAOS_GET_PEER_ADDRESS] = {"NdkGetPeerAddress", false, {STATUS_CONNECTION_INVALID}},
    [CHAOS_DISCONNECT] = {"NdkDisconnect", true, {STATUS_IO_TIMEOUT}},
    [CHAOS_LISTEN] = {"NdkListen", true,
        {STATUS_SHARING_VIOLATION, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_ADDRESS,
            STATUS_TOO_MANY_ADDRESSES}},
    [CHAOS_CQ_NOTIFICATION] = {"the CQ notification", false, {0}},
    [CHAOS_SRQ_NOTIFICATION] = {"the SRQ notification", false, {0}},
    [CHAOS_CONNECT_EVENT] = {"the connect event", false, {0}},
    [CHAOS_DISCONNECT_EVENT] = {"the disconnect event", false, {0}},
};

const struct chaos_entry_info *chaos_entry_info(enum chaos_entry entry)
{
    return &table[entry];
}

enum chaos_entry chaos_entry_find(const char *name, size_t n)
{
    for (unsigned i = 0; i < CHAOS_ENTRY_COUNT; i++) {
        if (strlen(table[i].name) == n && strncmp(table[i].name, name, n) == 0)
            return (enum chaos_entry)i;
    }
    return CHAOS_ENTRY_COUNT;
}

unsigned chaos_entry_failures(enum chaos_entry entry)
{
    unsigned n = 0;

    while (n < CHAOS_STATUSES_MAX && table[entry].failures[n] != STATUS_SUCCESS)
        n++;
    return n;
}

bool chaos_status_may_pend(NTSTATUS status)
{
    static const NTSTATUS may[] = {STATUS_SUCCESS, STATUS_INSUFFICIENT_RESOURCES,
        STATUS_CONNECTION_REFUSED, STATUS_NETWORK_UNREACHABLE, STATUS_HOST_UNREACHABLE,
        STATUS_IO_TIMEOUT, STATUS_SHARING_VIOLATION, STATUS_TOO_MANY_ADDRESSES,
        STATUS_ADDRESS_ALREADY_EXISTS, STATUS_CONNECTION_ABORTED};

    for (size_t i = 0; i < SN_ARRAY_COUNT(may); i++) {
        if (may[i] == status)
            return true;
    }
    return false;
}
