/* SPDX-License-Identifier: MIT */
/* An open adapter: its limits, lanes, STag table and objects. */
#ifndef SN_RNIC_ADAPTER_H
#define SN_RNIC_ADAPTER_H

#include "base/lock.h"
#include "iwarp/mpa_start.h"
#include "mem/mem.h"
#include "plat/plat.h"
#include "rnic/local.h"
#include "rnic/obj.h"

/* What is advertised, and kept. */
enum {
    RNIC_LANES_MAX = 16,
    RNIC_SGE_MAX = 32,            /* per send, write, read and receive */
    RNIC_QUEUE_DEPTH_MAX = 16384, /* per initiator, receive and shared receive queue */
    RNIC_CQ_DEPTH_MAX = 1 << 20,
    RNIC_INLINE_MAX = 1024,
    RNIC_READ_LIMIT_MAX = 128,   /* IRD and ORD per QP */
    RNIC_TRANSFER_MAX = 1 << 30, /* octets of one request */
    RNIC_REGIONS_MAX = 1 << 20,
    RNIC_FRMR_PAGES = 512,               /* the page count of NDK_ADAPTER_INFO: 2 MiB per region */
    RNIC_PENDING_CONNECTIONS_MAX = 1024, /* per listener, before the consumer saw them */
};

struct rnic_options {
    uint32_t if_index;         /* 0: any local address */
    struct iw_mpa_options mpa; /* ird_max, ord_max at most RNIC_READ_LIMIT_MAX */
    uint32_t payload_max;      /* octets of payload per FPDU; 0: from the MSS */
    bool rfc7306;
    bool allow_wildcard;         /* listen and connect on a wildcard local address */
    bool require_read_sink;      /* read sinks need MEM_READ_SINK */
    uint32_t lanes;              /* 0: automatic */
    uint32_t socket_buffer;      /* octets; 0: RNIC's default */
    uint32_t connect_timeout_ms; /* TCP */
    uint32_t mpa_timeout_ms;     /* each start-up frame */
    uint32_t disconnect_timeout_ms;
    uint32_t receive_wait_ms; /* how long a Send waits for a receive to be posted */
    uint32_t accept_quiet_ms; /* peer without RTR: accept completes after this much silence */
};
/* The defaults of every member. */
void rnic_options_init(struct rnic_options *o);

/* Counters of an adapter; any thread adds. What the data path counts is kept per lane: rnic/lane.h.
 */
struct rnic_counters {
    struct sn_a64 connects, accepts, connect_failures, connection_errors, active, cq_errors;
};

struct rnic_lane; /* rnic/lane.h */

struct rnic_adapter {
    struct rnic_obj obj;
    struct plat *plat;
    /* NULL, or what takes over the memory of objects that are gone, so that late uses of them can
     * be told: true, and frees it later by sn_free_aligned. Set before there are objects. */
    bool (*keep)(struct rnic_adapter *a, struct rnic_obj *o);
    struct rnic_options options;
    struct mem_table mem;
    struct rnic_lane *lanes[RNIC_LANES_MAX];
    uint32_t lanes_count;
    struct sn_a32 next_lane; /* round robin */
    struct sn_a32 next_id;   /* of PDs and QPs */
    struct rnic_counters counters;
    struct sn_lock lock;       /* rank SN_RANK_ADAPTER */
    struct sn_list objects;    /* guarded by lock: every object but the adapter */
    struct rnic_locals locals; /* guarded by lock: local addresses and ports in use */
};

/* `plat` outlives the adapter. SN_NO_MEMORY, SN_INVALID (options out of range). */
SN_MUST_CHECK enum sn_status rnic_adapter_create(
    struct plat *plat, const struct rnic_options *options, struct rnic_adapter **out);
/*
 * Blocks until every object is closed and every callback returned, then frees everything. Not
 * inside a lane, not in a callback of any adapter: SN_BAD_STATE then, and nothing happens.
 */
SN_MUST_CHECK enum sn_status rnic_adapter_close(struct rnic_adapter *a);
/* Drops a reference on the adapter and wakes who waits in rnic_adapter_close. */
void rnic_adapter_put(struct rnic_adapter *a, enum rnic_ref why);
struct rnic_lane *rnic_adapter_pick_lane(struct rnic_adapter *a);
/* SN_OK, or SN_ADDRESS_INVALID: not a local address of this adapter (or a wildcard without leave).
 */
SN_MUST_CHECK enum sn_status rnic_adapter_check_local(
    const struct rnic_adapter *a, const struct plat_addr *addr);

/* Calls visit for each object of `kind`, under adapter->lock: visit only copies. */
void rnic_adapter_each(struct rnic_adapter *a, enum rnic_kind kind,
    void (*visit)(void *ctx, struct rnic_obj *o), void *ctx);

#endif
