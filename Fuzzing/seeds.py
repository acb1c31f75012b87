"""Seeds for scripts/fuzz out of Parquet files, or of recorded OTLP requests: usage: seeds.py TARGET FOLDER FILE..."""
import os, struct, sys

target, folder, paths = sys.argv[1], sys.argv[2], sys.argv[3:]


def keep(name, data):
    with open(os.path.join(folder, "seed-" + name), "wb") as out: out.write(data[:65536])


for path in [] if target.startswith("otlp") else paths:
    data, name = open(path, "rb").read(), os.path.basename(path)
    length = struct.unpack("<I", data[-8:-4])[0]
    if target == "file": keep(name, data)
    elif target == "footer": keep(name, data[-8 - length:-8])
    elif target == "page":
        # Any run that starts at a page header will do: dictionaries and pages begin with the thrift field 1 as i32 (0x15).
        starts = [i for i in range(4, len(data) - length - 8) if data[i] == 0x15 and data[i + 1] in (0, 4, 6)][:40]
        for n, start in enumerate(starts):
            for kind in range(8):
                keep("%s-%d-%d" % (name, n, kind), bytes([kind, n % 64, 100, 0]) + data[start:start + 2000])
if target == "index":
    pages = 2
    entries = b"".join(struct.pack("<IBBHI", 10 * i, 9, 9, 0, 64) for i in range(pages))
    zeros = bytes.fromhex("28b52ffd2080440000080001006e0206")  # 128 zero bytes under zstd, or an error: both are seeds
    keep("made", b"ITX1" + bytes(8) + struct.pack("<IIQQ", 20, pages, 4, 100) + entries + struct.pack("<I", len(zeros)) + zeros + bytes(64 * pages))
if target.startswith("otlp"):
    import base64, json
    signals = {"/v1/logs": 0, "/v1/traces": 1, "/v1/metrics": 2}
    for path in paths:
        for n, case in enumerate(json.load(open(path))):
            body, kind = base64.b64decode(case.get("body_b64") or ""), case["headers"].get("Content-Type", "")
            if case["path"] in signals and ("json" in kind) == (target == "otlp-json"):
                # Without limits, with limits that cut, with limits that reject.
                for limits in (0, 6, 12): keep("%d-%d" % (n, limits), bytes([signals[case["path"]] + limits]) + body)
