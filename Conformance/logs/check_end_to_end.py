"""An OTLP export of the real SDK becomes an Iceberg table and a LogQL answer, counted exactly on every way out."""
import logging, os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

TENANTS = {"team-a": 50_000, "team-b": 30_000, "team-c": 20_000}
SERVICES = ["checkout", "payments", "search", "gateway"]


def export(server, tenant, count):
    """Sends `count` records through the OpenTelemetry SDK's own HTTP exporter."""
    from opentelemetry._logs import SeverityNumber
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    for at, service in enumerate(SERVICES):
        exporter = OTLPLogExporter("http://127.0.0.1:%d/v1/logs" % server.port("otlp"), headers={"X-Scope-OrgID": tenant})
        provider = LoggerProvider(Resource.create({"service.name": service, "deployment.environment": "test"}))
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=400_000, max_export_batch_size=1000))
        logger = logging.Logger(service)
        logger.addHandler(LoggingHandler(level=logging.NOTSET, logger_provider=provider))
        for n in range(at, count, len(SERVICES)):
            logger.log(logging.ERROR if n % 10 == 0 else logging.INFO, "order %d of tenant %s", n, tenant, extra={"user.id": "u-%d" % (n % 100)})
        assert provider.force_flush(120_000)
        provider.shutdown()


@check("the SDK's exporter sends 100,000 records for three tenants")
def sends(server):
    global started
    started = int(time.time()) - 1
    for tenant, count in TENANTS.items(): export(server, tenant, count)


@check("LogQL counts every record of each tenant, before and after the shift")
def counts(server):
    for phase in ("tail", "table"):
        end = int(time.time()) + 2
        for tenant, count in TENANTS.items():
            got = server.count(tenant, started, end)
            assert got == count, (phase, tenant, got, count)
        server.flush()
    assert server.count("nobody", started, end) == 0


@check("LogQL counts by service and severity agree with what was sent")
def groups(server):
    end = int(time.time()) + 2
    for tenant, count in TENANTS.items():
        for at, service in enumerate(SERVICES):
            numbers = range(at, count, len(SERVICES))
            assert server.count(tenant, started, end, '{service_name="%s"}' % service) == len(numbers)
            errors = sum(1 for n in numbers if n % 10 == 0)
            assert server.count(tenant, started, end, '{service_name="%s", severity_text="ERROR"}' % service) == errors


@check("PyIceberg scans the same counts per tenant")
def pyiceberg(server):
    table = server.catalog().load_table("icegate.logs")
    rows = table.scan(selected_fields=("tenant_id", "body")).to_arrow()
    got = {entry["values"]: entry["counts"] for entry in rows["tenant_id"].value_counts().to_pylist()}
    assert got == TENANTS, got
    assert len(set(rows["body"].to_pylist())) == sum(TENANTS.values())


@check("PyIceberg sees the manual's column names, types, partition spec and sort order")
def schema(server):
    table = server.catalog().load_table("icegate.logs")
    manual = [("tenant_id", "string", True), ("account_id", "string", False), ("service_name", "string", False),
              ("timestamp", "timestamptz", True), ("observed_timestamp", "timestamptz", True), ("ingested_timestamp", "timestamptz", True),
              ("trace_id", "fixed[16]", False), ("span_id", "fixed[8]", False), ("severity_number", "int", False), ("severity_text", "string", False),
              ("body", "string", False), ("attributes", "map<string, string>", True), ("flags", "int", False), ("dropped_attributes_count", "int", True)]
    seen = [(f.name, str(f.field_type), f.required) for f in table.schema().fields]
    assert seen[:len(manual)] == manual, seen[:len(manual)]
    assert all(not required for _, _, required in seen[len(manual):]), "our own columns are nullable"
    names = {f.field_id: f.name for f in table.schema().fields}
    assert [(names[f.source_id], str(f.transform)) for f in table.spec().fields] == [("tenant_id", "identity"), ("account_id", "identity"), ("timestamp", "day")]
    assert [(names[f.source_id], f.direction.name) for f in table.sort_order().fields] == [("service_name", "ASC"), ("timestamp", "DESC")]


@check("DuckDB and PyArrow read the data files")
def engines(server):
    import duckdb, pyarrow.parquet
    table = server.catalog().load_table("icegate.logs")
    files = [task.file.file_path.replace("file://", "") for task in table.scan().plan_files()]
    assert files
    total = sum(TENANTS.values())
    assert sum(pyarrow.parquet.ParquetFile(f).metadata.num_rows for f in files) == total
    assert sum(pyarrow.parquet.read_table(f, partitioning=None).num_rows for f in files) == total
    got = duckdb.sql("select count(*), count(distinct body), count(*) filter (attributes['user.id'] = 'u-7') from read_parquet(%r)" % files).fetchall()[0]
    assert got == (total, total, sum(1 for c in TENANTS.values() for n in range(c) if n % 100 == 7)), got


@check("data files are sorted by service and then newest first")
def order(server):
    import pyarrow.parquet
    table = server.catalog().load_table("icegate.logs")
    for task in table.scan().plan_files():
        rows = pyarrow.parquet.read_table(task.file.file_path.replace("file://", ""), columns=["service_name", "timestamp"], partitioning=None).to_pylist()
        keys = [(r["service_name"], -r["timestamp"].timestamp()) for r in rows]
        assert keys == sorted(keys), task.file.file_path


@check("a restart keeps every record once")
def restart(server):
    assert server.stop() == 0
    server.start()
    end = int(time.time()) + 2
    for tenant, count in TENANTS.items(): assert server.count(tenant, started, end) == count


if __name__ == "__main__":
    with Server() as server: main(server)
