import LakeModel

/// The columns that are the same in all rows of a request.
struct ConstantColumns {
  let tenant: Column
  let account: Column
  let ingested: Column

  init(context: DecodeContext, count: Int) {
    tenant = ConstantColumns.text(context.tenant.text, count: count)
    account = ConstantColumns.text(context.account?.text, count: count)
    var times = BufferBuilder<Int64>(capacity: count)
    times.append(repeating: context.ingested.microseconds, count: count)
    ingested = Column(.int64(times.finish()), count: count)
  }

  private static func text(_ text: String?, count: Int) -> Column {
    var indices = BufferBuilder<UInt32>(capacity: count)
    indices.append(repeating: 0, count: count)
    var dictionary = BytesColumnBuilder(capacity: 1)
    if let text { dictionary.append(text) }
    var validity: Buffer<UInt8>?
    if text == nil {
      var absent = BufferBuilder<UInt8>(capacity: count)
      absent.append(repeating: 0, count: count)
      validity = absent.finish()
    }
    return Column(
      .dictionary(indices: indices.finish(), dictionary: dictionary.column()), count: count, validity: validity)
  }
}
