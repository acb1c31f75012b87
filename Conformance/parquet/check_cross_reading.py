"""Parquet files of random schemas, written by PyArrow or DuckDB and read here, written here and read there.

usage: check_cross_reading.py [--files N] [--seed S] [--one SEED]

Every file comes from its own seed, so a failure is repeated with --one. ICEGATE names the program.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from generator import Generator
from meaning import columns, difference, rows_by_us

ICEGATE = os.environ.get("ICEGATE", ".build/debug/icegate")
ENCODINGS = [None, "dictionary", "plain", "delta_binary_packed", "delta_length", "delta_byte_array", "byte_stream_split"]


def written_there(seed, folder):
    """PyArrow writes, we read."""
    generator = Generator(seed)
    table = generator.table()
    path = os.path.join(folder, "there.parquet")
    options = generator.write_options(table.schema)
    pq.write_table(table, path, **options)
    expected = columns(table)
    found, count = rows_by_us(ICEGATE, path, table.schema)
    if count != table.num_rows:
        return "%d rows, not %d (%s)" % (count, table.num_rows, options)
    wrong = difference(expected, found)
    return wrong and "%s (%s, %s)" % (wrong, table.schema.to_string(), options)


# What DuckDB cannot hold or writes as another type than it was.
NOT_DUCKDB = (pa.types.is_float16, pa.types.is_fixed_size_binary, lambda t: pa.types.is_timestamp(t) and t.unit == "ns", pa.types.is_uint64,
              lambda t: pa.types.is_time(t))


def duckdb_writes(t):
    if pa.types.is_map(t): return duckdb_writes(t.key_type) and duckdb_writes(t.item_type)
    if pa.types.is_list(t): return duckdb_writes(t.value_type)
    if pa.types.is_struct(t): return all(duckdb_writes(f.type) for f in t)
    return not any(test(t) for test in NOT_DUCKDB)


def written_by_duckdb(seed, folder):
    """DuckDB writes, we read: every codec, both page versions, its own choice of encodings, small row groups."""
    generator = Generator(seed)
    table = generator.table()
    table = table.select([f.name for f in table.schema if duckdb_writes(f.type)])
    if table.num_columns == 0 or table.num_rows == 0: return None
    path = os.path.join(folder, "duckdb.parquet")
    r = generator.random
    codec = r.choice(["uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli"])
    version = r.choice(["V1", "V2"])
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.register("rows_of_arrow", table)
    limit = r.choice(["", ", DICTIONARY_SIZE_LIMIT 1", ", STRING_DICTIONARY_PAGE_SIZE_LIMIT 64"])
    options = "FORMAT parquet, COMPRESSION %s, PARQUET_VERSION %s, ROW_GROUP_SIZE 2048%s" % (codec, version, limit)
    connection.execute("COPY rows_of_arrow TO '%s' (%s)" % (path, options))
    # What DuckDB made of the rows. (Some of its files PyArrow does not read.)
    told = connection.sql("SELECT * FROM read_parquet($name)", params={"name": path}).to_arrow_table()
    found, count = rows_by_us(ICEGATE, path, told.schema)
    if count != table.num_rows: return "%d rows, not %d (%s)" % (count, table.num_rows, options)
    wrong = difference(columns(told), found)
    return wrong and "%s (%s, %s)" % (wrong, told.schema.to_string(), options)


def written_here(seed, folder):
    """We write, PyArrow and DuckDB read: values, counts and bounds."""
    generator = Generator(seed)
    table = generator.table()
    source, path = os.path.join(folder, "source.parquet"), os.path.join(folder, "here.parquet")
    pq.write_table(table, source, compression="none", row_group_size=10 ** 6)
    r = generator.random
    command = [
        ICEGATE, "parquet", "rewrite", source, path, "--codec", r.choice(["none", "snappy", "gzip", "zstd", "lz4_raw", "brotli"]),
        "--page", r.choice(["v1", "v2"]), "--page-rows", str(r.choice([1, 10, 100, 20000])),
        "--group-rows", str(r.choice([5, 128, 10 ** 6])),
    ]
    encoding = r.choice(ENCODINGS)
    if encoding:
        command += ["--encoding", encoding] + (["--bloom"] if r.random() < 0.5 else [])
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        return "%s: %s" % (command, done.stderr.decode())
    expected = columns(pq.read_table(source))
    told = pq.read_table(path, page_checksum_verification=True)
    wrong = difference(expected, columns(told)) or bounds(path, told)
    wrong = wrong or by_duckdb(source, path)
    return wrong and "%s (%s, %s)" % (wrong, table.schema.to_string(), " ".join(command[4:]))


def with_text_index(seed, folder):
    """We write text columns with the index of substrings: for PyArrow and DuckDB it is not there."""
    r = random.Random(seed)
    words = ["GET", "timeout", "näme", "日本語", "connection refused", "user=%d", "trace=%032x", "", "segment"]
    def line(): return " ".join(w % r.getrandbits(120) if "%" in w else w for w in r.choices(words, k=r.randint(0, 12)))
    count = r.choice([1, 500, 4000])
    schema = pa.schema([pa.field("body", pa.string()), pa.field("n", pa.int64(), False), pa.field("tags", pa.list_(pa.string()))])
    table = pa.table({"body": [None if r.random() < 0.1 else line() for _ in range(count)], "n": [r.getrandbits(40) for _ in range(count)],
                      "tags": [r.choice([None, [], ["a", None], ["b"]]) for _ in range(count)]}, schema=schema)
    source, path = os.path.join(folder, "source.parquet"), os.path.join(folder, "indexed.parquet")
    pq.write_table(table, source)
    subprocess.run([ICEGATE, "parquet", "rewrite", source, path, "--text-index", "--codec", r.choice(["none", "snappy", "zstd"]), "--page", r.choice(["v1", "v2"]),
                    "--encoding", r.choice(["plain", "delta_length", "delta_byte_array"]), "--page-rows", str(r.choice([50, 20000])),
                    "--group-rows", str(r.choice([2000, 10 ** 6]))], check=True)
    groups = json.loads(subprocess.run([ICEGATE, "parquet", "describe", path], capture_output=True, check=True).stdout)["row_groups"]
    indexed = [group["chunks"][0]["has_text_index"] for group in groups]
    if count == 4000 and not any(indexed): return "no text index in any of %d row groups" % len(groups)
    told = pq.read_table(path, page_checksum_verification=True)
    wrong = difference(columns(table), columns(told)) or bounds(path, told) or by_duckdb(source, path)
    if wrong: return wrong
    # Written on by PyArrow the index is gone, or is of other rows: then it is not taken for this file's.
    again = os.path.join(folder, "again.parquet")
    pq.write_table(told.replace_schema_metadata({k: v for k, v in (pq.read_metadata(path).metadata or {}).items() if k != b"ARROW:schema"}), again)
    found, rows = rows_by_us(ICEGATE, again, told.schema)
    return difference(columns(told), found)


def by_duckdb(source, path):
    """DuckDB compares our file with PyArrow's, row by row."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    try:
        a = connection.sql("SELECT * FROM read_parquet($name)", params={"name": path}).to_arrow_table()
    except duckdb.Error as error:
        # Valid since format 2.11 (PyArrow reads it), but not in DuckDB yet.
        if "BYTE_STREAM_SPLIT encoding is only supported" in str(error):
            return None
        raise
    b = connection.sql("SELECT * FROM read_parquet($name)", params={"name": source}).to_arrow_table()
    wrong = difference(columns(b), columns(a))
    return wrong and "DuckDB: " + wrong


