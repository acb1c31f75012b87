"""What the OpenTelemetry Collector's receiver answered, case by case (Fixtures/recorded/otlp-collector), and what it stored.

Status, media type and body have to be equal, error texts free, but for the differences that `wanted` names."""
import base64, http.client, json, os, subprocess, sys, tempfile
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "Fixtures", "recorded", "otlp-collector")
CASES = [case for name in ("answers.json", "doors.json") for case in json.load(open(os.path.join(FOLDER, name)))]
EMPTY = {"application/json": {"partialSuccess": {}}, "application/x-protobuf": {"base64": "CgA="}}
# Every case has the same two ids but for the one it is about: a span whose id is none is left out alone.
REJECTED = {"json-body-span-empty", "trace-id-short-16", "trace-id-long", "trace-id-zero", "span-id-short", "span-id-empty", "span-id-zero",
            "pb-ids-short", "pb-ids-long", "pb-ids-empty", "pb-ids-span-short", "pb-ids-span-empty", "pb-ids-span-zero"}
DIFFERENCES = []


def kind_of(case): return next((v for k, v in case["headers"].items() if k.lower() == "content-type"), "").split(";")[0].lower()


def wanted(case):
    """Status, media type, body (None: not compared) and why they are not what was recorded."""
    status, kind, body, name = case["status"], (case.get("content_type") or "").split(";")[0], case["body"], case["id"]
    sent = kind_of(case)
    if name in REJECTED: return 200, sent, "rejected", "a span with a bad id is left out alone and counted"
    if name == "tenant-json-missing": return 200, sent, EMPTY[sent], "without a tenant it is `default`"
    if name == "content-type-pb-as-missing": return 200, "application/x-protobuf", EMPTY["application/x-protobuf"], "no content type means protobuf"
    if name == "content-type-missing": return 400, "application/x-protobuf", None, "no content type means protobuf, and this body is JSON"
    if name in ("path-post_v1_logs", "path-post_v1_metrics"): return 200, sent, EMPTY[sent], "all signals have a path here"
    if name in ("encoding-json-identity", "encoding-pb-identity", "encoding-pb-GZIP", "encoding-json-GZIP"):
        return 200, sent, EMPTY[sent], "the coding is known"
    if status == 500: return 400, sent, None, "what is malformed is the sender's fault"
    return status, kind, body if status < 300 else None, None


def send(server, case, tenant=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port("otlp"), timeout=60)
    body = base64.b64decode(case["body_b64"]) if case.get("body_b64") else None
    if body is None and case.get("body_len"): body = large()
    if case["method"] in ("POST", "PUT") and body is None: body = b""
    headers = dict(case["headers"])
    if tenant and headers.get("X-Scope-OrgID") == "otlp": headers["X-Scope-OrgID"] = tenant
    try:
        if case.get("chunked"): connection.request(case["method"], case["path"], iter([body[:7], body[7:]]), {**headers, "Transfer-Encoding": "chunked"}, encode_chunked=True)
        else: connection.request(case["method"], case["path"], body, {k: v.encode("latin-1") for k, v in headers.items()})
        answer = connection.getresponse(); raw = answer.read()
        try: read = json.loads(raw)
        except ValueError:
            try: read = raw.decode()
            except UnicodeDecodeError: read = None
        if (answer.getheader("Content-Type") or "") == "application/x-protobuf": read = {"base64": base64.b64encode(raw).decode()}
        return answer.status, (answer.getheader("Content-Type") or "").split(";")[0], read, dict((k.lower(), v) for k, v in answer.getheaders())
    finally: connection.close()


def large():
    request = trace_service_pb2.ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "otlp-case"
    span = resource.scope_spans.add().spans.add(trace_id=b"\1" * 16, span_id=b"\1" * 8, name="case")
    span.attributes.add(key="k").value.string_value = "x" * 3145728
    return request.SerializeToString()


def http_cases(): return [case for case in CASES if case["method"] != "GRPC" and case["category"] != "readback"]


@check("every request over HTTP is answered as recorded")
def over_http(server):
    wrong = []
    for case in http_cases():
        status, kind, body, why = wanted(case)
        got_status, got_kind, got, headers = send(server, case, tenant="otlp")
        if why: DIFFERENCES.append((case["id"], why))
        if case["method"] == "HEAD": body = None
        fine = got_status == status and (not kind or got_kind == kind)
        if body == "rejected":
            fine = fine and (json.dumps(got).count("rejectedSpans") == 1 if kind == "application/json" else
                             trace_service_pb2.ExportTraceServiceResponse.FromString(base64.b64decode(got["base64"])).partial_success.rejected_spans == 1)
        elif body is not None and not (body == "" and got in ("", None)): fine = fine and got == body
        if case["category"] == "cors":
            for name, value in case["resp_headers"].items(): fine = fine and headers.get(name) == value
            fine = fine and {n for n in headers if n.startswith("access-control")} == {n for n in case["resp_headers"] if n.startswith("access-control")}
        if not fine: wrong.append((case["id"], (status, kind, body), (got_status, got_kind, got)))
    print("# %d of %d requests over HTTP as wanted, %d of them differ from what was recorded on purpose" % (
        len(http_cases()) - len(wrong), len(http_cases()), len(DIFFERENCES)))
    for case in wrong: print("#", case)
    assert not wrong


