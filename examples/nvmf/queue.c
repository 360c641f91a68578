/* SPDX-License-Identifier: MIT */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

enum {
    TAKE_MAX = 16,
    MS_100NS = 10000,
    /* The target may size its own queues by what we say about ours, as nvmet does: with a few
     * entries it had no room for the RDMA Writes of a long read, and waited for ever. */
    ENTRIES_MIN = 32,
};

/* ---- Opening and closing ------------------------------------------------------------------- */

static ULONG answers_at(const struct queue *q)
{
    return (ULONG)q->commands * NVME_COMMAND_LEN;
}

/* A receive's context is the place of its answer, counted from 0. */
static NTSTATUS post_receive(struct queue *q, ULONG index)
{
    NDK_SGE sge =
        messages_sge(&q->messages, answers_at(q) + index * NVME_ANSWER_LEN, NVME_ANSWER_LEN);
    NTSTATUS status =
        q->link.qp->Dispatch->NdkReceive(q->link.qp, (PVOID)(ULONG_PTR)index, &sge, 1);

    q->posted += NT_SUCCESS(status);
    return status;
}

static NTSTATUS open_requests(struct queue *q)
{
    NTSTATUS status =
        messages_open(q->host, &q->messages, answers_at(q) + (ULONG)q->entries * NVME_ANSWER_LEN);

    q->requests = calloc(q->commands, sizeof *q->requests);
    if (q->requests == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (uint16_t i = 0; NT_SUCCESS(status) && i < q->commands; i++) {
        struct request *r = &q->requests[i];

        r->queue = q;
        r->cid = i;
        r->capsule = (ULONG)i * NVME_COMMAND_LEN;
        status = data_open(q->host, &r->data, q->data_max);
    }
    return status;
}

static NTSTATUS connect_queue(
    struct queue *q, const SOCKADDR_INET *to, const struct queue_options *options)
{
    uint8_t private_data[NVMF_CM_LEN] = {0};

    put_le16(private_data + NVMF_CM_QID, q->id);
    put_le16(private_data + NVMF_CM_HRQSIZE, q->entries);
    put_le16(private_data + NVMF_CM_HSQSIZE, (uint16_t)(q->entries - 1));
    put_le16(private_data + NVMF_CM_CNTLID, options->controller);
    return link_connect(
        &q->link, to, q->host->info.MaxInboundReadLimit, private_data, sizeof private_data);
}

NTSTATUS queue_open(
    struct host *h, struct queue *q, const SOCKADDR_INET *to, const struct queue_options *options)
{
    NTSTATUS status;

    memset(q, 0, sizeof *q);
    q->host = h;
    q->id = options->id;
    q->commands = options->commands;
    q->entries = options->commands < ENTRIES_MIN ? ENTRIES_MIN : (uint16_t)(options->commands + 1);
    q->data_max = options->data_max;
    q->timeout_ms = options->timeout_ms;
    q->wants_invalidate = options->wants_invalidate;
    /* Each command is at most a fast registration, a Send and an invalidation. */
    status = link_open(h, &q->link, q->entries, 3 * (ULONG)q->commands);
    if (NT_SUCCESS(status))
        status = open_requests(q);
    /* Receives first: the answer must find one, whenever it comes. */
    for (ULONG i = 0; NT_SUCCESS(status) && i < q->entries; i++)
        status = post_receive(q, i);
    if (NT_SUCCESS(status))
        status = connect_queue(q, to, options);
    if (!NT_SUCCESS(status))
        queue_close(q, false);
    return status;
}

const char *queue_rejection(const struct queue *q)
{
    static const char *const why[] = {"invalid length", "invalid format", "invalid queue",
        "invalid HSQSIZE", "invalid HRQSIZE", "no resources", "invalid IRD", "invalid ORD"};
    uint16_t status = get_le16(q->link.reply + NVMF_CM_REJECT_STATUS);

    if (q->link.reply_length < NVMF_CM_REJECT_LEN || status == 0 ||
        status > sizeof why / sizeof why[0])
        return NULL;
    return why[status - 1];
}

/* Takes completions. Each counts as one of what was posted; only a fast registration is silent, and
 * has reported, if it had to, when the Send behind it does. */
static ULONG take(struct queue *q, NDK_RESULT_EX results[TAKE_MAX])
{
    ULONG n = link_take(&q->link, results, TAKE_MAX);

    for (ULONG i = 0; i < n; i++)
        q->posted -= results[i].Type != NdkOperationTypeFastRegister && q->posted > 0;
    return n;
}

/* Ends what is posted, and waits until all of it has reported: nothing is left for the closes to
 * cut off. */
static void collect(struct queue *q)
{
    ULONGLONG began = KeQueryInterruptTime();
    NDK_RESULT_EX results[TAKE_MAX];

    if (q->posted > 0)
        q->link.qp->Dispatch->NdkFlush(q->link.qp);
    while (q->posted > 0 && KeQueryInterruptTime() - began < (ULONGLONG)q->timeout_ms * MS_100NS)
        take(q, results);
}

NTSTATUS queue_close(struct queue *q, bool gracefully)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (gracefully && NT_SUCCESS(q->broken))
        status = link_disconnect(&q->link);
    collect(q);
    link_close(&q->link); /* from here on nobody touches the memory */
    for (uint16_t i = 0; q->requests != NULL && i < q->commands; i++)
        data_close(q->host, &q->requests[i].data);
    free(q->requests);
    q->requests = NULL;
    messages_close(&q->messages);
    return status;
}

