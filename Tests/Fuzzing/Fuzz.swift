import Glibc

// libFuzzer brings `main`, and calls these two (LLVM, "libFuzzer – a library for coverage-guided fuzz
// testing"). `FUZZ_TARGET` names the target, for libFuzzer starts itself again for some of its work.

/// Finds the target; without a name, prints every name with the longest input, and ends.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<Int32>?,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> Int32 {
  guard let name = getenv("FUZZ_TARGET").map({ String(cString: $0) }) else {
    for target in FuzzTarget.all { print("\(target.name) \(target.maximumBytes)") }
    exit(0)
  }
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    say("there is no target \(name)")
    exit(64)
  }
  FuzzTarget.current = target
  return 0
}

/// Tries one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  FuzzTarget.current?.test(Array(UnsafeBufferPointer(start: data, count: size)))
  return 0
}
