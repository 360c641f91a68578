# SPDX-License-Identifier: MIT
"""Peers that are none, that break off, that vanish: a clear status, no hang, the next is served."""
import os
import signal
import time

from lab import HOST_IN_GUEST, rping
from matrix import RPING_PORT, SIW, WE
from ours import Client, Server

SMALL_PORT = 7175  # an rping with a buffer of 64 octets
DEAD_PORT = 7176   # nobody listens there

# What comes to a port of ours that is not iWARP. MPA: "MPA ID Req Frame", flags, revision, length.
GARBAGE = [
    ("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("TLS", bytes.fromhex("160301020001000 1fc0303".replace(" ", "")) + bytes(508)),
    ("SSH", b"SSH-2.0-OpenSSH_9.2p1\r\n"),
    ("zeros", bytes(64)),
    ("nothing, and a close", b""),
    ("half an MPA Request", b"MPA ID Req Frame\x50"),
    ("an MPA Reply", b"MPA ID Rep Frame\x50\x02\x00\x04" + bytes(4)),
    ("an MPA Request of revision 9", b"MPA ID Req Frame\x40\x09\x00\x00"),
    ("an MPA Request with 65535 octets of private data", b"MPA ID Req Frame\x50\x02\xff\xff"),
]


def guest_pings(t, server, count=2):
    """Whether an rping of the guest is served, and what was said."""
    before = server.verified()
    rc, text = t.guest.run("%s -V -C %d -S 1000 -a %s -p %d" %
                           (rping(40), count, HOST_IN_GUEST, server.port))
    return rc == 0 and server.verified() - before == count, text + server.text()[-1500:]


def run_nobody(t):
    began = time.time()
    client = Client(t.bin, t.guest.address(DEAD_PORT))
    rc = client.end()
    lines = client.text.strip().count("\n") + 1
    t.report.check("a port where nobody listens", WE, rc == 3 and lines == 1,
                   "status 3 after %.1f s" % (time.time() - began), client.text)
    rc, text = t.guest.run("%s -C 1 -a %s -p %d" % (rping(40), HOST_IN_GUEST, 9))
    t.report.check("a port where nobody listens", SIW, rc not in (0, 124), "refused", text)


def run_other_size(t):
    t.guest.need_rping(SMALL_PORT, 64)
    began = time.time()
    client = Client(t.bin, t.guest.address(SMALL_PORT), 1000, 2)
    rc = client.end(90)
    t.report.check("an rping of another size", WE, rc == 1 and client.verified == 0,
                   "status 1 after %.1f s: %s" % (time.time() - began, client.last_line()),
                   client.text)


def run_garbage(t):
    server = Server(t.bin, os.path.join(t.work, "garbage.log"))
    held = []
    for name, octets in GARBAGE:
        s = server.tcp()
        s.sendall(octets)
        if name.startswith(("half", "nothing")):
            s.close()
        else:
            held.append((name, s))
    # A client that says nothing and one that trickles keep nobody else waiting.
    quiet = server.tcp()
    right, evidence = guest_pings(t, server)
    t.report.check("%d kinds of garbage at our port, and a silent client" % len(GARBAGE), SIW,
                   right and server.is_alive(), "rping is served meanwhile", evidence)
    for name, s in held:
        s.settimeout(60)
        try:
            answer = s.recv(100)
        except ConnectionError:
            answer = b""
        except TimeoutError:
            answer = None
        s.close()
        t.report.check("our port is told: %s" % name, "both here", answer == b"",
                       "closed without an answer", repr(answer))
    began = time.time()
    quiet.settimeout(60)
    try:
        ended = quiet.recv(1) == b""
    except ConnectionError:
        ended = True
    except TimeoutError:
        ended = False
    t.report.check("our port is told nothing", "both here", ended,
                   "closed within MpaTimeoutMs (%.1f s later)" % (time.time() - began))
    right, evidence = guest_pings(t, server)
    t.report.check("after all that", SIW, right, "rping is served", evidence)
    server.end()


def run_reject(t):
    server = Server(t.bin, os.path.join(t.work, "reject.log"), own=True)
    rc, text = t.guest.run("%s -C 1 -a %s -p %d" % (rping(40), HOST_IN_GUEST, server.port))
    t.report.check("we reject", SIW, rc not in (0, 124) and "REJECTED" in text and
                   server.said("was refused", 30), "rdma_cm says REJECTED", text + server.text())
    server.end()


def run_rping_killed(t):
    """The guest's program dies in the middle, in either role."""
    server = Server(t.bin, os.path.join(t.work, "killed.log"))
    t.guest.must("rping -c -V -C 100000 -S 65535 -a %s -p %d >/dev/null 2>&1 & echo $! >/tmp/pid" %
                 (HOST_IN_GUEST, server.port))
    under_way = server.said("ping=3", 120)
    t.guest.must("kill -9 $(cat /tmp/pid)")
    told = server.said("failed at", 90) or server.said("has ended", 1)
    t.report.check("rping is killed in mid-transfer", SIW, under_way and told and
                   server.is_alive(), "told at once", server.text()[-1000:])
    right, evidence = guest_pings(t, server)
    t.report.check("the next rping after that", SIW, right, "served", evidence)
    server.end()

    t.guest.need_rping(DEAD_PORT)
    client = Client(t.bin, t.guest.address(DEAD_PORT), 65535, 100000)
    client.has_verified(2, 120)
    t.guest.must("killall -9 rping")
    began = time.time()
    rc = client.end(90)
    t.report.check("rping is killed in mid-transfer", WE, rc == 1 and client.verified > 0,
                   "status 1 after %.1f s: %s" % (time.time() - began, client.last_line()[-90:]),
                   client.text[-1000:])


def run_we_are_killed(t):
    t.guest.need_rping(RPING_PORT)
    client = Client(t.bin, t.guest.address(RPING_PORT), 65535, 100000)
    client.has_verified(2, 120)
    client.process.send_signal(signal.SIGKILL)
    client.end()
    t.guest.need_rping(RPING_PORT)
    after = Client(t.bin, t.guest.address(RPING_PORT), 65535, 3)
    rc = after.end()
    t.report.check("we are killed in mid-transfer", WE, client.verified > 0 and rc == 0,
                   "siw serves our next connection", after.text, after.verified)

    server = Server(t.bin, os.path.join(t.work, "we_killed.log"))
    t.guest.must("rping -c -V -C 100000 -S 65535 -a %s -p %d >/tmp/rping.log 2>&1 &" %
                 (HOST_IN_GUEST, server.port))
    under_way = server.said("ping=3", 120)
    server.end(signal.SIGKILL)
    # rping itself may hang at this point; the driver has to have let go.
    rc, text = t.guest.run("for i in $(seq 240); do grep -q ':%04X 0[12] ' /proc/net/tcp || exit 0; "
                           "sleep 0.25; done; cat /proc/net/tcp /tmp/rping.log; exit 1" %
                           server.port)
    t.report.check("we are killed in mid-transfer", SIW, under_way and rc == 0,
                   "siw has ended the connection", text + server.text()[-500:])
    t.guest.must("killall -9 rping; true")


def run_guest_vanishes(t):
    """The last of a guest: both roles under way when its power is cut."""
    server = Server(t.bin, os.path.join(t.work, "vanish.log"))
    t.guest.must("rping -c -V -C 100000 -S 65535 -a %s -p %d >/dev/null 2>&1 &" %
                 (HOST_IN_GUEST, server.port))
    t.guest.need_rping(RPING_PORT)
    client = Client(t.bin, t.guest.address(RPING_PORT), 65535, 100000)
    under_way = server.said("ping=3", 120)
    client.has_verified(2, 120)
    t.guest.vanish()
    began = time.time()
    rc = client.end(90)
    t.report.check("the guest is ended in mid-transfer", WE, rc == 1 and client.verified > 0,
                   "status 1 after %.1f s: %s" % (time.time() - began, client.last_line()[-90:]),
                   client.text[-1000:])
    told = server.said("failed at", 90) or server.said("has ended", 1)
    other = Client(t.bin, "127.0.0.1:%d" % server.port, 1000, 2)
    rc = other.end()
    t.report.check("the guest is ended in mid-transfer", SIW, under_way and told and rc == 0,
                   "told, and another client is served", server.text()[-1000:] + other.text)
    server.end()
