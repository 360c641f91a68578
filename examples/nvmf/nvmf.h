/* SPDX-License-Identifier: MIT */
/*
 * What goes over the wire, as far as this example needs it: NVMe commands and answers, the fabrics
 * commands, the private data with which an NVMe RDMA connection is asked for. All numbers are
 * little-endian; they are put and taken by octet, so that neither alignment nor the byte order of
 * the host matters. The specifications are NVM Express Base (commands, Identify), NVMe over Fabrics
 * (Connect, properties) and NVMe RDMA Transport (private data, keyed SGLs).
 */
#ifndef NVMF_H
#define NVMF_H

#include <stdbool.h>
#include <stdint.h>

static inline void put_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
    put_le16(p, (uint16_t)v);
    put_le16(p + 2, (uint16_t)(v >> 16));
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
    put_le32(p, (uint32_t)v);
    put_le32(p + 4, (uint32_t)(v >> 32));
}

static inline uint16_t get_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *p)
{
    return get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

static inline uint64_t get_le64(const uint8_t *p)
{
    return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

/* ---- Private data of a connection ---------------------------------------------------------- */

enum {
    NVMF_CM_LEN = 32,    /* of a request and of the reply; the rest of it is reserved */
    NVMF_CM_RECFMT = 0,  /* le16: format, 0 */
    NVMF_CM_QID = 2,     /* le16: 0 is the admin queue, the others are I/O queues */
    NVMF_CM_HRQSIZE = 4, /* le16: receives that we post */
    NVMF_CM_HSQSIZE = 6, /* le16: entries of the submission queue, less one */
    NVMF_CM_CNTLID = 8,  /* le16: I/O queues: of which controller */
    NVMF_CM_REJECT_LEN = 4,
    NVMF_CM_REJECT_STATUS = 2, /* le16: why the target rejects the connection */
};

/* ---- Commands ------------------------------------------------------------------------------ */

/* A command is 64 octets, the capsule is the command and perhaps data behind it. */
enum {
    NVME_COMMAND_LEN = 64,
    NVME_OPCODE = 0,
    NVME_FLAGS = 1, /* NVME_FLAGS_SGL */
    NVME_CID = 2,   /* le16: comes back in the answer */
    NVME_NSID = 4,  /* le32; fabrics commands have their type here */
    NVME_SGL = 24,  /* 16 octets: where the data is */
    NVME_CDW10 = 40,
    NVME_CDW11 = 44,
    NVME_CDW12 = 48,

    NVME_FLAGS_SGL = 0x40, /* the data pointer is an SGL; always so on fabrics */
};

struct nvme_command {
    uint8_t octets[NVME_COMMAND_LEN];
};

enum {
    NVME_FLUSH = 0x00, /* I/O queues */
    NVME_WRITE = 0x01,
    NVME_READ = 0x02,

    NVME_IDENTIFY = 0x06, /* admin queue */
    NVME_SET_FEATURES = 0x09,
    NVME_FABRICS = 0x7f,

    NVMF_PROPERTY_SET = 0x00, /* types of fabrics commands */
    NVMF_CONNECT = 0x01,
    NVMF_PROPERTY_GET = 0x04,

    NVME_FEATURE_QUEUES = 0x07,
    NVME_CNS_NAMESPACE = 0,
    NVME_CNS_CONTROLLER = 1,
};

/* An SGL descriptor: 8 octets of address, then length, key, and the type in the last octet. */
enum {
    NVME_SGL_ADDRESS = 0,             /* le64; in-capsule data: offset behind the command */
    NVME_SGL_LENGTH = 8,              /* le32; keyed: 24 bits, so that the key has room */
    NVME_SGL_KEY = 11,                /* le32: the token of the memory region */
    NVME_SGL_TYPE = 15,               /* one of: */
    NVME_SGL_IN_CAPSULE = 0x01,       /* data block, address is an offset */
    NVME_SGL_KEYED = 0x40,            /* keyed data block */
    NVME_SGL_KEYED_INVALIDATE = 0x4f, /* the same; the target is asked to invalidate the key */
    NVME_SGL_KEYED_MAX = 0xffffff,
};

/* Fabrics commands have fields of their own behind the SGL. */
enum {
    NVMF_TYPE = 4, /* octet */

    NVMF_CONNECT_QID = 42,    /* le16 */
    NVMF_CONNECT_SQSIZE = 44, /* le16, less one */
    NVMF_CONNECT_KATO = 48,   /* le32: keep-alive time-out in ms, 0: none */

    NVMF_CONNECT_DATA_LEN = 1024,
    NVMF_CONNECT_HOSTID = 0,   /* 16 octets */
    NVMF_CONNECT_CNTLID = 16,  /* le16; 0xffff on the admin queue: any */
    NVMF_CONNECT_SUBNQN = 256, /* 256 octets each, ended by a zero */
    NVMF_CONNECT_HOSTNQN = 512,
    NVMF_NQN_MAX = 223,
    NVMF_CNTLID_ANY = 0xffff,

    NVMF_PROPERTY_SIZE = 40, /* octet: 0: four octets, 1: eight */
    NVMF_PROPERTY_OFFSET = 44,
    NVMF_PROPERTY_VALUE = 48, /* le64 */
};

/* ---- Answers ------------------------------------------------------------------------------- */

enum {
    NVME_ANSWER_LEN = 16,
    NVME_ANSWER_RESULT = 0, /* le64 */
    NVME_ANSWER_CID = 12,
    NVME_ANSWER_STATUS = 14, /* le16; bit 0 is not part of the status */

    /* Type in bits 8 to 10, code below. */
    NVME_STATUS_MASK = 0x7ff,
    NVME_STATUS_BAD_NAMESPACE = 0x00b,
    NVME_STATUS_LBA_RANGE = 0x080,
};

/* ---- Properties: what are registers on PCI Express ----------------------------------------- */

enum {
    NVME_CAP = 0x00, /* eight octets */
    NVME_VS = 0x08,
    NVME_CC = 0x14,
    NVME_CSTS = 0x1c,

    NVME_CC_ENABLE = 1,
    NVME_CC_SHUTDOWN = 1 << 14,
    NVME_CC_ENTRY_SIZES = 6 << 16 | 4 << 20, /* 64 and 16 octets, as powers of two */
    NVME_CSTS_READY = 1,
    NVME_CSTS_FATAL = 2,
    NVME_CSTS_SHUTDOWN_MASK = 3 << 2,
    NVME_CSTS_SHUTDOWN_DONE = 2 << 2,
};

/* ---- Identify ------------------------------------------------------------------------------ */

enum {
    NVME_IDENTIFY_LEN = 4096,

    NVME_CTRL_SERIAL = 4, /* 20 octets, blanks at the end */
    NVME_CTRL_MODEL = 24, /* 40 octets */
    NVME_CTRL_FIRMWARE = 64,
    NVME_CTRL_MDTS = 77,     /* octet: most data of a command, 4 KiB << MDTS; 0: no limit */
    NVME_CTRL_MAXCMD = 514,  /* le16: most commands in a queue */
    NVME_CTRL_SGLS = 536,    /* le32 */
    NVME_CTRL_IOCCSZ = 1792, /* le32: largest capsule, in units of 16 octets */
    NVME_CTRL_ICDOFF = 1800, /* le16: in-capsule data begins so far behind the command, as above */

    NVME_SGLS_KEYED = 1 << 2,
    NVME_SGLS_OFFSET = 1 << 20, /* in-capsule data may be named by its offset */

    NVME_NS_SIZE = 0, /* le64: blocks */
    NVME_NS_FLBAS = 26,
    NVME_NS_LBAF = 128,     /* le32 each, 16 of them: */
    NVME_NS_LBAF_MS = 0,    /* le16: metadata of a block */
    NVME_NS_LBAF_LBADS = 2, /* octet: block size as a power of two */
};

#endif
