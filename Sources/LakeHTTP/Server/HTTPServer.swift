package import LakeAPI
package import LakePorts

/// One listening port: HTTP/1.1 on the loops of a `LoopGroup`, which several servers share.
package final class HTTPServer: Sendable {
  package let configuration: HTTPServerConfiguration
  package let loops: LoopGroup
  let handler: any HTTPHandler

  package init(
    configuration: HTTPServerConfiguration, loops: LoopGroup, handler: any HTTPHandler,
    journal: any Journal = NullJournal()
  ) {
    self.configuration = configuration
    self.loops = loops
    self.handler = handler
  }

  /// Binds and starts to accept.
  ///
  /// - Returns: the bound port, the one the system chose when the configuration said 0.
  @discardableResult
  package func start() throws(HTTPServerError) -> Int { preconditionFailure("not yet") }

  /// Stops accepting, closes idle connections, lets requests in flight finish, and cuts what is left at the deadline
  /// (its tasks are cancelled). Returns when every connection is closed.
  ///
  /// - Returns: how many connections had to be cut.
  @discardableResult
  package func drain(deadline: Duration) async -> Int { preconditionFailure("not yet") }
}
