/* SPDX-License-Identifier: MIT */
/* Our headers and then the system's: both kinds of address can be used in one translation unit. */
#include <ndkpi.h>
#include <ntddk.h>
#include <ntstrsafe.h>
#include <softndk.h>
#include <wsk.h>
#include <wskndk.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "both_addresses.h"

unsigned headers_system_after(void);
unsigned headers_system_after(void)
{
    return both_addresses();
}
