"""TLS on both OTLP ports: the SDK's exporters over HTTPS and gRPC, HTTP/2 by ALPN, a renewed certificate; and our own spans over OTLP."""
import json, logging, os, shutil, socket, ssl, sys, tempfile, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

# They would count before the certificate that the exporter is given.
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"): os.environ.pop(name, None)
FIXTURES = os.path.join(os.path.dirname(__file__), "..", "..", "Fixtures", "tls")


class Encrypted:
    """A server with a folder of its own for certificate and key, so that they can be renewed."""

    def __init__(self, more=""):
        self.folder = tempfile.mkdtemp(prefix="icegate-tls-")
        self.certificate, self.key = os.path.join(self.folder, "cert.pem"), os.path.join(self.folder, "key.pem")
        self.install("")
        configuration = os.path.join(self.folder, "dev.yaml")
        with open(configuration, "w") as out:
            out.write("tls:\n  cert_file: %s\n  key_file: %s\n%s" % (self.certificate, self.key, more))
        self.server = Server(arguments=["-c", configuration])

    def install(self, name):
        for target, kind in ((self.certificate, "cert"), (self.key, "key")):
            shutil.copy(os.path.join(FIXTURES, name + kind + ".pem"), target + ".new"); os.rename(target + ".new", target)

    def __enter__(self): return self.server.__enter__()

    def __exit__(self, *error):
        self.server.__exit__(*error); shutil.rmtree(self.folder, ignore_errors=True)


def context(*protocols):
    made = ssl.create_default_context(cafile=os.path.join(FIXTURES, "cert.pem"))
    if protocols: made.set_alpn_protocols(protocols)
    return made


def handshake(port, made):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
        with made.wrap_socket(plain, server_hostname="localhost") as secure:
            return secure.selected_alpn_protocol(), secure.getpeercert(binary_form=True)


@check("the SDK's exporters reach both ports over TLS, and every record is there once")
def sdk(tls):
    import grpc
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as OverGRPC
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as OverHTTP
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    authority = os.path.join(FIXTURES, "cert.pem")
    server = tls.server
    exporters = [OverHTTP(endpoint="https://localhost:%d/v1/logs" % server.port("otlp"), certificate_file=authority, headers={"X-Scope-OrgID": "tls"}),
                 OverGRPC(endpoint="https://localhost:%d" % server.port("grpc"), headers=(("x-scope-orgid", "tls"),),
                          credentials=grpc.ssl_channel_credentials(open(authority, "rb").read()))]
    for exporter in exporters:
        provider = LoggerProvider(Resource.create({"service.name": "encrypted"}))
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=100_000, max_export_batch_size=300))
        logger = logging.Logger("shop"); logger.addHandler(LoggingHandler(level=logging.NOTSET, logger_provider=provider))
        for n in range(1000): logger.warning("order %d", n)
        assert provider.force_flush(120_000); provider.shutdown()
    now = int(time.time())
    assert server.count("tls", now - 3600, now + 60) == 2000


@check("ALPN chooses HTTP/2 or HTTP/1.1; without it the connection's first bytes decide")
def alpn(tls):
    for port in ("otlp", "grpc"):
        port = tls.server.port(port)
        assert handshake(port, context("h2", "http/1.1"))[0] == "h2"
        assert handshake(port, context("http/1.1"))[0] == "http/1.1"
        assert handshake(port, context())[0] is None
        try: handshake(port, context("spdy/3"))
        except (ssl.SSLError, OSError): pass
        else: raise AssertionError("a protocol that we do not speak was agreed on")


@check("plain HTTP gets no answer on a port with TLS")
def plain(tls):
    try: status = tls.server.request("otlp", "GET", "/health")[0]
    except Exception: return
    raise AssertionError(status)


@check("a renewed certificate is served without a restart")
def renewed(tls):
    port, unchecked = tls.server.port("otlp"), context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    before = handshake(port, unchecked)[1]
    tls.install("other-")
    deadline = time.time() + 60
    while handshake(port, unchecked)[1] == before:
        assert time.time() < deadline
        time.sleep(0.2)
    tls.install("")


def spans_of(server, service, deadline=60):
    """Our own spans, once some have been shifted."""
    until = time.time() + deadline
    while True:
        server.flush()
        rows = server.catalog().load_table("icegate.spans").scan(row_filter="service_name = '%s'" % service).to_arrow().to_pylist()
        if any(row["name"] == "POST /v1/logs" for row in rows): return rows
        assert time.time() < until, [row["name"] for row in rows]
        time.sleep(0.5)


@check("our own requests become spans, over gRPC and over HTTP, without an end to themselves")
def tracing(_):
    for port, service in (("grpc", "self-grpc"), ("otlp", "self-http")):
        server = Server()
        configuration = tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False)
        configuration.write("tracing:\n  service_name: %s\n  otlp_endpoint: http://127.0.0.1:%d%s\n" % (
            service, server.port(port), "" if port == "grpc" else "/v1/traces"))
        configuration.close()
        server.arguments += ["-c", configuration.name]
        with server:
            trace = "0af7651916cd43dd8448eb211c80319c"
            body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "1700000000000000000", "body": {"stringValue": "x"}}]}]}]}).encode()
            headers = {"Content-Type": "application/json", "X-Scope-OrgID": "t", "traceparent": "00-%s-b7ad6b7169203331-01" % trace}
            assert server.request("otlp", "POST", "/v1/logs", body, headers)[0] == 200
            rows = spans_of(server, service)
            ours = [row for row in rows if row["name"] == "POST /v1/logs"]
            assert len(ours) == 1 and ours[0]["trace_id"].hex() == trace and ours[0]["parent_span_id"].hex() == "b7ad6b7169203331", ours
            attributes = dict(ours[0]["attributes"])
            assert attributes["http.response.status_code"] == "200" and attributes["icegate.door"] == "otlp", attributes
            assert not any("TraceService" in row["name"] or "/v1/traces" in row["name"] for row in rows), [row["name"] for row in rows]
            # Left alone, nothing comes any more: exports are not traced, nor is what they cause. (The last flush is, and comes late.)
            count = lambda: server.catalog().load_table("icegate.spans").scan(row_filter="service_name = '%s'" % service).count()
            size, since, deadline = count(), time.time(), time.time() + 180
            while time.time() - since < 25:
                time.sleep(1)
                before, size = size, count()
                if size != before: since = time.time()
                assert time.time() < deadline, (before, size)
        os.unlink(configuration.name)


if __name__ == "__main__":
    encrypted = Encrypted()
    with encrypted: main(encrypted)