/* ---- Submission ---------------------------------------------------------------------------- */

/* The queue is of no more use; false, for callers that say so. */
static bool give_up(struct queue *q, NTSTATUS status, const char *why)
{
    if (NT_SUCCESS(q->broken)) {
        q->broken = status;
        q->broken_why = why;
    }
    return false;
}

struct request *queue_get(struct queue *q)
{
    for (uint16_t i = 0; i < q->commands; i++) {
        struct request *r = &q->requests[i];

        if (!r->is_taken) {
            r->is_taken = true;
            return r;
        }
    }
    return NULL;
}

void queue_put(struct request *r)
{
    r->is_taken = false;
}

static void put_sgl(uint8_t *sgl, uint64_t address, ULONG length, uint32_t key, uint8_t type)
{
    put_le64(sgl + NVME_SGL_ADDRESS, address);
    put_le32(sgl + NVME_SGL_LENGTH, length);
    if (type != NVME_SGL_IN_CAPSULE) /* the length's upper octet is the key's lowest */
        put_le32(sgl + NVME_SGL_KEY, key);
    sgl[NVME_SGL_TYPE] = type;
}

/* The command's memory, as the command says it and as the adapter knows it. */
static NTSTATUS give_memory(struct request *r, enum transfer transfer, ULONG at, ULONG length)
{
    struct queue *q = r->queue;
    uint8_t *sgl = q->messages.p + r->capsule + NVME_SGL;
    ULONG rights = transfer == TRANSFER_TO_TARGET ? NDK_OP_FLAG_ALLOW_REMOTE_READ
                                                  : NDK_OP_FLAG_ALLOW_REMOTE_WRITE;
    NTSTATUS status;

    switch (transfer) {
    case TRANSFER_NONE:
        put_sgl(sgl, 0, 0, 0, NVME_SGL_KEYED);
        return STATUS_SUCCESS;
    case TRANSFER_IN_CAPSULE:
        put_sgl(sgl, 0, length, 0, NVME_SGL_IN_CAPSULE);
        return STATUS_SUCCESS;
    case TRANSFER_TO_TARGET:
    case TRANSFER_FROM_TARGET:
        break;
    }
    put_sgl(sgl, (uint64_t)(ULONG_PTR)(r->data.p + at), length, r->data.remote,
        q->wants_invalidate ? NVME_SGL_KEYED_INVALIDATE : NVME_SGL_KEYED);
    /* In force before the Send that follows leaves, without a fence. Its success is not worth a
     * completion, and DEFER lets both go to the adapter at once. */
    status = data_register(&r->data, q->link.qp, r, at, length,
        rights | NDK_OP_FLAG_SILENT_SUCCESS | NDK_OP_FLAG_DEFER);
    r->is_registered = NT_SUCCESS(status);
    return status;
}

