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


def _resource(group, service, host, r):
    for k, v in (("service.name", service), ("host.name", host), ("k8s.pod.name", "%s-%d" % (service, r.randrange(5)))):
        group.resource.attributes.add(key=k).value.string_value = v


def _own(item, r):
    """Seven attributes beside the resource's three, as the logs have."""
    for k, v in (("http.method", r.choice(("GET", "POST"))), ("http.route", "/api/v1/" + r.choice(WORDS)), ("user.id", "u-%d" % r.randrange(100_000)),
                 ("thread.name", "worker-%d" % r.randrange(16)), ("code.function", r.choice(WORDS))):
        item.attributes.add(key=k).value.string_value = v
    item.attributes.add(key="http.status_code").value.int_value = r.choice((200, 200, 200, 404, 500))
    item.attributes.add(key="duration_ms").value.double_value = round(r.expovariate(0.02), 3)


def span_requests(records, per_request=1000, seconds=7200, seed=2):
    """Encoded ExportTraceServiceRequests: traces of eight spans, one span in four with an event, one in sixteen with a link."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    r = random.Random(seed)
    for first in range(0, records, per_request):
        request = ExportTraceServiceRequest()
        host, scopes = "node-%02d" % r.randrange(20), {}
        for n in range(first, min(first + per_request, records)):
            if n % 8 == 0: trace, parent = r.randbytes(16), b""
            service = SERVICES[int(r.random() ** 2 * len(SERVICES))]
            if service not in scopes:
                group = request.resource_spans.add(); _resource(group, service, host, r)
                scopes[service] = group.scope_spans.add(); scopes[service].scope.name = "bench"
            at = T0 * 10**9 + n * seconds * 10**9 // records
            span = scopes[service].spans.add(trace_id=trace, span_id=r.randbytes(8), parent_span_id=parent, name="GET /api/v1/" + r.choice(WORDS),
                                             kind=r.randrange(1, 6), start_time_unix_nano=at, end_time_unix_nano=at + r.randrange(10**9), flags=257)
            parent = span.span_id
            _own(span, r)
            if n % 10 == 0: span.status.code = 2; span.status.message = "declined"
            if n % 4 == 0: span.events.add(time_unix_nano=at + 5, name="retry").attributes.add(key="attempt").value.int_value = n % 3
            if n % 16 == 0: span.links.add(trace_id=r.randbytes(16), span_id=r.randbytes(8))
        yield request.SerializeToString()


def metric_requests(records, per_request=1000, seed=3):
    """Encoded ExportMetricsServiceRequests: half gauges, a quarter sums, a quarter histograms of ten buckets; 10,000 series each seen again and again."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    r = random.Random(seed)
    for first in range(0, records, per_request):
        request = ExportMetricsServiceRequest()
        at = T0 * 10**9 + first // 10_000 * 15 * 10**9
        for service in SERVICES[:10]:
            group = request.resource_metrics.add(); _resource(group, service, "node-%02d" % (first // per_request % 20), r)
            scope = group.scope_metrics.add(); scope.scope.name = "bench"
            count = per_request // 10
            for kind, name, share in (("gauge", "process.memory", 2), ("sum", "http.requests", 4), ("histogram", "http.duration", 4)):
                metric = scope.metrics.add(name=name, unit="1", description="of the benchmark")
                data = getattr(metric, kind)
                if kind != "gauge": data.aggregation_temporality = 2
                if kind == "sum": data.is_monotonic = True
                for n in range(count // share):
                    point = data.data_points.add(start_time_unix_nano=T0 * 10**9, time_unix_nano=at)
                    for k, v in (("http.method", "GET"), ("http.route", "/api/v1/%d" % n), ("instance", "i-%d" % (first // per_request % 10)),
                                 ("zone", "z%d" % (n % 3)), ("code.function", WORDS[n % len(WORDS)]), ("tier", "web"), ("shard", str(n % 7))):
                        point.attributes.add(key=k).value.string_value = v
                    if kind == "histogram":
                        point.count, point.sum = 55, r.random() * 100
                        point.bucket_counts.extend(range(1, 12)); point.explicit_bounds.extend((.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5))
                    else: point.as_double = r.random()
        yield request.SerializeToString()
