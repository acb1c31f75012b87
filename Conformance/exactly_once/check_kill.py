"""Kills real processes with SIGKILL while clients send; every record sent is found exactly once, in Loki and in Iceberg.

A client repeats a request, byte for byte, until it is acknowledged, as exporters do.
"""
import collections, contextlib, os, random, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from clients import CONNECTIONS, Client, lines
from harness import Server, check, main

SECONDS = float(os.environ.get("ICEGATE_KILL_SECONDS", "60"))


def storm(servers, seconds):
    """Clients against processes that die at random moments; returns the clients."""
    stop, start_time, kills, r = threading.Event(), time.time_ns(), 0, random.Random(1)
    clients = [Client(n, servers, start_time, stop) for n in range(CONNECTIONS)]
    for c in clients: c.start()
    end = time.time() + seconds
    while time.time() < end:
        time.sleep(r.uniform(0.3, 3.0))
        victim = r.choice(servers)
        victim.kill(); kills += 1
        time.sleep(r.uniform(0, 0.3))
        victim.start()
    stop.set()
    for c in clients: c.join()
    failures = [c.failure for c in clients if c.failure]
    assert not failures, failures
    sent = sum(len(c.acknowledged) for c in clients)
    print("# %d records acknowledged, %d kills, %d repeats, %d answered as deduplicated" %
          (sent, kills, sum(c.repeats for c in clients), sum(c.deduplicated for c in clients)), flush=True)
    assert sent and kills
    return clients, start_time


def judge(server, clients, start_time):
    want = collections.Counter(id for c in clients for id in c.acknowledged)
    end = start_time + 10**9 * 86400
    for phase in ("as it is", "after a flush"):
        got = collections.Counter(line for _, line in lines(server, start_time, end))
        missing, extra = want - got, got - want
        assert not missing, (phase, "lost", len(missing), list(missing)[:5])
        assert not extra, (phase, "repeated or never acknowledged", len(extra), list(extra.items())[:5])
        server.flush()
    rows = server.catalog().load_table("icegate.logs").scan(row_filter="tenant_id = 'kill'", selected_fields=("body",)).to_arrow()["body"].to_pylist()
    assert collections.Counter(rows) == want, ("PyIceberg", len(rows), sum(want.values()))


@check("one process killed again and again: every record is there exactly once")
def one(_):
    with Server() as server:
        clients, start_time = storm([server], SECONDS)
        judge(server, clients, start_time)


@check("two processes on one store, clients switching between them: every record is there exactly once")
def two(_):
    with Server() as first:
        second = Server(data=first.data)
        second.log_name = first.data + ".second.log"
        second.start()
        try:
            clients, start_time = storm([first, second], SECONDS)
            judge(first, clients, start_time); judge(second, clients, start_time)
        finally:
            second.kill()
            with contextlib.suppress(OSError): os.unlink(second.log_name)


if __name__ == "__main__": main(None)
