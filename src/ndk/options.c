/* SPDX-License-Identifier: MIT */
#include "ndk/options.h"

#include <stdio.h>
#include <string.h>

/* One setting: where it is, what it may be. Row order is that of the structure. */
struct option {
    const char *member;
    uint32_t offset;
    const char *variable;
    bool zero_counts; /* 0 in the member is a choice, not "open" */
    ULONG min, max, otherwise;
};

#define MEMBER(name) #name, offsetof(SOFTNDK_OPTIONS, name)
enum { TIMEOUT_MAX_MS = 3600000 };

static const struct option table[] = {
    {MEMBER(MpaRevision), "SOFTNDK_MPA_REVISION", false, 1, 2, 2},
    {MEMBER(Crc), "SOFTNDK_CRC", true, SOFTNDK_CRC_NEVER, SOFTNDK_CRC_REQUIRE, SOFTNDK_CRC_ASK},
    {MEMBER(Markers), "SOFTNDK_MARKERS", false, 0, 1, 0},
    {MEMBER(Rtr), "SOFTNDK_RTR", true, 0, SOFTNDK_RTR_SEND | SOFTNDK_RTR_WRITE | SOFTNDK_RTR_READ,
        SOFTNDK_RTR_WRITE | SOFTNDK_RTR_READ},
    {MEMBER(MaxFpduPayload), "SOFTNDK_MAX_FPDU_PAYLOAD", false, 64, 65535, 0},
    {MEMBER(MpaTimeoutMs), "SOFTNDK_MPA_TIMEOUT_MS", false, 1, TIMEOUT_MAX_MS, 10000},
    {MEMBER(MaxInboundReadLimit), "SOFTNDK_MAX_INBOUND_READ_LIMIT", false, 1, RNIC_READ_LIMIT_MAX,
        RNIC_READ_LIMIT_MAX},
    {MEMBER(MaxOutboundReadLimit), "SOFTNDK_MAX_OUTBOUND_READ_LIMIT", false, 1, RNIC_READ_LIMIT_MAX,
        RNIC_READ_LIMIT_MAX},
    {MEMBER(Transport), "SOFTNDK_TRANSPORT", false, SOFTNDK_TRANSPORT_AUTO, SOFTNDK_TRANSPORT_SHM,
        SOFTNDK_TRANSPORT_AUTO},
    {MEMBER(Rfc7306), "SOFTNDK_RFC7306", false, 0, 1, 0},
    {MEMBER(ReceiveWaitMs), "SOFTNDK_RECEIVE_WAIT_MS", false, 1, TIMEOUT_MAX_MS, 10000},
    {MEMBER(DisconnectTimeoutMs), "SOFTNDK_DISCONNECT_TIMEOUT_MS", false, 1, TIMEOUT_MAX_MS, 5000},
    {MEMBER(ConnectTimeoutMs), "SOFTNDK_CONNECT_TIMEOUT_MS", false, 1, TIMEOUT_MAX_MS, 15000},
    {MEMBER(AcceptQuietMs), "SOFTNDK_ACCEPT_QUIET_MS", false, 1, TIMEOUT_MAX_MS, 200},
    {MEMBER(Lanes), "SOFTNDK_LANES", false, 1, RNIC_LANES_MAX, 0},
    {MEMBER(SpinUs), "SOFTNDK_SPIN_US", true, 0, 1000000, 0},
    {MEMBER(AllowWildcard), "SOFTNDK_ALLOW_WILDCARD", false, 0, 1, 0},
    {MEMBER(RequireReadSink), "SOFTNDK_REQUIRE_READ_SINK", false, 0, 1, 0},
    {MEMBER(SocketBufferBytes), "SOFTNDK_SOCKET_BUFFER_BYTES", false, 4096, 1073741824, 0},
};
#undef MEMBER

