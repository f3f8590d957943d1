// Where libFuzzer comes in (llvm.org/docs/LibFuzzer.html). SwiftPM names an executable's entry point after its module and
// links `main` to it, so libFuzzer's own main is not reached: its driver is called instead.

import FuzzInput
import Glibc

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

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<Arguments?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_cdecl("vfio_file_calls_main")
public func fuzzerMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    // SAFETY: the arguments of main, which nobody changes meanwhile but libFuzzer.
    if count == 3, let first = unsafe arguments?[1], unsafe String(cString: first) == "--seeds",
        let folder = unsafe arguments?[2]
    {
        return Seeds.write(to: unsafe String(cString: folder)) ? 0 : 1
    }
    var count = count
    var arguments = unsafe arguments
    return unsafe runDriver(&count, &arguments, { unsafe testOneInput($0, $1) })
}
