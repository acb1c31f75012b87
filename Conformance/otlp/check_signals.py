"""Traces, metrics and logs of the real SDK over HTTP and gRPC become Iceberg tables, from which `icegate otlp export` gives back what was sent."""
import collections, gzip, json, logging, os, random, subprocess, sys, time, zlib
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

REQUESTS = {"logs": logs_service_pb2.ExportLogsServiceRequest, "spans": trace_service_pb2.ExportTraceServiceRequest,
            "metrics": metrics_service_pb2.ExportMetricsServiceRequest}
PATHS = {"logs": "/v1/logs", "spans": "/v1/traces", "metrics": "/v1/metrics"}
GROUPS = {"logs": ("resource_logs", "scope_logs", "log_records"), "spans": ("resource_spans", "scope_spans", "spans"),
          "metrics": ("resource_metrics", "scope_metrics", "metrics")}
TENANTS = {"signals-a": 1500, "signals-b": 700, "signals-c": 250}
POINTS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
SENT = collections.defaultdict(list)  # (table, tenant) -> requests


def rows(table, requests):
    """Every record with its groups, one entry each: what OTLP says, whatever the grouping."""
    found = collections.Counter()
    outer, inner, records = GROUPS[table]
    for request in requests:
        for resource in getattr(request, outer):
            for scope in getattr(resource, inner):
                head = (text(resource.resource), resource.schema_url, text(scope.scope), scope.schema_url)
                for record in getattr(scope, records):
                    for one in points(record) if table == "metrics" else [record]: found[head + (text(one),)] += 1
    return found


def text(message):
    """The message's bytes; an empty message in it is the same as none (the normal form of Sources/LakeOTLP/README.md)."""
    copy = type(message)(); copy.CopyFrom(message); drop_empty(copy)
    return copy.SerializeToString(deterministic=True)


def drop_empty(message):
    for field, value in message.ListFields():
        if field.message_type is None: continue
        if field.is_repeated:
            for one in value: drop_empty(one)
            continue
        drop_empty(value)
        if not value.ByteSize() and field.name in ("value", "body", "status", "positive", "negative"): message.ClearField(field.name)


def points(metric):
    """A metric of one point for each of its points."""
    for kind in POINTS:
        if metric.HasField(kind):
            for point in getattr(metric, kind).data_points:
                one = type(metric)(); one.CopyFrom(metric)
                del getattr(one, kind).data_points[:]
                getattr(one, kind).data_points.append(point)
                yield one


def exported(server, table, tenant, encoding="protobuf"):
    return subprocess.run([os.environ["ICEGATE"], "otlp", "export", "--data", server.data, "--table", table, "--tenant", tenant,
                           "--encoding", encoding], check=True, capture_output=True).stdout


def given_back(server, table, tenant):
    return rows(table, [REQUESTS[table].FromString(exported(server, table, tenant))])


def table_rows(server, table, tenant, *fields):
    scan = server.catalog().load_table("icegate." + table).scan(row_filter="tenant_id = '%s'" % tenant, selected_fields=fields or ("*",))
    return scan.to_arrow().to_pylist()


def recording(exporter, encode, table, tenant):
    """Keeps what the exporter is given, in the exporter's own encoding."""
    export = exporter.export

    def both(data, *arguments, **named):
        request = REQUESTS[table]()
        request.ParseFromString(encode(data).SerializeToString())
        SENT[table, tenant].append(request)
        return export(data, *arguments, **named)
    exporter.export = both
    return exporter


def doors(server, tenant, path):
    """The SDK's exporter options of each tenant's door: HTTP with gzip, plain HTTP, gRPC with gzip."""
    http = {"endpoint": "http://127.0.0.1:%d%s" % (server.port("otlp"), path), "headers": {"X-Scope-OrgID": tenant}}
    if tenant == "signals-c":
        return "grpc", {"endpoint": "127.0.0.1:%d" % server.port("grpc"), "insecure": True, "compression": grpc.Compression.Gzip,
                        "headers": (("x-scope-orgid", tenant),)}
    if tenant == "signals-a":
        import opentelemetry.exporter.otlp.proto.http as package
        http["compression"] = package.Compression.Gzip
    return "http", http


def resource(tenant, service):
    from opentelemetry.sdk.resources import Resource
    return Resource.create({"service.name": service, "deployment.environment": tenant, "shards": [1, 2]}, schema_url="https://opentelemetry.io/schemas/1.27.0")


