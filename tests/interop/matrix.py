# SPDX-License-Identifier: MIT
"""Settings of both sides against each other, and sizes: rping's exchange, both roles."""
import os
import time

from lab import HOST_IN_GUEST, rping
from ours import ONE_SEGMENT, Client, Server, bulk

WE, SIW = "we connect", "siw connects"
RPING_PORT = 7174

# Name, the driver's parameters.
SIW_SETTINGS = [
    ("as it is", {}),
    ("CRC", {"mpa_crc_required": 1}),
    ("RTR write", {"peer_to_peer": 1, "rtr_type": 128}),
    ("RTR read", {"peer_to_peer": 1, "rtr_type": 64}),
    ("RTR both, CRC", {"peer_to_peer": 1, "mpa_crc_required": 1}),
    ("revision 1", {"mpa_version": 1}),
    ("revision 1, CRC", {"mpa_version": 1, "mpa_crc_required": 1}),
]

# Name, SOFTNDK_ variables.
OUR_SETTINGS = [
    ("defaults", {}),
    ("revision 1", {"MPA_REVISION": 1}),
    ("CRC not asked", {"CRC": 0}),
    ("CRC required", {"CRC": 2}),
    ("no RTR", {"RTR": 0}),
    ("RTR send", {"RTR": 1}),
    ("RTR write", {"RTR": 2}),
    ("RTR read", {"RTR": 4}),
    ("RTR all, no CRC", {"RTR": 7, "CRC": 0}),
    ("markers", {"MARKERS": 1}),
]
RTR_BITS = {2: 128, 4: 64}  # ours: the driver's

# Octets; those around 1436 and 1450 are the most that one segment of siw's and of ours carries.
SIZES = [1, 2, 15, 64, 1000, 1435, 1436, 1437, 1449, 1450, 1451, 4096, 65000, 65535]
COUNT = 3


def refusal(role, siw, ours):
    """Why these settings cannot meet; None: they must."""
    if ours.get("MARKERS"):
        return "siw has no markers"
    if role == WE:
        if ours.get("RTR") == 1:
            return "siw takes no Send as RTR"
        if ours.get("MPA_REVISION") == 1:
            return "siw's fault: as responder of revision 1 it allows itself no Read"
        return None
    if ours.get("MPA_REVISION") == 1 and siw.get("mpa_version") != 1:
        return "siw of revision 2 does not fall back"
    if ours.get("CRC") == 2 and not siw.get("mpa_crc_required"):
        return "siw does not ask for the CRC that is required"
    if siw.get("peer_to_peer") and ours.get("RTR") == 1:
        return "siw takes no Send as RTR"
    bit = RTR_BITS.get(ours.get("RTR"))
    if siw.get("peer_to_peer") and bit and not bit & siw.get("rtr_type", 192):
        return "no RTR in common"
    return None


def we_connect(t, siw_name, siw):
    for name, ours in OUR_SETTINGS:
        client = Client(t.bin, t.guest.address(RPING_PORT), 1000, COUNT, ours)
        rc = client.end()
        why = refusal(WE, siw, ours)
        if why is None:
            right, words = rc == 0 and client.verified == COUNT, "%d pings" % client.verified
        elif ours.get("MPA_REVISION") == 1:
            # The connection comes about; the first Read of the peer does not.
            right, words = rc == 1 and "the data that the server reads" in client.text, why
        else:
            right, words = rc == 3, "refused: " + why
        t.report.check("siw %s; ours %s" % (siw_name, name), WE, right, words,
                       "status %d: %s" % (rc, client.text), client.verified)


def siw_connects(t, siw_name, siw, servers):
    """One shell script walks over the servers: a call into the guest costs more than a ping."""
    before = [server.verified() for server in servers]
    rc, text = t.guest.run("for p in %s; do %s -V -C %d -S 1000 -a %s -p $p >/tmp/rping.log 2>&1; "
                           "echo \"RC $p $? $(tr '\\n' ' ' </tmp/rping.log)\"; done" %
                           (" ".join(str(s.port) for s in servers), rping(30), COUNT,
                            HOST_IN_GUEST), 400)
    status = {}
    for line in text.split("\n"):
        if line.startswith("RC "):
            _, port, code, *rest = line.split(" ", 3)
            status[int(port)] = (int(code), " ".join(rest))
    for (name, ours), server, was in zip(OUR_SETTINGS, servers, before):
        code, said = status.get(server.port, (125, text))
        why = refusal(SIW, siw, ours)
        pings = server.verified() - was
        if why is None:
            right, words = code == 0 and pings == COUNT, "%d pings" % pings
        else:
            right = code not in (0, 124, 125) and pings == 0
            words = "refused: " + why
        right = right and server.is_alive()
        t.report.check("siw %s; ours %s" % (siw_name, name), SIW, right, words,
                       "status %d: %s\n%s" % (code, said, server.text()[-1000:]), pings)