bool queue_submit(struct request *r, const struct nvme_command *command, enum transfer transfer,
    ULONG at, ULONG length)
{
    struct queue *q = r->queue;
    uint8_t *octets = q->messages.p + r->capsule;
    NDK_SGE sgl[LINK_SGE_MAX];
    ULONG count = 1;
    NTSTATUS status;

    if (!NT_SUCCESS(q->broken))
        return false;
    if (at > r->data.length || length > r->data.length - at || length > NVME_SGL_KEYED_MAX)
        return give_up(q, STATUS_INVALID_PARAMETER, "the command's data");
    memcpy(octets, command->octets, NVME_COMMAND_LEN);
    octets[NVME_FLAGS] = NVME_FLAGS_SGL;
    put_le16(octets + NVME_CID, r->cid);
    r->is_sent = r->is_answered = r->is_registered = false;
    sgl[0] = messages_sge(&q->messages, r->capsule, NVME_COMMAND_LEN);
    if (transfer == TRANSFER_IN_CAPSULE) {
        ULONG pieces = data_sgl(q->host, &r->data, at, length, sgl + 1, LINK_SGE_MAX - 1);

        if (pieces == 0)
            return give_up(q, STATUS_INVALID_PARAMETER, "in-capsule data");
        count += pieces;
    }
    status = give_memory(r, transfer, at, length);
    if (!NT_SUCCESS(status))
        return give_up(q, status, "fast registration");
    status = q->link.qp->Dispatch->NdkSend(q->link.qp, r, sgl, count, 0);
    q->posted += NT_SUCCESS(status);
    return NT_SUCCESS(status) || give_up(q, status, "sending the command");
}

/* ---- Completion ---------------------------------------------------------------------------- */

static bool is_finished(const struct request *r)
{
    return r->is_taken && r->is_sent && r->is_answered && !r->is_registered;
}

/* The answer came without an invalidation: nothing but our own request takes the right away. */
static NTSTATUS take_back(struct request *r)
{
    struct queue *q = r->queue;
    NTSTATUS status = q->link.qp->Dispatch->NdkInvalidate(q->link.qp, r, &r->data.mr->Header, 0);

    q->locally_invalidated++;
    q->posted += NT_SUCCESS(status);
    return status;
}

/* A receive has completed. The request that it answers; NULL: the queue is broken. */
static struct request *on_answer(struct queue *q, const NDK_RESULT_EX *result)
{
    ULONG index = (ULONG)(ULONG_PTR)result->RequestContext;
    const uint8_t *answer = q->messages.p + answers_at(q) + index * NVME_ANSWER_LEN;
    uint16_t cid = get_le16(answer + NVME_ANSWER_CID);
    struct request *r;
    NTSTATUS status;

    /* What the target says is looked at before it is used. */
    if (result->BytesTransferred != NVME_ANSWER_LEN || cid >= q->commands ||
        !q->requests[cid].is_taken || q->requests[cid].is_answered) {
        give_up(q, STATUS_INVALID_DEVICE_REQUEST, "an answer to no command");
        return NULL;
    }
    r = &q->requests[cid];
    r->is_answered = true;
    r->result = get_le64(answer + NVME_ANSWER_RESULT);
    r->status = (get_le16(answer + NVME_ANSWER_STATUS) >> 1) & NVME_STATUS_MASK;
    status = post_receive(q, index);
    if (!NT_SUCCESS(status)) {
        give_up(q, status, "posting a receive");
        return NULL;
    }
    if (result->Type != NdkOperationTypeReceiveAndInvalidate) {
        status = r->is_registered ? take_back(r) : STATUS_SUCCESS;
        if (!NT_SUCCESS(status))
            give_up(q, status, "invalidation");
    } else if (!r->is_registered || !q->wants_invalidate ||
               result->TypeSpecificCompletionOutput != r->data.remote) {
        /* It has taken away a region that is not this command's. */
        give_up(q, STATUS_INVALID_DEVICE_REQUEST, "the target invalidated something else");
    } else {
        r->is_registered = false;
        q->remotely_invalidated++;
    }
    return NT_SUCCESS(q->broken) ? r : NULL;
}

