/* SPDX-License-Identifier: MIT */
#include "controller.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    ADMIN_COMMANDS = 31, /* what every target takes */
    ADMIN_DATA_MAX = 4096,
    READY_POLL_MS = 10,
    CAP_TIMEOUT_UNIT_MS = 500,
    DATA_UNIT = 4096, /* of MDTS, with the page size that CC chose */
    BLOCK_SHIFT_MIN = 9,
    BLOCK_SHIFT_MAX = 16,
};

/* Who we are: a host has one name and identifier for all its connections, kept somewhere. */
static const char host_nqn[] =
    "nqn.2014-08.org.nvmexpress:uuid:6e646b00-0000-4000-8000-6e766d660001";
static const uint8_t host_id[16] = {
    0x6e, 0x64, 0x6b, 0, 0, 0, 0x40, 0, 0x80, 0, 0x6e, 0x76, 0x6d, 0x66, 0, 1};

bool fail(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    fputs("nvmf: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return false;
}

bool fail_queue(const struct queue *q, const char *doing)
{
    return fail("%s: queue %u is broken: %s (%s)", doing, q->id,
        q->broken_why == NULL ? "it was not connected" : q->broken_why,
        SoftNdkStatusName(q->broken));
}

/* ---- Commands ------------------------------------------------------------------------------ */

/* One command and its success. *result may be NULL. */
static bool execute(struct request *r, const struct nvme_command *command, enum transfer transfer,
    ULONG length, uint64_t *result, const char *name)
{
    if (!queue_execute(r, command, transfer, 0, length))
        return fail_queue(r->queue, name);
    if (r->status != 0)
        return fail("%s: the target answers with status 0x%03x, %s", name, r->status,
            nvme_status_text(r->status));
    if (result != NULL)
        *result = r->result;
    return true;
}

/* The same on the admin queue with what comes back copied, or without data (length 0). */
static bool admin(struct controller *c, const struct nvme_command *command, void *data,
    ULONG length, uint64_t *result, const char *name)
{
    struct request *r = queue_get(&c->admin);
    bool is_done;

    if (r == NULL)
        return fail("%s: no request is free", name);
    is_done = execute(
        r, command, length > 0 ? TRANSFER_FROM_TARGET : TRANSFER_NONE, length, result, name);
    if (is_done && length > 0)
        memcpy(data, r->data.p, length);
    queue_put(r);
    return is_done;
}

static struct nvme_command fabrics(uint8_t type)
{
    struct nvme_command command = {{0}};

    command.octets[NVME_OPCODE] = NVME_FABRICS;
    command.octets[NVMF_TYPE] = type;
    return command;
}

static bool property_get(struct controller *c, uint32_t property, uint64_t *value)
{
    struct nvme_command command = fabrics(NVMF_PROPERTY_GET);

    command.octets[NVMF_PROPERTY_SIZE] = property == NVME_CAP;
    put_le32(command.octets + NVMF_PROPERTY_OFFSET, property);
    return admin(c, &command, NULL, 0, value, "property get");
}

static bool property_set(struct controller *c, uint32_t property, uint32_t value)
{
    struct nvme_command command = fabrics(NVMF_PROPERTY_SET);

    put_le32(command.octets + NVMF_PROPERTY_OFFSET, property);
    put_le64(command.octets + NVMF_PROPERTY_VALUE, value);
    return admin(c, &command, NULL, 0, NULL, "property set");
}

static bool identify(struct controller *c, uint8_t what, uint32_t namespace_id, uint8_t *out)
{
    struct nvme_command command = {{0}};

    command.octets[NVME_OPCODE] = NVME_IDENTIFY;
    put_le32(command.octets + NVME_NSID, namespace_id);
    put_le32(command.octets + NVME_CDW10, what);
    return admin(c, &command, out, NVME_IDENTIFY_LEN, NULL, "identify");
}

struct nvme_command controller_io(
    const struct controller *c, uint8_t opcode, uint64_t lba, ULONG blocks)
{
    struct nvme_command command = {{0}};

    command.octets[NVME_OPCODE] = opcode;
    put_le32(command.octets + NVME_NSID, c->options.namespace_id);
    put_le64(command.octets + NVME_CDW10, lba);
    put_le32(command.octets + NVME_CDW12, blocks - 1);
    return command;
}

/* ---- Connecting ---------------------------------------------------------------------------- */

/* Fabrics Connect, the first command of every queue: makes the connection a queue of a controller,
 * on the admin queue of a new one. */
static bool connect_command(struct controller *c, struct queue *q, uint16_t controller)
{
    struct nvme_command command = fabrics(NVMF_CONNECT);
    struct request *r = queue_get(q);
    uint8_t *data;
    uint64_t result = 0;
    bool is_done;

    if (r == NULL)
        return fail("connect: no request is free");
    data = r->data.p;
    put_le16(command.octets + NVMF_CONNECT_QID, q->id);
    put_le16(command.octets + NVMF_CONNECT_SQSIZE, (uint16_t)(q->entries - 1));
    put_le32(command.octets + NVMF_CONNECT_KATO, 0); /* a short visit needs no keep-alive */
    memset(data, 0, NVMF_CONNECT_DATA_LEN);
    memcpy(data + NVMF_CONNECT_HOSTID, host_id, sizeof host_id);
    put_le16(data + NVMF_CONNECT_CNTLID, controller);
    memcpy(data + NVMF_CONNECT_SUBNQN, c->options.subsystem, strlen(c->options.subsystem));
    memcpy(data + NVMF_CONNECT_HOSTNQN, host_nqn, sizeof host_nqn);
    is_done =
        execute(r, &command, TRANSFER_TO_TARGET, NVMF_CONNECT_DATA_LEN, &result, "fabrics connect");
    queue_put(r);
    c->id = is_done ? (uint16_t)result : c->id;
    return is_done;
}

static bool open_queue(
    struct controller *c, struct queue *q, const struct queue_options *options, const char *name)
{
    NTSTATUS status = queue_open(c->host, q, &c->address, options);

    if (NT_SUCCESS(status))
        return true;
    if (queue_rejection(q) != NULL)
        return fail("the target rejects the %s queue: %s", name, queue_rejection(q));
    return fail("the %s queue cannot be connected: %s%s", name, SoftNdkStatusName(status),
        status == STATUS_CONNECTION_REFUSED ? "; does an NVMe target over iWARP listen there?"
                                            : "");
}

static void sleep_ms(LONG ms)
{
    LARGE_INTEGER interval = {.QuadPart = -(LONGLONG)ms * 10000};

    KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

/* Until bits of the status register are as they should be; the target says how long that may
 * take. */
static bool wait_for_status(struct controller *c, uint32_t mask, uint32_t wanted, const char *what)
{
    uint64_t status = 0, waited_ms = 0;
    uint64_t max_ms = (c->capabilities >> 24 & 0xff) * CAP_TIMEOUT_UNIT_MS + CAP_TIMEOUT_UNIT_MS;

    for (;; waited_ms += READY_POLL_MS) {
        if (!property_get(c, NVME_CSTS, &status))
            return false;
        if ((status & NVME_CSTS_FATAL) != 0)
            return fail("the controller says that it has failed");
        if ((status & mask) == wanted)
            return true;
        if (waited_ms > max_ms)
            return fail("the controller is not %s after %u ms", what, (unsigned)waited_ms);
        sleep_ms(READY_POLL_MS);
    }
}

static bool enable(struct controller *c)
{
    uint64_t version = 0;

    if (!property_get(c, NVME_CAP, &c->capabilities) || !property_get(c, NVME_VS, &version))
        return false;
    printf("controller %u: NVMe %u.%u, queues of up to %u entries\n", c->id,
        (unsigned)(version >> 16), (unsigned)(version >> 8 & 0xff),
        (unsigned)(c->capabilities & 0xffff) + 1);
    return property_set(c, NVME_CC, NVME_CC_ENTRY_SIZES | NVME_CC_ENABLE) &&
           wait_for_status(c, NVME_CSTS_READY, NVME_CSTS_READY, "ready");
}

/* ---- What the controller says -------------------------------------------------------------- */

/* Text of fixed length with blanks at its end; what is not printable becomes a question mark. */
static void copy_text(char *out, const uint8_t *text, size_t length)
{
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == 0))
        length--;
    for (size_t i = 0; i < length; i++)
        out[i] = text[i] >= ' ' && text[i] <= '~' ? (char)text[i] : '?';
    out[length] = 0;
}