def bounds(path, table):
    """Null counts and bounds in the footer, against the values."""
    metadata = pq.read_metadata(path)
    flat = {f.name: i for i, f in enumerate(table.schema) if not pa.types.is_nested(f.type)}
    start = 0
    for group in range(metadata.num_row_groups):
        count = metadata.row_group(group).num_rows
        part = table.slice(start, count)
        start += count
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            name = chunk.path_in_schema
            if name not in flat or not chunk.is_stats_set:
                continue
            statistics = chunk.statistics
            values = [v for v in part[name].to_pylist() if v is not None and v == v]
            if statistics.null_count != part[name].null_count:
                return "%s: %d nulls in the footer, %d in the rows" % (name, statistics.null_count, part[name].null_count)
            if statistics.has_min_max and values and not pa.types.is_decimal(part[name].type):
                try:
                    low, high = statistics.min, statistics.max
                    inside = all(low <= v <= high for v in values)
                except TypeError:
                    continue
                if not inside:
                    return "%s: values outside %r..%r" % (name, low, high)
    return None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--files", type=int, default=int(os.environ.get("PARQUET_FILES", "60")))
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--one", type=int)
    options = arguments.parse_args()
    seeds = [options.one] if options.one is not None else range(options.seed, options.seed + options.files)
    failed = False
    with tempfile.TemporaryDirectory(prefix="icegate-parquet-") as folder:
        for sentence, attempt in [
            ("files of random schemas that PyArrow wrote are read here to equal values", written_there),
            ("files of random schemas that DuckDB wrote are read here to equal values", written_by_duckdb),
            ("files of random schemas written here are read by PyArrow and DuckDB to equal values", written_here),
            ("files that carry a text index are read by PyArrow and DuckDB as if it were not there", with_text_index),
        ]:
            broken = []
            for seed in seeds:
                try:
                    wrong = attempt(seed, folder)
                except Exception as error:  # a reader that refuses is a failure like a wrong value
                    wrong = "%s: %s" % (type(error).__name__, error)
                if wrong:
                    broken.append(seed)
                    if len(broken) <= 8:
                        print("# seed %d: %s" % (seed, wrong[:1500]))
            print("%sok %s (%d files%s)" % ("not " if broken else "", sentence, len(seeds), ", failing seeds %s" % broken[:20] if broken else ""), flush=True)
            failed = failed or bool(broken)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
