"""Requests to S3 of a steady load and of queries, cold and warm, counted by the services themselves. Needs moto: run with Conformance's environment.

    PYTHONPATH=Conformance:Conformance/services ICEGATE=... .venv/bin/python scripts/benchmarks/s3_requests.py [RECORDS_PER_SECOND] [SECONDS]
    ... scripts/benchmarks/s3_requests.py suite [RECORDS]     the queries of the log bench, each cold (new process, empty cache) and warm
"""
import collections, json, random, re, shutil, sys, tempfile, time

import corpus
from services import Cluster, Moto

SUITE = sys.argv[1:2] == ["suite"]
RATE, SECONDS = (0, 0) if SUITE else (int((sys.argv[1:] or ["10000"])[0]), int((sys.argv[2:] or ["60"])[0]))
START = 1_800_000_000


def requests(services):
    """By operation: requests, and bytes received."""
    found = collections.Counter()
    for service in services:
        text = service.request("metrics", "GET", "/metrics")[2].decode()
        for name, operation, value in re.findall(r'^icegate_s3_(requests|received_bytes)_total\{operation="(\w+)"[^}]*\} (\d+)', text, re.M): found[name, operation] += int(value)
    return found


def show(what, found, per=None):
    counts = {o: n for (name, o), n in sorted(found.items()) if name == "requests" and n}
    scale = "" if per is None else "  a month: %s million" % {o: round(n / per * 2.592, 2) for o, n in counts.items()}
    print("%-34s %s, %.1f KB received%s" % (what, counts, sum(n for (name, _), n in found.items() if name == "received_bytes") / 1e3, scale), flush=True)


