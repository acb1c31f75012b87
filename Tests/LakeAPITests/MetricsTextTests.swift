import LakeAPI
import LakePorts
import Testing

@Suite("metrics as text")
struct MetricsTextTests {
  @Test("families are in order, histograms are cumulative, labels are escaped")
  func text() {
    let registry = MetricsRegistry()
    registry.counter("b_total", help: "two\nlines", labels: [("path", "a\"b\\c\nd")]).add(3)
    registry.gauge("a", help: "a gauge").set(1.5)
    let histogram = registry.histogram("c_seconds", help: "h", bounds: [0.5, 1])
    for value in [0.25, 0.5, 0.75, 9] { histogram.observe(value) }
    #expect(registry.counter("b_total", help: "", labels: [("path", "a\"b\\c\nd")]).value == 3)
    #expect(
      MetricsText.text(of: registry.snapshot) == """
        # HELP a a gauge
        # TYPE a gauge
        a 1.5
        # HELP b_total two\\nlines
        # TYPE b_total counter
        b_total{path="a\\"b\\\\c\\nd"} 3
        # HELP c_seconds h
        # TYPE c_seconds histogram
        c_seconds_bucket{le="0.5"} 2
        c_seconds_bucket{le="1"} 3
        c_seconds_bucket{le="+Inf"} 4
        c_seconds_sum 10.5
        c_seconds_count 4

        """)
  }
}
