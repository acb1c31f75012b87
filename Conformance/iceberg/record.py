"""Records tables written by PyIceberg into Fixtures/iceberg, for `swift test` to read.

usage: record.py Fixtures/iceberg/pyiceberg      a table of format version 2 that went through a lot
       record.py Fixtures/iceberg/pyiceberg-v1   one of format version 1

Writes the metadata, manifest lists and manifests of one table, and expected.json: what PyIceberg itself says of it
(entries of every manifest of every snapshot, and the files it plans for some filters). Ids and times differ from run to
run, so recording again replaces everything.
"""

import datetime
import decimal
import importlib.metadata
import json
import pathlib
import shutil
import sys
import tempfile
import uuid

import pyarrow as pa
from pyiceberg import expressions as e
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import NullOrder, SortDirection, SortField, SortOrder
from pyiceberg.transforms import (
    BucketTransform,
    DayTransform,
    HourTransform,
    IdentityTransform,
    MonthTransform,
    TruncateTransform,
    YearTransform,
)
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

WAREHOUSE = "file:///warehouse"
UTC = datetime.timezone.utc

SCHEMA = Schema(
    NestedField(1, "tenant", StringType(), required=True),
    NestedField(2, "flag", BooleanType()),
    NestedField(3, "small", IntegerType()),
    NestedField(4, "big", LongType()),
    NestedField(5, "single", FloatType()),
    NestedField(6, "real", DoubleType()),
    NestedField(7, "price", DecimalType(20, 2)),
    NestedField(8, "date", DateType()),
    NestedField(9, "time", TimeType()),
    NestedField(10, "local", TimestampType()),
    NestedField(11, "instant", TimestamptzType()),
    NestedField(12, "id", UUIDType()),
    NestedField(13, "code", FixedType(4)),
    NestedField(14, "raw", BinaryType()),
    NestedField(15, "tags", ListType(16, StringType(), element_required=False)),
    NestedField(17, "attributes", MapType(18, StringType(), 19, StringType(), value_required=False)),
    NestedField(20, "point", StructType(NestedField(21, "x", DoubleType()), NestedField(22, "y", DoubleType()))),
)

SPEC = PartitionSpec(
    PartitionField(1, 1000, IdentityTransform(), "tenant"),
    PartitionField(11, 1001, DayTransform(), "instant_day"),
)


def rows(tenant, start, count, day):
    at = datetime.datetime(2026, 11, day, 12, tzinfo=UTC)
    out = []
    for n in range(start, start + count):
        absent = n % 5 == 4
        out.append(
            {
                "tenant": tenant,
                "flag": None if absent else n % 2 == 0,
                "small": None if absent else n,
                "big": n * 10_000_000_000,
                "single": float("nan") if n % 7 == 0 else n / 4,
                "real": -n / 8,
                "price": decimal.Decimal(n * 100 - 250) / 100,
                "date": datetime.date(2026, 11, day),
                "time": datetime.time(1, 2, 3, n),
                "local": datetime.datetime(2026, 11, day, 0, 0, n % 60),
                "instant": at + datetime.timedelta(seconds=n),
                "id": uuid.UUID(int=n).bytes,
                "code": n.to_bytes(4, "big"),
                "raw": None if absent else bytes([0xFF] * 20) + bytes([n % 256]),
                "tags": [f"t{n}", None],
                "attributes": [("k", f"v{n}")],
                "point": {"x": float(n), "y": None},
            }
        )
    return out


def table_of(table, data):
    return pa.Table.from_pylist(data, schema=table.schema().as_arrow())


