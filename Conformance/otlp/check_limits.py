"""Limits of tenants, guards against hostile shapes, CORS, memory and drain, as a configuration file sets them."""
import json, os, signal, sys, tempfile, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc

CONFIGURATION = """
limits:
  attributes_per_record: 4
  attribute_bytes: 40
  body_bytes: 100
  days_per_request: 3
  keys_per_request: 50
  tenants:
    slow: {records_per_second: 10, burst_records: 20}
    strict: {body_bytes: 10, on_excess: reject}
cors:
  allowed_origins: https://app.example.com
process:
  drain_secs: 5
"""
JSON = {"Content-Type": "application/json"}
DAY = 86_400_000_000_000


def body(records, attributes=()):
    return json.dumps({"resourceLogs": [{"resource": {"attributes": [pair("service.name", "limits")]}, "scopeLogs": [{"logRecords": [
        {"timeUnixNano": str(at), "body": {"stringValue": text}, "attributes": [pair(*a) for a in attributes]} for at, text in records]}]}]}).encode()


def pair(key, value): return {"key": key, "value": {"stringValue": value}}


def post(server, payload, tenant="normal", headers=None):
    status, headers, answer = server.request("otlp", "POST", "/v1/logs", payload, {**JSON, "X-Scope-OrgID": tenant, **(headers or {})})
    return status, headers, json.loads(answer)


def counter(server, name, *labels):
    text = server.request("metrics", "GET", "/metrics")[2].decode()
    return sum(float(l.split()[-1]) for l in text.splitlines() if l.startswith(name) and all(x in l for x in labels))


@check("surplus attributes are left out, long texts cut with a mark, both counted")
def cut(server):
    at = time.time_ns()
    assert post(server, body([(at, "b" * 500)], [("k%d" % n, "v" * 200) for n in range(9)]))[0] == 200
    server.flush()
    row, = server.catalog().load_table("icegate.logs").scan(row_filter="tenant_id = 'normal'").to_arrow().to_pylist()
    attributes = dict(row["attributes"])
    assert set(attributes) == {"service.name", "k0", "k1", "k2", "k3"} and attributes["k0"].endswith("…[truncated]") and len(attributes["k0"].encode()) == 40, attributes
    assert row["body"].startswith("bbb") and row["body"].endswith("…[truncated]") and len(row["body"].encode()) == 100 and row["dropped_attributes_count"] == 5
    assert counter(server, "icegate_ingest_truncated_total", "attribute_cut") == 4
    assert counter(server, "icegate_ingest_truncated_total", "attribute_dropped") == 5 and counter(server, "icegate_ingest_truncated_total", "body_cut") == 1


@check("a tenant that wants them rejected gets a partial success with the reason")
def rejected(server):
    status, _, answer = post(server, body([(time.time_ns(), "fine"), (time.time_ns(), "much too long")]), "strict")
    assert status == 200 and answer["partialSuccess"]["rejectedLogRecords"] == "1" and "10 bytes" in answer["partialSuccess"]["errorMessage"], answer
    assert counter(server, "icegate_ingest_rejected_records_total", "body_too_long") == 1


@check("requests over too many days or with too many keys are 413; others of the tenant go on")
def shapes(server):
    at = time.time_ns()
    status, _, answer = post(server, body([(at - n * DAY, "x") for n in range(4)]), "shapes")
    assert status == 413 and "3 days" in answer["message"], answer
    status, _, answer = post(server, body([(at, "x")], [("k%d" % n, "v") for n in range(80)]), "shapes2")
    assert status == 200, "surplus attributes are gone before keys are counted"
    assert post(server, body([(at, "x")]), "shapes")[0] == 200


