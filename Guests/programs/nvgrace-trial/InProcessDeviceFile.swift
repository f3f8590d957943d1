final class InProcessDeviceFile: DeviceFile {
    init(base: UInt64, byteCount: UInt64) throws { throw TrialError("not yet") }
    func regionInfo(_ argument: UnsafeMutableRawPointer) -> Int { 0 }
    func read(_ buffer: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64) -> Int {0}
    func write(_ buffer: UnsafeRawPointer, _ count: Int, at offset: UInt64) -> Int {0}
    func map(
        _ byteCount: Int,
        at offset: UInt64,
        isPrivate: Bool,
        _ use: (UnsafeMutableRawPointer) -> Void
    ) -> Int {0}
    func reset() -> Int {0}
    func feature(_ argument: UnsafeMutableRawPointer) -> Int {0}
    func ioeventfd(region: UInt32) -> Int {0}
}
