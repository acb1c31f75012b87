"""Clients that send until they are acknowledged, and a reader of everything. Standard library only."""
import http.client, json, random, threading, time

CONNECTIONS, RECORDS = 6, 20


class Client(threading.Thread):
    """Sends numbered records until told to stop; what it was told is durable is in `acknowledged`."""

    def __init__(self, number, servers, start_time, stop):
        super().__init__()
        self.number, self.servers, self.start_time, self.stop = number, servers, start_time, stop
        self.acknowledged, self.repeats, self.deduplicated, self.failure = [], 0, 0, None
        self.random = random.Random(number)

    timeout = 5
    longest = 0.0

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
            began = time.time()
            try:
                connection = http.client.HTTPConnection("127.0.0.1", server.port("otlp"), timeout=self.timeout)
                connection.request("POST", "/v1/logs", body, {"Content-Type": "application/json", "X-Scope-OrgID": "kill"})
                answer = connection.getresponse(); answer.read()
                if answer.status == 200:
                    self.deduplicated += answer.getheader("X-IceGate-Deduplicated") == "true"
                    return
                assert answer.status in (429, 503), (answer.status, "is no answer to a good request")
            except (OSError, http.client.HTTPException): pass
            finally:
                connection.close()
                self.longest = max(self.longest, time.time() - began)
            first = False
            time.sleep(self.random.uniform(0, 0.2))
        raise RuntimeError("not acknowledged within two minutes")


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
