"""Requests to S3 of a steady load and of queries, cold and warm, counted by the services themselves. Needs moto: run with Conformance's environment.

    PYTHONPATH=Conformance:Conformance/services ICEGATE=... .venv/bin/python scripts/benchmarks/s3_requests.py [RECORDS_PER_SECOND] [SECONDS]
"""
import collections, json, random, re, sys, tempfile, time

from services import Cluster, Moto

RATE, SECONDS = int((sys.argv[1:] or ["10000"])[0]), int((sys.argv[2:] or ["60"])[0])
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


def main():
    r, folder = random.Random(1), tempfile.mkdtemp(prefix="icegate-cache-")
    with Moto("warehouse", "queue") as moto:
        shared = ("catalog:\n  backend: !object_store\n  warehouse: s3://warehouse/lake\n  cache:\n    memory_size_mb: 256\n    disk_dir: %s\n    disk_size_mb: 1024\n"
                  "storage:\n  backend: !s3\n    bucket: warehouse\n    region: us-east-1\n    endpoint: %s\n" % (folder, moto.url))
        with Cluster(shared, "s3://queue/", interval=30_000) as cluster:
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


main()