static bool identify_controller(struct controller *c)
{
    uint8_t data[NVME_IDENTIFY_LEN] = {0};
    uint32_t sgls, capsule;
    uint64_t limit;

    if (!identify(c, NVME_CNS_CONTROLLER, 0, data))
        return false;
    copy_text(c->model, data + NVME_CTRL_MODEL, 40);
    copy_text(c->serial, data + NVME_CTRL_SERIAL, 20);
    sgls = get_le32(data + NVME_CTRL_SGLS);
    if ((sgls & NVME_SGLS_KEYED) == 0)
        return fail("the controller takes no keyed SGL");
    if (data[NVME_CTRL_MDTS] > 0 && data[NVME_CTRL_MDTS] < 16) {
        limit = (uint64_t)DATA_UNIT << data[NVME_CTRL_MDTS];
        if (c->options.data_max > limit)
            c->options.data_max = (ULONG)limit;
    }
    capsule = get_le32(data + NVME_CTRL_IOCCSZ);
    if (capsule > NVME_COMMAND_LEN / 16 && capsule < MAXULONG / 16 &&
        get_le16(data + NVME_CTRL_ICDOFF) == 0 && (sgls & NVME_SGLS_OFFSET) != 0)
        c->in_capsule_max = capsule * 16 - NVME_COMMAND_LEN;
    printf("  \"%s\", serial \"%s\"; %u octets in a command, %u in a capsule\n", c->model,
        c->serial, (unsigned)c->options.data_max, (unsigned)c->in_capsule_max);
    return true;
}