def run_settings(t):
    servers = [Server(t.bin, os.path.join(t.work, "settings%d.log" % i), ours)
               for i, (_, ours) in enumerate(OUR_SETTINGS)]
    for name, parameters in SIW_SETTINGS:
        t.guest.set_siw(**parameters)
        t.guest.need_rping(RPING_PORT)
        we_connect(t, name, parameters)
        siw_connects(t, name, parameters, servers)
    t.guest.set_siw()
    for (name, _), server in zip(OUR_SETTINGS, servers):
        rc = server.end()
        # 1: some of its clients were refused, which is what they were to be.
        t.report.check("server with %s ends in good order" % name, SIW, rc in (0, 1),
                       "after all clients", "status %d: %s" % (rc, server.text()))


def run_sizes(t, sizes=tuple(SIZES), count=10):
    t.guest.need_rping(RPING_PORT)
    for size in sizes:
        client = Client(t.bin, t.guest.address(RPING_PORT), size, count,
                        bulk(size, t.guest.netns), netns=t.guest.netns)
        rc = client.end()
        t.report.check("%d octets%s" % (size, t.suffix), WE, rc == 0 and client.verified == count,
                       "%d pings" % client.verified, client.text, client.verified)
    for part in (lambda size: size <= ONE_SEGMENT, lambda size: size > ONE_SEGMENT):
        siw_sends_sizes(t, [size for size in sizes if part(size)], count)


def siw_sends_sizes(t, sizes, count):
    """All of them to one server; they want the same settings."""
    server = Server(t.bin, os.path.join(t.work, "sizes.log"), bulk(max(sizes), t.guest.netns),
                    netns=t.guest.netns)
    for size in sizes:
        before = server.verified()
        rc, text = t.guest.run("%s -V -C %d -S %d -a %s -p %d" %
                               (rping(60), count, size, HOST_IN_GUEST, server.port))
        pings = server.verified() - before
        t.report.check("%d octets%s" % (size, t.suffix), SIW, rc == 0 and pings == count,
                       "%d pings" % pings, text + server.text()[-1000:], pings)
    t.report.check("server of up to %d octets%s ends in good order" % (max(sizes), t.suffix), SIW,
                   server.end() == 0, "every client was served", server.text()[-1000:])


def run_many(t, connections=40, pings=300):
    """Many pings of one connection; many connections one after the other."""
    t.guest.need_rping(RPING_PORT)
    client = Client(t.bin, t.guest.address(RPING_PORT), 64, pings)
    rc = client.end(400)
    t.report.check("%d pings in one connection" % pings, WE, rc == 0 and client.verified == pings,
                   "%d pings" % client.verified, client.text[-1000:], client.verified)
    done = 0
    for _ in range(connections):
        client = Client(t.bin, t.guest.address(RPING_PORT), 64, 1)
        if client.end() == 0:
            done += client.verified
    t.report.check("%d connections in turn" % connections, WE, done == connections,
                   "%d pings" % done, client.text, done)
    # Not opened at once: rping keeps one request in mind and forgets it for the next.
    clients = []
    for _ in range(4):
        clients.append(Client(t.bin, t.guest.address(RPING_PORT), 4096, 60, bulk(4096),
                              interval=0.04))
        time.sleep(0.4)
    good = sum(1 for client in clients if client.end(400) == 0)
    got = sum(client.verified for client in clients)
    t.report.check("4 connections side by side", WE, good == 4 and got == 240, "%d pings" % got,
                   "".join(client.last_line() for client in clients), got)
    server = Server(t.bin, os.path.join(t.work, "many.log"))
    rc, text = t.guest.run("%s -V -C %d -S 64 -a %s -p %d" %
                           (rping(110), pings, HOST_IN_GUEST, server.port))
    got = server.verified()
    t.report.check("%d pings in one connection" % pings, SIW, rc == 0 and got == pings,
                   "%d pings" % got, text[-1000:], got)
    rc, text = t.guest.run("set -e; for i in $(seq %d); do %s -V -C 1 -S 64 -a %s -p %d; done" %
                           (connections, rping(30), HOST_IN_GUEST, server.port), 300)
    t.report.check("%d connections in turn" % connections, SIW,
                   rc == 0 and server.verified() - got == connections,
                   "%d pings" % (server.verified() - got), text[-1000:], server.verified() - got)
    t.report.check("server of many ends in good order", SIW, server.end() == 0,
                   "every client was served", server.text()[-1000:])
