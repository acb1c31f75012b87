package import LakePorts

extension PlantedDefect {
  /// Within how many seeds of its scenario a checker must have caught the defect.
  package var seedsMax: Int {
    switch self {
    case .skipVanished: 40
    default: 10
    }
  }
}