def body(r, first, count):
    rows = [{"timeUnixNano": str(START * 10**9 + (first + i) * 10**5), "severityText": "INFO", "body": {"stringValue": "request %d of user %d took %d ms" % (first + i, r.randrange(10**6), r.randrange(1000))},
             "attributes": [{"key": "k%d" % n, "value": {"stringValue": "v%d" % r.randrange(100)}} for n in range(10)]} for i in range(count)]
    return json.dumps({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "s%d" % (first // count % 4)}}]}, "scopeLogs": [{"logRecords": rows}]}]}).encode()


def configuration(moto, folder):
    return ("catalog:\n  backend: !object_store\n  warehouse: s3://warehouse/lake\n  cache:\n    memory_size_mb: 256\n    disk_dir: %s\n    disk_size_mb: 1024\n"
            "storage:\n  backend: !s3\n    bucket: warehouse\n    region: us-east-1\n    endpoint: %s\n" % (folder, moto.url))


def questions(trace, line_id):
    """The kinds of queries that the log bench asks, over its corpus: name, path, parameters."""
    t0, t1, every = corpus.T0, corpus.T0 + 7200, '{service_name=~".+"}'
    def lines(query, limit=100, start=t0, end=t1): return "query_range", {"query": query, "start": start * 10**9, "end": end * 10**9, "limit": limit, "direction": "backward"}
    def instant(query): return "query", {"query": query % "7200s", "time": t1}
    def steps(query, step): return "query_range", {"query": query, "start": t0 + step, "end": t1, "step": step}
    return [
        ("a needle", *lines('%s |= "%s"' % (every, line_id))), ("b rare, one service", *lines('{service_name="frontend"} |= "after 4999 ms"')),
        ("c common substring", *lines(every + ' |= "timeout"')), ("d regex", *instant("sum(count_over_time(" + every + " |~ `calling (auth|ads)$` [%s]))")),
        ("e regex, any case", *instant("sum(count_over_time(" + every + " |~ `(?i)UPSTREAM TIMEOUT` [%s]))")), ("f newest of a service", *lines('{service_name="payment"}')),
        ("g by severity per minute", *steps("sum by (severity_text) (count_over_time(" + every + " [1m]))", 60)),
        ("h substring by service", *steps("sum by (service_name) (count_over_time(" + every + ' |= "timeout" [5m]))', 300)),
        ("i count of everything", *instant("sum(count_over_time(" + every + " [%s]))")), ("j top services", *instant("topk(10, sum by (service_name) (count_over_time(" + every + " [%s])))")),
        ("k json, status >= 500", *instant("sum by (service_name) (count_over_time(" + every + ' | json | __error__="" | status >= 500 [%s]))')),
        ("l quantile of an attribute", *instant("quantile_over_time(0.95, " + every + " | unwrap duration_ms [%s]) by (service_name)")),
        ("m one trace", *lines('%s | trace_id="%s"' % (every, trace))), ("n one user", *lines(every + ' | user_id="u-4711"')),
        ("o label values", "label/service_name/values", {"start": t0 * 10**9, "end": t1 * 10**9}),
        ("p window, two substrings", *lines('{service_name="checkout"} |= "request" |= "retry"', 1000, t0 + 2700, t0 + 3600)),
    ]


def suite(records):
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    folder, bodies = tempfile.mkdtemp(prefix="icegate-cache-"), list(corpus.requests(records))
    some = [r for g in ExportLogsServiceRequest.FromString(bodies[len(bodies) // 2]).resource_logs for s in g.scope_logs for r in s.log_records]
    line_id = next(re.search("traceID=(\\w+)", r.body.string_value).group(1) for r in some if "traceID=" in r.body.string_value)
    with Moto("warehouse", "queue") as moto, Cluster(configuration(moto, folder), "s3://queue/", interval=5_000) as cluster:
        ingest, query = cluster.ingests[0], cluster.queries[0]
        for body in bodies:
            status = ingest.request("otlp", "POST", "/v1/logs", body, {"Content-Type": "application/x-protobuf", "X-Scope-OrgID": "t"})[0]
            assert status == 200, status
        deadline = time.time() + 300
        while requests([ingest])["requests", "put"] != (time.sleep(12) or requests([ingest])["requests", "put"]) and time.time() < deadline: pass
        written = requests([ingest])
        print("%d records; PUTs per million records, one request of 1,000 after another: %.0f" % (records, (written["requests", "put"] + written["requests", "upload"]) * 1e6 / records))
        print("| query | cold: GET | LIST | KB | ms | warm: GET | LIST | KB | ms |\n|---|---|---|---|---|---|---|---|---|")
        for name, path, parameters in questions(some[0].trace_id.hex(), line_id):
            query.stop()
            shutil.rmtree(folder, ignore_errors=True)
            query.start()
            row = []
            for _ in ("cold", "warm"):
                before, began = requests([query]), time.time()
                status, answer = query.get("loki", "/loki/api/v1/" + path, parameters, "t")
                took = (time.time() - began) * 1000
                assert status == 200, (name, answer)
                used = requests([query]) - before
                row += ["%d" % (used["requests", "get"] + used["requests", "head"]), "%d" % used["requests", "list"],
                        "%.0f" % (sum(n for (what, _), n in used.items() if what == "received_bytes") / 1e3), "%.0f" % took]
            print("| %s | %s |" % (name, " | ".join(row)), flush=True)


def main():
    r, folder = random.Random(1), tempfile.mkdtemp(prefix="icegate-cache-")
    with Moto("warehouse", "queue") as moto:
        with Cluster(configuration(moto, folder), "s3://queue/", interval=30_000) as cluster:
            ingest, query = cluster.ingests[0], cluster.queries[0]
            bodies = [body(r, n * RATE // 10, RATE // 10) for n in range(20)]
            before, began, sent = requests([ingest]), time.time(), 0
            while time.time() - began < SECONDS:
                status = ingest.request("otlp", "POST", "/v1/logs", bodies[sent % 20] + b" " * (sent // 20), {"Content-Type": "application/json", "X-Scope-OrgID": "t"})[0]
                assert status == 200, status
                sent += 1
                time.sleep(max(0, began + sent / 10 - time.time()))
            took, records = time.time() - began, sent * RATE // 10
            load = requests([ingest]) - before
            print("%d records in %.0f s (%.0f/s), one ingest, a shift every 30 s" % (records, took, records / took))
            show("ingest and shift", load, took)
            print("PUTs per million records: %.0f" % ((load["requests", "put"] + load["requests", "upload"]) * 1e6 / records))
            deadline = time.time() + 120
            while requests([ingest])["requests", "put"] != (time.sleep(8) or requests([ingest])["requests", "put"]) and time.time() < deadline: pass
            for name, logql in [("count by service", 'sum by (service_name) (count_over_time({service_name=~".+"}[1h]))'), ("lines with a word", 'sum(count_over_time({service_name="s1"} |= "user 77" [1h]))')]:
                for phase in ("cold", "warm"):
                    before = requests([query])
                    status, answer = query.get("loki", "/loki/api/v1/query", {"query": logql, "time": START + 3500}, "t")
                    assert status == 200, answer
                    show("%s, %s" % (name, phase), requests([query]) - before)
            query.stop(); query.start()
            before = requests([query])
            query.get("loki", "/loki/api/v1/query", {"query": logql, "time": START + 3500}, "t")
            show("%s, new process, warm disk" % name, requests([query]) - before)


suite(int((sys.argv[2:] or ["200000"])[0])) if SUITE else main()
