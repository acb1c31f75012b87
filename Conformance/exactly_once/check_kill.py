"""Kills real processes with SIGKILL while clients send; every record sent is found exactly once, in Loki and in Iceberg.

A client repeats a request, byte for byte, until it is acknowledged, as exporters do.
"""
import collections, contextlib, http.client, json, os, random, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

SECONDS = float(os.environ.get("ICEGATE_KILL_SECONDS", "60"))
CONNECTIONS, RECORDS = 6, 20


class Client(threading.Thread):
    """Sends numbered records until told to stop; what it was told is durable is in `acknowledged`."""

    def __init__(self, number, servers, start_time, stop):
        super().__init__()
        self.number, self.servers, self.start_time, self.stop = number, servers, start_time, stop
        self.acknowledged, self.repeats, self.deduplicated, self.failure = [], 0, 0, None
        self.random = random.Random(number)

    def run(self):
        try:
            n = 0
            while not self.stop.is_set():
                ids = ["c%d-%d" % (self.number, n + i) for i in range(RECORDS)]
                # Times are unique and ascending, so that answers can be paged by time.
                records = [{"timeUnixNano": str(self.start_time + ((n + i) * CONNECTIONS + self.number) * 1_000_000), "body": {"stringValue": id}}
                           for i, id in enumerate(ids)]
                self.send(json.dumps({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "kill"}}]},
                                                        "scopeLogs": [{"logRecords": records}]}]}).encode())
                self.acknowledged += ids; n += RECORDS
        except Exception as e: self.failure = repr(e)

    def send(self, body):
        first = True
        deadline = time.time() + 120
        while time.time() < deadline:
            server = self.random.choice(self.servers)
            if not first: self.repeats += 1
            try:
                connection = http.client.HTTPConnection("127.0.0.1", server.port("otlp"), timeout=5)
                connection.request("POST", "/v1/logs", body, {"Content-Type": "application/json", "X-Scope-OrgID": "kill"})
                answer = connection.getresponse(); answer.read()
                if answer.status == 200:
                    self.deduplicated += answer.getheader("X-IceGate-Deduplicated") == "true"
                    return
                assert answer.status in (429, 503), (answer.status, "is no answer to a good request")
            except (OSError, http.client.HTTPException): pass
            finally: connection.close()
            first = False
            time.sleep(self.random.uniform(0, 0.2))
        raise RuntimeError("not acknowledged within two minutes")


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


def lines(server, start, end):
    """Every line, fetched page by page in ascending time."""
    found, at = [], start
    while True:
        status, answer = server.get("loki", "/loki/api/v1/query_range", {"query": '{service_name="kill"}', "start": at, "end": end, "limit": 5000, "direction": "forward"}, "kill")
        assert status == 200, answer
        page = sorted((int(t), line) for s in answer["data"]["result"] for t, line, *_ in s["values"])
        found += page
        if len(page) < 5000: return found
        at = page[-1][0] + 1


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