/* A Size has to reach through the members that every version had. */
enum { SIZE_MIN_OCTETS = RTL_SIZEOF_THROUGH_FIELD(SOFTNDK_OPTIONS, Rfc7306) };
_Static_assert(sizeof(SOFTNDK_OPTIONS) == sizeof(ULONG) * (SN_ARRAY_COUNT(table) + 1),
    "every member but Size has a row");

static ULONG get(const SOFTNDK_OPTIONS *o, const struct option *row)
{
    ULONG value;

    memcpy(&value, (const uint8_t *)o + row->offset, sizeof value);
    return value;
}

static void put(SOFTNDK_OPTIONS *o, const struct option *row, ULONG value)
{
    memcpy((uint8_t *)o + row->offset, &value, sizeof value);
}

static bool is_in_range(const struct option *row, ULONG value)
{
    return value >= row->min && value <= row->max;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return 16;
}

/* Decimal, or hexadecimal after 0x. False: something else, or more than 32 bits. */
static bool parse_number(const char *s, ULONG *out)
{
    int base = 10;
    uint64_t value = 0;

    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++) {
        int digit = digit_of(*s);

        if (digit >= base)
            return false;
        value = value * (uint64_t)base + (uint64_t)digit;
        if (value > MAXULONG)
            return false;
    }
    *out = (ULONG)value;
    return true;
}

static bool parse_value(const struct option *row, const char *s, ULONG *out)
{
    static const char *const transports[] = {
        [SOFTNDK_TRANSPORT_AUTO] = "auto",
        [SOFTNDK_TRANSPORT_TCP] = "tcp",
        [SOFTNDK_TRANSPORT_SHM] = "shm",
    };

    if (row->offset == offsetof(SOFTNDK_OPTIONS, Transport)) {
        for (ULONG i = 0; i < SN_ARRAY_COUNT(transports); i++) {
            if (strcmp(s, transports[i]) == 0) {
                *out = i;
                return true;
            }
        }
    }
    return parse_number(s, out);
}

/* The caller's choice. False: out of range. *is_open: there is none. */
static bool from_member(const struct option *row, const SOFTNDK_OPTIONS *given, ULONG *value,
    bool *is_open, char text[NDK_OPTIONS_TEXT])
{
    *value = get(given, row);
    *is_open = *value == SOFTNDK_OPTION_DEFAULT || (*value == 0 && !row->zero_counts);
    if (*is_open || is_in_range(row, *value))
        return true;
    snprintf(text, NDK_OPTIONS_TEXT,
        "SOFTNDK_OPTIONS.%s is %u; it takes a number from %u to %u, or SOFTNDK_OPTION_DEFAULT",
        row->member, *value, row->min, row->max);
    return false;
}

/* The variable, else the default. False: unreadable or out of range. */
static bool from_environment(const struct option *row, char *(*env)(const char *name), ULONG *value,
    char text[NDK_OPTIONS_TEXT])
{
    const char *s = env(row->variable);

    *value = row->otherwise;
    if (s == NULL || *s == '\0')
        return true;
    if (parse_value(row, s, value) && is_in_range(row, *value))
        return true;
    snprintf(text, NDK_OPTIONS_TEXT,
        "the environment variable %s is \"%.40s\"; it takes a number from %u to %u%s",
        row->variable, s, row->min, row->max,
        row->offset == offsetof(SOFTNDK_OPTIONS, Transport) ? ", or auto, tcp or shm" : "");
    return false;
}

/* Members behind the caller's Size, and all without a caller, are open. */
static bool take_given(
    const SOFTNDK_OPTIONS *given, SOFTNDK_OPTIONS *out, char text[NDK_OPTIONS_TEXT])
{
    memset(out, 0xff, sizeof *out); /* SOFTNDK_OPTION_DEFAULT everywhere */
    if (given == NULL)
        return true;
    if (given->Size < SIZE_MIN_OCTETS || given->Size > sizeof *given ||
        given->Size % sizeof(ULONG) != 0) {
        snprintf(text, NDK_OPTIONS_TEXT,
            "SOFTNDK_OPTIONS.Size is %u; this library knows sizes from %u to %u", given->Size,
            (unsigned)SIZE_MIN_OCTETS, (unsigned)sizeof *given);
        return false;
    }
    memcpy(out, given, given->Size);
    return true;
}

