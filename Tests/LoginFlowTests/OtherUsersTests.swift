import Testing

@testable import Login

struct `Who else is on the machine` {
  @Test(
    arguments: [
      (1000, 1001, true), (1001, 1000, true), (65534, 1000, true), (100_000, 1000, true),
      (65534, 0, true), (1000, 1000, false), (0, 1000, false), (0, 0, false), (101, 1000, false),
      (999, 0, false),
    ] as [(UInt32, UInt32, Bool)])
  func `People count, services and we do not`(user: UInt32, us: UInt32, isOther: Bool) {
    #expect(OtherUsers.isOtherPerson(user, us: us) == isOther)
  }
}
