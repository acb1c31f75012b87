"""Tables that both `icegate iceberg` and PyIceberg work on, over one SQLite catalog. Needs no running server."""
import datetime, decimal, json, os, pathlib, shutil, subprocess, sys, tempfile, uuid

import pyarrow as pa
import pyarrow.parquet as pq
from harness import check, main
from pyiceberg import expressions as e
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import (BucketTransform, DayTransform, HourTransform, IdentityTransform, MonthTransform, TruncateTransform,
                                  VoidTransform, YearTransform)
from pyiceberg.types import (BinaryType, BooleanType, DateType, DecimalType, DoubleType, FixedType, FloatType,
                             IntegerType, LongType, NestedField, StringType, TimestamptzType)

UTC = datetime.timezone.utc


class Lake:
    """A fresh warehouse with a catalog, seen from both sides."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="icegate-iceberg-")
        self.database = self.root + "/catalog.db"
        self.warehouse = self.root + "/warehouse"
        os.mkdir(self.warehouse)

    def ours(self, action, *arguments):
        command = [os.environ["ICEGATE"], "iceberg", action, *arguments, "--catalog", "sqlite:///" + self.database,
                   "--warehouse", self.warehouse]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("%s: %s" % (" ".join(command), done.stderr))
        return json.loads(done.stdout)

    def theirs(self):
        return SqlCatalog("icegate", uri="sqlite:///" + self.database, warehouse="file://" + self.warehouse)

    def __enter__(self): return self

    def __exit__(self, *_): shutil.rmtree(self.root, ignore_errors=True)


def same(found, wanted, what=""):
    if found != wanted: raise AssertionError("%s: found %r, wanted %r" % (what, found, wanted))


LOGS = [  # the manual's columns of `logs`, chapter "Data Model"
    ("tenant_id", "string", True), ("account_id", "string", False), ("service_name", "string", False),
    ("timestamp", "timestamptz", True), ("observed_timestamp", "timestamptz", True),
    ("ingested_timestamp", "timestamptz", True), ("trace_id", "fixed[16]", False), ("span_id", "fixed[8]", False),
    ("severity_number", "int", False), ("severity_text", "string", False), ("body", "string", False),
    ("attributes", "map<string, string>", True), ("flags", "int", False), ("dropped_attributes_count", "int", True),
]


@check("tables created here open in PyIceberg with the manual's columns, partitioning and order")
def created_here():
    with Lake() as lake:
        same(lake.ours("create"), ["icegate.events", "icegate.logs", "icegate.metrics", "icegate.spans"])
        catalog = lake.theirs()
        same(catalog.list_namespaces(), [("icegate",)])
        same(sorted(name for _, name in catalog.list_tables("icegate")), ["events", "logs", "metrics", "spans"])
        orders = {"logs": ["service_name asc", "timestamp desc"], "events": ["service_name asc", "timestamp desc"],
                  "spans": ["trace_id asc", "timestamp asc"],
                  "metrics": ["metric_name asc", "service_name asc", "series asc", "timestamp desc"]}
        for name, order in orders.items():
            table = catalog.load_table("icegate." + name)
            same(table.format_version, 2)
            same([(f.name, str(f.transform)) for f in table.spec().fields],
                 [("tenant_id", "identity"), ("account_id", "identity"), ("timestamp_day", "day")], name)
            names = {f.field_id: f.name for f in table.schema().fields}
            same(["%s %s" % (names[f.source_id], f.direction.value) for f in table.sort_order().fields], order, name)
            same(table.properties["write.parquet.compression-codec"], "zstd")
            same(table.current_snapshot(), None)
            same(len(table.scan().to_arrow()), 0)
        fields = catalog.load_table("icegate.logs").schema().fields[:len(LOGS)]
        same([(f.name, str(f.field_type), f.required) for f in fields], LOGS, "logs")


def write_logs(lake, path, rows):
    """A Parquet file with the field ids of `logs`, written by PyArrow."""
    schema = lake.theirs().load_table("icegate.logs").schema().as_arrow()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    day = datetime.datetime(2026, 11, 1, tzinfo=UTC)
    full = [{"tenant_id": "a", "account_id": None, "service_name": "api", "timestamp": day, "observed_timestamp": day,
             "ingested_timestamp": day, "attributes": [("k", "v")], "dropped_attributes_count": 0, **row}
            for row in rows]
    table = pa.Table.from_pylist(full, schema=schema)
    pq.write_table(table, path)
    return {"path": "file://" + path, "records": len(rows), "size": os.path.getsize(path)}


@check("files appended here are scanned by PyIceberg, snapshot after snapshot")
def appended_here():
    with Lake() as lake:
        lake.ours("create")
        data = lake.warehouse + "/icegate/logs/data"
        first = write_logs(lake, data + "/1.parquet", [{"body": "x%d" % n} for n in range(7)])
        second = write_logs(lake, data + "/2.parquet", [{"tenant_id": "b", "account_id": "acc", "body": "y"}])
        for file, partition in ((first, ["a", None, "20758"]), (second, ["b", "acc", "20758"])):
            listing = lake.root + "/files.json"
            pathlib.Path(listing).write_text(json.dumps([{**file, "partition": partition}]))
            lake.ours("append", "icegate.logs", "--files", listing)
        table = lake.theirs().load_table("icegate.logs")
        same(len(table.scan().to_arrow()), 8, "rows")
        same(len(table.scan(row_filter=e.EqualTo("tenant_id", "a")).to_arrow()), 7, "rows of a")
        same(table.scan(row_filter=e.EqualTo("account_id", "acc")).to_arrow()["body"].to_pylist(), ["y"])
        same([str(s.summary.operation.value) for s in table.snapshots()], ["append", "append"])
        same(table.current_snapshot().summary["total-records"], "8")
        same(table.current_snapshot().summary["total-data-files"], "2")
        same(table.current_snapshot().summary["added-records"], "1")
        oldest = table.snapshots()[0]
        same(len(table.scan(snapshot_id=oldest.snapshot_id).to_arrow()), 7, "time travel")
        same(table.inspect.manifests()["added_data_files_count"].to_pylist(), [1, 1])
        partitions = table.inspect.partitions().to_pylist()
        same(sorted((p["partition"]["tenant_id"], p["record_count"]) for p in partitions), [("a", 7), ("b", 1)])
        # And PyIceberg goes on where we stopped.
        table.append(table.scan(row_filter=e.EqualTo("tenant_id", "b")).to_arrow())
        found = lake.ours("files", "icegate.logs")
        same(found["records"], 9)
        same(lake.ours("files", "icegate.logs", "--where", "tenant_id = b")["records"], 2)
        same(lake.ours("files", "icegate.logs", "--snapshot", str(oldest.snapshot_id))["records"], 7)


@check("a table made and changed by PyIceberg is planned here as there")
def made_there():
    with Lake() as lake:
        catalog = lake.theirs()
        catalog.create_namespace("other")
        schema = Schema(
            NestedField(1, "tenant", StringType(), required=True), NestedField(2, "n", IntegerType()),
            NestedField(3, "at", TimestamptzType()), NestedField(4, "x", DoubleType()),
            NestedField(5, "price", DecimalType(12, 2)), NestedField(6, "day", DateType()),
            NestedField(7, "flag", BooleanType()), NestedField(8, "code", FixedType(2)),
            NestedField(9, "raw", BinaryType()), NestedField(10, "f", FloatType()))
        spec = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "tenant"),
                             PartitionField(3, 1001, DayTransform(), "at_day"),
                             PartitionField(2, 1002, BucketTransform(4), "n_bucket"))
        table = catalog.create_table("other.t", schema, partition_spec=spec)

        def rows(tenant, numbers):
            at = datetime.datetime(1969, 12, 30, tzinfo=UTC)
            return [{"tenant": tenant, "n": n, "at": at + datetime.timedelta(hours=9 * n), "x": n / 3,
                     "price": decimal.Decimal(n) / 4, "day": datetime.date(1970, 1, 1) + datetime.timedelta(n - 5),
                     "flag": n % 2 == 0, "code": n.to_bytes(2, "big"), "raw": b"\xff" * n, "f": float("nan")}
                    for n in numbers]

        def arrow(data): return pa.Table.from_pylist(data, schema=table.schema().as_arrow())

        table.append(arrow(rows("a", range(10)) + rows("ü b", range(5))))
        table.append(arrow(rows("c", range(20, 30))))
        table.delete(e.EqualTo("tenant", "c"))
        table.append(arrow(rows("d/e", range(3))))

        def compare(term, filter):
            ours = [f["path"] for f in lake.ours("files", "other.t", *(["--where", term] if term else []))["files"]]
            theirs = sorted(t.file.file_path for t in catalog.load_table("other.t").scan(row_filter=filter).plan_files())
            same(sorted(ours), theirs, term)

        midnight = datetime.datetime(1970, 1, 1, tzinfo=UTC)
        for term, filter in [
            (None, e.AlwaysTrue()), ("tenant = a", e.EqualTo("tenant", "a")), ("tenant = zz", e.EqualTo("tenant", "zz")),
            ("tenant in (a,d/e)", e.In("tenant", {"a", "d/e"})), ("n = 7", e.EqualTo("n", 7)),
            ("n > 7", e.GreaterThan("n", 7)), ("n <= 1", e.LessThanOrEqual("n", 1)), ("x >= 2.5", e.GreaterThanOrEqual("x", 2.5)),
            ("price < 100", e.LessThan("price", decimal.Decimal("1.00"))), ("n is null", e.IsNull("n")),
            ("flag is not null", e.NotNull("flag")), ("day < 0", e.LessThan("day", datetime.date(1970, 1, 1))),
            ("at >= 86400000000", e.GreaterThanOrEqual("at", (midnight + datetime.timedelta(1)).isoformat())),
            ("at < 43200000000", e.LessThan("at", (midnight + datetime.timedelta(hours=12)).isoformat())),
            ("code = 0007", e.EqualTo("code", b"\x00\x07")),
        ]:
            compare(term, filter)
        with table.update_schema() as update:
            update.update_column("n", LongType())
            update.rename_column("n", "number")
            update.add_column("late", StringType())
        with table.update_spec() as update:
            update.remove_field("at_day")
        table.append(arrow([dict(r, number=r.pop("n"), late="l") for r in rows("f", range(3))]))
        compare("number = 2", e.EqualTo("number", 2))
        compare("late = l", e.EqualTo("late", "l"))
        compare("tenant = f", e.EqualTo("tenant", "f"))


@check("a commit prepared on an old version never replaces the newer one")
def conflicts():
    with Lake() as lake:
        lake.ours("create")
        data = lake.warehouse + "/icegate/logs/data"
        listing = lake.root + "/files.json"

        def append(name):
            file = write_logs(lake, "%s/%s.parquet" % (data, name), [{"body": name}])
            pathlib.Path(listing).write_text(json.dumps([{**file, "partition": ["a", None, "20758"]}]))
            lake.ours("append", "icegate.logs", "--files", listing)

        append("first")
        rows = lake.theirs().load_table("icegate.logs").scan().to_arrow()
        stale, patient = (lake.theirs().load_table("icegate.logs") for _ in range(2))
        stale.metadata.properties["commit.retry.num-retries"] = "0"
        append("second")
        try:
            stale.append(rows)
        except CommitFailedException:
            pass
        else:
            raise AssertionError("PyIceberg's stale append was taken")
        same(lake.ours("files", "icegate.logs")["records"], 2)
        patient.append(rows)  # loses once, then goes on top of ours
        same(lake.ours("files", "icegate.logs")["records"], 3)
        snapshots = lake.theirs().load_table("icegate.logs").snapshots()
        same([s.parent_snapshot_id for s in snapshots], [None] + [s.snapshot_id for s in snapshots[:-1]])


@check("a table dropped or renamed there is dropped or renamed here")
def names():
    with Lake() as lake:
        lake.ours("create")
        lake.theirs().drop_table("icegate.events")
        same(lake.ours("tables"), ["icegate.logs", "icegate.metrics", "icegate.spans"])
        lake.theirs().rename_table("icegate.spans", "icegate.traces")
        same(lake.ours("tables"), ["icegate.logs", "icegate.metrics", "icegate.traces"])
        same(lake.ours("files", "icegate.traces")["files"], [])


def change(lake, table, operation, adding=(), removing=(), branch="main"):
    listing = lake.root + "/change.json"
    pathlib.Path(listing).write_text(json.dumps({"adding": list(adding), "removing": list(removing)}))
    return lake.ours("change", table, "--files", listing, "--operation", operation, "--branch", branch)


def bodies(rows): return sorted(row["body"] for row in rows)


A_DAY = ["a", None, "20758"]  # tenant, account, 2026-11-01


@check("position deletes written here are applied by PyIceberg and here, newer files untouched")
def position_deletes():
    with Lake() as lake:
        lake.ours("create")
        data = lake.warehouse + "/icegate/logs/data"
        first = write_logs(lake, data + "/1.parquet", [{"body": "x%d" % n} for n in range(5)])
        second = write_logs(lake, data + "/2.parquet", [{"body": "y%d" % n} for n in range(5)])
        change(lake, "icegate.logs", "overwrite", [{**f, "partition": A_DAY} for f in (first, second)])
        ids = {"file_path": b"2147483546", "pos": b"2147483545"}
        schema = pa.schema([pa.field(n, t, False, {b"PARQUET:field_id": ids[n]}) for n, t in
                            (("file_path", pa.string()), ("pos", pa.int64()))])
        path = data + "/deletes.parquet"
        rows = [(first["path"], 1), (first["path"], 3), (second["path"], 0)]
        pq.write_table(pa.table({"file_path": [r[0] for r in rows], "pos": [r[1] for r in rows]}, schema=schema), path)
        change(lake, "icegate.logs", "delete", [{"content": 1, "path": "file://" + path, "records": 3,
                                                 "size": os.path.getsize(path), "partition": A_DAY}])
        wanted = ["x0", "x2", "x4", "y1", "y2", "y3", "y4"]
        same(bodies(lake.ours("rows", "icegate.logs")), wanted, "ours")
        same(bodies(lake.theirs().load_table("icegate.logs").scan().to_arrow().to_pylist()), wanted, "PyIceberg's")
        try:
            lake.ours("files", "icegate.logs")
        except RuntimeError as error:
            if "delete files" not in str(error): raise
        else:
            raise AssertionError("a plan without deletes was given")
        third = write_logs(lake, data + "/3.parquet", [{"body": "z"}])
        change(lake, "icegate.logs", "overwrite", [{**third, "partition": A_DAY}])
        same(bodies(lake.ours("rows", "icegate.logs")), wanted + ["z"])


@check("equality deletes are applied to older files of their partition only")
def equality_deletes():
    with Lake() as lake:
        lake.ours("create")
        data = lake.warehouse + "/icegate/logs/data"
        first = write_logs(lake, data + "/1.parquet", [{"body": "x%d" % n, "severity_text": s} for n, s in
                                                       enumerate(["INFO", None, "WARN", "INFO"])])
        other = write_logs(lake, data + "/2.parquet", [{"tenant_id": "b", "body": "other", "severity_text": "INFO"}])
        change(lake, "icegate.logs", "overwrite", [{**first, "partition": A_DAY}, {**other, "partition": ["b", None, "20758"]}])
        schema = pa.schema([pa.field("severity_text", pa.string(), True, {b"PARQUET:field_id": b"10"})])
        path = data + "/deletes.parquet"
        pq.write_table(pa.table({"severity_text": ["INFO", None]}, schema=schema), path)
        change(lake, "icegate.logs", "delete", [{"content": 2, "equality_ids": [10], "path": "file://" + path, "records": 2,
                                                 "size": os.path.getsize(path), "partition": A_DAY}])
        later = write_logs(lake, data + "/3.parquet", [{"body": "later", "severity_text": "INFO"}])
        change(lake, "icegate.logs", "overwrite", [{**later, "partition": A_DAY}])
        same(bodies(lake.ours("rows", "icegate.logs")), ["later", "other", "x2"])
        same(bodies(lake.ours("rows", "icegate.logs", "--columns", "body")), ["later", "other", "x2"])


@check("a rewrite, a branch, merged manifests and expired snapshots are the same table to PyIceberg")
def rewrite_and_expire():
    with Lake() as lake:
        lake.ours("create")
        data = lake.warehouse + "/icegate/logs/data"
        files = [write_logs(lake, "%s/%d.parquet" % (data, n), [{"body": "%d-%d" % (n, m)} for m in range(3)]) for n in range(6)]
        for file in files: change(lake, "icegate.logs", "overwrite", [{**file, "partition": A_DAY}])
        everything = bodies(lake.ours("rows", "icegate.logs"))
        same(len(everything), 18)
        theirs = lambda: lake.theirs().load_table("icegate.logs")
        lake.ours("merge", "icegate.logs", "--min-count", "3")
        same(len(theirs().inspect.manifests()), 1, "manifests")
        same(bodies(theirs().scan().to_arrow().to_pylist()), everything)
        merged = write_logs(lake, data + "/merged.parquet", [{"body": "%d-%d" % (n, m)} for n in range(2) for m in range(3)])
        change(lake, "icegate.logs", "replace", [{**merged, "partition": A_DAY}], [files[0]["path"], files[1]["path"]])
        same(bodies(theirs().scan().to_arrow().to_pylist()), everything, "after the rewrite")
        summary = theirs().current_snapshot().summary
        same((summary.operation.value, summary["deleted-data-files"], summary["total-data-files"], summary["total-records"]),
             ("replace", "2", "5", "18"))
        same(sorted(t.file.file_path for t in theirs().scan().plan_files()),
             sorted(f["path"] for f in lake.ours("files", "icegate.logs")["files"]))
        # A branch made by PyIceberg, changed here.
        table = theirs()
        table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, "audit").commit()
        change(lake, "icegate.logs", "delete", [], [merged["path"]], branch="audit")
        same(len(theirs().scan().use_ref("audit").to_arrow()), 12)
        same(len(theirs().scan().to_arrow()), 18)
        same(len(lake.ours("rows", "icegate.logs", "--ref", "audit")), 12)
        # By the table's own properties everything is young; a rehearsal changes nothing.
        same(lake.ours("expire", "icegate.logs")["expired_snapshots"], 0)
        files_before = sorted(str(f) for f in pathlib.Path(lake.warehouse).rglob("*"))
        rehearsed = lake.ours("expire", "icegate.logs", "--older-than", "0", "--dry-run")
        same(sorted(str(f) for f in pathlib.Path(lake.warehouse).rglob("*")), files_before, "after the rehearsal")
        same(len(theirs().snapshots()), 9)
        done = lake.ours("expire", "icegate.logs", "--older-than", "0")
        same(done["expired_snapshots"], 7)
        same(done, rehearsed)
        same(bodies(theirs().scan().to_arrow().to_pylist()), everything, "after the expiry")
        same(len(theirs().scan().use_ref("audit").to_arrow()), 12)
        same(sorted(f.name for f in pathlib.Path(data).iterdir()), ["2.parquet", "3.parquet", "4.parquet", "5.parquet", "merged.parquet"])
        same(len(theirs().snapshots()), 2)


@check("history.expire.* of the table decide what expires; tags and branches that PyIceberg made keep their snapshots and files")
def expire_by_properties():
    with Lake() as lake:
        lake.ours("create")
        data = lake.warehouse + "/icegate/logs/data"
        theirs = lambda: lake.theirs().load_table("icegate.logs")
        files = []
        for n in range(5):
            files.append(write_logs(lake, "%s/%d.parquet" % (data, n), [{"body": str(n)}]))
            change(lake, "icegate.logs", "overwrite", [{**files[n], "partition": A_DAY}], [files[n - 1]["path"]] if n else [])
        line = [s.snapshot_id for s in theirs().snapshots()]
        theirs().manage_snapshots().create_tag(line[1], "kept").create_branch(line[2], "audit").commit()
        with theirs().transaction() as transaction:
            transaction.set_properties({"history.expire.max-snapshot-age-ms": "1", "history.expire.min-snapshots-to-keep": "2"})
        # Readers of what was current until just now are left their files.
        same(lake.ours("expire", "icegate.logs")["expired_snapshots"], 0)
        with theirs().transaction() as transaction: transaction.set_properties({"gc.enabled": "false"})
        try: lake.ours("expire", "icegate.logs", "--older-than", "0")
        except RuntimeError as error:
            if "gc.enabled" not in str(error): raise
        else: raise AssertionError("files that may be shared were deleted")
        with theirs().transaction() as transaction: transaction.set_properties({"gc.enabled": "true"})
        # Of main the last two stay, of the branch two: the first goes, and the file that only it had.
        done = lake.ours("expire", "icegate.logs", "--older-than", "0")
        same([s.snapshot_id for s in theirs().snapshots()], line[1:])
        same(done["expired_snapshots"], 1)
        same([f.rsplit("/", 1)[1] for f in done["files"] if f.endswith(".parquet")], ["0.parquet"])
        same(sorted(f.name for f in pathlib.Path(data).iterdir()), ["1.parquet", "2.parquet", "3.parquet", "4.parquet"])
        for name, body in (("kept", "1"), ("audit", "2"), ("main", "4")):
            same(bodies(theirs().scan(snapshot_id=theirs().refs()[name].snapshot_id).to_arrow().to_pylist()), [body], name)
            same(bodies(lake.ours("rows", "icegate.logs", "--ref", name)), [body], name)


@check("evolution, partial deletes and time travel of PyIceberg are read here")
def evolution_there():
    with Lake() as lake:
        catalog = lake.theirs()
        catalog.create_namespace("other")
        schema = Schema(NestedField(1, "tenant", StringType(), required=True), NestedField(2, "n", IntegerType()),
                        NestedField(3, "x", FloatType()), NestedField(4, "gone", StringType()))
        table = catalog.create_table("other.t", schema, partition_spec=PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "tenant")))
        arrow = lambda rows: pa.Table.from_pylist(rows, schema=table.schema().as_arrow())
        table.append(arrow([{"tenant": "a", "n": n, "x": n / 2, "gone": "g"} for n in range(4)]))
        before = table.current_snapshot()
        table.delete(e.EqualTo("n", 2))  # copy on write: one row of a file
        with table.update_schema() as update:
            update.update_column("n", LongType())
            update.update_column("x", DoubleType())
            update.rename_column("n", "number")
            update.delete_column("gone")
            update.add_column("late", StringType())
            update.move_first("x")
        table.append(arrow([{"tenant": "b", "number": 5_000_000_000, "x": 0.1, "late": "l"}]))
        with table.update_spec() as update:
            update.remove_field("tenant")
            update.add_field("number", BucketTransform(2), "number_bucket")
        table.append(arrow([{"tenant": "c", "number": 7, "x": None, "late": None}]))
        key = lambda row: row["number"]
        ours, theirs = lake.ours("rows", "other.t"), table.scan().to_arrow().to_pylist()
        same(sorted(ours, key=key), sorted(theirs, key=key))
        same([list(row) for row in ours][0], ["x", "tenant", "number", "late"])
        same(sorted(r["number"] for r in ours), [0, 1, 3, 7, 5_000_000_000])
        old = lake.ours("rows", "other.t", "--snapshot", str(before.snapshot_id))
        same(sorted(old, key=lambda r: r["n"]), [{"tenant": "a", "n": n, "x": n / 2, "gone": "g"} for n in range(4)])
        same(len(lake.ours("rows", "other.t", "--as-of", str(before.timestamp_ms))), 4)
        table.manage_snapshots().create_tag(before.snapshot_id, "first").commit()
        same(len(lake.ours("rows", "other.t", "--ref", "first")), 4)


@check("evolution made here is read by PyIceberg, which writes on, and by us after it")
def evolution_here():
    with Lake() as lake:
        catalog = lake.theirs()
        catalog.create_namespace("other")
        schema = Schema(NestedField(1, "tenant", StringType(), required=True), NestedField(2, "n", IntegerType()),
                        NestedField(3, "x", FloatType()), NestedField(4, "gone", StringType()))
        table = catalog.create_table("other.t", schema, partition_spec=PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "tenant")))
        arrow = lambda rows: pa.Table.from_pylist(rows, schema=table.schema().as_arrow())
        table.append(arrow([{"tenant": "a", "n": n, "x": n / 2, "gone": "g"} for n in range(4)]))
        lake.ours("evolve", "other.t", "--widen", "n:long", "--widen", "x:double", "--rename", "n=number", "--drop", "gone",
                  "--add", "late:string", "--add", "gone:long", "--first", "x")
        table = catalog.load_table("other.t")
        same([(f.field_id, f.name, str(f.field_type)) for f in table.schema().fields],
             [(3, "x", "double"), (1, "tenant", "string"), (2, "number", "long"), (5, "late", "string"), (6, "gone", "long")])
        key = lambda row: row["number"]
        theirs = sorted(table.scan().to_arrow().to_pylist(), key=key)
        same([(r["number"], r["x"], r["late"], r["gone"]) for r in theirs], [(n, n / 2, None, None) for n in range(4)])
        table.append(arrow([{"tenant": "b", "number": 5_000_000_000, "x": 0.1, "late": "l", "gone": 7}]))
        same(sorted(lake.ours("rows", "other.t"), key=key), sorted(table.scan().to_arrow().to_pylist(), key=key))
        same(len(lake.ours("files", "other.t", "--where", "number > 4000000000")["files"]), 1)


@check("rows deleted here, whole partitions and by copy on write, are gone for PyIceberg and for us")
def deletes_here():
    with Lake() as lake:
        lake.ours("create")
        data = lake.warehouse + "/icegate/logs/data"
        files = [write_logs(lake, "%s/%d.parquet" % (data, n), [
            {"tenant_id": tenant, "body": "%s%d" % (tenant, m), "severity_number": m, "trace_id": bytes([m] * 16)} for m in range(5)])
            for n, tenant in enumerate("ab")]
        change(lake, "icegate.logs", "overwrite", [{**f, "partition": [t, None, "20758"]} for f, t in zip(files, "ab")])
        theirs = lambda: lake.theirs().load_table("icegate.logs")
        lake.ours("delete", "icegate.logs", "--where", "tenant_id = a", "--where", "severity_number >= 3")
        wanted = ["a0", "a1", "a2", "b0", "b1", "b2", "b3", "b4"]
        same(bodies(lake.ours("rows", "icegate.logs")), wanted, "ours")
        same(bodies(theirs().scan().to_arrow().to_pylist()), wanted, "PyIceberg's")
        same(sorted(r["trace_id"][0] for r in theirs().scan(row_filter=e.EqualTo("tenant_id", "a")).to_arrow().to_pylist()), [0, 1, 2])
        summary = theirs().current_snapshot().summary
        same((summary.operation.value, summary["added-data-files"], summary["deleted-data-files"], summary["total-records"]),
             ("overwrite", "1", "1", "8"))
        # The new file has bounds: PyIceberg prunes it, and so do we.
        same(len(list(theirs().scan(row_filter=e.GreaterThan("severity_number", 2)).plan_files())), 1)
        same(len(lake.ours("files", "icegate.logs", "--where", "severity_number > 2")["files"]), 1)
        same(lake.ours("delete", "icegate.logs", "--where", "severity_number = 77"), {})
        lake.ours("delete", "icegate.logs", "--where", "tenant_id = b")
        same(bodies(theirs().scan().to_arrow().to_pylist()), ["a0", "a1", "a2"])
        same(bodies(lake.ours("rows", "icegate.logs")), ["a0", "a1", "a2"])
        same(theirs().current_snapshot().summary.operation.value, "delete")
        # And what PyIceberg deletes by copy on write, we do not see.
        theirs().delete(e.EqualTo("body", "a1"))
        same(bodies(lake.ours("rows", "icegate.logs")), ["a0", "a2"])


@check("gzip metadata is written where the table asks for it, and read on both sides")
def gzip_metadata():
    with Lake() as lake:
        lake.ours("create")
        table = lake.theirs().load_table("icegate.logs")
        with table.transaction() as transaction:
            transaction.set_properties({"write.metadata.compression-codec": "gzip"})
        file = write_logs(lake, lake.warehouse + "/icegate/logs/data/1.parquet", [{"body": "x"}])
        done = change(lake, "icegate.logs", "overwrite", [{**file, "partition": A_DAY}])
        if not done["metadata"].endswith(".gz.metadata.json"): raise AssertionError(done["metadata"])
        same(pathlib.Path(done["metadata"].removeprefix("file://")).read_bytes()[:2], b"\x1f\x8b")
        same(len(lake.theirs().load_table("icegate.logs").scan().to_arrow()), 1)
        same(lake.ours("files", "icegate.logs")["records"], 1)


@check("every partition transform of PyIceberg is planned and read here as there")
def transforms():
    with Lake() as lake:
        catalog = lake.theirs()
        catalog.create_namespace("other")
        schema = Schema(NestedField(1, "i", IntegerType()), NestedField(2, "l", LongType()), NestedField(3, "s", StringType()),
                        NestedField(4, "at", TimestamptzType()), NestedField(5, "d", DateType()), NestedField(6, "m", DecimalType(12, 2)),
                        NestedField(7, "b", BinaryType()), NestedField(8, "flag", BooleanType()))
        start = datetime.datetime(1969, 12, 31, 22, 30, tzinfo=UTC)
        rows = [{"i": n * 7 - 20, "l": n * 10 ** 10 - 5, "s": [None, "", "ä", "日本語のテキスト", "alpha %d" % n][n % 5], "at": start + datetime.timedelta(days=n * 45, minutes=n * 37),
                 "d": datetime.date(1969, 11, 20) + datetime.timedelta(days=n * 20), "m": decimal.Decimal(n * 333 - 1000).scaleb(-2), "b": None if n % 4 == 0 else bytes([n, 255]),
                 "flag": n % 2 == 0} for n in range(24)]
        cases = [(4, YearTransform()), (4, MonthTransform()), (4, DayTransform()), (4, HourTransform()), (5, YearTransform()), (5, MonthTransform()), (5, DayTransform()),
                 (1, BucketTransform(5)), (2, BucketTransform(3)), (3, BucketTransform(4)), (4, BucketTransform(4)), (5, BucketTransform(4)), (6, BucketTransform(4)),
                 (7, BucketTransform(4)), (1, TruncateTransform(10)), (2, TruncateTransform(10 ** 9)), (3, TruncateTransform(2)), (6, TruncateTransform(50)),
                 (3, IdentityTransform()), (8, IdentityTransform()), (6, IdentityTransform()), (2, VoidTransform())]
        wheres = [("i < 40", e.LessThan("i", 40)), ("l >= 50000000000", e.GreaterThanOrEqual("l", 5 * 10 ** 10)), ("s = ä", e.EqualTo("s", "ä")), ("s is null", e.IsNull("s")),
                  ("at < 86400000000", e.LessThan("at", "1970-01-02T00:00:00+00:00")), ("d > 100", e.GreaterThan("d", "1970-04-11")), ("m = -334", e.EqualTo("m", "-3.34")),
                  ("flag = true", e.EqualTo("flag", True))]
        key = lambda row: row["i"]
        for number, (source, transform) in enumerate(cases):
            what = "%s of column %d" % (transform, source)
            name = "other.t%d" % number
            table = catalog.create_table(name, schema, partition_spec=PartitionSpec(PartitionField(source, 1000, transform, "p")))
            table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
            same([row["i"] for row in sorted(lake.ours("rows", name), key=key)], [row["i"] for row in rows], what)
            for text, expression in wheres:
                ours = {f["path"] for f in lake.ours("files", name, "--where", text)["files"]}
                theirs = {t.file.file_path for t in table.scan(row_filter=expression).plan_files()}
                # What must be read is there; what both may leave out is left out by both, but for what they infer beyond that.
                hits = {t.file.file_path for t in table.scan(row_filter=expression).plan_files() if any_row(table, t, expression)}
                if not hits <= ours: raise AssertionError("%s, %s: misses %r" % (what, text, hits - ours))
                if len(ours) > len(theirs): raise AssertionError("%s, %s: %d files, PyIceberg %d" % (what, text, len(ours), len(theirs)))


def any_row(table, task, expression):
    from pyiceberg.io.pyarrow import ArrowScan
    scan = ArrowScan(table.metadata, table.io, table.schema(), expression)
    return len(scan.to_table([task])) > 0


@check("files that PyIceberg added without field ids are read through the table's name mapping, after a rename too")
def name_mapping():
    with Lake() as lake:
        catalog = lake.theirs()
        catalog.create_namespace("other")
        schema = Schema(NestedField(1, "n", LongType()), NestedField(2, "text", StringType()))
        table = catalog.create_table("other.t", schema)
        os.makedirs(lake.warehouse + "/foreign")
        pq.write_table(pa.table({"n": pa.array([1, 2], pa.int64()), "text": ["a", None]}), lake.warehouse + "/foreign/1.parquet")
        table.add_files(["file://" + lake.warehouse + "/foreign/1.parquet"])
        with table.update_schema() as update: update.rename_column("text", "words")
        table = catalog.load_table("other.t")
        same(sorted(lake.ours("rows", "other.t"), key=lambda r: r["n"]), sorted(table.scan().to_arrow().to_pylist(), key=lambda r: r["n"]))
        same([r["words"] for r in sorted(lake.ours("rows", "other.t"), key=lambda r: r["n"])], ["a", None])


@check("overwrites by PyIceberg, of all rows, by filter and by partition, are read here")
def overwrite_there():
    with Lake() as lake:
        catalog = lake.theirs()
        catalog.create_namespace("other")
        schema = Schema(NestedField(1, "k", StringType()), NestedField(2, "n", LongType()))
        table = catalog.create_table("other.t", schema, partition_spec=PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "k")))
        arrow = lambda pairs: pa.Table.from_pylist([{"k": k, "n": n} for k, n in pairs], schema=table.schema().as_arrow())
        found = lambda: sorted((r["k"], r["n"]) for r in lake.ours("rows", "other.t"))
        table.append(arrow([("a", 1), ("a", 2), ("b", 3), ("b", 4)]))
        table.overwrite(arrow([("a", 9), ("c", 5)]), overwrite_filter=e.EqualTo("k", "a"))
        same(found(), [("a", 9), ("b", 3), ("b", 4), ("c", 5)])
        table.dynamic_partition_overwrite(arrow([("b", 7)]))
        same(found(), [("a", 9), ("b", 7), ("c", 5)])
        table.overwrite(arrow([("z", 0)]))
        same(found(), [("z", 0)])
        same(sorted((r["k"], r["n"]) for r in catalog.load_table("other.t").scan().to_arrow().to_pylist()), [("z", 0)])


@check("metrics modes of the table's properties decide which counts and bounds our files have")
def metrics_modes():
    with Lake() as lake:
        catalog = lake.theirs()
        catalog.create_namespace("other")
        schema = Schema(*[NestedField(i + 1, name, StringType()) for i, name in enumerate(["nothing", "counted", "cut", "whole", "k"])])
        prefix = "write.metadata.metrics."
        table = catalog.create_table("other.t", schema, properties={
            prefix + "default": "truncate(4)", prefix + "column.nothing": "none", prefix + "column.counted": "counts", prefix + "column.whole": "full"})
        text = "abcdefghijklmnopqrstuvwxyz"
        table.append(pa.Table.from_pylist([{"nothing": text, "counted": None, "cut": text, "whole": text, "k": k} for k in "xy"], schema=table.schema().as_arrow()))
        lake.ours("delete", "other.t", "--where", "k = x")  # our file in place of PyIceberg's
        file = next(iter(catalog.load_table("other.t").scan().plan_files())).file
        counts = dict(file.null_value_counts)
        same((1 in counts, counts.get(2), counts.get(3), counts.get(4)), (False, 1, 0, 0))
        low, high = dict(file.lower_bounds), dict(file.upper_bounds)
        same([low.get(i) for i in (1, 2, 3, 4, 5)], [None, None, b"abcd", text.encode(), b"y"])
        same([high.get(i) for i in (1, 2, 3, 4, 5)], [None, None, b"abce", text.encode(), b"y"])


@check("the metadata log keeps as many versions as the table says, and older files go where it says so")
def metadata_log():
    with Lake() as lake:
        lake.ours("create")
        table = lake.theirs().load_table("icegate.logs")
        with table.transaction() as transaction:
            transaction.set_properties({"write.metadata.previous-versions-max": "2", "write.metadata.delete-after-commit.enabled": "true"})
        kept = lambda: sorted(f.name for f in pathlib.Path(lake.warehouse + "/icegate/logs/metadata").glob("*.metadata.json"))
        for n in range(5):
            file = write_logs(lake, "%s/icegate/logs/data/%d.parquet" % (lake.warehouse, n), [{"body": str(n)}])
            change(lake, "icegate.logs", "overwrite", [{**file, "partition": A_DAY}])
        table = lake.theirs().load_table("icegate.logs")
        same(len(table.metadata.metadata_log), 2)
        same(len(kept()), 3)
        for entry in table.metadata.metadata_log:
            if entry.metadata_file.rsplit("/", 1)[1] not in kept(): raise AssertionError("%s is gone" % entry.metadata_file)
        same(bodies(table.scan().to_arrow().to_pylist()), list("01234"))


@check("a table of format version 3 is refused by name")
def version_three():
    with Lake() as lake:
        catalog = lake.theirs()
        catalog.create_namespace("other")
        table = catalog.create_table("other.t", Schema(NestedField(1, "n", LongType())))
        path = pathlib.Path(table.metadata_location.removeprefix("file://"))
        path.write_text(json.dumps({**json.loads(path.read_text()), "format-version": 3, "next-row-id": 0}))
        for action in ("rows", "files", "expire"):
            try: lake.ours(action, "other.t")
            except RuntimeError as error:
                if "version 3" not in str(error): raise
            else: raise AssertionError("%s of a table of version 3" % action)


main()