@check("the SDK sends spans with events, links and parents for three tenants, over HTTP and gRPC")
def traces(server):
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGRPC
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHTTP
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    for tenant, count in TENANTS.items():
        kind, options = doors(server, tenant, "/v1/traces")
        exporter = recording((OverHTTP if kind == "http" else OverGRPC)(**options), encode_spans, "spans", tenant)
        provider = TracerProvider(resource=resource(tenant, "checkout"))
        provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=100_000, max_export_batch_size=400))
        tracer = provider.get_tracer("shop", "1.2", schema_url="https://example.org/1")
        link = None
        for n in range(count // 2):
            with tracer.start_as_current_span("order %d" % n, kind=trace.SpanKind.SERVER, links=[link] if link else None) as outer:
                outer.set_attributes({"order": n, "total": n / 8, "paid": n % 2 == 0, "items": ["a", "b"]})
                with tracer.start_as_current_span("pay") as inner:
                    inner.add_event("tried", {"attempt": n % 3})
                    if n % 10 == 0: inner.set_status(trace.Status(trace.StatusCode.ERROR, "declined"))
                link = trace.Link(outer.get_span_context(), {"why": "follows"})
        assert provider.force_flush(120_000); provider.shutdown()


@check("the SDK sends counters, gauges, histograms and exponential histograms for three tenants, over HTTP and gRPC")
def metrics(server):
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as OverGRPC
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as OverHTTP
    from opentelemetry.metrics import Observation
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
    for tenant, count in TENANTS.items():
        kind, options = doors(server, tenant, "/v1/metrics")
        exporter = recording((OverHTTP if kind == "http" else OverGRPC)(**options), encode_metrics, "metrics", tenant)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        view = View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())
        provider = MeterProvider([reader], resource=resource(tenant, "meter"), views=[view])
        meter = provider.get_meter("shop", "1.2")
        orders = meter.create_counter("orders", unit="{order}", description="orders taken")
        queue = meter.create_up_down_counter("queue")
        latency = meter.create_histogram("latency", unit="s")
        size = meter.create_histogram("size", unit="By")
        meter.create_observable_gauge("load", callbacks=[lambda _: [Observation(0.25, {"core": c}) for c in range(4)]])
        chance = random.Random(7)
        for n in range(count):
            series = {"shop": "s%d" % (n % (count // 5)), "card": n % 2 == 0}
            orders.add(1, series); queue.add(n % 3 - 1, {"lane": n % 4})
            latency.record(chance.random(), {"route": "/%d" % (n % 7)}); size.record(chance.expovariate(0.001), {"route": "/%d" % (n % 7)})
            if n == count // 2: reader.collect()
        provider.force_flush(60_000); provider.shutdown()


@check("the SDK sends logs for three tenants, over HTTP and gRPC")
def logs(server):
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as OverGRPC
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as OverHTTP
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    for tenant, count in TENANTS.items():
        kind, options = doors(server, tenant, "/v1/logs")
        exporter = recording((OverHTTP if kind == "http" else OverGRPC)(**options), encode_logs, "logs", tenant)
        provider = LoggerProvider(resource(tenant, "logger"))
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=100_000, max_export_batch_size=300))
        logger = logging.Logger("shop")
        logger.addHandler(LoggingHandler(level=logging.NOTSET, logger_provider=provider))
        for n in range(count): logger.warning("order %d", n, extra={"n": n, "rate": n / 3, "tags": ["x", "y"]})
        assert provider.force_flush(120_000); provider.shutdown()


@check("each of three tenants sends each signal through every door: HTTP and gRPC, with gzip and without")
def every_way(server):
    import importlib
    import opentelemetry.exporter.otlp.proto.http as package
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    signals = {"logs": ("_log_exporter", "OTLPLogExporter", encode_logs), "spans": ("trace_exporter", "OTLPSpanExporter", encode_spans),
               "metrics": ("metric_exporter", "OTLPMetricExporter", encode_metrics)}
    for tenant in ("ways-a", "ways-b", "ways-c"):
        for kind in ("http", "grpc"):
            for packed in (True, False):
                for table, (module, name, encode) in signals.items():
                    if kind == "http":
                        options = {"endpoint": "http://127.0.0.1:%d%s" % (server.port("otlp"), PATHS[table]), "headers": {"X-Scope-OrgID": tenant},
                                   "compression": package.Compression.Gzip if packed else package.Compression.NoCompression}
                    else:
                        options = {"endpoint": "127.0.0.1:%d" % server.port("grpc"), "insecure": True, "headers": (("x-scope-orgid", tenant),),
                                   "compression": grpc.Compression.Gzip if packed else grpc.Compression.NoCompression}
                    made = getattr(importlib.import_module("opentelemetry.exporter.otlp.proto.%s.%s" % (kind, module)), name)(**options)
                    exporter = recording(made, encode, table, tenant)
                    home = resource(tenant, "%s-%s" % (kind, "gzip" if packed else "plain"))
                    if table == "logs":
                        provider = LoggerProvider(home); provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
                        logger = logging.Logger("ways"); logger.addHandler(LoggingHandler(level=logging.NOTSET, logger_provider=provider))
                        for n in range(5): logger.warning("way %d", n)
                    elif table == "spans":
                        provider = TracerProvider(resource=home); provider.add_span_processor(SimpleSpanProcessor(exporter))
                        for n in range(5): provider.get_tracer("ways").start_span("way %d" % n).end()
                    else:
                        provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)], resource=home)
                        for n in range(5): provider.get_meter("ways").create_counter("way").add(1, {"n": n})
                    provider.force_flush(60_000); provider.shutdown()
        for table in signals: assert sum(rows(table, SENT[table, tenant]).values()) >= 20, (table, tenant)


