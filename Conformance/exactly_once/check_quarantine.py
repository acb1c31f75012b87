"""Segments of the queue that rot on the disk: other tenants notice nothing, the shift puts them into quarantine, an operator lists them and
gives them up."""
import glob, json, os, shutil, subprocess, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

NOW = time.time_ns() - 60 * 10**9


def export(server, tenant, text):
    body = json.dumps({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "rot"}}]},
                                         "scopeLogs": [{"logRecords": [{"timeUnixNano": str(NOW), "body": {"stringValue": text}}]}]}]})
    status, _, answer = server.request("otlp", "POST", "/v1/logs", body.encode(), {"Content-Type": "application/json", "X-Scope-OrgID": tenant})
    assert status == 200, answer


def read(server, tenant):
    """Lines and warnings of a tenant."""
    status, answer = server.get("loki", "/loki/api/v1/query_range", {
        "query": '{service_name="rot"}', "start": NOW - 10**9, "end": NOW + 10**12, "limit": 100}, tenant)
    assert status == 200, answer
    return sorted(line for s in answer["data"]["result"] for _, line, *_ in s["values"]), answer.get("warnings", [])


def segments(server):
    return sorted(p for p in glob.glob(server.data + "/wal/logs/*/*.parquet") if os.path.getsize(p) > 16)


def damage(path, start, length):
    with open(path, "r+b") as file:
        file.seek(start if start >= 0 else os.path.getsize(path) + start)
        old = file.read(length)
        file.seek(-len(old), 1)
        file.write(bytes(b ^ 0x5a for b in old))


def operator(server, *words):
    file = server.data + "/maintain.yaml"
    with open(file, "w") as f:
        f.write("catalog:\n  backend: !sqlite\n    path: %s/catalog.db\n  warehouse: file://%s\nstorage:\n  backend: !filesystem\n    root_path: %s\n"
                % (server.data, server.data, server.data))
    done = subprocess.run([os.environ["ICEGATE"], "maintain", "quarantine", *words, "-c", file], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def quarantined(server, table="logs"):
    return [line.split(" ", 1)[1] for line in operator(server, "list").splitlines() if line.startswith(table + " ")]


@check("a damaged segment warns, fails no query of anybody else, comes into quarantine, is listed and given up")
def footer(server):
    export(server, "other", "kept")
    export(server, "victim", "lost")
    server.kill()
    paths = segments(server)
    assert len(paths) == 2, paths
    lost = next(p for p in paths if b"lost" in open(p, "rb").read())
    name = "%s/%d" % (lost.split("/")[-2], int(os.path.basename(lost)[:20]))
    damage(lost, -12, 8)
    server.start()
    lines, warnings = read(server, "other")
    assert lines == ["kept"] and any(name in w for w in warnings), (lines, warnings)
    lines, warnings = read(server, "victim")
    assert lines == [] and any(name in w for w in warnings), (lines, warnings)
    assert quarantined(server) == []
    export(server, "victim", "after")
    server.flush()
    found = quarantined(server)
    assert len(found) == 1 and found[0].startswith(name + " unreadable"), found
    assert os.path.exists(lost)
    assert read(server, "other")[0] == ["kept"] and read(server, "victim")[0] == ["after"]
    assert any(name in w for w in read(server, "victim")[1])
    assert "would give up logs " + name in operator(server, "give-up", name, "--dry-run") and quarantined(server) == found
    assert "gave up logs " + name in operator(server, "give-up", name)
    assert quarantined(server) == [] and operator(server, "give-up", name).strip() == name + " is in no table's quarantine"
    assert read(server, "victim") == (["after"], []), read(server, "victim")
    deadline = time.time() + 120
    while os.path.exists(lost) and time.time() < deadline: server.flush(); time.sleep(0.2)
    assert not os.path.exists(lost), "the object of what was given up is still there"


@check("a damaged row group fails its own tenant's queries until it is in quarantine, and takes nothing else along")
def row_group(server):
    for tenant in ("left", "right"): export(server, tenant, "line of " + tenant)
    server.kill()
    paths = segments(server)
    lost = next(p for p in paths if b"line of left" in open(p, "rb").read())
    at = open(lost, "rb").read().index(b"line of left")
    damage(lost, at, 4)
    server.start()
    assert read(server, "right")[0] == ["line of right"]
    status, answer = server.get("loki", "/loki/api/v1/query_range", {
        "query": '{service_name="rot"}', "start": NOW - 10**9, "end": NOW + 10**12, "limit": 100}, "left")
    assert status >= 500, (status, answer)
    server.flush()
    found = quarantined(server)
    assert len(found) == 1 and "of tenants left" in found[0], found
    lines, warnings = read(server, "left")
    assert lines == [] and len(warnings) == 1, (lines, warnings)
    assert read(server, "right") == (["line of right"], []), read(server, "right")


if __name__ == "__main__":
    with Server() as server: main(server)
