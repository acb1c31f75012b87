"""Random Arrow tables from a seed: every type our tables can hold, nested to some depth, with patterns of absence."""

import datetime
import decimal
import math
import random

import pyarrow as pa

WORDS = ["", "a", "GET", "POST", "/health", "näme", "日本", "🦊", "timeout", "x" * 70, "y" * 300, "\x00zero", "error=1"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    # types

    def scalar_type(self):
        r = self.random
        return r.choice([
            pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
            pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.string(), pa.string(), pa.binary(), pa.binary(16),
            pa.binary(r.choice([1, 3, 8])), pa.date32(), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
            pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC"),
            pa.decimal128(r.choice([1, 5, 9, 10, 18, 19, 28, 38]), 0 if r.random() < 0.3 else 1),
        ])

    def data_type(self, depth):
        r = self.random
        if depth <= 0 or r.random() < 0.6:
            return self.scalar_type()
        kind = r.randrange(3)
        if kind == 0:
            return pa.list_(pa.field("element", self.data_type(depth - 1), nullable=r.random() < 0.7))
        if kind == 1:
            key = r.choice([pa.string(), pa.int32(), pa.string(), pa.int64()])
            return pa.map_(key, pa.field("value", self.data_type(depth - 1), nullable=r.random() < 0.7))
        fields = [pa.field("f%d" % i, self.data_type(depth - 1), nullable=r.random() < 0.7) for i in range(r.randint(1, 3))]
        return pa.struct(fields)

    # values

    def scalar(self, t, small):
        r = self.random
        if pa.types.is_boolean(t):
            return r.random() < 0.5
        if pa.types.is_integer(t):
            low, high = (0, 2 ** t.bit_width - 1) if pa.types.is_unsigned_integer(t) else (-2 ** (t.bit_width - 1), 2 ** (t.bit_width - 1) - 1)
            if small:
                return max(low, min(high, r.randint(-3, 12)))
            return r.choice([low, high, 0, r.randint(low, high), max(low, min(high, r.randint(-1000, 1000)))])
        if pa.types.is_float16(t):
            return r.choice([0.0, -0.0, 1.5, -2.25, 65504.0, 5.960464477539063e-08, math.inf, math.nan])
        if pa.types.is_float32(t):
            return r.choice([0.0, -0.0, 1.5, -3.4028234663852886e38, math.inf, -math.inf, math.nan, r.randint(-1000, 1000) / 8])
        if pa.types.is_floating(t):
            return r.choice([0.0, -0.0, 0.1, 1e300, -1e-300, math.inf, -math.inf, math.nan, r.random(), r.random() * 1e6])
        if pa.types.is_string(t):
            return r.choice(WORDS) if small else "%s-%d" % (r.choice(WORDS), r.randrange(10 ** 6))
        if pa.types.is_fixed_size_binary(t):
            return bytes([r.randrange(4)]) * t.byte_width if small else r.randbytes(t.byte_width)
        if pa.types.is_binary(t):
            return r.choice(WORDS).encode() if small else r.randbytes(r.randrange(40))
        if pa.types.is_date(t):
            return datetime.date(1970, 1, 1) + datetime.timedelta(days=r.randint(-30000, 60000))
        if pa.types.is_time(t):
            scale = {"s": 1, "ms": 10 ** 3, "us": 10 ** 6, "ns": 10 ** 9}[t.unit]
            return r.randrange(86400 * scale)
        if pa.types.is_timestamp(t):
            scale = {"s": 1, "ms": 10 ** 3, "us": 10 ** 6, "ns": 10 ** 9}[t.unit]
            return r.randint(-2 * 10 ** 9 * scale, 4 * 10 ** 9 * scale)
        if pa.types.is_decimal(t):
            bound = 10 ** t.precision - 1
            unscaled = r.choice([0, 1, -1, bound, -bound, r.randint(-bound, bound)])
            with decimal.localcontext() as context:
                context.prec = 60
                return decimal.Decimal(unscaled).scaleb(-t.scale)
        raise TypeError(t)

    def value(self, t, nullable, absent, small):
        r = self.random
        if nullable and r.random() < absent:
            return None
        if pa.types.is_map(t):
            keys = {}
            for _ in range(r.choice([0, 0, 1, 2, 5])):
                keys[self.scalar(t.key_type, small)] = self.value(t.item_type, t.item_field.nullable, absent, small)
            return list(keys.items())
        if pa.types.is_list(t):
            return [self.value(t.value_type, t.value_field.nullable, absent, small) for _ in range(r.choice([0, 0, 1, 2, 3, 7]))]
        if pa.types.is_struct(t):
            return {f.name: self.value(f.type, f.nullable, absent, small) for f in t}
        return self.scalar(t, small)

    def table(self):
        r = self.random
        rows = r.choice([0, 1, 2, 7, 8, 9, 63, 100, 333, 1000, 2500])
        columns, fields = [], []
        for index in range(r.randint(1, 5)):
            t = self.data_type(r.choice([0, 0, 1, 2, 3]))
            nullable = r.random() < 0.75
            absent = r.choice([0, 0.05, 0.5, 0.97, 1]) if nullable else r.choice([0.1, 0.5])
            small = r.random() < 0.5
            if r.random() < 0.2 and rows > 20:
                # Long runs: sorted data and constant columns.
                some = [self.value(t, nullable, absent, small) for _ in range(3)]
                values = [some[i * 3 // rows] for i in range(rows)]
            else:
                values = [self.value(t, nullable, absent, small) for _ in range(rows)]
            fields.append(pa.field("c%d" % index, t, nullable=nullable))
            columns.append(pa.array(values, t))
        return pa.Table.from_arrays(columns, schema=pa.schema(fields))

    # how to write it

    def leaves(self, schema):
        """(dotted path as PyArrow names it, type) of every leaf."""
        found = []

        def walk(path, t):
            if pa.types.is_map(t):
                walk(path + ["key_value", "key"], t.key_type)
                walk(path + ["key_value", "value"], t.item_type)
            elif pa.types.is_list(t):
                walk(path + ["list", "element"], t.value_type)
            elif pa.types.is_struct(t):
                for f in t:
                    walk(path + [f.name], f.type)
            else:
                found.append((".".join(path), t))

        for field in schema:
            walk([field.name], field.type)
        return found

    def write_options(self, schema):
        r = self.random
        options = {
            "compression": r.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
            "data_page_version": r.choice(["1.0", "2.0"]),
            "data_page_size": r.choice([64, 1024, 1 << 20]),
            "write_batch_size": r.choice([7, 64, 1024]),
            "row_group_size": r.choice([3, 50, 1000, 10 ** 6]),
            "write_page_index": r.random() < 0.5,
            "write_page_checksum": r.random() < 0.5,
            "store_schema": r.random() < 0.5,
            "version": "2.6",
        }
        if r.random() < 0.2:
            options["use_deprecated_int96_timestamps"] = True
        if r.random() < 0.3:
            options["store_decimal_as_integer"] = True
        if r.random() < 0.5:
            options["use_dictionary"] = True
            options["dictionary_pagesize_limit"] = r.choice([16, 200, 1 << 20])
        else:
            options["use_dictionary"] = False
            options["column_encoding"] = {path: r.choice(encodings(t, options)) for path, t in self.leaves(schema)}
        return options


def encodings(t, options):
    if pa.types.is_boolean(t):
        return ["PLAIN", "RLE"]
    if pa.types.is_string(t) or (pa.types.is_binary(t) and not pa.types.is_fixed_size_binary(t)):
        return ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]
    if pa.types.is_decimal(t):
        if options.get("store_decimal_as_integer") and t.precision <= 18:
            return ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
        return ["PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"]
    if pa.types.is_fixed_size_binary(t) or pa.types.is_float16(t):
        return ["PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"]
    if pa.types.is_floating(t):
        return ["PLAIN", "BYTE_STREAM_SPLIT"]
    if pa.types.is_timestamp(t) and options.get("use_deprecated_int96_timestamps"):
        return ["PLAIN"]
    return ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
