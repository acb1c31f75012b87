"""Under load, and behind a store that takes two seconds a put: health answers, what is refused says when to come again, nothing acknowledged is lost."""
import collections, json, multiprocessing, os, sys, tempfile, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

SECONDS = float(os.environ.get("PRESSURE_SECONDS", "10"))
# A figure of a busy machine says little; on an idle one `PRESSURE_HEALTH_MS=50` holds the limit.
HEALTH_MS = float(os.environ.get("PRESSURE_HEALTH_MS", "20000"))
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def body(name, records, size=200):
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    request, at = ExportLogsServiceRequest(), time.time_ns()
    resource = request.resource_logs.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "pressure"
    scope = resource.scope_logs.add()
    for n in range(records):
        record = scope.log_records.add(time_unix_nano=at + n, severity_number=9)
        record.body.string_value = "%s/%d " % (name, n) + "x" * size
        for k in range(10): record.attributes.add(key="key%d" % k).value.string_value = "value %d" % (n % (k + 2))
    return request.SerializeToString()


def send(port, worker, seconds, records, tenant, results):
    """One connection; tells how each request was answered, and which were acknowledged."""
    import http.client
    connection, statuses, acknowledged, n = None, collections.Counter(), [], 0
    end = time.time() + seconds
    while time.time() < end:
        name = "%d-%d" % (worker, n); n += 1
        payload = body(name, records)
        try:
            connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=90)
            connection.request("POST", "/v1/logs", payload, {**PROTOBUF, "X-Scope-OrgID": tenant})
            answer = connection.getresponse(); answer.read()
        except OSError as error:
            statuses[type(error).__name__] += 1; connection = None
            continue
        statuses[answer.status] += 1
        if answer.status == 503 and not answer.getheader("Retry-After"): statuses["503 without Retry-After"] += 1
        if answer.status == 200: acknowledged.append(name)
        if answer.status == 503: time.sleep(0.05)
    results.put((statuses, acknowledged))


def health(port, seconds, results):
    import http.client
    times, end = [], time.time() + seconds
    while time.time() < end:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/health"); answer = connection.getresponse(); answer.read(); connection.close()
        assert answer.status == 200, answer.status
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(0.01)
    results.put(sorted(times))


def press(server, workers, seconds, records, tenant):
    results, answers = multiprocessing.Queue(), multiprocessing.Queue()
    senders = [multiprocessing.Process(target=send, args=(server.port("otlp"), k, seconds, records, tenant, results)) for k in range(workers)]
    watch = multiprocessing.Process(target=health, args=(server.port("otlp"), seconds, answers))
    for p in senders + [watch]: p.start()
    statuses, acknowledged = collections.Counter(), []
    for _ in senders:
        s, a = results.get(); statuses += s; acknowledged += a
    times = answers.get()
    for p in senders + [watch]: p.join()
    if server.process.poll() is not None: raise AssertionError("the server ended: " + server.tail())
    return statuses, acknowledged, times


def share(times, part): return times[min(len(times) - 1, int(len(times) * part))]


def anonymous(server):
    return next(int(l.split()[1]) // 1024 for l in open("/proc/%d/status" % server.process.pid) if l.startswith("RssAnon:"))


def stored(server, tenant):
    rows = server.catalog().load_table("icegate.logs").scan(row_filter="tenant_id = '%s'" % tenant, selected_fields=("body",)).to_arrow()
    return collections.Counter(text.split("/", 1)[0] for text in rows["body"].to_pylist())


@check("at saturation /health answers, everything acknowledged is in the table once")
def load(_):
    with Server() as server:
        statuses, acknowledged, times = press(server, 8, SECONDS, 500, "load")
        print("# %s; /health: %d answers, p50 %.1f ms, p99 %.1f ms, worst %.1f ms; anonymous memory %d MB" % (
            dict(statuses), len(times), share(times, 0.5), share(times, 0.99), times[-1], anonymous(server)))
        assert set(statuses) <= {200, 503} and statuses[200], statuses
        assert share(times, 0.99) < HEALTH_MS, share(times, 0.99)
        server.flush()
        found = stored(server, "load")
        assert all(found[name] == 500 for name in acknowledged), [(n, found[n]) for n in acknowledged if found[n] != 500][:5]


@check("behind a store of 2 s a put: 503 with Retry-After, nothing acknowledged lost, recovery without a restart")
def slow(_):
    trouble = int(SECONDS * 1.5) + 5
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write("process:\n  memory_bytes: 134217728\n"); f.flush()
        with Server(arguments=["-c", f.name, "--slow-puts", "2000", "--slow-puts-for", str(trouble)]) as server:
            began = time.time()
            statuses, acknowledged, times = press(server, 48, SECONDS * 1.5, 2000, "slow")
            print("# %s; /health: p99 %.1f ms, worst %.1f ms; anonymous memory %d MB" % (dict(statuses), share(times, 0.99), times[-1], anonymous(server)))
            assert set(statuses) <= {200, 503}, statuses
            assert share(times, 0.99) < HEALTH_MS, share(times, 0.99)
            time.sleep(max(0, trouble - (time.time() - began)))
            # What had piled up is shifted first; that takes memory, and on a busy machine its time.
            deadline, more = time.time() + 120, []
            while True:
                after, taken, _ = press(server, 4, 3, 100, "after-%d" % len(more))
                more.append(taken)
                assert set(after) <= {200, 503}, after
                if set(after) == {200} and after[200] > 3: break
                assert time.time() < deadline, after
            server.flush()
            found = stored(server, "slow")
            assert acknowledged and all(found[name] == 2000 for name in acknowledged), [(n, found[n]) for n in acknowledged if found[n] != 2000][:5]
            for round, taken in enumerate(more):
                later = stored(server, "after-%d" % round)
                assert all(later[name] == 100 for name in taken), (round, [(n, later[n]) for n in taken if later[n] != 100][:5])
            assert all(count == 2000 for count in found.values()), "a request is whole or not there"
            if not statuses[503]: return "the senders were too slow to fill the queue: nothing had to be refused"


if __name__ == "__main__": main(None)
