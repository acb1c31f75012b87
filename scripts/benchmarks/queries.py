"""Queries of many kinds beside DuckDB with two threads on the same data files, and again with a fifth of the records still in the WAL.

Every answer is compared with DuckDB's. Results are never cached; footers, metadata and decoded pages are, here and there.
"""
import argparse, datetime, glob, http.client, json, os, statistics, time, urllib.parse
import corpus
from harness import Server
from logs import cpu_model, load

T0, SECONDS, TENANT = corpus.T0, 7200, "bench"
END = T0 + SECONDS


def cpu_ms(pid):
    """Processor time of all threads, in milliseconds."""
    total = 0
    for file in glob.glob("/proc/%d/task/*/schedstat" % pid):
        try: total += int(open(file).read().split()[0])
        except OSError: pass
    return total / 1e6


# ---------------------------------------------------------------- the questions

EVERY = '{service_name=~".+"}'
NS = "(epoch_us(timestamp) * 1000 + coalesce(timestamp_nanos, 0))"  # windows are open on the left: whole nanoseconds decide


def bucket(seconds): return "(%s - %d + %d) // %d" % (NS, T0 * 10**9, seconds * 10**9 - 1, seconds * 10**9)


def newest(where, limit=100): return "select %s, body from S where %s order by timestamp desc, timestamp_nanos desc limit %d" % (NS, where, limit)


def questions(pick):
    """(title, kind, LogQL, parameters, SQL). `pick` gives values that occur."""
    logs = lambda q, **more: ("logs", q, {"start": T0 * 10**9, "end": END * 10**9, "limit": 100, "direction": "backward", **more})
    instant = lambda q: ("instant", q, {"time": END})
    steps = lambda q, step: ("range", q, {"start": T0 + step, "end": END, "step": step})
    count = lambda pipeline, window="7201s": "count_over_time(%s [%s])" % (pipeline, window)
    start, end = T0 + 3600, T0 + 4500
    return [
        ("a line id, everywhere", *logs('%s |= "%s"' % (EVERY, pick["line_id"])), newest("contains(body, '%s')" % pick["line_id"])),
        ("a rare text, one service", *logs('{service_name="frontend"} |= "timeout after 77 ms"'), newest("service_name = 'frontend' and contains(body, 'timeout after 77 ms')")),
        ("a common word, newest 100", *logs('%s |= "timeout"' % EVERY), newest("contains(body, 'timeout')")),
        ("regular expression, count", *instant(r"sum(%s)" % count(EVERY + r" |~ `after 1\d\d\d ms while calling (auth|users)`")),
         r"select count(*) from S where regexp_matches(body, 'after 1\d\d\d ms while calling (auth|users)')"),
        ("either case, count", *instant("sum(%s)" % count(EVERY + " |~ `(?i)UPSTREAM TIMEOUT`")), "select count(*) from S where body ilike '%upstream timeout%'"),
        ("newest 100 of a service", *logs('{service_name="payment"}'), newest("service_name = 'payment'")),
        ("count per minute by severity", *steps("sum by (severity_text) (%s)" % count(EVERY, "1m"), 60), "select %s, severity_text, count(*) from S group by all" % bucket(60)),
        ("a word per 5 min by service", *steps('sum by (service_name) (%s)' % count(EVERY + ' |= "timeout"', "5m"), 300),
         "select %s, service_name, count(*) from S where contains(body, 'timeout') group by all" % bucket(300)),
        ("total count", *instant("sum(%s)" % count(EVERY)), "select count(*) from S"),
        ("top 10 services", *instant("topk(10, sum by (service_name) (%s))" % count(EVERY)), "select service_name, count(*) c from S group by 1 order by c desc limit 10"),
        ("a JSON field at least 500, by service", *instant('sum by (service_name) (%s)' % count(EVERY + ' | json | __error__="" | status >= 500')),
         "select service_name, count(*) from S where json_valid(body) and try_cast(json_extract_string(body, '$.status') as double) >= 500 group by 1"),
        ("a logfmt field, by service", *instant('sum by (service_name) (%s)' % count(EVERY + ' | logfmt | caller="server.go:77"')),
         "select service_name, count(*) from S where regexp_extract(body, '(^| )caller=([^ ]*)', 2) = 'server.go:77' group by 1"),
        ("95th percentile of an attribute, by service", *instant("quantile_over_time(0.95, %s | unwrap duration_ms [7201s]) by (service_name)" % EVERY),
         "select service_name, quantile_cont(try_cast(attributes['duration_ms'] as double), 0.95) from S group by 1"),
        ("one trace id", *logs('%s | trace_id="%s"' % (EVERY, pick["trace"])), newest("trace_id = from_hex('%s')" % pick["trace"])),
        ("one user id (an attribute)", *logs('%s | user_id="%s"' % (EVERY, pick["user"])), newest("attributes['user.id'] = '%s'" % pick["user"])),
        ("values of a label", "values", "service_name", {"start": T0 * 10**9, "end": END * 10**9}, "select distinct service_name from S order by 1"),
        ("15 min, one service, two texts", *logs('{service_name="checkout"} |= "request" |= "order"', start=start * 10**9, end=end * 10**9, limit=1000),
         newest("service_name = 'checkout' and timestamp >= to_timestamp(%d) and timestamp < to_timestamp(%d) and contains(body, 'request') and contains(body, 'order')" % (start, end), 1000)),
    ]


# ---------------------------------------------------------------- answers in one shape