def everything(tenant):
    """Requests with every field, every kind of value, absent and extreme ones."""
    value = lambda: [("s", {"stringValue": "text \u00fc\u0000"}), ("b", {"boolValue": True}), ("i", {"intValue": "-9223372036854775808"}),
                     ("d", {"doubleValue": 2.5}), ("a", {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": ""}, {}]}}), ("k", {"kvlistValue": {
                         "values": [{"key": "x", "value": {"doubleValue": 1.0}}]}}), ("y", {"bytesValue": "AAEC"}), ("", {"stringValue": "empty key"}), ("n", {})]
    attributes = lambda: [{"key": k, "value": v} for k, v in value()]
    at = 1_700_000_000_123_456_789
    ids = {"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708"}
    head = {"resource": {"attributes": attributes(), "droppedAttributesCount": 1}, "schemaUrl": "r"}
    scope = {"scope": {"name": "s", "version": "v", "attributes": attributes(), "droppedAttributesCount": 2}, "schemaUrl": "u"}
    log = {**ids, "timeUnixNano": str(at), "observedTimeUnixNano": "18446744073709551615", "severityNumber": 17, "severityText": "bad",
           "attributes": attributes(), "droppedAttributesCount": 3, "flags": 257, "eventName": "e.f"}
    records = [{**log, "body": v} for _, v in value() if v] + [{}, {"timeUnixNano": "1"}]
    span = {**ids, "parentSpanId": "1112131415161718", "traceState": "a=b", "flags": 769, "name": "op", "kind": 3, "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + 1),
            "attributes": attributes(), "droppedAttributesCount": 1, "droppedEventsCount": 2, "droppedLinksCount": 3, "status": {"code": 2, "message": "m"},
            "events": [{"timeUnixNano": str(at), "name": "ev", "attributes": attributes(), "droppedAttributesCount": 4}, {}],
            "links": [{**ids, "traceState": "c", "attributes": attributes(), "droppedAttributesCount": 5, "flags": 1}, {}]}
    point = {"attributes": attributes(), "startTimeUnixNano": str(at), "timeUnixNano": str(at + 1), "flags": 1,
             "exemplars": [{**ids, "timeUnixNano": str(at), "asDouble": 0.5, "filteredAttributes": attributes()}, {"asInt": "7"}]}
    number = [{**point, "asDouble": -0.0}, {**point, "asInt": "-1"}, {"timeUnixNano": "1"}]
    histogram = {**point, "count": "3", "sum": 1.5, "min": 0.5, "max": 1.0, "bucketCounts": ["1", "2"], "explicitBounds": [1.0]}
    exponential = {**point, "count": "3", "sum": 0.0, "scale": -2, "zeroCount": "1", "zeroThreshold": 0.1,
                   "positive": {"offset": -3, "bucketCounts": ["1", "0", "1"]}, "negative": {"bucketCounts": ["18446744073709551615"]}}
    summary = {k: v for k, v in point.items() if k != "exemplars"} | {"count": "2", "sum": 3.5, "quantileValues": [{"quantile": 0.5, "value": 1.0}, {}]}
    both = [{"name": "m", "description": "d", "unit": "1", "metadata": attributes(), "gauge": {"dataPoints": number}},
            {"name": "m", "sum": {"dataPoints": number, "aggregationTemporality": 1, "isMonotonic": True}},
            {"histogram": {"dataPoints": [histogram, {"timeUnixNano": "1"}], "aggregationTemporality": 2}},
            {"name": "e", "exponentialHistogram": {"dataPoints": [exponential, {"timeUnixNano": "1"}]}}, {"name": "q", "summary": {"dataPoints": [summary]}}]
    return {"logs": {"resourceLogs": [{**head, "scopeLogs": [{**scope, "logRecords": records}]}, {"scopeLogs": [{"logRecords": [{"flags": 1}]}]}]},
            "spans": {"resourceSpans": [{**head, "scopeSpans": [{**scope, "spans": [span, {**ids}]}]}]},
            "metrics": {"resourceMetrics": [{**head, "scopeMetrics": [{**scope, "metrics": both}]}]}}


