/* SPDX-License-Identifier: MIT */
/*
 * The public part of every object. struct rnic_obj begins with room for it, so an NDK_CQ and its
 * struct rnic_cq have one address, and this header is the only place that casts between them.
 *
 * A layer between provider and consumer (ndk/layer.h) may replace Dispatch and use NdkReserved of
 * any object: both are written when the object is published and never looked at again. [NDKPI
 * NDK_OBJECT_HEADER]
 */
#ifndef SN_NDK_OBJ_H
#define SN_NDK_OBJ_H

#include <ndkpi.h>

#include "ndk/layer.h"
#include "rnic/adapter.h"
#include "rnic/connector.h"
#include "rnic/cq.h"
#include "rnic/endpoint.h"
#include "rnic/listener.h"
#include "rnic/pd.h"
#include "rnic/qp.h"
#include "rnic/srq.h"

/* The version in operation, whatever version (that we know) was asked for. */
enum { NDK_MAJOR = 2, NDK_MINOR = 1 };

#define NDK_HAS_COMMON_SHAPE(type)                                                                 \
    _Static_assert(sizeof(type) == sizeof(struct ndk_object) &&                                    \
                       offsetof(type, Dispatch) == offsetof(struct ndk_object, Dispatch),          \
        #type " has the common shape")
NDK_HAS_COMMON_SHAPE(NDK_ADAPTER);
NDK_HAS_COMMON_SHAPE(NDK_PD);
NDK_HAS_COMMON_SHAPE(NDK_CQ);
NDK_HAS_COMMON_SHAPE(NDK_QP);
NDK_HAS_COMMON_SHAPE(NDK_MR);
NDK_HAS_COMMON_SHAPE(NDK_MW);
NDK_HAS_COMMON_SHAPE(NDK_SRQ);
NDK_HAS_COMMON_SHAPE(NDK_SHARED_ENDPOINT);
NDK_HAS_COMMON_SHAPE(NDK_CONNECTOR);
NDK_HAS_COMMON_SHAPE(NDK_LISTENER);
_Static_assert(sizeof(struct ndk_object) <= RNIC_BOUNDARY_OCTETS, "the public part has its room");
_Static_assert(offsetof(struct rnic_obj, boundary) == 0, "both layers have one address");

/* What the boundary keeps in an adapter, beside the public part. */
struct ndk_adapter {
    NDK_ADAPTER pub;
    struct plat *owned_plat;   /* destroyed after the close; NULL: somebody else's */
    struct ndk_layers *layers; /* NULL: none */
};
_Static_assert(sizeof(struct ndk_adapter) <= RNIC_BOUNDARY_OCTETS, "it fits into the boundary");

/* Writes header and table of a new object and shows it to the layers: after this it may be handed
 * to the consumer. No lock held. */
void ndk_obj_publish(struct rnic_obj *o, NDK_OBJECT_TYPE type, const VOID *dispatch);

/* Body of every close entry. A second close of an object is a bugcheck that names `function`.
 * [NDKPI NDK_FN_CLOSE_OBJECT] */
NTSTATUS ndk_obj_close(NDK_OBJECT_HEADER *pNdkObject, NDK_FN_CLOSE_COMPLETION CloseCompletion,
    PVOID RequestContext, const char *function);

/* The entry NdkQueryExtension of all ten tables: there are no extensions. */
NTSTATUS ndk_query_extension(NDK_OBJECT_HEADER *pNdkObject, GUID *ExtensionInterfaceID,
    NDK_VERSION ExtensionInterfaceVersion, NDK_EXTENSION_INTERFACE *pExtensionInterface);

/* Each writes the public part of a new object and returns it. */
NDK_CQ *ndk_cq_publish(struct rnic_cq *cq);
NDK_PD *ndk_pd_publish(struct rnic_pd *pd);
NDK_MR *ndk_mr_publish(struct rnic_mr *mr);
NDK_MW *ndk_mw_publish(struct rnic_mw *mw);
NDK_SRQ *ndk_srq_publish(struct rnic_srq *srq);
NDK_QP *ndk_qp_publish(struct rnic_qp *qp);
NDK_SHARED_ENDPOINT *ndk_endpoint_publish(struct rnic_endpoint *e);
NDK_CONNECTOR *ndk_connector_publish(struct rnic_connector *c);
NDK_LISTENER *ndk_listener_publish(struct rnic_listener *l);

/* ---- one object, two names ---- */

/* Any object of ours, by any of its names. */
static inline struct rnic_obj *ndk_obj_of(void *object)
{
    return object;
}
static inline struct rnic_adapter *ndk_adapter_to_rnic(NDK_ADAPTER *p)
{
    return (struct rnic_adapter *)(void *)p;
}
static inline struct rnic_pd *ndk_pd_to_rnic(NDK_PD *p)
{
    return (struct rnic_pd *)(void *)p;
}
static inline struct rnic_cq *ndk_cq_to_rnic(NDK_CQ *p)
{
    return (struct rnic_cq *)(void *)p;
}
static inline struct rnic_mr *ndk_mr_to_rnic(NDK_MR *p)
{
    return (struct rnic_mr *)(void *)p;
}
static inline struct rnic_mw *ndk_mw_to_rnic(NDK_MW *p)
{
    return (struct rnic_mw *)(void *)p;
}
static inline struct rnic_srq *ndk_srq_to_rnic(NDK_SRQ *p)
{
    return (struct rnic_srq *)(void *)p;
}
static inline struct rnic_qp *ndk_qp_to_rnic(NDK_QP *p)
{
    return (struct rnic_qp *)(void *)p;
}
static inline struct rnic_endpoint *ndk_endpoint_to_rnic(NDK_SHARED_ENDPOINT *p)
{
    return (struct rnic_endpoint *)(void *)p;
}
static inline struct rnic_connector *ndk_connector_to_rnic(NDK_CONNECTOR *p)
{
    return (struct rnic_connector *)(void *)p;
}
static inline struct rnic_listener *ndk_listener_to_rnic(NDK_LISTENER *p)
{
    return (struct rnic_listener *)(void *)p;
}

/* Two objects of ours belong to one adapter. */
static inline bool ndk_is_one_adapter(void *a, void *b)
{
    return ndk_obj_of(a)->adapter == ndk_obj_of(b)->adapter;
}
/* The profile that finds consumers which assume more than they may (softndk.h RequireReadSink). */
static inline bool ndk_is_strict(void *object)
{
    return ndk_obj_of(object)->adapter->options.require_read_sink;
}

#endif