static void on_completion(struct queue *q, const NDK_RESULT_EX *result)
{
    struct request *r = result->RequestContext;

    if (!NT_SUCCESS(result->Status)) {
        give_up(q, result->Status,
            result->Status == STATUS_CANCELLED ? "the connection ended" : "a request failed");
        return;
    }
    switch (result->Type) {
    case NdkOperationTypeReceive:
    case NdkOperationTypeReceiveAndInvalidate:
        on_answer(q, result);
        break;
    case NdkOperationTypeSend:
        r->is_sent = true;
        break;
    case NdkOperationTypeInvalidate:
        r->is_registered = false;
        break;
    case NdkOperationTypeFastRegister:
    case NdkOperationTypeBind:
    case NdkOperationTypeRead:
    case NdkOperationTypeWrite:
        give_up(q, STATUS_INTERNAL_ERROR, "a completion of nothing that was asked");
        break;
    }
}

struct request *queue_next(struct queue *q)
{
    ULONGLONG began = KeQueryInterruptTime();
    NDK_RESULT_EX results[TAKE_MAX];

    while (NT_SUCCESS(q->broken)) {
        ULONG n;
        bool is_over;

        for (uint16_t i = 0; i < q->commands; i++) {
            struct request *r = &q->requests[i];

            if (is_finished(r)) {
                r->is_sent = false; /* given out once */
                return r;
            }
        }
        is_over = ReadAcquire(&q->link.is_over) != 0; /* before: what came earlier is taken */
        n = take(q, results);
        for (ULONG i = 0; i < n; i++)
            on_completion(q, &results[i]);
        if (n == 0 && is_over)
            give_up(q, STATUS_CONNECTION_DISCONNECTED, "the target ended the connection");
        else if (n == 0 && KeQueryInterruptTime() - began > (ULONGLONG)q->timeout_ms * MS_100NS)
            give_up(q, STATUS_IO_TIMEOUT, "the target does not answer");
    }
    return NULL;
}

bool queue_execute(struct request *r, const struct nvme_command *command, enum transfer transfer,
    ULONG at, ULONG length)
{
    struct request *done = NULL;

    if (queue_submit(r, command, transfer, at, length))
        done = queue_next(r->queue);
    return done == r;
}

bool queue_prove_invalid(struct request *r)
{
    struct queue *q = r->queue;
    ULONGLONG began = KeQueryInterruptTime();
    NDK_RESULT_EX results[TAKE_MAX];
    NTSTATUS status = NT_SUCCESS(q->broken) ? take_back(r) : q->broken;

    if (!NT_SUCCESS(status))
        return false;
    give_up(q, STATUS_CANCELLED, "it was given up for a proof");
    while (KeQueryInterruptTime() - began < (ULONGLONG)q->timeout_ms * MS_100NS) {
        ULONG n = take(q, results);

        for (ULONG i = 0; i < n; i++) {
            if (results[i].Type == NdkOperationTypeInvalidate)
                return results[i].RequestContext == r && !NT_SUCCESS(results[i].Status);
        }
    }
    return false;
}

const char *nvme_status_text(uint16_t status)
{
    static const struct {
        uint16_t status;
        const char *text;
    } table[] = {
        {0x000, "success"},
        {0x001, "invalid opcode"},
        {0x002, "invalid field in command"},
        {0x004, "data transfer error"},
        {0x006, "internal error"},
        {NVME_STATUS_BAD_NAMESPACE, "invalid namespace"},
        {0x00d, "invalid SGL segment descriptor"},
        {0x00f, "invalid data SGL length"},
        {0x011, "invalid SGL descriptor type"},
        {NVME_STATUS_LBA_RANGE, "LBA out of range"},
        {0x081, "capacity exceeded"},
        {0x180, "connect: incompatible format"},
        {0x181, "connect: the controller is busy"},
        {0x182, "connect: invalid parameters"},
        {0x184, "connect: this host may not"},
        {0x300, "internal path error"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == status)
            return table[i].text;
    }
    return "status not known here";
}
