import Synchronization

/// What was found out about the store while it was used.
package final class S3Quirks: Sendable {
  enum TagForm: UInt8 {
    case unknown, quoted, unquoted
  }

  private let form = Atomic<UInt8>(TagForm.unknown.rawValue)

  private let deletesSingly = Atomic<Bool>(false)

  /// Whether the store knows no request that deletes many.
  var deletesOneByOne: Bool {
    get { deletesSingly.load(ordering: .relaxed) }
    set { deletesSingly.store(newValue, ordering: .relaxed) }
  }

  /// How If-Match wants the tag: quoted, as it comes in ETag, or bare, as radosgw 16 compares it.
  var tagForm: TagForm {
    get { TagForm(rawValue: form.load(ordering: .relaxed)) ?? .unknown }
    set { form.store(newValue.rawValue, ordering: .relaxed) }
  }
}
