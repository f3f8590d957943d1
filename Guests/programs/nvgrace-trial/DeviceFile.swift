// What the trial asks of a lent function: the calls of a VFIO device descriptor, as a program in a guest makes them.
// Source: linux/vfio.h.
//
// SAFETY (whole file): a caller's memory is its own for the time of the call; addresses that may not be touched are part
// of the contract, and what implements it answers them with EFAULT.

/// A lent function. Calls answer 0 or more, or a negated errno.
protocol DeviceFile: AnyObject {
    /// VFIO_DEVICE_GET_REGION_INFO with these bytes as its struct.
    @unsafe func regionInfo(_ argument: UnsafeMutableRawPointer) -> Int
    /// pread(2)
    @unsafe func read(_ buffer: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64) -> Int
    /// pwrite(2)
    @unsafe func write(_ buffer: UnsafeRawPointer, _ count: Int, at offset: UInt64) -> Int
    /// mmap(2), to read and write, and at once munmap(2); what `use` makes of it in between.
    @unsafe func map(
        _ byteCount: Int,
        at offset: UInt64,
        isPrivate: Bool,
        _ use: (UnsafeMutableRawPointer) -> Void
    ) -> Int
    func reset() -> Int
    /// VFIO_DEVICE_FEATURE with these bytes as its struct.
    @unsafe func feature(_ argument: UnsafeMutableRawPointer) -> Int
    /// VFIO_DEVICE_IOEVENTFD for the first bytes of a region.
    func ioeventfd(region: UInt32) -> Int
}