def parse(table, document):
    """OTLP JSON has ids in hexadecimal where protobuf's own JSON has base64."""
    import base64, copy
    from google.protobuf.json_format import ParseDict

    def ids(node):
        if isinstance(node, list): return [ids(n) for n in node]
        if not isinstance(node, dict): return node
        return {k: base64.b64encode(bytes.fromhex(v)).decode() if k in ("traceId", "spanId", "parentSpanId") else ids(v) for k, v in node.items()}
    return ParseDict(ids(copy.deepcopy(document)), REQUESTS[table]())


@check("requests with every field, in protobuf and JSON, with gzip, zstd and deflate")
def whole(server):
    import zstandard
    packed = {"protobuf": [("gzip", gzip.compress), ("zstd", zstandard.compress), (None, bytes)], "json": [("deflate", zlib.compress), ("gzip", gzip.compress), (None, bytes)]}
    for n, (table, document) in enumerate(everything("x").items()):
        request = parse(table, document)
        bodies = {"protobuf": request.SerializeToString(), "json": json.dumps(document).encode()}
        for encoding, body in bodies.items():
            name, pack = packed[encoding][n]
            tenant = "whole-" + encoding
            headers = {"Content-Type": "application/x-protobuf" if encoding == "protobuf" else "application/json", "X-Scope-OrgID": tenant, "X-Account-ID": "acc"}
            if name: headers["Content-Encoding"] = name
            status, _, answer = server.request("otlp", "POST", PATHS[table], pack(body), headers)
            assert status == 200 and answer in (b"\x0a\x00", b'{"partialSuccess":{}}'), (table, encoding, status, answer)
            SENT[table, tenant].append(request)


@check("spans without ids are left out and counted, in both encodings and over gRPC")
def rejected(server):
    document = {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "0102030405060708090a0b0c0d0e0f10", "spanId": "0102030405060708", "name": "good"},
                                                             {"traceId": "00000000000000000000000000000000", "spanId": "0102030405060708"}, {"name": "none"}]}]}]}
    request = parse("spans", document)
    headers = {"X-Scope-OrgID": "rejected"}
    _, _, answer = server.request("otlp", "POST", "/v1/traces", json.dumps(document).encode(), {**headers, "Content-Type": "application/json"})
    partial = json.loads(answer)["partialSuccess"]
    assert partial["rejectedSpans"] == "2" and "trace id" in partial["errorMessage"], partial
    _, _, answer = server.request("otlp", "POST", "/v1/traces", request.SerializeToString(), {**headers, "Content-Type": "application/x-protobuf"})
    partial = trace_service_pb2.ExportTraceServiceResponse.FromString(answer).partial_success
    assert partial.rejected_spans == 2 and "trace id" in partial.error_message, partial
    with grpc.insecure_channel("127.0.0.1:%d" % server.port("grpc")) as channel:
        partial = trace_service_pb2_grpc.TraceServiceStub(channel).Export(request, metadata=(("x-scope-orgid", "rejected"),)).partial_success
        assert partial.rejected_spans == 2, partial
    metrics = server.request("metrics", "GET", "/metrics")[2].decode()
    count = [line for line in metrics.splitlines() if line.startswith("icegate_ingest_rejected_records_total") and 'topic="spans"' in line]
    assert count and sum(float(line.split()[-1]) for line in count) >= 6, count


@check("reflection lists the three services")
def reflection(server):
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
    with grpc.insecure_channel("127.0.0.1:%d" % server.port("grpc")) as channel:
        services = ProtoReflectionDescriptorDatabase(channel).get_services()
    for name in ("logs.v1.LogsService", "trace.v1.TraceService", "metrics.v1.MetricsService"):
        assert "opentelemetry.proto.collector." + name in services, services


