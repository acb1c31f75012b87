import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

@Suite struct EventsTests {
  private func attribute(_ key: String, _ value: String) -> String {
    "{\"key\":\"\(key)\",\"value\":{\"stringValue\":\"\(value)\"}}"
  }

  private func events(_ records: [String]) throws -> ColumnBatch {
    let text =
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[\(attribute("service.name", "shop"))]},\"scopeLogs\":[{\"logRecords\":[\(records.joined(separator: ","))]}]}]}"
    let logs = try LogsDecoder.decode(Bytes(Array(text.utf8)), encoding: .json, context: testContext).batch
    return EventsDerivation.events(from: logs)
  }

  @Test("a named record becomes an event, the others do not")
  func derivation() throws {
    let batch = try events([
      "{\"timeUnixNano\":1001,\"eventName\":\"user.account.login\",\"traceId\":\"5B8EFFF798038103D269B633813FC60C\"}",
      "{\"timeUnixNano\":2002,\"body\":{\"stringValue\":\"no event\"}}",
      "{\"timeUnixNano\":3003,\"attributes\":[\(attribute("event.name", "click")),\(attribute("event.domain", "browser"))]}",
      "{\"timeUnixNano\":4004,\"eventName\":\"plain\",\"attributes\":[\(attribute("event.name", "other"))]}",
      "{\"timeUnixNano\":5005,\"attributes\":[\(attribute("event.name", ""))]}",
      "{\"timeUnixNano\":6006,\"eventName\":\"a.b\",\"attributes\":[\(attribute("event.domain", ""))]}",
    ])
    #expect(batch.schema == LakeTable.events.schema)
    #expect(batch.count == 4)
    #expect((0..<4).map { batch.text("event_name", $0) } == ["'user.account.login'", "'click'", "'plain'", "'a.b'"])
    #expect((0..<4).map { batch.text("event_domain", $0) } == ["'user.account'", "'browser'", "''", "''"])
    #expect((0..<4).map { batch.text("timestamp_nanos", $0) } == ["1", "3", "4", "6"])
    #expect(
      rows(batch)[0]
        == """
        tenant_id='acme' account_id='main' service_name='shop' timestamp=1 observed_timestamp=1800000000123456 \
        ingested_timestamp=1800000000123456 event_domain='user.account' event_name='user.account.login' \
        trace_id=5b8efff798038103d269b633813fc60c span_id=- attributes={'service.name': 'shop'} timestamp_nanos=1 \
        observed_timestamp_nanos=- attributes_shape='Rs' \
        resource='{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}'
        """)
  }

  @Test("plain columns give the same events as dictionaries", arguments: 0..<4)
  func layouts(block: Int) throws {
    for seed in seeds(block, of: 25) {
      var generator = ModelRandom(seed: UInt64(seed) + 1, allowsProtobufOnly: false)
      var request = generator.groups { $0.log() }
      for group in request.indices {
        for scope in request[group].scopes.indices {
          for row in request[group].scopes[scope].rows.indices where generator.random.chance(2) {
            request[group].scopes[scope].rows[row].attributes.append(Pair("event.name", .text("n.\(row)")))
          }
        }
      }
      let logs = try LogsDecoder.decode(
        Bytes(requestWire(request) { $0.wire }), encoding: .protobuf, context: testContext
      ).batch
      let plain = ColumnBatch(schema: logs.schema, columns: logs.columns.map(plainColumn), count: logs.count)
      let found = rows(EventsDerivation.events(from: logs))
      #expect(found == rows(EventsDerivation.events(from: plain)))
      let named = request.flatMap(\.scopes).flatMap(\.rows).filter { log in
        !log.eventName.isEmpty || log.attributes.contains { $0.key == Array("event.name".utf8) }
      }
      #expect(found.count == named.count)
    }
  }

  /// The same values without dictionaries.
  private func plainColumn(_ column: Column) -> Column {
    switch column.values {
    case .dictionary:
      var builder = BytesColumnBuilder()
      let reader = TextReader(column)!
      for row in 0..<column.count {
        if let text = reader[row] {
          builder.append(UnsafeRawBufferPointer(text.buffer))
        } else {
          builder.appendAbsent()
        }
      }
      return builder.column()
    case .map(let offsets, let keys, let values):
      return Column(
        .map(offsets: offsets, keys: plainColumn(keys), values: plainColumn(values)), count: column.count,
        validity: column.validity)
    default: return column
    }
  }
}
