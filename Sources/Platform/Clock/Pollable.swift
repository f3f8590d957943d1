// Work that is due now and then, and how to sleep until it is: what a polling loop asks of a model or a wire.

/// Something that makes progress when polled. Belongs to the thread that polls it.
public protocol Pollable: AnyObject {
    /// Does what is due; whether there was anything to do.
    func poll() -> Bool
    /// When work is due next without a cause from outside, by the clock of its host; nil if none is.
    var nextDeadline: UInt64? { get }
    /// Descriptors that become readable when there is work.
    var wakeDescriptors: [Int32] { get }
    /// The owner is about to sleep on `wakeDescriptors`, or is awake again. It polls once more after `true`.
    func setSleeping(_ sleeping: Bool)
}

extension Pollable {
    public var nextDeadline: UInt64? { nil }
    public var wakeDescriptors: [Int32] { [] }
    public func setSleeping(_ sleeping: Bool) {}
}