def ours(kind, body, step):
    data = json.loads(body)["data"]
    if kind == "values": return sorted(data)
    if kind == "logs": return sorted((int(v[0]), v[1]) for s in data["result"] for v in s["values"])
    name = lambda s: next(iter(s["metric"].values()), None)
    if kind == "instant":
        found = {name(s): float(s["value"][1]) for s in data["result"]}
        return found.get(None, 0.0) if set(found) <= {None} else found
    return {((at - T0) // step, name(s)): float(v) for s in data["result"] for at, v in s["values"]}


def theirs(kind, rows):
    if kind == "values": return sorted(r[0] for r in rows)
    if kind == "logs": return sorted((r[0], r[1]) for r in rows)
    if kind == "instant": return float(rows[0][0]) if len(rows[0]) == 1 else {r[0]: float(r[1]) for r in rows}
    return {(r[0], r[1]): float(r[2]) for r in rows if r[0] > 0}


def same(a, b):
    if isinstance(a, dict): return set(a) == set(b) and all(abs(a[k] - b[k]) <= 1e-9 * abs(b[k]) for k in a)
    return a == b


# ---------------------------------------------------------------- measuring

def path(kind, text, parameters):
    what = {"logs": "query_range", "range": "query_range", "instant": "query", "values": "label/%s/values" % text}[kind]
    return "/loki/api/v1/%s?%s" % (what, urllib.parse.urlencode(dict(parameters) if kind == "values" else {"query": text, **parameters}))


class Client:
    def __init__(self, server):
        self.pid, self.connection = server.process.pid, http.client.HTTPConnection("127.0.0.1", server.port("loki"), timeout=600)

    def ask(self, path):
        self.connection.request("GET", path, headers={"X-Scope-OrgID": TENANT})
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body

    def measure(self, path, runs):
        """(median ms, median processor ms, the answer)"""
        body = self.ask(path)
        wall, cpu = [], []
        for _ in range(runs):
            c, w = cpu_ms(self.pid), time.perf_counter()
            self.ask(path)
            wall.append((time.perf_counter() - w) * 1e3)
            cpu.append(cpu_ms(self.pid) - c)
        return statistics.median(wall), statistics.median(cpu), body


def files(server):
    """The table's data files, and DuckDB with two threads over them as S."""
    import duckdb
    paths = [t.file.file_path.replace("file://", "") for t in server.catalog().load_table("icegate.logs").scan().plan_files()]
    database = duckdb.connect(config={"threads": 2})
    database.sql("create view S as select * from read_parquet(%r)" % paths)
    return paths, database


def values_of(server):
    """Values that occur, for the questions."""
    return dict(zip(("line_id", "trace", "user"), files(server)[1].sql(
        "select regexp_extract(body, 'traceID=([0-9a-f]{32})', 1), lower(hex(trace_id)), attributes['user.id'] from S where contains(body, 'traceID=') order by timestamp limit 1").fetchall()[0]))


def measure_sql(database, sql, runs):
    rows = database.sql(sql).fetchall()
    wall, cpu = [], []
    for _ in range(runs):
        c, w = time.process_time(), time.perf_counter()
        database.sql(sql).fetchall()
        wall.append((time.perf_counter() - w) * 1e3)
        cpu.append((time.process_time() - c) * 1e3)
    return statistics.median(wall), statistics.median(cpu), rows


def read(body):
    """What a query looked at: row groups of how many, and bytes after decompression."""
    data = json.loads(body)["data"]
    if not isinstance(data, dict): return "", ""
    index, summary = data["stats"]["index"], data["stats"]["summary"]
    return "%d of %d" % (index["postFilterChunks"], index["totalChunks"]), "%.2f" % (summary["totalBytesProcessed"] / 1e6)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    bodies = list(corpus.requests(options.records))
    fifth = len(bodies) // 5
    with Server(arguments=["--no-shift"]) as table, Server(arguments=["--no-shift"]) as partly:
        load(table, bodies, TENANT); table.flush()
        load(partly, bodies[:-fifth], TENANT); partly.flush(); load(partly, bodies[-fifth:], TENANT)
        paths, database = files(table)
        pick = values_of(table)
        print("%s, %d cores, %s; %d records in %d data files, %.0f MB; medians of %d, milliseconds (processor milliseconds)" % (
            datetime.date.today(), os.cpu_count(), cpu_model(), options.records, len(paths), sum(map(os.path.getsize, paths)) / 1e6, options.runs))
        print("\n| query | row groups | MB looked at | ours | with a fifth in the WAL | DuckDB | ours / DuckDB |\n|---|---|---|---|---|---|---|")
        first, second, sums, wrong = Client(table), Client(partly), [0, 0, 0], []
        for title, kind, text, parameters, sql in questions(pick):
            a, a_cpu, body = first.measure(path(kind, text, parameters), options.runs)
            b, b_cpu, tail = second.measure(path(kind, text, parameters), options.runs)
            c, c_cpu, rows = measure_sql(database, sql, options.runs)
            step = parameters.get("step", 1)
            want = theirs(kind, rows)
            for name, answer in (("", body), (" (WAL)", tail)):
                if not same(ours(kind, answer, step), want): wrong.append(title + name)
            for index, value in enumerate((a, b, c)): sums[index] += value
            print("| %s | %s | %s | %.1f (%.1f) | %.1f (%.1f) | %.1f (%.1f) | %.2f |" % (title, *read(body), a, a_cpu, b, b_cpu, c, c_cpu, a / c), flush=True)
        print("| sum | | | %.1f | %.1f | %.1f | %.2f |" % (*sums, sums[0] / sums[2]))
        assert not wrong, "answers differ from DuckDB's: " + ", ".join(wrong)


if __name__ == "__main__": main()
