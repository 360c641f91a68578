/* SPDX-License-Identifier: MIT */
/* The shadow of each kind of object, and the tables that take the place of the provider's. */
#ifndef SN_VERIFY_KINDS_H
#define SN_VERIFY_KINDS_H

#include "verify/call.h"
#include "verify/memory.h"
#include "verify/report.h"
#include "verify/shadow.h"
#include "verify/work.h"

extern const NDK_ADAPTER_DISPATCH verify_adapter_table;
extern const NDK_PD_DISPATCH verify_pd_table;
extern const NDK_CQ_DISPATCH verify_cq_table;
extern const NDK_QP_DISPATCH verify_qp_table;
extern const NDK_MR_DISPATCH verify_mr_table;
extern const NDK_MW_DISPATCH verify_mw_table;
extern const NDK_SRQ_DISPATCH verify_srq_table;
extern const NDK_SHARED_ENDPOINT_DISPATCH verify_endpoint_table;
extern const NDK_CONNECTOR_DISPATCH verify_connector_table;
extern const NDK_LISTENER_DISPATCH verify_listener_table;

struct verify_pd {
    struct verify_obj o;
    uint32_t privileged; /* token */
};

struct verify_cq {
    struct verify_obj o;
    struct verify_domain polling; /* get results and arm */
    struct verify_domain moderation;
    struct sn_a32 depth;
    struct sn_a32 bound; /* what all queues on it can complete together */
    NDK_FN_CQ_NOTIFICATION_CALLBACK notify;
    PVOID notify_ctx;
};

/* A QP on its way through a connection, as the consumer can know it. */
enum verify_link {
    VERIFY_LINK_NONE,       /* not given to a connector, or connecting failed */
    VERIFY_LINK_CONNECTING, /* given to one */
    VERIFY_LINK_CONNECTED,
    VERIFY_LINK_ENDED, /* the consumer disconnected or closed the connector */
};

struct verify_qp {
    struct verify_obj o;
    struct verify_pd *pd;
    struct verify_cq *receive_cq, *initiator_cq;
    struct verify_srq *srq; /* NULL: none */
    PVOID context;
    ULONG inline_max, sge_max, receive_sge_max;
    struct sn_a32 is_bound; /* its depths count in the `bound` of its CQs */
    struct sn_a32 link;     /* enum verify_link */
    struct sn_a32 is_sick;  /* flushed, failed, or told of a disconnect */
    struct sn_a32 is_flushed;
    struct sn_a32 outbound;     /* reads that may be in flight */
    struct sn_a32 is_deferring; /* the last initiator request was deferred */
    bool has_left;              /* requests were not collected when it was closed */
    ULONG silent_run;           /* silent requests since the last other one */
    struct verify_queue initiator, receive;
};

struct verify_srq {
    struct verify_obj o;
    struct verify_pd *pd;
    ULONG sge_max;
    struct sn_a32 depth;
    NDK_FN_SRQ_NOTIFICATION_CALLBACK notify;
    PVOID notify_ctx;
    struct verify_queue queue;
};

enum verify_mr_state {
    VERIFY_MR_NEW,
    VERIFY_MR_BUSY,       /* a call about it is pending */
    VERIFY_MR_REGISTERED, /* NdkRegisterMr */
    VERIFY_MR_READY,      /* initialised for fast registration, not registered */
    VERIFY_MR_FAST,       /* fast registered, as far as requests were posted */
};

struct verify_mr {
    struct verify_obj o;
    struct verify_pd *pd;
    bool is_fast;
    bool is_remote;        /* initialised for remote access */
    bool was_told_plainly; /* a peer invalidated it, in a completion without a Type */
    ULONG pages_max;
    enum verify_mr_state state; /* guarded by the adapter's lock, as all below */
    struct verify_token token;
    struct verify_runs runs;   /* of a fast registration */
    struct verify_qp *fast_qp; /* where it was registered, with a reference */
    struct sn_a32 windows;     /* bound ones */
};

struct verify_mw {
    struct verify_obj o;
    struct verify_pd *pd;
    bool was_told_plainly;     /* as of a region */
    struct verify_token token; /* is_valid: bound */
    struct verify_mr *mr;      /* with a reference; NULL: not bound */
};

