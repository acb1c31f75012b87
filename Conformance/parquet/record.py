"""Records small files written by PyArrow and DuckDB into Fixtures/parquet, for `swift test` to read.

usage: record.py OUTPUT_DIRECTORY

Beside each NAME.parquet stands NAME.rows: one line per row, a JSON array with a value per column. Text and runs of bytes
are hex digits, floating-point numbers the hex digits of their double, times microseconds, maps arrays of pairs.
"""

import datetime
import decimal
import json
import math
import pathlib
import sys

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from meaning import plain


def hexed(value, t):
    """`plain` values with text in hex, so that no escaping rule is needed to compare."""
    if value is None:
        return None
    if pa.types.is_map(t):
        return [[hexed(k, t.key_type), hexed(v, t.item_type)] for k, v in value]
    if pa.types.is_list(t):
        return [hexed(v, t.value_type) for v in value]
    if pa.types.is_struct(t):
        return [hexed(value[f.name], f.type) for f in t]
    if pa.types.is_string(t) or pa.types.is_decimal(t):
        return value.encode().hex() if pa.types.is_string(t) else value
    return value


def rows(table, path):
    columns = [[hexed(v, f.type) for v in plain(table[f.name])] for f in table.schema]
    lines = [json.dumps(list(row), separators=(",", ":")) for row in zip(*columns)]
    path.write_text("".join(line + "\n" for line in lines))


N = 60


def every_type():
    def some(values, t, step=7):
        return pa.array([None if i % step == 3 else values[i % len(values)] for i in range(N)], t)

    d = decimal.Decimal
    return pa.table({
        "bool": some([True, False, False], pa.bool_()),
        "int8": some([-128, 0, 127], pa.int8()),
        "uint32": some([0, 1, 4294967295], pa.uint32()),
        "uint64": some([0, 1, 18446744073709551615], pa.uint64()),
        "int32": some([-2147483648, 0, 2147483647, 5], pa.int32()),
        "int64": some([-(2 ** 63), 0, 2 ** 63 - 1, 77], pa.int64()),
        "half": some([0.5, -0.0, 65504.0, 5.960464477539063e-08], pa.float16()),
        "float": some([0.1, -0.0, math.inf, math.nan], pa.float32()),
        "double": some([0.1, -0.0, -math.inf, math.nan], pa.float64()),
        "string": some(["", "a", "näme", "日本語 " * 8], pa.string()),
        "binary": some([b"", b"\x00\xff", b"z" * 90], pa.binary()),
        "fixed": some([b"abc", b"\xff\xff\xff"], pa.binary(3)),
        "date": some([datetime.date(1970, 1, 1), datetime.date(1901, 2, 3), datetime.date(2262, 4, 11)], pa.date32()),
        "time_ms": some([0, 86399999], pa.time32("ms")),
        "time_ns": some([0, 86399999999999, 1001], pa.time64("ns")),
        "ts_ms": some([0, -1, 1767225600123], pa.timestamp("ms", "UTC")),
        "ts_us": some([0, -1, 1767225600123456], pa.timestamp("us")),
        "ts_ns": some([0, -1, 1767225600123456789], pa.timestamp("ns", "UTC")),
        "dec5": some([d("1.25"), d("-999.99"), d("0.00")], pa.decimal128(5, 2)),
        "dec18": some([d("123456789012.345678"), d("-1.000000")], pa.decimal128(18, 6)),
        "dec38": some([d(10) ** 37, -(d(10) ** 37), d(0)], pa.decimal128(38, 0)),
    })


def nested():
    def maps(i):
        return None if i % 11 == 5 else [("key%d" % k, None if k == 2 else "v%d" % (i % 4)) for k in range(i % 5)]

    def lists(i):
        return None if i % 7 == 2 else [None if k == 1 else list(range(k)) for k in range(i % 4)]

    def structs(i):
        return None if i % 6 == 1 else {"a": i if i % 3 else None, "b": None if i % 4 == 0 else {"c": "x%d" % i, "d": [i, None]}}

    point = pa.struct([pa.field("a", pa.int32()), pa.field("b", pa.struct([pa.field("c", pa.string()), pa.field("d", pa.list_(pa.int64()))]))])
    return pa.table({
        "map": pa.array([maps(i) for i in range(N)], pa.map_(pa.string(), pa.string())),
        "lists": pa.array([lists(i) for i in range(N)], pa.list_(pa.list_(pa.int64()))),
        "struct": pa.array([structs(i) for i in range(N)], point),
        "structs": pa.array([None if i % 9 == 0 else [structs(i + k) for k in range(i % 3)] for i in range(N)], pa.list_(point)),
    })


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)

    def arrow(name, table, **options):
        pq.write_table(table, folder / (name + ".parquet"), store_schema=False, **options)
        rows(table, folder / (name + ".rows"))

    types = every_type()
    arrow("types-dictionary-snappy-v1", types, compression="snappy", data_page_size=64, write_batch_size=16)
    arrow("types-plain-none-v2", types, compression="none", use_dictionary=False, data_page_version="2.0", write_page_checksum=True)
    arrow("types-fallback-gzip", types, compression="gzip", dictionary_pagesize_limit=20, data_page_size=32, write_batch_size=8)
    arrow("types-int96", types.select(["ts_us", "int32"]), compression="lz4", use_deprecated_int96_timestamps=True)
    arrow("types-decimal-integers", types.select(["dec5", "dec18", "dec38"]), compression="brotli", store_decimal_as_integer=True)
    delta = {c: "DELTA_BINARY_PACKED" for c in ["int8", "uint32", "int32", "int64", "ts_us", "ts_ns", "date", "time_ns"]}
    delta |= {"string": "DELTA_BYTE_ARRAY", "binary": "DELTA_LENGTH_BYTE_ARRAY", "fixed": "DELTA_BYTE_ARRAY", "bool": "RLE"}
    delta |= {c: "BYTE_STREAM_SPLIT" for c in ["half", "float", "double", "dec38"]}
    arrow("types-delta-zstd-v2", types.select(list(delta)), compression="zstd", use_dictionary=False, column_encoding=delta, data_page_version="2.0")
    arrow("nested-dictionary-zstd-v1", nested(), compression="zstd", row_group_size=25, data_page_size=64, write_batch_size=4, write_page_index=True)
    arrow("nested-plain-lz4-v2", nested(), compression="lz4", use_dictionary=False, data_page_version="2.0")

    connection = duckdb.connect()
    path = folder / "duckdb.parquet"
    connection.sql(
        "SELECT i::INTEGER AS i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'text ' || (i % 5) END AS s, "
        "MAP {'k' || i: i * 2} AS m, [i, NULL, i + 1] AS l, {'a': i / 4, 'b': DATE '2026-01-01' + i::INTEGER} AS st, "
        "(i * 1.25)::DECIMAL(9, 2) AS d, TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND AS ts FROM range(40) t(i)"
    ).write_parquet(str(path), compression="zstd")
    rows(pq.read_table(path), folder / "duckdb.rows")
    (folder / "ORIGIN.md").write_text(
        "Written by Conformance/parquet/record.py with PyArrow %s and DuckDB %s on %s. The .rows files say what PyArrow\n"
        "holds the values to be; their form is in that script.\n" % (pa.__version__, duckdb.__version__, datetime.date.today()))


main()
