"""Ingest beside upb's parse of the same bytes; queries beside DuckDB with two threads on the same data files."""
import argparse, datetime, http.client, json, os, platform, statistics, subprocess, threading, time
import corpus
from harness import Server

CONNECTIONS = 4


def cpu_seconds(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(server, bodies, tenant, path="/v1/logs"):
    """Sends every body once over `CONNECTIONS` connections; seconds of wall time."""
    lock, rest = threading.Lock(), iter(bodies)

    def work():
        connection = http.client.HTTPConnection("127.0.0.1", server.port("otlp"))
        while True:
            with lock: body = next(rest, None)
            if body is None: return
            while True:
                connection.request("POST", path, body, {"Content-Type": "application/x-protobuf", "X-Scope-OrgID": tenant})
                answer = connection.getresponse(); answer.read()
                if answer.status in (200, 204): break
                assert answer.status in (429, 503), answer.status
                time.sleep(0.05)
    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for t in threads: t.start()
    for t in threads: t.join()
    return time.perf_counter() - started


def timed(action, runs=5):
    """Median milliseconds of `runs` runs after one warm-up, and the last answer."""
    action()
    times = []
    for _ in range(runs):
        started = time.perf_counter(); answer = action(); times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times), answer


def main():
    parser = argparse.ArgumentParser(); parser.add_argument("--records", type=int, default=400_000)
    options = parser.parse_args()
    import duckdb
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    bodies = list(corpus.requests(options.records))
    size = sum(map(len, bodies))
    print("%s, %d cores, %s; %d records in %d requests, %.0f MB" % (datetime.date.today(), os.cpu_count(), cpu_model(), options.records, len(bodies), size / 1e6))
    before = time.process_time()
    for body in bodies: ExportLogsServiceRequest.FromString(body)
    parse = time.process_time() - before

    with Server() as server:
        pid = server.process.pid
        before = cpu_seconds(pid); wall = load(server, bodies, "bench"); ingest = cpu_seconds(pid) - before
        before = cpu_seconds(pid); started = time.perf_counter(); server.flush(); flush_wall = time.perf_counter() - started
        flush = cpu_seconds(pid) - before
        million = options.records / 1e6
        files = [t.file for t in server.catalog().load_table("icegate.logs").scan().plan_files()]
        paths = [f.file_path.replace("file://", "") for f in files]
        stored = sum(f.file_size_in_bytes for f in files)
        print("\n| ingest | |\n|---|---|")
        print("| records/s over %d connections | %s |" % (CONNECTIONS, format(round(options.records / wall), ",")))
        print("| server CPU s per million records, acknowledged | %.2f |" % (ingest / million))
        print("| server CPU s per million records, then shifted (%.1f s) | %.2f |" % (flush_wall, flush / million))
        print("| upb, parse only, CPU s per million records | %.2f |" % (parse / million))
        print("| bytes per record in the table | %.1f |" % (stored / options.records))
        print("| peak memory MB | %d |" % peak(pid))

        end = corpus.T0 + 7200
        database = duckdb.connect(config={"threads": 2})
        source = "read_parquet(%r)" % paths
        rows = []

        def instant(query):
            status, answer = server.get("loki", "/loki/api/v1/query", {"query": query, "time": end}, "bench")
            assert status == 200, answer
            return {tuple(sorted(s["metric"].items())): float(s["value"][1]) for s in answer["data"]["result"]}
        ours, got = timed(lambda: instant('sum(count_over_time({service_name=~".+"} |= "timeout" [7200s]))'))
        theirs, want = timed(lambda: database.sql("select count(*) from %s where contains(body, 'timeout')" % source).fetchall()[0][0])
        assert got.get((), 0) == want, (got, want)
        rows.append(("count of lines with a substring", ours, theirs))

        def per_service():
            status, answer = server.get("loki", "/loki/api/v1/query_range", {
                "query": 'sum by (service_name) (count_over_time({service_name=~".+"} [5m]))', "start": corpus.T0 + 300, "end": end, "step": 300}, "bench")
            assert status == 200, answer
            return sum(float(v) for s in answer["data"]["result"] for _, v in s["values"])
        ours, got = timed(per_service)
        theirs, want = timed(lambda: sum(r[2] for r in database.sql(
            "select service_name, epoch(time_bucket(interval 5 minutes, timestamp)), count(*) from %s group by all" % source).fetchall()))
        assert abs(got - want) <= 1, (got, want)  # the windows are open on the left: the very first record is in none
        rows.append(("count by service per 5 minutes", ours, theirs))

        decode = subprocess.run([os.environ["ICEGATE"], "parquet", "decode", "--threads", "2", *paths], capture_output=True, text=True)
        if decode.returncode == 0:
            ours = json.loads(decode.stdout)["milliseconds"]
            names = [c[0] for c in database.sql("describe select * from %s" % source).fetchall()]
            theirs, _ = timed(lambda: database.sql("select %s from %s" % (", ".join("max(hash(%s))" % n for n in names), source)).fetchall())
            rows.append(("full decode of every column", ours, theirs))
        print("\n| query | ours ms | DuckDB, 2 threads, ms | ours / DuckDB |\n|---|---|---|---|")
        for name, a, b in rows: print("| %s | %.1f | %.1f | %.2f |" % (name, a, b, a / b))


def peak(pid):
    return next(int(l.split()[1]) // 1024 for l in open("/proc/%d/status" % pid) if l.startswith("VmHWM:"))


def cpu_model():
    return next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())


if __name__ == "__main__": main()
