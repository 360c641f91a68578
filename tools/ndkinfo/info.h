/* SPDX-License-Identifier: MIT */
/* What ndkinfo shows, each part as text on stdout or as a JSON value. */
#ifndef TOOLS_NDKINFO_INFO_H
#define TOOLS_NDKINFO_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <ndkinfo.h>
#include <softndk.h>

#include "common/addr.h"

/* ---- Members of structures (members.c) ---- */

/* Every member of NDK_ADAPTER_INFO; flags by name. */
void info_print(const NDK_ADAPTER_INFO *info);
json_t *info_json(const NDK_ADAPTER_INFO *info);
void counters_print(const SOFTNDK_STATISTICS *s);
json_t *counters_json(const SOFTNDK_STATISTICS *s);

/* ---- Interfaces of the host, each of which an adapter can be opened on (interfaces.c) ---- */

void interfaces_print(void);
json_t *interfaces_json(void);
/* An index in digits or a name; false: this host has no such interface. "0": any. */
bool interface_index(const char *text, uint32_t *index);
/* The index of the interface that has this address; 0: none, or any. */
uint32_t interface_of(const SOCKADDR_INET *address);

/* ---- Connections and listeners of all processes (connections.c) ---- */
/*
 * An adapter lives in its process, and no process tells others about its adapters. What can be seen
 * from outside, through /proc: which processes have threads of an adapter, and which TCP sockets
 * these processes have. A socket that such a process has beside its adapter cannot be told apart.
 */
struct connection {
    SOCKADDR_INET local, foreign;
    bool is_listener;
    uint32_t interface;
    long pid;
};

struct connections {
    struct connection *entries;
    size_t count, room;
    unsigned hidden; /* processes with an adapter that may not be looked into */
};

/* Finds them. False: memory is short, or there is no /proc. */
bool connections_find(struct connections *c);
void connections_free(struct connections *c);
/* In the manner of netstat -x. */
void connections_print(const struct connections *c);
json_t *connections_json(const struct connections *c);

#endif