@check("every call over gRPC ends as recorded")
def over_grpc(server):
    codes = {"grpc-no-tenant": "OK", "grpc-two-tenants": "INVALID_ARGUMENT", "grpc-health": "OK", "grpc-oversize": "OK", "grpc-trace-id-long": "OK", "grpc-span-id-short": "OK"}
    calls = [case for case in CASES if case["method"] == "GRPC"]
    for case in calls:
        with grpc.insecure_channel("127.0.0.1:%d" % server.port("grpc"), options=[("grpc.max_send_message_length", -1)]) as channel:
            plain = dict(request_serializer=None, response_deserializer=None)
            body = base64.b64decode(case["body_b64"]) if "body_b64" in case else large()
            options = {"metadata": [tuple(pair) for pair in case["metadata"]]}
            if case.get("compression") == "gzip": options["compression"] = grpc.Compression.Gzip
            try:
                if case["id"] == "grpc-reflection": answer, code = list(channel.stream_stream(case["path"], **plain)(iter([]), **options)), "UNIMPLEMENTED"  # it is implemented here
                else: answer, code = channel.unary_unary(case["path"], **plain)(body, **options), "OK"
            except grpc.RpcError as error: answer, code = None, error.code().name
            want = codes.get(case["id"], "INVALID_ARGUMENT" if case["status"] == "INTERNAL" else case["status"])
            assert code == want, (case["id"], code, want)
            if case["status"] == "OK": assert answer == base64.b64decode(case["body"]["base64"]), (case["id"], answer)
            if case["id"] in ("grpc-trace-id-long", "grpc-span-id-short"):
                assert trace_service_pb2.ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans == 1
    print("# %d calls over gRPC" % len(calls))


KINDS = {"SPAN_KIND_INTERNAL": 1, "SPAN_KIND_SERVER": 2, "SPAN_KIND_CLIENT": 3, "SPAN_KIND_PRODUCER": 4, "SPAN_KIND_CONSUMER": 5}
# What Tempo does not keep, or shows in another way.
LOST = {"flags", "schemaUrl", "parentSpanId"}


def canonical(node, name=""):
    if isinstance(node, dict):
        members = {k: canonical(v, k) for k, v in node.items() if k not in LOST}
        return {k: v for k, v in members.items() if not (v == {} and k in ("status", "scope", "resource"))}
    if isinstance(node, list): return [canonical(v) for v in node]
    if name in ("traceId", "spanId") and node[-1:] == "=": return base64.b64decode(node).hex()
    if name == "kind": return KINDS.get(node, node)
    if name == "code": return {"STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}.get(node, node)
    # -0 was shown as 0.
    return int(node) if isinstance(node, float) and abs(node) < 1e15 and node == int(node) else node


@check("what the receiver stored of each request is what our table gives back")
def readback(server):
    server.flush()
    ours = {}
    lines = subprocess.run([os.environ["ICEGATE"], "otlp", "export", "--data", server.data, "--table", "spans", "--tenant", "otlp", "--encoding", "json"],
                           check=True, capture_output=True).stdout.splitlines()
    for line in lines:
        for resource in json.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]: ours.setdefault(span["traceId"], []).append((canonical(resource.get("resource", {})), canonical(scope.get("scope", {})), canonical(span)))
    posted, compared, wrong = {case["id"]: case for case in http_cases()}, 0, []
    for case in CASES:
        if case["category"] != "readback": continue
        stored = case["body"].get("trace") if isinstance(case["body"], dict) else None
        trace = case["path"].rsplit("/", 1)[1]
        if not stored:
            if trace in ours and wanted(posted[case["after"]])[3] is None: wrong.append((case["id"], "not stored there", ours[trace]))
            continue
        theirs = [(canonical(r.get("resource", {})), canonical(s.get("scope", {})), canonical(span)) for r in stored["resourceSpans"] for s in r["scopeSpans"] for span in s["spans"]]
        compared += 1
        key = lambda row: json.dumps(row, sort_keys=True)
        mine = {key(row) for row in ours.get(trace, [])}
        if mine != {key(row) for row in theirs}: wrong.append((case["id"], theirs, ours.get(trace)))
    print("# %d stored traces compared" % compared)
    for case in wrong: print("#", case)
    assert compared > 60 and not wrong


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write("cors:\n  allowed_origins: https://app.example.com\n  allowed_headers: X-Custom\n"); f.flush()
        with Server(arguments=["-c", f.name]) as server: main(server)
