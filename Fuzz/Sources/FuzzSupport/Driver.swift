// What the targets' entry points share: libFuzzer's driver, or the seeds into a folder. Source: llvm.org/docs/LibFuzzer.html.

import Glibc

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<Arguments?>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// Fuzzes `test`; with the arguments `--seeds FOLDER` it writes the inputs to begin with there instead. The exit status.
///
/// SAFETY: the arguments of main, which nobody changes meanwhile but libFuzzer.
@unsafe public func runFuzzer(
    _ count: CInt,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
    seeds: () -> [[UInt8]],
    test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt {
    if count == 3, let first = unsafe arguments?[1], unsafe String(cString: first) == "--seeds",
        let folder = unsafe arguments?[2]
    {
        return write(seeds(), to: unsafe String(cString: folder)) ? 0 : 1
    }
    var count = count
    var arguments = unsafe arguments
    return unsafe runDriver(&count, &arguments, test)
}

private func write(_ seeds: [[UInt8]], to folder: String) -> Bool {
    for (index, seed) in seeds.enumerated() {
        // SAFETY: a string and an array for the time of the calls.
        let file = unsafe open("\(folder)/seed-\(index)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0 else { return false }
        let written = unsafe seed.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        close(file)
        guard written == seed.count else { return false }
    }
    return true
}
