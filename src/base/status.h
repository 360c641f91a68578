/* SPDX-License-Identifier: MIT */
/*
 * Why a call failed *here* (not: what a peer did wrong, that is enum wire_err).
 * src/ndk/status_map.c alone knows the NTSTATUS of each; plat/<os> alone knows the errno.
 */
#ifndef SN_BASE_STATUS_H
#define SN_BASE_STATUS_H

/* name, what happened */
#define SN_STATUS_LIST(X)                                                                          \
    X(OK, "success")                                                                               \
    X(PENDING, "accepted, completes later")                                                        \
    X(NO_MEMORY, "out of memory or of another resource")                                           \
    X(INVALID, "an argument is not valid")                                                         \
    X(LIMIT, "a limit of the adapter is exceeded")                                                 \
    X(BUFFER_TOO_SMALL, "the buffer is too small")                                                 \
    X(NOT_SUPPORTED, "the feature is not there")                                                   \
    X(BAD_STATE, "the object is in the wrong state")                                               \
    X(BUSY, "still in use")                                                                        \
    X(QUEUE_FULL, "no free entry in the queue")                                                    \
    X(NOT_CONNECTED, "the queue pair is not connected")                                            \
    X(ALREADY_CONNECTED, "the queue pair is or was connected")                                     \
    X(NO_ACCESS, "the memory does not allow this access")                                          \
    X(PRIVATE_DATA_TOO_LONG, "the private data does not fit")                                      \
    X(ADDRESS_IN_USE, "the local address and port are in use")                                     \
    X(ADDRESS_INVALID, "not a local address of the adapter")                                       \
    X(NO_PORTS, "no ephemeral port is free")                                                       \
    X(ADDRESS_PAIR_EXISTS, "the same pair of addresses is connected already")                      \
    X(REFUSED, "nobody listens there, or the peer rejected")                                       \
    X(NET_UNREACHABLE, "no route to the network")                                                  \
    X(HOST_UNREACHABLE, "no route to the host")                                                    \
    X(TIMED_OUT, "no answer in time")                                                              \
    X(ABORTED, "the peer gave up during establishment")                                            \
    X(RESET, "the connection was lost")                                                            \
    X(CANCELLED, "ended by the consumer or by an earlier failure")                                 \
    X(PROTOCOL, "the peer broke the protocol")                                                     \
    X(MSG_TOO_LONG, "the message is longer than the buffers")                                      \
    X(BAD_REQUEST, "the request is malformed or names something not valid")                        \
    X(REMOTE_ACCESS, "the peer refused the access")                                                \
    X(REMOTE_ERROR, "the peer ended the connection with an error")                                 \
    X(CQ_OVERRUN, "more completions than the queue holds")                                         \
    X(INTERNAL, "internal error")

enum sn_status {
#define X(name, text) SN_##name,
    SN_STATUS_LIST(X)
#undef X
        SN_STATUS_COUNT
};

/* "QUEUE_FULL"; "?" for a value outside the list. */
const char *sn_status_name(enum sn_status s);
/* "no free entry in the queue". */
const char *sn_status_text(enum sn_status s);

#endif