def plain(value):
    """A partition value or bound as JSON can hold it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (datetime.date, datetime.time, decimal.Decimal, uuid.UUID)):
        return str(value)
    return value


def describe_file(file):
    def mapping(values, convert=lambda v: v):
        return {str(k): convert(v) for k, v in sorted((values or {}).items())}

    return {
        "content": int(file.content),
        "path": file.file_path,
        "partition": [plain(file.partition[i]) for i in range(len(file.partition))],
        "records": file.record_count,
        "size": file.file_size_in_bytes,
        "column_sizes": mapping(file.column_sizes),
        "value_counts": mapping(file.value_counts),
        "null_counts": mapping(file.null_value_counts),
        "nan_counts": mapping(file.nan_value_counts),
        "lower": mapping(file.lower_bounds, bytes.hex),
        "upper": mapping(file.upper_bounds, bytes.hex),
        "split_offsets": list(file.split_offsets or []),
        "sort_order": file.sort_order_id,
    }


def describe(table):
    snapshots = []
    for snapshot in table.metadata.snapshots:
        manifests = []
        for manifest in snapshot.manifests(table.io):
            entries = [
                {
                    "status": int(entry.status),
                    "snapshot": entry.snapshot_id,
                    "sequence": entry.sequence_number,
                    "file": describe_file(entry.data_file),
                }
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)
            ]
            manifests.append(
                {
                    "path": manifest.manifest_path,
                    "length": manifest.manifest_length,
                    "spec": manifest.partition_spec_id,
                    "content": int(manifest.content),
                    "sequence": manifest.sequence_number,
                    "min_sequence": manifest.min_sequence_number,
                    "snapshot": manifest.added_snapshot_id,
                    "counts": [
                        manifest.added_files_count,
                        manifest.existing_files_count,
                        manifest.deleted_files_count,
                    ],
                    "rows": [manifest.added_rows_count, manifest.existing_rows_count, manifest.deleted_rows_count],
                    "entries": entries,
                }
            )
        snapshots.append({"id": snapshot.snapshot_id, "manifests": manifests})
    return snapshots


PLANS = [
    ("all", e.AlwaysTrue()),
    ("tenant=a", e.EqualTo("tenant", "a")),
    ("tenant=none", e.EqualTo("tenant", "none")),
    ("instant>=day2", e.GreaterThanOrEqual("instant", "2026-11-02T00:00:00+00:00")),
    ("instant<day2", e.LessThan("instant", "2026-11-02T00:00:00+00:00")),
    ("big>200", e.GreaterThan("big", 200_000_000_000)),
    ("big<=20", e.LessThanOrEqual("big", 20_000_000_000)),
    ("small is null", e.IsNull("small")),
    ("tenant in b,c", e.In("tenant", {"b", "c"})),
    ("small=3", e.EqualTo("small", 3)),
]


def record_mixed(catalog, out):
    table = catalog.create_table(
        "ns.mixed",
        SCHEMA,
        partition_spec=SPEC,
        sort_order=SortOrder(
            SortField(4, IdentityTransform(), SortDirection.DESC, NullOrder.NULLS_LAST),
            SortField(1, BucketTransform(4), SortDirection.ASC, NullOrder.NULLS_FIRST),
        ),
        properties={"format-version": "2", "owner": "recording"},
    )
    table.append(table_of(table, rows("a", 0, 10, 1) + rows("b", 10, 10, 1) + rows("a", 20, 5, 2)))
    table.append(table_of(table, rows("c", 30, 3, 3)))
    table.manage_snapshots().create_tag(table.current_snapshot().snapshot_id, "two-appends").commit()
    table.delete(e.EqualTo("tenant", "b"))
    with table.update_schema() as update:
        update.add_column("added", StringType(), doc="came later")
        update.rename_column("flag", "is_flag")
        update.update_column("small", LongType())
    with table.update_spec() as update:
        update.remove_field("instant_day")
        update.add_field("instant", HourTransform(), "instant_hour")
        update.add_field("big", BucketTransform(8), "big_bucket")
        update.add_field("date", MonthTransform(), "date_month")
        update.add_field("local", YearTransform(), "local_year")
        update.add_field("price", TruncateTransform(50), "price_trunc")
    late = [dict(row, is_flag=row["flag"], added="late") for row in rows("d", 40, 2, 4)]
    table.append(table_of(table, late))
    expected = {
        "pyiceberg": importlib.metadata.version("pyiceberg"),
        "metadata": pathlib.PurePath(table.metadata_location).name,
        "snapshots": describe(table),
        "plans": {
            name: sorted(task.file.file_path for task in table.scan(row_filter=filter).plan_files())
            for name, filter in PLANS
        },
    }
    (out / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


def record_v1(catalog, out):
    schema = Schema(NestedField(1, "tenant", StringType(), required=True), NestedField(2, "n", LongType()))
    spec = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "tenant"))
    table = catalog.create_table("ns.mixed", schema, partition_spec=spec, properties={"format-version": "1"})
    for tenant in ("a", "b"):
        table.append(table_of(table, [{"tenant": tenant, "n": n} for n in range(3)]))
    expected = {
        "metadata": pathlib.PurePath(table.metadata_location).name,
        "snapshots": describe(table),
        "plans": {"all": sorted(task.file.file_path for task in table.scan().plan_files())},
    }
    (out / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


def main():
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        catalog = SqlCatalog("icegate", uri=f"sqlite:///{scratch}/catalog.db", warehouse=f"file://{scratch}")
        catalog.create_namespace("ns")
        (record_v1 if out.name.endswith("v1") else record_mixed)(catalog, out)
        for file in sorted(pathlib.Path(scratch, "ns", "mixed", "metadata").iterdir()):
            shutil.copy(file, out / file.name)
        # Locations inside the files keep the scratch directory; the tests map it.
        (out / "ORIGIN").write_text(
            f"Written by Conformance/iceberg/record.py with PyIceberg {importlib.metadata.version('pyiceberg')}, "
            f"PyArrow {importlib.metadata.version('pyarrow')}, on {datetime.date.today()}.\n"
            f"Locations begin with file://{scratch}.\n"
        )


main()
