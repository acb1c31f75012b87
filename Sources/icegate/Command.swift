import LakeSystem

/// What icegate can be asked to do.
enum Command: String, CaseIterable {
  case dev, logs, ingest, query, maintain, otlp, parquet, iceberg, version, help

  static let usage = """
    usage: icegate COMMAND [OPTIONS]

      dev [--data DIR | --memory]   everything in one process on 127.0.0.1, tables below DIR (./icegate-data)
          [--port-offset N]         adds N to every port
          [-c FILE]                 takes limits, cors, process and tenancy from a file
          [--slow-puts MILLISECONDS [--slow-puts-for SECONDS]]
                                    makes the store slow, to see what happens then
          [--no-shift]              leaves the write-ahead log where it is until POST /flush
      logs 'QUERY' [--follow]       prints log lines of a LogQL query, or series; `logs --help` tells more
    \(ServiceCommand.usage)
      otlp export                   writes a table's rows as the OTLP requests they came from
      parquet cat|describe|rewrite  looks into Parquet files; decode FILE... times reading them
      iceberg ...                   looks into Iceberg tables
      version                       prints the version

    Levels and modules of the log: ICEGATE_LOG=info,icegate_query=debug (RUST_LOG is read too).
    """

  /// - Returns: the exit status: 0 done, 1 failed, 2 not understood.
  func run(_ words: [String]) async -> Int32 {
    do {
      switch self {
      case .dev: return try await DevCommand(Arguments(words)).run()
      case .logs: return try await LogsCommand.run(words)
      case .ingest: try await ServiceCommand.ingest(words)
      case .query: try await ServiceCommand.query(words)
      case .maintain: try await ServiceCommand.maintain(words)
      case .parquet where words.first == "decode": return try await ParquetDecodeCommand.run(Array(words.dropFirst()))
      case .parquet: return runParquetCommand(words)
      case .version: print("icegate \(Version.text)")
      case .help: print(Command.usage)
      case .iceberg: try await IcebergCommand.run(words)
      case .otlp: try await OTLPCommand.run(words)
      }
      return 0
    } catch let wrong as Arguments.Wrong {
      Program.complain("\(rawValue): \(wrong)")
      return 2
    } catch let wrong as ConfigError {
      Program.complain("\(wrong)")
      return 2
    } catch {
      Program.complain("\(rawValue): \(FailureText.of(error))")
      return 1
    }
  }
}

enum Version {
  static let text = "0.1.0"
}