static bool identify_namespace(struct controller *c)
{
    uint8_t data[NVME_IDENTIFY_LEN] = {0};
    const uint8_t *format;
    uint8_t shift;

    if (!identify(c, NVME_CNS_NAMESPACE, c->options.namespace_id, data))
        return false;
    c->blocks = get_le64(data + NVME_NS_SIZE);
    if (c->blocks == 0) /* the answer for a namespace that is not there is all zeros */
        return fail("there is no namespace %u", (unsigned)c->options.namespace_id);
    format = data + NVME_NS_LBAF + 4 * (size_t)(data[NVME_NS_FLBAS] & 0xf);
    shift = format[NVME_NS_LBAF_LBADS];
    if (shift < BLOCK_SHIFT_MIN || shift > BLOCK_SHIFT_MAX)
        return fail(
            "namespace %u: blocks of 2^%u octets", (unsigned)c->options.namespace_id, shift);
    if (get_le16(format + NVME_NS_LBAF_MS) != 0)
        return fail("namespace %u has metadata, which this example leaves out",
            (unsigned)c->options.namespace_id);
    c->block_length = 1U << shift;
    if (c->options.data_max < c->block_length)
        return fail(
            "a block of %u octets is more than a command may move", (unsigned)c->block_length);
    printf("namespace %u: %llu blocks of %u octets\n", (unsigned)c->options.namespace_id,
        (unsigned long long)c->blocks, (unsigned)c->block_length);
    return true;
}

/* ---- Life of a controller ------------------------------------------------------------------ */

/* Asks for one I/O queue, connects it. */
static bool open_io(struct controller *c)
{
    struct nvme_command command = {{0}};
    struct queue_options options = {.id = 1,
        .controller = c->id,
        .data_max = c->options.data_max + PAGE_SIZE, /* so that data may begin anywhere in a page */
        .timeout_ms = c->options.timeout_ms,
        .wants_invalidate = c->options.wants_invalidate};
    unsigned commands_max = (unsigned)(c->capabilities & 0xffff); /* entries, less one */

    command.octets[NVME_OPCODE] = NVME_SET_FEATURES;
    put_le32(command.octets + NVME_CDW10, NVME_FEATURE_QUEUES);
    put_le32(command.octets + NVME_CDW11, 0); /* one of each kind, less one */
    if (!admin(c, &command, NULL, 0, NULL, "set features"))
        return false;
    options.commands =
        c->options.commands > commands_max ? (uint16_t)commands_max : c->options.commands;
    return open_queue(c, &c->io, &options, "I/O") && connect_command(c, &c->io, c->id);
}

bool controller_open(struct host *h, struct controller *c, const SOCKADDR_INET *to,
    const struct controller_options *options, bool *is_unreachable)
{
    struct queue_options queue = {.id = 0,
        .commands = ADMIN_COMMANDS,
        .data_max = ADMIN_DATA_MAX,
        .timeout_ms = options->timeout_ms,
        .wants_invalidate = options->wants_invalidate};

    memset(c, 0, sizeof *c);
    c->host = h;
    c->address = *to;
    c->options = *options;
    *is_unreachable = !open_queue(c, &c->admin, &queue, "admin");
    if (*is_unreachable)
        return false;
    if (connect_command(c, &c->admin, NVMF_CNTLID_ANY) && enable(c) && identify_controller(c) &&
        identify_namespace(c) && open_io(c))
        return true;
    controller_close(c, false);
    return false;
}

bool controller_close(struct controller *c, bool gracefully)
{
    NTSTATUS io = queue_close(&c->io, gracefully), admin_queue;
    bool is_right = true;

    if (!gracefully) {
        queue_close(&c->admin, false);
        return true;
    }
    if (!NT_SUCCESS(io))
        is_right = fail("the I/O queue did not disconnect: %s", SoftNdkStatusName(io));
    /* Nobody uses the controller any more: it may write back what it holds. */
    if (!property_set(c, NVME_CC, NVME_CC_ENTRY_SIZES | NVME_CC_ENABLE | NVME_CC_SHUTDOWN) ||
        !wait_for_status(c, NVME_CSTS_SHUTDOWN_MASK, NVME_CSTS_SHUTDOWN_DONE, "shut down")) {
        queue_close(&c->admin, false);
        return false;
    }
    admin_queue = queue_close(&c->admin, true);
    if (!NT_SUCCESS(admin_queue))
        is_right = fail("the admin queue did not disconnect: %s", SoftNdkStatusName(admin_queue));
    return is_right;
}
