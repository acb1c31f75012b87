"""Records a table written by `icegate iceberg` into Fixtures/iceberg/icegate, for later versions to read.

usage: ICEGATE=.build/debug/icegate record_ours.py OUTPUT_DIRECTORY
"""

import datetime
import json
import pathlib
import shutil
import subprocess
import os
import sys
import tempfile

FILES = [
    {"records": 7, "size": 700, "partition": ["a", None, "20758"], "lower": {"4": "00803a4b65630600"}, "upper": {"4": "00803a4b65630600"}},
    {"records": 1, "size": 100, "partition": ["b", "acc", "20759"], "lower": {}, "upper": {}},
]


def main():
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        common = ["--catalog", f"sqlite:///{scratch}/catalog.db", "--warehouse", f"{scratch}/warehouse"]

        def ours(*arguments):
            done = subprocess.run([os.environ["ICEGATE"], "iceberg", *arguments, *common], capture_output=True, check=True)
            return json.loads(done.stdout)

        os.mkdir(f"{scratch}/warehouse")
        ours("create")
        for number, file in enumerate(FILES):
            listing = f"{scratch}/files.json"
            path = f"file://{scratch}/warehouse/icegate/logs/data/{number}.parquet"
            pathlib.Path(listing).write_text(json.dumps([{**file, "path": path}]))
            ours("append", "icegate.logs", "--files", listing)
        for file in sorted(pathlib.Path(scratch, "warehouse", "icegate", "logs", "metadata").iterdir()):
            shutil.copy(file, out / file.name)
        version = subprocess.run([os.environ["ICEGATE"], "version"], capture_output=True, text=True).stdout.strip()
        (out / "ORIGIN").write_text(f"Written by Conformance/iceberg/record_ours.py with {version}, on {datetime.date.today()}.\n")


main()
