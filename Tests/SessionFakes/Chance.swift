/// Chance that can be had again: the same seed draws the same lots (Steele, Lea, Flood 2014,
/// "SplitMix").
package struct Chance: RandomNumberGenerator {
  private var state: UInt64

  /// Begins anew with a seed; every one is as good as any other.
  package init(_ seed: UInt64) { state = seed }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 up to a bound, which is left out.
  package mutating func below(_ bound: Int) -> Int {
    Int.random(in: 0..<max(1, bound), using: &self)
  }

  /// One of these, of which there is one at least.
  package mutating func one<Element>(of some: [Element]) -> Element { some[below(some.count)] }
}
