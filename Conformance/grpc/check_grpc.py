"""gRPC on 4317 through Python's grpcio: OTLP from the real SDK, health, reflection, deadlines, errors, many calls at once."""
import logging, os, sys, threading, time
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from harness import Server, check, main

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from google.protobuf.descriptor_pool import DescriptorPool
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.logs.v1 import logs_pb2

EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


def channel(server, options=()):
    return grpc.insecure_channel("127.0.0.1:%d" % server.port("grpc"), options=list(options))


def request(count, start=0):
    now = time.time_ns()
    scope = logs_pb2.ScopeLogs()
    for n in range(start, start + count):
        record = scope.log_records.add(time_unix_nano=now + n, severity_number=9)
        record.body.string_value = "record %d" % n
    resource = logs_pb2.ResourceLogs(scope_logs=[scope])
    resource.resource.attributes.add(key="service.name").value.string_value = "grpc"
    return logs_service_pb2.ExportLogsServiceRequest(resource_logs=[resource])


def status_of(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@check("the SDK's gRPC exporter, with and without gzip, and LogQL counts every record")
def sdk(server):
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    started = int(time.time()) - 1
    sent = {"grpc-a": 5000, "grpc-b": 3000}
    for (tenant, count), compression in zip(sent.items(), (grpc.Compression.NoCompression, grpc.Compression.Gzip)):
        exporter = OTLPLogExporter("127.0.0.1:%d" % server.port("grpc"), insecure=True, compression=compression,
                                   headers=(("x-scope-orgid", tenant),))
        provider = LoggerProvider(Resource.create({"service.name": "sdk"}))
        provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=20_000, max_export_batch_size=500))
        logger = logging.Logger("sdk")
        logger.addHandler(LoggingHandler(level=logging.NOTSET, logger_provider=provider))
        for n in range(count): logger.info("order %d", n)
        assert provider.force_flush(120_000)
        provider.shutdown()
    end = int(time.time()) + 2
    for tenant, count in sent.items():
        got = server.count(tenant, started, end)
        assert got == count, (tenant, got, count)


@check("a full success leaves partialSuccess empty")
def success(server):
    with channel(server) as ch:
        answer = logs_service_pb2_grpc.LogsServiceStub(ch).Export(request(3), metadata=(("x-scope-orgid", "grpc-c"),))
        assert answer.partial_success.rejected_log_records == 0 and answer.partial_success.error_message == ""


@check("many calls at once on few connections, all acknowledged and counted")
def many(server):
    started = int(time.time()) - 1
    calls, each = 400, 10
    channels = [channel(server, [("grpc.use_local_subchannel_pool", 1)]) for _ in range(4)]
    stubs = [logs_service_pb2_grpc.LogsServiceStub(ch) for ch in channels]
    metadata = (("x-scope-orgid", "grpc-many"),)
    futures = [stubs[n % 4].Export.future(request(each, n * each), timeout=60, metadata=metadata) for n in range(calls)]
    for future in futures: future.result()
    for ch in channels: ch.close()
    assert server.count("grpc-many", started, int(time.time()) + 2) == calls * each


@check("statuses: unknown method, malformed message, bad tenant, deadline, oversized message, unknown compression")
def statuses(server):
    with channel(server, [("grpc.max_send_message_length", -1)]) as ch:
        raw = ch.unary_unary(EXPORT, request_serializer=lambda b: b, response_deserializer=lambda b: b)
        unknown = ch.unary_unary("/no.Such/Method", request_serializer=lambda b: b, response_deserializer=lambda b: b)
        assert status_of(unknown, b"") == grpc.StatusCode.UNIMPLEMENTED
        assert status_of(raw, b"\xff\xff\xff") == grpc.StatusCode.INVALID_ARGUMENT
        assert status_of(raw, request(1).SerializeToString(), metadata=(("x-scope-orgid", "a|b"),)) == grpc.StatusCode.INVALID_ARGUMENT
        assert status_of(raw, b"\x00" * (70 << 20)) == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert status_of(raw, b"", timeout=30) == grpc.StatusCode.OK
        watch = health_pb2_grpc.HealthStub(ch).Watch(health_pb2.HealthCheckRequest(), timeout=0.5)
        next(watch)
        assert status_of(next, watch) == grpc.StatusCode.DEADLINE_EXCEEDED
        assert status_of(raw, b"", compression=grpc.Compression.Deflate) == grpc.StatusCode.OK


@check("health: Check and Watch, and an unknown service")
def health(server):
    with channel(server) as ch:
        stub = health_pb2_grpc.HealthStub(ch)
        for service in ("", "opentelemetry.proto.collector.logs.v1.LogsService"):
            assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == health_pb2.HealthCheckResponse.SERVING
        assert status_of(stub.Check, health_pb2.HealthCheckRequest(service="nobody")) == grpc.StatusCode.NOT_FOUND
        watch = stub.Watch(health_pb2.HealthCheckRequest(service="nobody"))
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        watch.cancel()


@check("reflection v1alpha, as grpcurl list and describe use it")
def reflection(server):
    with channel(server) as ch:
        database = ProtoReflectionDescriptorDatabase(ch)
        services = list(database.get_services())
        assert "opentelemetry.proto.collector.logs.v1.LogsService" in services, services
        assert "grpc.health.v1.Health" in services, services
        pool = DescriptorPool(database)
        service = pool.FindServiceByName("opentelemetry.proto.collector.logs.v1.LogsService")
        method = service.FindMethodByName("Export")
        assert method.input_type.full_name == "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest"
        record = pool.FindMessageTypeByName("opentelemetry.proto.logs.v1.LogRecord")
        assert "event_name" in record.fields_by_name


@check("reflection v1, by hand")
def reflection_v1(server):
    with channel(server) as ch:
        call = ch.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                                request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                                response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
        asked = [reflection_pb2.ServerReflectionRequest(list_services=""),
                 reflection_pb2.ServerReflectionRequest(file_containing_symbol="grpc.reflection.v1.ServerReflection"),
                 reflection_pb2.ServerReflectionRequest(file_by_filename="no.proto")]
        answers = list(call(iter(asked)))
        assert [a.WhichOneof("message_response") for a in answers] == [
            "list_services_response", "file_descriptor_response", "error_response"], answers
        assert answers[2].error_response.error_code == 5


@check("a client that pings often and cancels now and then is served")
def impatient(server):
    options = [("grpc.keepalive_time_ms", 1000), ("grpc.keepalive_permit_without_calls", 1), ("grpc.http2.max_pings_without_data", 0)]
    with channel(server, options) as ch:
        stub = health_pb2_grpc.HealthStub(ch)
        for _ in range(100):
            watch = stub.Watch(health_pb2.HealthCheckRequest())
            next(watch); watch.cancel()
        time.sleep(3)
        assert stub.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING


@check("SIGTERM ends a Watch with UNAVAILABLE and the server stops in time")
def drain(server):
    with channel(server) as ch:
        watch = health_pb2_grpc.HealthStub(ch).Watch(health_pb2.HealthCheckRequest())
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        stopper = threading.Thread(target=server.stop)
        begun = time.time(); stopper.start()
        try:
            for answer in watch: assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
            raise AssertionError("the watch ended without an error")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        stopper.join()
        assert time.time() - begun < 10, time.time() - begun


if __name__ == "__main__":
    with Server() as server: main(server)
