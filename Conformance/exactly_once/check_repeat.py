"""What a client that repeats a request is told: the header, the metric, and one copy of each record, in the queue, in the table and after
a restart."""
import json, os, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

NOW = time.time_ns() - 60 * 10**9
TENANT = "repeat"


def export(server, text, key=None, at=NOW):
    body = json.dumps({"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "repeat"}}]},
                                         "scopeLogs": [{"logRecords": [{"timeUnixNano": str(at), "body": {"stringValue": text}}]}]}]})
    headers = {"Content-Type": "application/json", "X-Scope-OrgID": TENANT}
    if key: headers["Idempotency-Key"] = key
    status, headers, answer = server.request("otlp", "POST", "/v1/logs", body.encode(), headers)
    return status, headers.get("x-icegate-deduplicated"), answer


def deduplicated(server):
    text = server.get("metrics", "/metrics")
    text = text[1] if isinstance(text[1], bytes) else json.dumps(text[1]).encode()
    for line in text.decode().splitlines():
        if line.startswith("icegate_ingest_requests_total{") and 'topic="logs"' in line and 'outcome="deduplicated"' in line:
            return float(line.split()[-1])
    raise AssertionError("no such metric")


def lines(server):
    status, answer = server.get("loki", "/loki/api/v1/query_range", {
        "query": '{service_name="repeat"}', "start": NOW - 10**9, "end": NOW + 10**12, "limit": 100}, TENANT)
    assert status == 200, answer
    return sorted(line for s in answer["data"]["result"] for _, line, *_ in s["values"])


@check("a repeated request is answered with X-IceGate-Deduplicated, and counted")
def repeat(server):
    before = deduplicated(server)
    assert export(server, "one")[:2] == (200, None)
    assert export(server, "one")[:2] == (200, "true")
    assert export(server, "one")[:2] == (200, "true")
    assert export(server, "two")[:2] == (200, None)
    assert deduplicated(server) - before == 2
    assert lines(server) == ["one", "two"], lines(server)


@check("Loki push is told the same")
def push(server):
    body = json.dumps({"streams": [{"stream": {"service_name": "repeat"}, "values": [[str(NOW + 5), "pushed"]]}]}).encode()
    answers = [server.request("loki", "POST", "/loki/api/v1/push", body, {"Content-Type": "application/json", "X-Scope-OrgID": TENANT})
               for _ in range(2)]
    assert [a[0] for a in answers] == [204, 204], answers
    assert [a[1].get("x-icegate-deduplicated") for a in answers] == [None, "true"], answers
    assert lines(server).count("pushed") == 1


@check("a gRPC client is told in its metadata, and counted")
def grpc_repeat(server):
    import grpc
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
    from opentelemetry.proto.logs.v1 import logs_pb2
    scope = logs_pb2.ScopeLogs()
    scope.log_records.add(time_unix_nano=NOW + 7).body.string_value = "by gRPC"
    resource = logs_pb2.ResourceLogs(scope_logs=[scope])
    resource.resource.attributes.add(key="service.name").value.string_value = "repeat"
    request = logs_service_pb2.ExportLogsServiceRequest(resource_logs=[resource])
    before, told = deduplicated(server), []
    with grpc.insecure_channel("127.0.0.1:%d" % server.port("grpc")) as channel:
        stub = logs_service_pb2_grpc.LogsServiceStub(channel)
        for _ in range(3):
            answer, call = stub.Export.with_call(request, metadata=[("x-scope-orgid", TENANT)], timeout=60)
            assert answer.partial_success.rejected_log_records == 0, answer
            told.append((dict(call.initial_metadata()) | dict(call.trailing_metadata())).get("x-icegate-deduplicated"))
    assert told == [None, "true", "true"], told
    assert deduplicated(server) - before == 2
    assert lines(server).count("by gRPC") == 1


@check("an idempotency key with another body is refused, and with the same one recognised")
def key(server):
    assert export(server, "keyed", "k1")[:2] == (200, None)
    assert export(server, "keyed", "k1")[:2] == (200, "true")
    assert export(server, "otherwise", "k1")[0] == 422
    assert "otherwise" not in lines(server)


@check("a repeat after the rows were shifted, and after a restart, leaves one copy")
def restart(server):
    before = lines(server)
    server.flush()
    assert export(server, "one")[0] == 200
    server.kill(); server.start()
    assert export(server, "one")[0] == 200
    assert lines(server) == before
    server.flush()
    assert lines(server) == before
    assert export(server, "two")[0] == 200
    server.flush()
    assert lines(server) == before


if __name__ == "__main__":
    with Server() as server: main(server)
