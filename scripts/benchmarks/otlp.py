"""Server CPU seconds per million records of each OTLP signal, over HTTP and gRPC, beside upb's parse of the same bytes."""
import argparse, datetime, http.client, os, threading, time
import corpus
from harness import Server
from logs import CONNECTIONS, cpu_model, cpu_seconds, peak

SIGNALS = {"logs": ("/v1/logs", "logs", "Logs"), "spans": ("/v1/traces", "trace", "Trace"), "metric points": ("/v1/metrics", "metrics", "Metrics")}


def over_http(server, path, tenant):
    connection = http.client.HTTPConnection("127.0.0.1", server.port("otlp"), timeout=120)
    headers = {"Content-Type": "application/x-protobuf", "X-Scope-OrgID": tenant}

    def send(body):
        connection.request("POST", path, body, headers)
        answer = connection.getresponse(); answer.read()
        assert answer.status in (200, 429, 503), answer.status
        return answer.status == 200
    return send


def over_grpc(server, method, tenant):
    import grpc
    # A channel of its own for each thread: otherwise all share one connection.
    channel = grpc.insecure_channel("127.0.0.1:%d" % server.port("grpc"), options=[("grpc.use_local_subchannel_pool", 1)])
    call = channel.unary_unary(method, request_serializer=lambda b: b, response_deserializer=lambda b: b)

    def send(body):
        try: call(body, metadata=(("x-scope-orgid", tenant),), timeout=120)
        except grpc.RpcError as error:
            assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED), error
            return False
        return True
    return send


def load(bodies, connect):
    """Sends every body once over `CONNECTIONS` connections; seconds of wall time."""
    lock, rest, failures = threading.Lock(), iter(bodies), []

    def work():
        try:
            send = connect()
            while True:
                with lock: body = next(rest, None)
                if body is None: return
                while not send(body): time.sleep(0.05)
        except BaseException as error: failures.append(error)
    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for t in threads: t.start()
    for t in threads: t.join()
    if failures: raise failures[0]
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(); parser.add_argument("--records", type=int, default=400_000)
    options = parser.parse_args()
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    kinds = {"logs": (corpus.requests, ExportLogsServiceRequest), "spans": (corpus.span_requests, ExportTraceServiceRequest),
             "metric points": (corpus.metric_requests, ExportMetricsServiceRequest)}
    million = options.records / 1e6
    print("%s, %d cores, %s; %d records of each signal in requests of 1,000, %d connections, zstd segments on the file store" % (
        datetime.date.today(), os.cpu_count(), cpu_model(), options.records, CONNECTIONS))
    print("\n| server CPU s per million | bytes each | HTTP | gRPC | then shifted | upb, parse only | records/s HTTP | gRPC |\n|---|---|---|---|---|---|---|---|")
    for signal, (make, message) in kinds.items():
        path, package, service = SIGNALS[signal]
        bodies = list(make(options.records))
        before = time.process_time()
        for body in bodies: message.FromString(body)
        parse = time.process_time() - before
        method = "/opentelemetry.proto.collector.%s.v1.%sService/Export" % (package, service)
        # Shifts wait for the flush, so that acknowledging and shifting can be told apart.
        with Server(arguments=["--no-shift"]) as server:
            pid, cpu, speed = server.process.pid, [], []
            for tenant, connect in (("http", lambda: over_http(server, path, "http")), ("grpc", lambda: over_grpc(server, method, "grpc"))):
                before = cpu_seconds(pid); wall = load(bodies, connect)
                cpu.append((cpu_seconds(pid) - before) / million); speed.append(options.records / wall)
            before = cpu_seconds(pid); server.flush()
            shifted = (cpu_seconds(pid) - before) / million / 2
            table = {"logs": "logs", "spans": "spans", "metric points": "metrics"}[signal]
            stored = server.catalog().load_table("icegate." + table).scan().count()
            assert stored == 2 * options.records, (signal, stored)
            print("| %s | %d | %.2f | %.2f | %.2f | %.2f | %s | %s |" % (
                signal, sum(map(len, bodies)) / options.records, cpu[0], cpu[1], shifted, parse / million,
                format(round(speed[0]), ","), format(round(speed[1]), ",")), flush=True)


if __name__ == "__main__": main()
