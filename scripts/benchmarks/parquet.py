"""Parquet written and read beside PyArrow and DuckDB: the same log rows, one and two threads, each reader on the file of its own writer.

usage: scripts/bench parquet [--rows N] [--runs N] [--folder DIR] [--only WORD] [--without WORD]

Ours times itself (Benchmarks/parquet-bench); all times are medians with warm caches, wall time and in brackets processor time of
all threads, which a busy machine changes less. DuckDB is timed on our file too.
"""
import argparse, datetime, json, os, random, statistics, subprocess, sys, tempfile, time
import duckdb, pyarrow as pa, pyarrow.compute as pc, pyarrow.dataset as ds, pyarrow.parquet as pq
import corpus
from logs import cpu_model

BENCH = os.environ["PARQUET_BENCH"]
GROUP = 131_072
DICTIONARY = ["tenant_id", "account_id", "service_name", "ingested_timestamp", "severity_number", "severity_text", "attributes.key_value.key",
              "attributes.key_value.value", "resource"]
ENCODING = {"timestamp": "DELTA_BINARY_PACKED", "observed_timestamp": "DELTA_BINARY_PACKED", "trace_id": "PLAIN", "span_id": "PLAIN",
            "body": "DELTA_LENGTH_BYTE_ARRAY", "flags": "DELTA_BINARY_PACKED", "dropped_attributes_count": "DELTA_BINARY_PACKED"}
RARE, NON_ASCII = "segment 9f3a missing", "größer als"


