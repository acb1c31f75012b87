"""Bad input gets a clear answer and loses nothing; a store that cannot be written acknowledges nothing."""
import gzip, json, os, shutil, socket, subprocess, sys, tempfile, time, zlib
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

JSON, PROTOBUF = {"Content-Type": "application/json"}, {"Content-Type": "application/x-protobuf"}


def export(body="hello", service="bad-input", at=None):
    at = at or time.time_ns()
    return {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                              "scopeLogs": [{"logRecords": [{"timeUnixNano": str(at), "body": {"stringValue": body}}]}]}]}


def protobuf(**kw):
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    return ParseDict(export(**kw), ExportLogsServiceRequest()).SerializeToString()


def post(server, body, headers, path="/v1/logs"):
    return server.request("otlp", "POST", path, body, headers)


@check("malformed JSON is 400 and says where")
def json_malformed(server):
    for body in (b"{", b"[]", b'{"resourceLogs": "x"}', b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "soon"}]}]}]}'):
        status, headers, answer = post(server, body, JSON)
        assert status == 400 and headers["content-type"].startswith("application/json"), (body, status, answer)
        message = json.loads(answer)
        assert message["code"] == 3 and message["message"], message
    assert "logRecords" in message["message"], message


@check("malformed protobuf is 400 in protobuf and says where")
def protobuf_malformed(server):
    whole = protobuf()
    for body in (whole[:-1], b"\x0a\xff\xff\xff\xff\x0f", b"\xff" * 20, b"\x0a\x05abc"):
        status, headers, answer = post(server, body, PROTOBUF)
        assert status == 400 and headers["content-type"] == "application/x-protobuf", (body, status, answer)
        assert answer[:2] == b"\x08\x03" and b"byte" in answer, answer


@check("a body cut at any byte is refused or has fewer records, and never stops the server")
def truncations(server):
    whole = protobuf()
    for n in range(len(whole)):
        assert post(server, whole[:n], PROTOBUF)[0] in (200, 400), n
    assert server.get("loki", "/ready")[0] == 200


@check("another content type is 415")
def content_type(server):
    for kind in ("text/plain", "application/octet-stream", "application/json; charset"):
        assert post(server, b"{}", {"Content-Type": kind})[0] == 415, kind


@check("a body over the limit is 413, compressed or not")
def too_large(server):
    assert post(server, zlib.compress(b" " * (200 << 20)), {**JSON, "Content-Encoding": "deflate"})[0] == 413
    with socket.create_connection(("127.0.0.1", server.port("otlp"))) as s:
        s.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n")
        assert s.recv(64).startswith(b"HTTP/1.1 413"), "before the body was sent"


@check("an unknown path is 404, another method 405")
def paths(server):
    assert post(server, b"{}", JSON, "/v2/logs")[0] == 404
    status, headers, _ = server.request("otlp", "GET", "/v1/logs")
    assert status == 405 and headers["allow"] == "POST", headers
    assert server.get("loki", "/loki/api/v1/nothing")[0] == 404


@check("broken or unknown compression is 400")
def compression(server):
    assert post(server, b"not gzip", {**JSON, "Content-Encoding": "gzip"})[0] == 400
    assert post(server, b"{}", {**JSON, "Content-Encoding": "lzma"})[0] == 400
    assert post(server, gzip.compress(json.dumps(export()).encode()), {**JSON, "Content-Encoding": "gzip"})[0] == 200


@check("a compression bomb costs no memory")
def bomb(server):
    before = memory(server)
    status = post(server, gzip.compress(b"\0" * (1 << 30), 9), {**PROTOBUF, "Content-Encoding": "gzip"})[0]
    assert status == 413 and memory(server) - before < 300, (status, before, memory(server))


@check("an invalid query is 400 with the manual's JSON")
def queries(server):
    status, answer = server.get("loki", "/loki/api/v1/query_range", {"query": '{service_name="x"'})
    assert status == 400 and answer["status"] == "error" and answer["errorType"] == "bad_data", answer
    assert answer["error"].startswith("parse error at line 1"), answer
    for parameters in ({"query": '{a="b"}', "start": "yesterday"}, {"query": '{a="b"}', "limit": "many"}, {"query": '{a=~"("}'}, {}):
        assert server.get("loki", "/loki/api/v1/query_range", parameters)[0] == 400, parameters


@check("an invalid tenant is refused on every read")
def tenants(server):
    for tenant in ("a/b", "x" * 151, "a b"):
        assert server.get("loki", "/loki/api/v1/labels", tenant=tenant)[0] == 400, tenant


@check("a store that cannot be written answers 503 and acknowledges nothing")
def unwritable(_):
    with Server() as server:
        assert post(server, json.dumps(export("before")).encode(), JSON)[0] == 200
        server.flush(); server.stop()
        shutil.rmtree(server.data + "/wal", ignore_errors=True)
        open(server.data + "/wal", "w").close()
        try: server.start(20)
        except RuntimeError as e:
            assert "wal" in str(e) or "probe" in str(e), e  # refused at start, with the reason: as good
        else:
            status, headers, _ = post(server, json.dumps(export("lost")).encode(), JSON)
            assert status == 503 and "retry-after" in headers, (status, headers)


@check("a full disk answers 503, acknowledges nothing, and recovers when there is room")
def full(_):
    folder = tempfile.mkdtemp(prefix="icegate-full-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True).returncode:
        os.rmdir(folder); return "no file system can be mounted here"
    try:
        with Server(data=folder + "/data") as server:
            os.makedirs(server.data, exist_ok=True)
            assert post(server, json.dumps(export("before")).encode(), JSON)[0] == 200
            with open(folder + "/ballast", "wb") as f:
                try:
                    while True: f.write(b"\0" * 65536); f.flush()
                except OSError: pass
            status, headers, _ = post(server, json.dumps(export("too much " * 20000, at=time.time_ns())).encode(), JSON)
            assert status == 503 and "retry-after" in headers, (status, headers)
            os.unlink(folder + "/ballast")
            for _ in range(100):
                status = post(server, json.dumps(export("after")).encode(), JSON)[0]
                if status == 200: break
                time.sleep(0.1)
            assert status == 200
            end = int(time.time()) + 2
            assert server.count("default", end - 600, end) == 2
    finally:
        subprocess.run(["umount", folder]); os.rmdir(folder)


def memory(server):
    return next(int(l.split()[1]) // 1024 for l in open("/proc/%d/status" % server.process.pid) if l.startswith("VmHWM:"))


if __name__ == "__main__":
    with Server() as server: main(server)