@check("a tenant over its rate gets 429 with Retry-After and RESOURCE_EXHAUSTED with RetryInfo, others are served, and it recovers")
def rate(server):
    at = time.time_ns()
    assert post(server, body([(at + n, "x") for n in range(30)]), "slow")[0] == 200
    status, headers, answer = post(server, body([(at, "y")]), "slow")
    assert status == 429 and int(headers["retry-after"]) >= 1 and answer["code"] == 8, (status, headers, answer)
    with grpc.insecure_channel("127.0.0.1:%d" % server.port("grpc")) as channel:
        try:
            logs_service_pb2_grpc.LogsServiceStub(channel).Export(logs_service_pb2.ExportLogsServiceRequest(), metadata=(("x-scope-orgid", "slow"),))
            raise AssertionError("not refused")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert any(k == "grpc-status-details-bin" and b"RetryInfo" in v for k, v in error.trailing_metadata())
    assert post(server, body([(at, "y")]), "quick")[0] == 200
    time.sleep(int(headers["retry-after"]) + 0.2)
    assert post(server, body([(at, "y")]), "slow")[0] == 200
    assert counter(server, "icegate_ingest_limited_total", 'reason="rate"') >= 2


@check("CORS: a page of an allowed origin may send, another gets no permission")
def cors(server):
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, x-scope-orgid"}
    for origin, allowed in (("https://app.example.com", True), ("https://evil.test", False)):
        status, headers, _ = server.request("otlp", "OPTIONS", "/v1/logs", None, {"Origin": origin, **ask})
        assert status == 204 and (headers.get("access-control-allow-origin") == origin) == allowed, headers
        status, headers, _ = post(server, body([(time.time_ns(), "x")]), headers={"Origin": origin})
        assert status == 200 and (headers.get("access-control-allow-origin") == origin) == allowed, headers


@check("SIGTERM: what is acknowledged is there after a restart, and the process ends in time")
def drain(server):
    acknowledged, stop = [], threading.Event()

    def send(k):
        n = 0
        while not stop.is_set():
            try: status = post(server, body([(time.time_ns(), "drain %d %d" % (k, n))]), "drain")[0]
            except OSError: continue
            if status == 200: acknowledged.append((k, n))
            n += 1
    threads = [threading.Thread(target=send, args=(k,)) for k in range(8)]
    started = int(time.time()) - 2
    for t in threads: t.start()
    time.sleep(1)
    began = time.time()
    assert server.stop() == 0 and time.time() - began < 15, time.time() - began
    stop.set()
    for t in threads: t.join()
    server.start()
    assert len(acknowledged) > 8 and server.count("drain", started, int(time.time()) + 2) >= len(acknowledged)


@check("an unknown key of the configuration stops the start with file, line and key")
def unknown(_):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write("limits:\n  body_byte: 3\n"); f.flush()
        try: Server(arguments=["-c", f.name]).start(10)
        except RuntimeError as error:
            assert f.name in str(error) and "body_byte" in str(error) and ":2" in str(error), error
        else: raise AssertionError("started")


@check("a process at its memory watermark sheds with 503 and Retry-After while health answers, and recovers")
def memory(_):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write("process:\n  memory_bytes: 67108864\n"); f.flush()
        with Server(arguments=["-c", f.name]) as server:
            big = body([(time.time_ns() + n, "UNIQUE" + "x" * 20_000 + str(n)) for n in range(150)])
            seen, stop = {}, threading.Event()

            def send(k):
                n = 0
                while not stop.is_set():
                    n += 1
                    status, headers, _ = post(server, big.replace(b"UNIQUE", b"%d %d " % (k, n)), "big")
                    seen[status] = seen.get(status, 0) + 1
                    if status == 503: assert "retry-after" in headers
            threads = [threading.Thread(target=send, args=(k,)) for k in range(16)]
            for t in threads: t.start()
            slowest = 0
            for _ in range(100):
                began = time.time()
                assert server.request("otlp", "GET", "/health")[0] == 200
                slowest = max(slowest, time.time() - began); time.sleep(0.05)
            stop.set()
            for t in threads: t.join()
            assert set(seen) <= {200, 503} and seen.get(503), seen
            assert slowest < 5, slowest
            for _ in range(100):
                status = post(server, body([(time.time_ns(), "after")]), "big")[0]
                if status == 200: break
                time.sleep(0.1)
            assert status == 200, "it does not recover"


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(CONFIGURATION); f.flush()
        with Server(arguments=["-c", f.name]) as server: main(server)
