/* SPDX-License-Identifier: MIT */
/* The system's headers and then ours. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ndkpi.h>
#include <ntddk.h>
#include <ntstrsafe.h>
#include <softndk.h>
#include <wsk.h>
#include <wskndk.h>

#include "both_addresses.h"

unsigned headers_system_before(void);
unsigned headers_system_before(void)
{
    return both_addresses();
}