NTSTATUS ndk_options_resolve(const SOFTNDK_OPTIONS *given, char *(*env)(const char *name),
    SOFTNDK_OPTIONS *out, char text[NDK_OPTIONS_TEXT])
{
    SOFTNDK_OPTIONS o;

    if (!take_given(given, &o, text))
        return STATUS_INVALID_PARAMETER;
    for (size_t i = 0; i < SN_ARRAY_COUNT(table); i++) {
        ULONG value;
        bool is_open;

        if (!from_member(&table[i], &o, &value, &is_open, text))
            return STATUS_INVALID_PARAMETER;
        if (is_open && !from_environment(&table[i], env, &value, text))
            return STATUS_INVALID_PARAMETER;
        put(&o, &table[i], value);
    }
    if (o.Transport == SOFTNDK_TRANSPORT_SHM) {
        snprintf(text, NDK_OPTIONS_TEXT,
            "the shared-memory transport is not there; choose auto or tcp instead of shm");
        return STATUS_NOT_SUPPORTED;
    }
    o.Size = sizeof o;
    *out = o;
    return STATUS_SUCCESS;
}

/* Home threads are for what nobody polls: half the processors, but few. */
static uint32_t lanes_for(uint32_t processors)
{
    enum { FEW = 4 };
    uint32_t lanes = processors / 2;

    return lanes < 1 ? 1 : lanes > FEW ? FEW : lanes;
}

void ndk_options_to_rnic(
    const SOFTNDK_OPTIONS *resolved, NET_IFINDEX if_index, struct rnic_options *out)
{
    _Static_assert((int)IW_CRC_NEVER_ASK == SOFTNDK_CRC_NEVER, "same numbers");
    _Static_assert((int)IW_CRC_ASK == SOFTNDK_CRC_ASK, "same numbers");
    _Static_assert((int)IW_CRC_REQUIRE == SOFTNDK_CRC_REQUIRE, "same numbers");
    _Static_assert((int)IW_RTR_SEND == SOFTNDK_RTR_SEND, "same bits");
    _Static_assert((int)IW_RTR_WRITE == SOFTNDK_RTR_WRITE, "same bits");
    _Static_assert((int)IW_RTR_READ == SOFTNDK_RTR_READ, "same bits");

    rnic_options_init(out);
    out->if_index = if_index;
    out->mpa.revision = (uint8_t)resolved->MpaRevision;
    out->mpa.crc = (enum iw_crc)resolved->Crc;
    out->mpa.markers = resolved->Markers != 0;
    out->mpa.rtr = (uint8_t)resolved->Rtr;
    out->mpa.ird_max = (uint16_t)resolved->MaxInboundReadLimit;
    out->mpa.ord_max = (uint16_t)resolved->MaxOutboundReadLimit;
    out->payload_max = resolved->MaxFpduPayload;
    out->rfc7306 = resolved->Rfc7306 != 0;
    out->allow_wildcard = resolved->AllowWildcard != 0;
    out->require_read_sink = resolved->RequireReadSink != 0;
    out->lanes = resolved->Lanes != 0
                     ? resolved->Lanes
                     : lanes_for(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS));
    if (resolved->SocketBufferBytes != 0)
        out->socket_buffer = resolved->SocketBufferBytes;
    out->connect_timeout_ms = resolved->ConnectTimeoutMs;
    out->mpa_timeout_ms = resolved->MpaTimeoutMs;
    out->disconnect_timeout_ms = resolved->DisconnectTimeoutMs;
    out->receive_wait_ms = resolved->ReceiveWaitMs;
    out->accept_quiet_ms = resolved->AcceptQuietMs;
}
