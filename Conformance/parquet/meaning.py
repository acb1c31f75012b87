"""What a value of an Arrow table is on the lines of `icegate parquet cat`: times in microseconds, dates in days, runs of
bytes in hex, maps as pairs, decimals as text, NaN and infinities as text."""

import json
import math
import struct
import subprocess

import pyarrow as pa

TO_MICROS = {"s": lambda v: v * 10 ** 6, "ms": lambda v: v * 1000, "us": lambda v: v, "ns": lambda v: v // 1000}


def plain(array):
    """A column as JSON values."""
    t = array.type
    if isinstance(array, pa.ChunkedArray):
        return [value for chunk in array.chunks for value in plain(chunk)]
    if pa.types.is_dictionary(t):
        return plain(array.dictionary_decode())
    valid = array.is_valid().to_pylist()
    if pa.types.is_map(t):
        offsets = array.offsets.to_pylist()
        keys, items = plain(array.keys), plain(array.items)
        return [[[keys[i], items[i]] for i in range(a, b)] if ok else None for ok, a, b in zip(valid, offsets, offsets[1:])]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        offsets = array.offsets.to_pylist()
        values = plain(array.values)
        return [values[a:b] if ok else None for ok, a, b in zip(valid, offsets, offsets[1:])]
    if pa.types.is_struct(t):
        children = [plain(array.field(i)) for i in range(t.num_fields)]
        names = [f.name for f in t]
        return [dict(zip(names, row)) if ok else None for ok, row in zip(valid, zip(*children))]
    if pa.types.is_timestamp(t):
        return [v if v is None else TO_MICROS[t.unit](v) for v in array.cast(pa.int64()).to_pylist()]
    if pa.types.is_time(t):
        wide = array.cast(pa.int32() if t.bit_width == 32 else pa.int64()).to_pylist()
        return [v if v is None else TO_MICROS[t.unit](v) for v in wide]
    if pa.types.is_date(t):
        return array.cast(pa.int32()).to_pylist()
    values = array.to_pylist()
    if pa.types.is_decimal(t):
        return [v if v is None else format(v, "f") for v in values]
    if pa.types.is_floating(t):
        return [v if v is None else number(v) for v in values]
    if pa.types.is_uint64(t):
        return [v if v is None else str(v) for v in values]
    return [v.hex() if isinstance(v, bytes) else v for v in values]


def number(value):
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return struct.pack(">d", float(value)).hex()


def normal(value, t):
    """A value as `cat` wrote it, brought to the form of `plain`."""
    if value is None:
        return None
    if pa.types.is_map(t):
        return [[normal(k, t.key_type), normal(v, t.item_type)] for k, v in value]
    if pa.types.is_list(t):
        return [normal(v, t.value_type) for v in value]
    if pa.types.is_struct(t):
        return {f.name: normal(value[f.name], f.type) for f in t}
    if pa.types.is_floating(t):
        if isinstance(value, str):
            return value
        if pa.types.is_float32(t) or pa.types.is_float16(t):
            value = struct.unpack("f", struct.pack("f", value))[0]
        return number(value)
    return value


def rows_by_us(icegate, path, schema):
    """The columns of a file as our reader sees them."""
    done = subprocess.run([icegate, "parquet", "cat", path], capture_output=True)
    if done.returncode != 0:
        raise AssertionError("cat %s: %s" % (path, done.stderr.decode()))
    rows = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
    return {f.name: [normal(row[f.name], f.type) for row in rows] for f in schema}, len(rows)


def columns(table):
    return {name: plain(table[name]) for name in table.column_names}


def difference(expected, found):
    """One line about the first difference, or None."""
    for name in expected:
        if len(expected[name]) != len(found[name]):
            return "%s: %d rows, not %d" % (name, len(found[name]), len(expected[name]))
        for row, (a, b) in enumerate(zip(expected[name], found[name])):
            if a != b:
                return "%s row %d: %r, not %r" % (name, row, b, a)
    return None
