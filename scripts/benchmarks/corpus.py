"""A log corpus of our own, made anew from a seed: OTLP requests of 1,000 records with 10 attributes each."""
import random

T0 = 1_793_491_200  # 2026-11-01T00:00:00Z
SERVICES = ["frontend", "checkout", "payment", "search", "cart", "shipping", "email", "gateway", "catalog", "ads",
            "auth", "users", "orders", "stock", "reviews", "media"]
WORDS = "request completed order user session cache miss hit retry connection pool payment declined accepted upstream latency".split()


def line(r, n):
    kind = n % 4
    if kind == 0: return '{"level":"info","status":%d,"path":"/api/v1/%s","took_ms":%d}' % (r.choice((200, 200, 200, 404, 500)), r.choice(WORDS), r.randrange(2000))
    if kind == 1: return "level=info msg=\"%s %s\" caller=server.go:%d traceID=%032x" % (r.choice(WORDS), r.choice(WORDS), r.randrange(900), r.getrandbits(128))
    if kind == 2 and r.random() < 0.05: return "upstream timeout after %d ms while calling %s" % (r.randrange(5000), r.choice(SERVICES))
    return " ".join(r.choice(WORDS) for _ in range(r.randrange(6, 24)))


def requests(records, per_request=1000, seconds=7200, seed=1):
    """Encoded ExportLogsServiceRequests; one host's agent each, times ascending over `seconds`."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    r = random.Random(seed)
    for first in range(0, records, per_request):
        request = ExportLogsServiceRequest()
        host = "node-%02d" % r.randrange(20)
        scopes = {}
        for n in range(first, min(first + per_request, records)):
            service = SERVICES[int(r.random() ** 2 * len(SERVICES))]
            if service not in scopes:
                group = request.resource_logs.add()
                for k, v in (("service.name", service), ("host.name", host), ("k8s.pod.name", "%s-%d" % (service, r.randrange(5)))):
                    group.resource.attributes.add(key=k).value.string_value = v
                scopes[service] = group.scope_logs.add()
                scopes[service].scope.name = "bench"
            at = T0 * 10**9 + n * seconds * 10**9 // records
            severity = r.choice(((9, "INFO"), (9, "INFO"), (9, "INFO"), (5, "DEBUG"), (13, "WARN"), (17, "ERROR")))
            record = scopes[service].log_records.add(time_unix_nano=at, observed_time_unix_nano=at + 1_234_567, severity_number=severity[0],
                                                     severity_text=severity[1], trace_id=r.randbytes(16), span_id=r.randbytes(8), flags=1)
            record.body.string_value = line(r, n)
            for k, v in (("http.method", r.choice(("GET", "POST"))), ("http.route", "/api/v1/" + r.choice(WORDS)), ("user.id", "u-%d" % r.randrange(100_000)),
                         ("thread.name", "worker-%d" % r.randrange(16)), ("code.function", r.choice(WORDS))):
                record.attributes.add(key=k).value.string_value = v
            record.attributes.add(key="http.status_code").value.int_value = r.choice((200, 200, 200, 404, 500))
            record.attributes.add(key="duration_ms").value.double_value = round(r.expovariate(0.02), 3)
        yield request.SerializeToString()
