/* SPDX-License-Identifier: MIT */
/* Failures of calls that do not pend, lost connections, completion queues that overrun. */
#include "chaos/impl.h"
#include "rnic/cq.h"
#include "rnic/qp_lane.h"

NTSTATUS chaos_fault(struct chaos_obj *c, enum chaos_entry entry)
{
    bool is_async = false;

    return chaos_faults_call(&c->s->faults, entry, c->id, chaos_count(c, entry), &is_async);
}

NTSTATUS chaos_before_post(struct chaos_obj *c, enum chaos_entry entry)
{
    bool is_async = false;
    uint32_t nth = chaos_count(c, entry);
    NTSTATUS fault = chaos_faults_call(&c->s->faults, entry, c->id, nth, &is_async);

    chaos_yield(c->s, chaos_decide(c->s->schedule, c->id, entry, nth).yields_before);
    return fault;
}

/* Inside the lane of the queue pair: what a reset by the network does. */
void chaos_lose(struct rnic_task *task, uint32_t todo)
{
    struct rnic_qp *qp = (struct rnic_qp *)(void *)task->obj;
    struct rnic_connector *connector = qp->connector;

    (void)todo;
    if (!qp->has_stream || qp->is_over)
        return;
    rnic_qp_abort(qp, SN_TIMED_OUT, true);
    if (connector != NULL)
        rnic_connector_on_ended(connector, SN_RESET, WIRE_OK);
}

NTSTATUS chaos_after_post(struct chaos_obj *c, NTSTATUS status)
{
    struct rnic_qp *qp = (struct rnic_qp *)(void *)c->o;
    uint32_t nth;

    if (!NT_SUCCESS(status) || !chaos_rules_have(&c->s->faults.rules, CHAOS_TARGET_DISCONNECT))
        return status;
    nth = sn_a32_fetch_add(&c->posted, 1) + 1;
    if (chaos_faults_event(&c->s->faults, CHAOS_TARGET_DISCONNECT, c->id, nth))
        rnic_task_post_home(qp->lane, &c->loss, 1);
    return status;
}

void chaos_after_poll(struct chaos_obj *c)
{
    struct rnic_cq *cq = (struct rnic_cq *)(void *)c->o;

    if (!chaos_rules_have(&c->s->faults.rules, CHAOS_TARGET_CQ_OVERRUN))
        return;
    if (chaos_faults_event(&c->s->faults, CHAOS_TARGET_CQ_OVERRUN, c->id, ++c->polls))
        rnic_cq_kill(cq, SN_CQ_OVERRUN);
}
