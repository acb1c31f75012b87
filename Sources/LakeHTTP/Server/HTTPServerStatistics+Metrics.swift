package import LakePorts

extension HTTPServerStatistics {
  /// Tells a registry what happened on a server since it started; to be called when somebody looks.
  /// - Parameter door: the server's name.
  package func publish(_ door: String, to registry: MetricsRegistry) {
    let label = [("door", door)]
    func gauge(_ name: String, _ help: String, _ value: Int) {
      registry.gauge(name, help: help, labels: label).set(Double(value))
    }
    func counter(_ name: String, _ help: String, _ value: Int, _ labels: [(String, String)] = []) {
      let counter = registry.counter(name, help: help, labels: label + labels)
      counter.add(max(0, value - Int(counter.value)))
    }
    gauge("icegate_http_connections", "Connections open now.", connectionsOpen)
    gauge("icegate_http_body_bytes", "Memory of request bodies that are being received.", bodyBytesInMemory)
    counter("icegate_http_connections_total", "Connections accepted.", connectionsAccepted)
    counter("icegate_http_requests_total", "Requests given to the door's handler.", requests)
    counter("icegate_http_write_stalls_total", "Connections cut because their reader stood still.", writeStalls)
    counter("icegate_http_clients_gone_total", "Requests whose client went away before the answer.", clientsGone)
    counter("icegate_http2_connections_total", "Connections that speak HTTP/2.", connectionsHTTP2)
    counter("icegate_http2_refused_streams_total", "Streams reset because of what the client sent.", refusedStreams)
    counter("icegate_http_tls_failures_total", "Connections on which TLS came to nothing.", tlsFailures)
    for (failure, count) in refusals {
      counter(
        "icegate_http_refusals_total", "Requests that the server refused by itself.", count, [("reason", "\(failure)")])
    }
    for (abuse, count) in abuses {
      counter(
        "icegate_http2_abuses_total", "Connections ended because of a flood, by its kind.", count,
        [("kind", "\(abuse)")])
    }
    for (code, count) in failedCalls {
      counter(
        "icegate_grpc_failed_calls_total", "Calls that ended without a message, by status.", count,
        [("code", "\(code)")])
    }
  }
}
