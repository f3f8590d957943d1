// Where libFuzzer comes in (llvm.org/docs/LibFuzzer.html). SwiftPM names an executable's entry point after its module and
// links `main` to it, so libFuzzer's own main is not reached: its driver is called instead.

import FuzzSupport

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer's input, for the time of the call.
    Scenario(Choices(unsafe Array(UnsafeBufferPointer(start: data, count: count)))).run()
    return 0
}

@_cdecl("mana_messages_main")
public func fuzzerMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    // SAFETY: the arguments of main.
    unsafe runFuzzer(count, arguments, seeds: Seeds.all) { unsafe testOneInput($0, $1) }
}
