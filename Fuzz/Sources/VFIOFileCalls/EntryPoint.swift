// Where libFuzzer comes in (llvm.org/docs/LibFuzzer.html). SwiftPM names an executable's entry point after its module and
// links `main` to it, so libFuzzer's own main is not reached: its driver is called instead.

import FuzzSupport

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer's input, for the time of the call.
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    let first = Scenario.nextDescriptor
    play(input)
    let next = Scenario.nextDescriptor
    guard next == first else { fatalError("descriptor \(first) is still open") }
    return 0
}

/// All that the input makes has ended when this returns.
@inline(never)
private func play(_ input: [UInt8]) {
    var scenario = Scenario(Choices(input))
    scenario.run()
}

@_cdecl("vfio_file_calls_main")
public func fuzzerMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    // SAFETY: the arguments of main.
    unsafe runFuzzer(count, arguments, seeds: Seeds.all) { unsafe testOneInput($0, $1) }
}
