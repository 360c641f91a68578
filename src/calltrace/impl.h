/* SPDX-License-Identifier: MIT */
/* Inside the layer. A call holds a reference on the adapter until its line is written, since its
 * completion may end in the close of everything else. */
#ifndef SN_CALLTRACE_IMPL_H
#define SN_CALLTRACE_IMPL_H

#include "base/atomic.h"
#include "base/lock.h"
#include "ndk/layer.h"
#include "rnic/adapter.h"

enum { CT_KINDS = NdkObjectTypeMax, CT_LINE_OCTETS = 512 };

struct ct_table {
    const void *inner; /* NULL: none seen yet; guarded by ct_state.lock */
    void *outer[16];
};

/* One adapter. */
struct ct_state {
    int fd;
    bool is_own_fd;
    struct rnic_adapter *adapter;
    struct ct_obj *adapter_obj;
    struct sn_aptr orphans; /* routines of objects that could not be wrapped */
    struct sn_lock lock;    /* leaf */
    struct ct_table table[CT_KINDS];
};

/* An object, found in its NdkReserved. Freed when the object is gone. */
struct ct_obj {
    struct ct_state *s;
    const void *inner;
    NDK_OBJECT_TYPE type;
    uint32_t number; /* of its kind in this process, from 1 */
    struct sn_aptr routines;
    NDK_FN_CLOSE_COMPLETION close_fn;
    void *close_ctx;
};

typedef void ct_any_fn(void);

/* What a completion or an event needs: the consumer's routine, and what to call it in the log. */
struct ct_routine {
    struct ct_routine *next; /* in ct_obj.routines or ct_state.orphans */
    struct ct_state *s;
    ct_any_fn *fn;
    void *ctx;
    const char *entry;
    NDK_OBJECT_TYPE type;
    uint32_t number;          /* of the object it is about; 0: not known */
    struct ct_routine *event; /* of a create's completion: given to the new object; or NULL */
};

/* A line in the making. */
struct ct_line {
    struct ct_state *s;
    bool is_call; /* holds the adapter */
    size_t used;
    char text[CT_LINE_OCTETS];
};

/* What goes down in the place of a routine and its context; those themselves without memory for r.
 */
#define CT_FN(r, ours, theirs) ((r) != NULL ? (ours) : (theirs))
#define CT_CONTEXT(r, theirs)  ((r) != NULL ? (void *)(r) : (theirs))

/* ---- line.c ---- */

/* Opens what the variable names. False: `text` says why not. */
bool ct_output_open(const char *path, struct ct_state *s, char text[NDK_LAYER_TEXT]);
void ct_output_close(struct ct_state *s);

/* "entry(kind 3"; a line of a call, if is_call. */
void ct_begin(struct ct_line *l, const struct ct_obj *c, const char *entry);
/* The same for a callback. */
void ct_begin_callback(struct ct_line *l, const struct ct_routine *r);
void ct_add(struct ct_line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* ", name kind 3"; NULL: "name NULL". */
void ct_add_object(struct ct_line *l, const char *name, const void *object);
void ct_add_address(struct ct_line *l, const char *name, const SOCKADDR *address, ULONG length);
void ct_add_sgl(struct ct_line *l, const NDK_SGE *sgl, ULONG count);
/* ")" and the rest; writes the line. */
void ct_end(struct ct_line *l);
NTSTATUS ct_end_status(struct ct_line *l, NTSTATUS status);
/* A line that belongs to the one before. */
void ct_detail(struct ct_state *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *ct_kind_name(NDK_OBJECT_TYPE type);
/* "SUCCESS", or the number in hexadecimal in `room`. */
const char *ct_status_name(NTSTATUS status, char room[16]);

/* ---- done.c ---- */

/* For one completion: freed when it comes, or by ct_done_end. NULL: no memory, or no fn. */
struct ct_routine *ct_done_begin(
    const struct ct_obj *c, const char *entry, ct_any_fn *fn, void *ctx);
/* The call returned `status`: if nothing will be called, frees r. Returns status. */
NTSTATUS ct_done_end(struct ct_routine *r, NTSTATUS status);
/* For an event of `c` (may be NULL: ct_event_give follows): lives as long as the object. */
struct ct_routine *ct_event_begin(struct ct_state *s, const char *entry, ct_any_fn *fn, void *ctx);
void ct_event_give(struct ct_routine *r, struct ct_obj *c);
VOID ct_on_completed(PVOID routine, NTSTATUS status);
VOID ct_on_created(PVOID routine, NTSTATUS status, NDK_OBJECT_HEADER *object);
VOID ct_on_notified(PVOID routine, NTSTATUS status);
VOID ct_on_connect(PVOID routine, NDK_CONNECTOR *connector);
VOID ct_on_disconnect(PVOID routine);
VOID ct_on_disconnect_ex(PVOID routine, ULONG reason);

/* ---- layer.c ---- */
static inline struct ct_obj *ct_of(const void *object)
{
    return ((const struct ndk_object *)object)->Header.NdkReserved.rf[NDK_SLOT_CALLTRACE];
}

/* ---- the tables ---- */
void ct_adapter_table(void *table);
void ct_pd_table(void *table);
void ct_mr_table(void *table);
void ct_mw_table(void *table);
void ct_srq_table(void *table);
void ct_cq_table(void *table);
void ct_qp_table(void *table);
void ct_endpoint_table(void *table);
void ct_connector_table(void *table);
void ct_listener_table(void *table);

#endif
