// The descriptors that came with a message. What nobody takes is closed.

/// Received descriptors, in order.
public struct MessageDescriptors: ~Copyable {
    /// More than this with one message ends the connection; it is what we say in `max_msg_fds`.
    public static let most = 16

    private var raw = InlineArray<16, Int32>(repeating: -1)
    public private(set) var count = 0

    public init() {}

    deinit {
        for index in 0..<count where raw[index] >= 0 { _ = OwnedDescriptor(owning: raw[index]) }
    }

    /// Takes descriptor `index`; nil if there is none, or it has been taken.
    public mutating func take(_ index: Int) -> OwnedDescriptor? {
        guard index >= 0, index < count, raw[index] >= 0 else { return nil }
        let descriptor = OwnedDescriptor(owning: raw[index])
        raw[index] = -1
        return descriptor
    }

    /// Closes all that were not taken.
    public mutating func removeAll() {
        guard count > 0 else { return }
        for index in 0..<count where raw[index] >= 0 {
            _ = OwnedDescriptor(owning: raw[index])
            raw[index] = -1
        }
        count = 0
    }

    /// Whether there was room; if not, the descriptor is closed.
    mutating func append(_ descriptor: consuming OwnedDescriptor) -> Bool {
        guard count < Self.most else { return false }
        raw[count] = descriptor.release()
        count += 1
        return true
    }
}
