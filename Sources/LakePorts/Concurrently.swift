/// Runs `body` for every element, at most `limit` at a time, and returns the results in order.
///
/// The first error cancels the rest and is thrown. Children follow the caller's executor, so the simulator drives them.
package func concurrently<Element: Sendable, Result: Sendable, Failure: Error>(
  _ elements: [Element], limit: Int, _ body: @Sendable @escaping (Element) async throws(Failure) -> Result
) async throws(Failure) -> [Result] {
  if elements.count <= 1 || limit <= 1 {
    var results: [Result] = []
    for element in elements { results.append(try await body(element)) }
    return results
  }
  let outcome = await withTaskGroup(
    of: (Int, Swift.Result<Result, Failure>).self, returning: Swift.Result<[Result], Failure>.self
  ) { group in
    func start(_ index: Int) {
      let element = elements[index]
      group.addTask {
        do throws(Failure) {
          return (index, .success(try await body(element)))
        } catch {
          return (index, .failure(error))
        }
      }
    }
    var results = [Result?](repeating: nil, count: elements.count)
    var next = 0
    while next < min(limit, elements.count) {
      start(next)
      next += 1
    }
    while let (index, result) = await group.next() {
      switch result {
      case .success(let value): results[index] = value
      case .failure(let error):
        group.cancelAll()
        return .failure(error)
      }
      if next < elements.count {
        start(next)
        next += 1
      }
    }
    return .success(results.map { $0! })
  }
  return try outcome.get()
}