enum verify_connector_state {
    VERIFY_CONN_NEW,
    VERIFY_CONN_EVENT,      /* from a connect event, nothing decided */
    VERIFY_CONN_CONNECTING, /* NdkConnect */
    VERIFY_CONN_ANSWERED,   /* NdkConnect succeeded */
    VERIFY_CONN_COMPLETING, /* NdkCompleteConnect */
    VERIFY_CONN_ACCEPTING,  /* NdkAccept */
    VERIFY_CONN_CONNECTED,
    VERIFY_CONN_DISCONNECTING, /* NdkDisconnect was called */
    VERIFY_CONN_REJECTED,
    VERIFY_CONN_FAILED, /* NdkAccept or NdkCompleteConnect failed */
};

struct verify_connector {
    struct verify_obj o;
    struct sn_a32 at;     /* enum verify_connector_state */
    struct verify_qp *qp; /* with a reference; NULL: none yet. Set once under the adapter's lock */
    ULONG outbound;
    NDK_FN_DISCONNECT_EVENT_CALLBACK disconnected;
    NDK_FN_DISCONNECT_EVENT_CALLBACK_EX disconnected_ex;
    PVOID disconnected_ctx;
};

struct verify_listener {
    struct verify_obj o;
    struct sn_a32 is_asked, is_listening;
    NDK_FN_CONNECT_EVENT_CALLBACK event;
    PVOID event_ctx;
};

struct verify_endpoint {
    struct verify_obj o;
};

/* The entry NdkClose... of all kinds. What the kind has to say when it is closed is in `closing` of
 * verify_close_hooks. */
NTSTATUS verify_close(NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion,
    PVOID RequestContext, NDK_FN_CLOSE_OBJECT lower, const char *call);
/* The entry NdkQueryExtension of all kinds. */
NTSTATUS verify_query_extension(NDK_OBJECT_HEADER *pNdkObject, GUID *ExtensionInterfaceID,
    NDK_VERSION ExtensionInterfaceVersion, NDK_EXTENSION_INTERFACE *pExtensionInterface);

/* What each kind looks at before its close goes on. */
void verify_qp_closing(struct verify_qp *q);
void verify_connector_closing(struct verify_connector *c);
void verify_mr_closing(struct verify_mr *m, const char *call);
void verify_mw_closing(struct verify_mw *w);
/* The QP completes nothing on its CQs any more. */
void verify_qp_unbind(struct verify_qp *q);
/* And after it has completed. */
void verify_qp_closed(struct verify_qp *q);

/* The routines that the provider calls in place of the consumer's; the context is the shadow. */
VOID verify_cq_notified(PVOID Context, NTSTATUS Status);
VOID verify_srq_notified(PVOID Context, NTSTATUS Status);
VOID verify_connect_event(PVOID Context, NDK_CONNECTOR *pNdkConnector);

/* N-P15. */
void verify_address(struct verify_obj *o, const SOCKADDR *address, ULONG length, const char *call);
/* N-P14: `buffer` with *length octets, in and out. */
void verify_in_out(struct verify_obj *o, const VOID *buffer, const ULONG *length, const char *call);
/* N-L13: `other` (which may be NULL) belongs to the adapter of `o`. */
void verify_one_adapter(struct verify_obj *o, const void *other, const char *call);
/* N-P9; true: sound. */
bool verify_mdl(struct verify_obj *o, const MDL *mdl, SIZE_T length, const char *call);
/* N-P12 and N-C10: requests that are outstanding and use memory that goes away: the region of
 * `token`, or if that is 0 the logical pages between start and end. */
void verify_memory_in_use(
    struct verify_obj *o, uint32_t token, uint64_t start, uint64_t end, const char *call);

/* A request is over and it is not known whether it took effect: what it names is not checked until
 * the next request settles it. Any thread. */
void verify_wr_uncertain(struct verify_qp *q, const struct verify_wr *wr);
/* The region or window that `token` names is not valid any more: a peer, or a read, invalidated it.
 * Any thread. */
void verify_invalidated(struct verify_adapter *a, uint32_t token, bool is_told_plainly);

#endif