@check("PyIceberg counts the spans, points and records of each tenant, and reads their values")
def tables(server):
    server.flush()
    for tenant in TENANTS:
        for table in REQUESTS:
            sent = sum(rows(table, SENT[table, tenant]).values())
            got = len(table_rows(server, table, tenant, "tenant_id"))
            assert got == sent > 0, (table, tenant, got, sent)
        spans = table_rows(server, "spans", tenant)
        roots = [s for s in spans if s["parent_span_id"] is None]
        assert len(roots) * 2 == len(spans) and {s["name"] for s in spans} == {"pay"} | {"order %d" % n for n in range(len(roots))}
        assert all(s["service_name"] == "checkout" and dict(s["attributes"])["deployment.environment"] == tenant for s in spans)
        ids = {s["span_id"]: s for s in spans}
        for s in spans:
            if s["parent_span_id"]:
                assert s["events"][0]["name"] == "tried" and ids[s["parent_span_id"]]["trace_id"] == s["trace_id"]
                continue
            assert s["kind"] == 2 and dict(s["attributes"])["items"] == '["a","b"]'
            assert [dict(l["attributes"])["why"] for l in s["links"]] == ([] if s["name"] == "order 0" else ["follows"])
        assert sum(s["status_code"] == 2 and s["status_message"] == "declined" for s in spans) == (len(roots) + 9) // 10
        points = table_rows(server, "metrics", tenant)
        last = max(p["timestamp"] for p in points)
        total = lambda name, column: sum(p[column] for p in points if p["metric_name"] == name and p["timestamp"] == last)
        assert total("orders", "value_int") == TENANTS[tenant] and total("latency", "count") == TENANTS[tenant] == total("size", "count")
        types = {p["metric_name"]: (p["metric_type"], p["aggregation_temporality"], p["is_monotonic"]) for p in points}
        assert types == {"orders": ("sum", "CUMULATIVE", True), "queue": ("sum", "CUMULATIVE", False), "latency": ("histogram", "CUMULATIVE", None),
                         "size": ("exponential_histogram", "CUMULATIVE", None), "load": ("gauge", None, None)}, types


@check("`icegate otlp export` gives back every record of every tenant as it was sent")
def back(server):
    for (table, tenant), requests in sorted(SENT.items()):
        sent, got = rows(table, requests), given_back(server, table, tenant)
        if sent != got:
            missing, extra = list((sent - got).elements()), list((got - sent).elements())
            raise AssertionError((table, tenant, len(missing), len(extra), missing[:1], extra[:1]))


@check("the tables have the same rows for a request in JSON and in protobuf")
def same(server):
    for table in REQUESTS:
        ours = {"tenant_id", "ingested_timestamp"}
        # A record without a time of its own stands at its time of ingest.
        def comparable(row):
            keep = {k: v for k, v in row.items() if k not in ours}
            if row.get("timestamp_nanos") is None: keep["timestamp"] = None
            if row.get("timestamp_nanos") is None: keep["end_timestamp"] = None
            if row.get("observed_timestamp_nanos") is None: keep["observed_timestamp"] = None
            return repr(sorted(keep.items()))
        a, b = (sorted(comparable(r) for r in table_rows(server, table, "whole-" + encoding)) for encoding in ("protobuf", "json"))
        assert a and a == b, (table, a[:1], b[:1])
        assert rows(table, [parse(table, json.loads(line)) for line in exported(server, table, "whole-json", "json").splitlines()]) == rows(table, SENT[table, "whole-json"])


@check("9091 tells requests, records, bytes, rejections, the log's files and bytes, shifts, snapshots, lag and freshness")
def page(server):
    text = server.request("metrics", "GET", "/metrics")[2].decode()
    values = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and line[0] != "#"}
    sent = {table: sum(len(r) and sum(rows(t, r).values()) for (t, _), r in SENT.items() if t == table) for table in REQUESTS}
    for table in REQUESTS:
        label = '{table="%s"}' % table
        # One span of the rejected ones was good, and came three times in two bodies.
        assert values['icegate_ingest_rows_total{topic="%s"}' % table] >= sent[table], (table, sent)
        assert values["icegate_shift_rows_total" + label] >= sent[table]
        assert values["icegate_wal_files" + label] >= 0 and values["icegate_wal_bytes" + label] >= 0
        assert values["icegate_table_snapshots" + label] >= 1 and values["icegate_shift_seconds_count" + label] >= 1
        assert values["icegate_shift_lag_seconds" + label] == 0 and values["icegate_freshness_seconds_count" + label] >= 1
    assert values['icegate_otlp_requests_total{signal="traces",status="200",transport="http"}'] > 0
    assert values['icegate_otlp_requests_total{signal="metrics",status="ok",transport="grpc"}'] > 0
    assert values['icegate_otlp_request_bytes_total{signal="logs",transport="http"}'] > 0
    assert values['icegate_http_requests_total{door="otlp"}'] > 0 and values['icegate_http2_connections_total{door="grpc"}'] > 0
    assert values["icegate_process_memory_bytes"] > 0


if __name__ == "__main__":
    with Server() as server: main(server)
