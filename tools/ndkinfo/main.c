/* SPDX-License-Identifier: MIT */
/* ndkinfo: what an adapter can do, and who uses one. */
#include <stdio.h>
#include <string.h>

#include "common/args.h"
#include "common/ndk_sync.h"
#include "common/tool.h"
#include "ndkinfo/info.h"

static const char help[] =
    "usage: ndkinfo [--if INDEX|NAME] [--json]\n"
    "       ndkinfo -x [--json]\n"
    "\n"
    "Lists the interfaces that an adapter can be opened on, every member of NDK_ADAPTER_INFO of "
    "one\n"
    "of them, the connections of this host, and the adapter's counters.\n"
    "\n"
    "  --if INDEX|NAME   open the adapter on this interface (default 0: any local address)\n"
    "  -x                connections and listeners alone, in the manner of netstat -x\n"
    "  --json            the same as one JSON object\n"
    "  --version, --help\n"
    "\n"
    "Connections are the TCP sockets of processes that have an adapter open, as /proc shows them;\n"
    "other TCP sockets of such a process cannot be told apart and are listed too. Counters are "
    "those\n"
    "of the adapter that ndkinfo itself has opened: each process counts for itself.\n"
    "\n"
    "Exit status: 0 done; 1 something could not be found out; 2 usage; 3 no adapter.\n"
    "\n"
    "Examples:\n"
    "  ndkinfo\n"
    "  ndkinfo --if lo --json\n"
    "  ndkinfo -x\n";

static int print_json(json_t *object)
{
    int rc = json_dumpf(object, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF
                 ? TOOL_DONE
                 : tool_fail(TOOL_FAILED, "the output could not be written");

    json_decref(object);
    return rc;
}

static int show_connections(bool is_json)
{
    struct connections c;
    int rc = TOOL_DONE;

    if (!connections_find(&c)) {
        connections_free(&c);
        return tool_fail(TOOL_FAILED, "cannot read /proc");
    }
    if (is_json)
        rc = print_json(json_pack(
            "{s:s,s:o}", "version", SoftNdkVersionString(), "connections", connections_json(&c)));
    else
        connections_print(&c);
    connections_free(&c);
    return rc;
}

static int show_all(const struct ndk_host *h, uint32_t interface, bool is_json)
{
    SOFTNDK_STATISTICS counters = {.Size = sizeof counters};
    struct connections c;
    NTSTATUS status = SoftNdkQueryStatistics(h->adapter, &counters);
    int rc = TOOL_DONE;

    if (!NT_SUCCESS(status))
        return tool_fail(TOOL_FAILED, "no counters: %s", SoftNdkStatusName(status));
    if (!connections_find(&c)) {
        connections_free(&c);
        return tool_fail(TOOL_FAILED, "cannot read /proc");
    }
    if (is_json) {
        rc = print_json(
            json_pack("{s:s,s:o,s:i,s:o,s:o,s:o}", "version", SoftNdkVersionString(), "interfaces",
                interfaces_json(), "ifindex", (int)interface, "adapter", info_json(&h->info),
                "connections", connections_json(&c), "counters", counters_json(&counters)));
    } else {
        printf("softndk %s\n\nInterfaces\n", SoftNdkVersionString());
        interfaces_print();
        printf("\nAdapter on interface %u\n", (unsigned)interface);
        info_print(&h->info);
        printf("\n");
        connections_print(&c);
        printf("\nCounters of this adapter\n");
        counters_print(&counters);
    }
    connections_free(&c);
    return rc;
}

int main(int argc, char **argv)
{
    bool is_json = false, is_x = false;
    const char *name = "0";
    const struct args_option options[] = {
        {"-x -xan", ARGS_FLAG, &is_x, 0, 0, NULL},
        {"--json", ARGS_FLAG, &is_json, 0, 0, NULL},
        {"--if", ARGS_TEXT, &name, 0, 0, NULL},
    };
    struct args_result result;
    struct ndk_host host;
    uint32_t interface;
    NTSTATUS status;
    int rc;

    tool_start("ndkinfo");
    if (!args_parse(options, sizeof options / sizeof options[0], argc, argv, &result))
        return tool_fail(TOOL_USAGE, "%s", result.error);
    if (result.wants_help) {
        fputs(help, stdout);
        return TOOL_DONE;
    }
    if (result.wants_version) {
        printf("ndkinfo %s\n", SOFTNDK_TOOL_VERSION);
        return TOOL_DONE;
    }
    if (result.rest_count > 0)
        return tool_fail(
            TOOL_USAGE, "'%s' is one argument too many; --help shows the usage", result.rest[0]);
    if (!interface_index(name, &interface))
        return tool_fail(
            TOOL_USAGE, "this host has no interface '%s'; ndkinfo without --if lists them", name);
    if (is_x)
        return show_connections(is_json);
    status = ndk_host_open(&host, interface, NULL);
    if (!NT_SUCCESS(status))
        return ndk_fail_open(status, interface);
    rc = show_all(&host, interface, is_json);
    ndk_host_close(&host);
    return rc;
}
