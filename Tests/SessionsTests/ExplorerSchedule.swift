import SessionFakes

/// The choices that make a schedule: at each decision the number of the option taken, 0 being the
/// one without a deviation.
typealias Choices = [UInt8]

/// Decides at every yield who goes on, and whether something goes wrong there.
protocol Chooser: AnyObject {
  /// Chooses one of `count` options.
  ///
  /// - Parameters:
  ///   - count: how many there are, at least 2; option 0 is no deviation.
  ///   - costs: how many deviations each option is.
  ///   - state: makes a digest of everything that the rest of the run depends on.
  /// - Returns: the number of the option.
  func choose(_ count: Int, costs: [UInt8], state: () -> Int) -> Int
  /// What was chosen so far.
  var choices: Choices { get }
}

/// Follows a prefix of choices, and deviates no more after it; notes where it could have.
final class PrefixChooser: Chooser {
  private let prefix: Choices
  private(set) var choices: Choices = []
  /// The decisions after the prefix: their index, the state, and the costs of their options.
  private(set) var open: [(index: Int, state: Int, costs: [UInt8])] = []

  init(_ prefix: Choices) {
    self.prefix = prefix
  }

  func choose(_ count: Int, costs: [UInt8], state: () -> Int) -> Int {
    let index = choices.count
    var choice = 0
    if index < prefix.count {
      choice = Int(prefix[index])
      precondition(choice < count, "a schedule does not repeat: something is not a seam yet")
    } else {
      open.append((index, state(), costs))
    }
    choices.append(UInt8(choice))
    return choice
  }
}

/// Deviates at random, one time in four.
final class RandomChooser: Chooser {
  private var generator: Chance
  private(set) var choices: Choices = []

  init(seed: UInt64) {
    generator = Chance(seed)
  }

  func choose(_ count: Int, costs: [UInt8], state: () -> Int) -> Int {
    let random = generator.next()
    let choice = random & 3 == 0 ? 1 + Int(random >> 8) % (count - 1) : 0
    choices.append(UInt8(choice))
    return choice
  }
}

/// A digest of numbers, for which the standard library's would take most of the time of a run.
struct Digest {
  private(set) var value = 0

  mutating func add(_ number: Int) {
    let mixed = UInt(bitPattern: value ^ number) &* 0x9E37_79B9_7F4A_7C15
    value = Int(bitPattern: mixed ^ (mixed >> 29))
  }

  mutating func add(_ text: String) { add(text.hashValue) }
}

/// The schedules still to be run, those with the fewest deviations first.
///
/// A schedule is a prefix of choices after which nothing deviates, so that each is run once. From a
/// state that was reached before with no more deviations nothing new can follow, and no alternative
/// is tried.
struct Frontier {
  private var buckets: [[Choices]] = [[[]]]
  private var cost = 0
  private var seen: Set<Int> = []

  /// How many deviations the schedules have that are taken next; all with fewer were taken.
  var deviations: Int { cost }

  /// The next schedule and its deviations; nil when all are done.
  mutating func next() -> (prefix: Choices, cost: Int)? {
    while cost < buckets.count {
      if let prefix = buckets[cost].popLast() { return (prefix, cost) }
      cost += 1
    }
    return nil
  }

  /// Adds what deviates once from a schedule that was run.
  mutating func add(_ run: PrefixChooser, cost: Int) {
    for decision in run.open where seen.insert(decision.state).inserted {
      for (option, price) in decision.costs.enumerated().dropFirst() {
        let total = cost + Int(price)
        while buckets.count <= total { buckets.append([]) }
        buckets[total].append(run.choices[..<decision.index] + [UInt8(option)])
      }
    }
  }
}