def rows(count, seed=1):
    """Batches in the order of the table: by service, then time descending. The fields have the table's ids."""
    r = random.Random(seed)
    schema = pa.schema([named(i + 1, pa.field(name, t, nullable=null)) for i, (name, t, null) in enumerate([
        ("tenant_id", pa.string(), False), ("account_id", pa.string(), True), ("service_name", pa.string(), True), ("timestamp", pa.timestamp("us", "UTC"), False),
        ("observed_timestamp", pa.timestamp("us", "UTC"), False), ("ingested_timestamp", pa.timestamp("us", "UTC"), False), ("trace_id", pa.binary(16), True),
        ("span_id", pa.binary(8), True), ("severity_number", pa.int32(), True), ("severity_text", pa.string(), True), ("body", pa.string(), True),
        ("attributes", pa.map_(named(101, pa.field("key", pa.string(), nullable=False)), named(102, pa.field("value", pa.string()))), False),
        ("flags", pa.int32(), True), ("dropped_attributes_count", pa.int32(), False), ("resource", pa.string(), True)])])
    routes, users, threads = ["/api/v1/" + w for w in corpus.WORDS], ["u-%d" % n for n in range(100_000)], ["worker-%d" % n for n in range(16)]
    keys = ["http.method", "http.route", "user.id", "thread.name", "code.function", "http.status_code"]
    services = sorted(corpus.SERVICES)
    for start in range(0, count, GROUP):
        n = min(GROUP, count - start)
        service = [services[(start + i) * len(services) // count] for i in range(n)]
        at = [(corpus.T0 + 7200) * 10**6 - (start + i) * len(services) % count * 7200 * 10**6 // count - r.randrange(1000) for i in range(n)]
        severity = [r.choice(((9, "INFO"), (9, "INFO"), (9, "INFO"), (5, "DEBUG"), (13, "WARN"), (17, "ERROR"))) for _ in range(n)]
        body = [corpus.line(r, start + i) for i in range(n)]
        for i in range(n):
            if (start + i) % (count // 7) == 5: body[i] += " " + RARE
            if (start + i) % (count // 5) == 9: body[i] += " " + NON_ASCII
        values = [v for _ in range(n) for v in (r.choice(("GET", "POST")), r.choice(routes), r.choice(users), r.choice(threads), r.choice(corpus.WORDS),
                                                r.choice(("200", "200", "200", "404", "500")))]
        traces = [r.randbytes(16) for _ in range(n)]
        columns = [
            ["acme"] * n, ["main"] * n, service, at, [t + 1234 + r.randrange(500) for t in at], [(corpus.T0 + 7300) * 10**6] * n, traces,
            [r.randbytes(8) for _ in range(n)], [s[0] for s in severity], [s[1] for s in severity], body,
            pa.MapArray.from_arrays(pa.array(range(0, n * 6 + 1, 6), pa.int32()), pa.array(keys * n), pa.array(values), type=schema.field("attributes").type), [1] * n, [0] * n,
            ['{"attributes":[{"key":"service.name","value":{"stringValue":"%s"}},{"key":"k8s.pod.name","value":{"stringValue":"%s-%d"}}]}' % (s, s, (start + i) // 1000 % 5)
             for i, s in enumerate(service)]]
        yield pa.RecordBatch.from_arrays([c if isinstance(c, pa.Array) else pa.array(c, f.type) for c, f in zip(columns, schema)], schema=schema)


def named(number, field):
    return field.with_metadata({"PARQUET:field_id": str(number)})


def ours(what, path, threads, runs, *more):
    done = subprocess.run([BENCH, what, path, "--threads", str(threads), "--runs", str(runs), *more], capture_output=True, text=True)
    if done.returncode: sys.exit("bench %s: %s" % (what, done.stderr))
    found = json.loads(done.stdout)
    return (found["milliseconds"], found["cpu"]), found["answer"]


def timed(action, runs):
    """Medians of wall and processor milliseconds of `runs` runs after one to warm up, and the last answer."""
    action()
    wall, cpu = [], []
    for _ in range(runs):
        started, spent = time.perf_counter(), time.process_time()
        answer = action()
        wall.append((time.perf_counter() - started) * 1e3); cpu.append((time.process_time() - spent) * 1e3)
    return (statistics.median(wall), statistics.median(cpu)), answer


def arrow_write(table, path):
    pq.write_table(table, path, compression="zstd", compression_level=1, row_group_size=GROUP, data_page_size=1 << 20, write_page_index=True,
                   write_page_checksum=True, use_dictionary=DICTIONARY, column_encoding=ENCODING, store_schema=False)


def arrow_scan(path, columns, threads):
    file = pq.ParquetFile(path, memory_map=True)
    return sum(file.read_row_group(i, columns=columns, use_threads=threads > 1).num_rows for i in range(file.num_row_groups))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000); parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder"); parser.add_argument("--only", default=""); parser.add_argument("--without", default="\0"); parser.add_argument("--threads", default="1,2")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="icegate-bench-")
    os.makedirs(folder, exist_ok=True)
    try: run(options, folder)
    finally:
        if not options.folder: subprocess.run(["rm", "-r", folder])


def run(options, folder):
    source, us, arrow, duck = (os.path.join(folder, "%s-%d.parquet" % (n, options.rows)) for n in ("source", "icegate", "arrow", "duck"))
    if not os.path.exists(source):
        batches = rows(options.rows); first = next(batches)
        with pq.ParquetWriter(source + ".new", first.schema, compression="none", use_dictionary=False, store_schema=False) as writer:
            writer.write_batch(first, row_group_size=GROUP)
            for batch in batches: writer.write_batch(batch, row_group_size=GROUP)
        os.rename(source + ".new", source)
    table = pq.read_table(source)
    existing = table["trace_id"][options.rows * 2 // 3].as_py()
    inner = next(b.split("traceID=")[1][:32] for b in table["body"].slice(options.rows // 2, 1000).to_pylist() if "traceID=" in b)
    print("%s, %d cores, %s, load %.1f; %d rows, medians of %d runs in ms, wall (processor)\n" % (datetime.date.today(), os.cpu_count(), cpu_model(), os.getloadavg()[0], options.rows, options.runs))
    print("| threads | work | answer | ours | PyArrow %s | DuckDB %s | DuckDB on our file | ours / faster |\n|---|---|---|---|---|---|---|---|" % (pa.__version__, duckdb.__version__))

    def row(threads, name, mine, by_arrow, by_duck, by_duck_on_ours=None):
        if options.only not in name or options.without in name: return
        t, answer = mine()
        peers = []
        for peer in (by_arrow, by_duck, by_duck_on_ours):
            if peer is None: peers.append(None); continue
            other, found = timed(peer, options.runs)
            peers.append(other)
            assert found is None or found == answer, "%s: %s, not %s" % (name, found, answer)
        best = [min(p[i] for p in (peers[:2] if any(peers[:2]) else peers) if p is not None) for i in (0, 1)]
        cells = ["%.1f (%.1f)" % p if p is not None else "" for p in [t] + peers]
        print("| %d | %s | %s | %s | %.2f (%.2f) |" % (threads, name, format(answer, ","), " | ".join(cells), t[0] / best[0], t[1] / best[1]), flush=True)

    for threads in map(int, options.threads.split(",")):
        pa.set_cpu_count(threads)
        database = duckdb.connect(config={"threads": threads})
        database.register("arrow_rows", table)
        if options.only in "write, zstd" and options.without not in "write, zstd": database.execute("CREATE TABLE logs AS SELECT * FROM arrow_rows")
        copy = "COPY logs TO '%s' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE %d)" % (duck, GROUP)
        sizes = {}

        def written(action, path):
            action(); sizes[path] = os.path.getsize(path)
        row(threads, "write, zstd", lambda: ours("write", source, threads, options.runs, "--out", us), lambda: written(lambda: arrow_write(table, arrow), arrow),
            lambda: written(lambda: database.execute(copy), duck))
        database.execute("DROP TABLE IF EXISTS logs"); database.unregister("arrow_rows")

        def scalar(sql, path): return lambda: database.sql(sql % path).to_arrow_table().column(0)[0].as_py()

        def both(sql): return scalar(sql, duck), scalar(sql, us)

        def dataset(path, condition): return lambda: ds.dataset(path).count_rows(filter=condition, use_threads=threads > 1)
        names = table.schema.names
        for name, columns in [("full scan", names), ("3 columns: timestamp, service_name, severity_text", ["timestamp", "service_name", "severity_text"])]:
            sql = "SELECT count(*), " + ", ".join("any_value(%s)" % c for c in columns) + " FROM read_parquet('%s')"
            more = [] if columns is names else ["--columns", ",".join(columns)]
            row(threads, name, lambda: ours("scan", us, threads, options.runs, *more), lambda: arrow_scan(arrow, columns, threads), *both(sql))
        for column, value in [("severity_text", "ERROR"), ("service_name", "payment")]:
            row(threads, "%s = %s" % (column, value), lambda: ours("equal", us, threads, options.runs, "--column", column, "--text", value),
                dataset(arrow, pc.field(column) == value), *both("SELECT count(*) FROM read_parquet('%%s') WHERE %s = '%s'" % (column, value)))
        needles = [("absent", "kernel panic"), ("rare", RARE), ("one id", inner), ("absent id", "0123456789abcdef0123456789abcdef"), ("1 line in 80", "timeout"),
                   ("frequent", "request"), ("two bytes", "ms"), ("one byte", "q"), ("non-ASCII, rare", NON_ASCII), ("non-ASCII, absent", "日本語")]
        for name, needle in needles:
            mine = lambda *more: ours("contains", us, threads, options.runs, "--column", "body", "--text", needle, *more)
            row(threads, "substring, %s: `%s`" % (name, needle), mine, dataset(arrow, pc.match_substring(pc.field("body"), needle)),
                *both("SELECT count(*) FROM read_parquet('%%s') WHERE contains(body, '%s')" % needle))
            row(threads, "the same without the index", lambda: mine("--without-index", "1"), None, scalar("SELECT count(*) FROM read_parquet('%%s') WHERE contains(body, '%s')" % needle, us))
        for name, value in [("", existing), (", absent", bytes(range(16)))]:
            row(threads, "trace id%s" % name, lambda: ours("lookup", us, threads, options.runs, "--column", "trace_id", "--hex", value.hex()),
                dataset(arrow, pc.field("trace_id") == pa.scalar(value, pa.binary(16))),
                *both("SELECT count(*) FROM read_parquet('%%s') WHERE trace_id = from_hex('%s')" % value.hex()))
    size = {p: os.path.getsize(p) for p in (us, arrow, duck)}
    index = subprocess.run([BENCH, "describe", us], capture_output=True, text=True)
    described = json.loads(index.stdout)
    text, bloom = described["text_index"], described["bloom_filters"]
    print("\n| file | bytes | to PyArrow's |\n|---|---|---|")
    for name, count in [("ours", size[us]), ("text index in it", text), ("Bloom filters in it", bloom), ("ours without both", size[us] - text - bloom), ("PyArrow", size[arrow]), ("DuckDB", size[duck])]:
        print("| %s | %s | %.3f |" % (name, format(count, ","), count / size[arrow]))


if __name__ == "__main__": main()
