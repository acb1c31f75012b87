"""The same aggregate over the same tables by several engines: rows and bytes of lines by service and severity, within a time range."""
import collections, json, os, random, sys, time

os.environ.setdefault("RAY_DEDUP_LOGS", "0")
os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from harness import Server
from pyiceberg.catalog.rest import RestCatalog

START, SERVICES, LEVELS = 1_800_000_000, ["api", "web", "cart", "search"], [("INFO", 9), ("WARN", 13), ("ERROR", 17)]


def fill(server, records, batch=2000):
    """What was sent, counted: the answer that every engine must give."""
    r, want = random.Random(1), collections.defaultdict(lambda: [0, 0])
    for first in range(0, records, batch):
        scopes = collections.defaultdict(list)
        for n in range(first, min(first + batch, records)):
            service, (level, number) = r.choice(SERVICES), r.choices(LEVELS, [90, 8, 2])[0]
            line = "request %d took %d ms" % (n, r.randrange(1000))
            scopes[service].append({"timeUnixNano": str(START * 10**9 + n * 10**6), "severityText": level, "severityNumber": number, "body": {"stringValue": line}})
            want[service, level][0] += 1; want[service, level][1] += len(line)
        body = {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": s}}]}, "scopeLogs": [{"logRecords": rows}]} for s, rows in scopes.items()]}
        status, _, answer = server.request("otlp", "POST", "/v1/logs", json.dumps(body).encode(), {"Content-Type": "application/json", "X-Scope-OrgID": "engines"})
        assert status == 200, (status, answer)
    server.flush()
    return {k: tuple(v) for k, v in want.items()}


def by_group(rows): return {(service, level): (int(count), int(size)) for service, level, count, size in rows}


FILTER = "tenant_id = 'engines'"


def logql(server, table, records):
    found = collections.defaultdict(dict)
    for name in ("count_over_time", "bytes_over_time"):
        status, answer = server.get("loki", "/loki/api/v1/query", {"query": "sum by (service_name, severity_text) (%s({service_name=~\".+\"}[%ds]))" % (name, records // 1000 + 60),
                                                                   "time": START + records // 1000 + 59}, "engines")
        assert status == 200, answer
        for series in answer["data"]["result"]: found[series["metric"]["service_name"], series["metric"]["severity_text"]][name] = int(float(series["value"][1]))
    return {k: (v["count_over_time"], v["bytes_over_time"]) for k, v in found.items()}


def pyiceberg(server, table, records):
    rows = table.scan(row_filter=FILTER, selected_fields=("service_name", "severity_text", "body")).to_arrow()
    rows = rows.append_column("size", pc.binary_length(rows["body"]))
    groups = rows.group_by(["service_name", "severity_text"]).aggregate([("size", "count"), ("size", "sum")])
    return by_group(zip(*(groups[c].to_pylist() for c in ("service_name", "severity_text", "size_count", "size_sum"))))


def duck(server, table, records):
    files = [task.file.file_path.removeprefix("file://") for task in table.scan(row_filter=FILTER).plan_files()]
    return by_group(duckdb.sql("SELECT service_name, severity_text, count(*), sum(strlen(body)) FROM read_parquet(%r) WHERE %s GROUP BY ALL" % (files, FILTER)).fetchall())


def with_daft(server, table, records):
    import daft
    from daft import col
    frame = daft.read_iceberg(table).where(col("tenant_id") == "engines").with_column("size", col("body").length_bytes())
    groups = frame.groupby("service_name", "severity_text").agg(col("size").count().alias("n"), col("size").sum().alias("bytes")).to_pydict()
    return by_group(zip(groups["service_name"], groups["severity_text"], groups["n"], groups["bytes"]))


def on_ray(server, table, records):
    """In a process of its own: Daft keeps the runner it began with."""
    import subprocess
    code = "import daft, json, sys, engines; daft.set_runner_ray(address=%r); from pyiceberg.catalog.rest import RestCatalog; " \
           "table = RestCatalog('lake', uri=%r).load_table('icegate.logs'); " \
           "print('FOUND', json.dumps([[*k, *v] for k, v in engines.with_daft(None, table, 0).items()]))" % (
               RAY.address, "http://127.0.0.1:%d" % server.port("iceberg"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240,
                          env={**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "") + ":" + os.path.dirname(os.path.abspath(__file__))})
    lines = [l for l in done.stdout.splitlines() if l.startswith("FOUND ")]
    assert lines, done.stderr[-2000:]
    return by_group(json.loads(lines[0][6:]))


def spark_jar():
    """Where Iceberg's runtime for Spark is, or why it is left out."""
    jar = os.environ.get("ICEBERG_SPARK_JAR", "")
    if not jar: return None, "ICEBERG_SPARK_JAR names no iceberg-spark-runtime jar"
    if not os.path.exists(jar): return None, "%s is not there" % jar
    try: import pyspark
    except ImportError: return None, "pyspark is not installed in this environment"
    return jar, None


def spark(server, table, records):
    from pyspark.sql import SparkSession
    settings = {"spark.jars": spark_jar()[0], "spark.master": "local[2]", "spark.ui.enabled": "false", "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
                "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.lake.type": "rest", "spark.sql.catalog.lake.uri": "http://127.0.0.1:%d" % server.port("iceberg")}
    builder = SparkSession.builder.appName("icegate")
    for name, value in settings.items(): builder = builder.config(name, value)
    session = builder.getOrCreate()
    try: rows = session.sql("SELECT service_name, severity_text, count(*), sum(octet_length(body)) FROM lake.icegate.logs WHERE %s GROUP BY 1, 2" % FILTER).collect()
    finally: session.stop()
    return by_group(map(tuple, rows))


RAY = None


def cluster():
    """A head without work of its own and two workers, each a process tree of its own."""
    global RAY
    import ray
    from ray.cluster_utils import Cluster
    RAY = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 100 << 20})
    for _ in range(2): RAY.add_node(num_cpus=1, object_store_memory=100 << 20)
    ray.init(address=RAY.address, log_to_driver=False)
    RAY.wait_for_nodes()
    return sum(node["Resources"].get("CPU", 0) > 0 for node in ray.nodes())


def main():
    records = int(sys.argv[1])
    with Server() as server:
        want = fill(server, records)
        table = RestCatalog("lake", uri="http://127.0.0.1:%d" % server.port("iceberg")).load_table("icegate.logs")
        print("%d records in %d groups, table %s" % (records, len(want), table.location()))
        failed = 0
        engines = [("LogQL", logql), ("PyIceberg", pyiceberg), ("DuckDB", duck), ("Daft", with_daft), ("Daft on Ray", on_ray)]
        if spark_jar()[0]: engines.append(("PySpark", spark))
        else: print("PySpark      skip: " + spark_jar()[1])
        for name, ask in engines:
            if name == "Daft on Ray": print("Ray: %d workers" % cluster())
            began = time.time()
            found = ask(server, table, records)
            same = found == want
            failed += not same
            print("%-12s %-7s %6.2f s  %s" % (name, "equal" if same else "DIFFERS", time.time() - began, "" if same else found))
    sys.exit(1 if failed else 0)


if __name__ == "__main__": main()
