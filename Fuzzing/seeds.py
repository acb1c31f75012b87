"""Seeds for scripts/fuzz out of Parquet files: usage: seeds.py TARGET FOLDER FILE..."""
import os, struct, sys

target, folder, paths = sys.argv[1], sys.argv[2], sys.argv[3:]


def keep(name, data):
    with open(os.path.join(folder, "seed-" + name), "wb") as out: out.write(data[:65536])


for path in paths:
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
