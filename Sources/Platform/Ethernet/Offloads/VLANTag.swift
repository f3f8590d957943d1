// VLAN tags put in and taken out by a device: IEEE 802.1Q. The 12 bytes of the addresses move, the rest of the frame
// stays where it is.

public enum VLANTag {
    /// Bytes of a tag.
    @inlinable public static var byteCount: Int { 4 }

    /// Puts a tag in. `buffer` has 4 free bytes, then the frame; afterwards the tagged frame fills all of it.
    ///
    /// - Parameters:
    ///   - control: the tag control information.
    ///   - type: the tag's EtherType.
    @_lifetime(buffer: copy buffer)
    public static func insert(
        _ control: UInt16,
        type: UInt16 = 0x8100,
        into buffer: inout MutableRawSpan
    ) throws(OffloadError) {
        guard buffer.byteCount >= byteCount + addressBytes else { throw .frameTooShortForTag }
        moveAddresses(in: &buffer, from: byteCount, to: 0)
        buffer.storeNetwork(type, at: addressBytes)
        buffer.storeNetwork(control, at: addressBytes + 2)
    }

    /// Takes the outermost tag out if it has `type`, and gives its control information. The frame then starts 4 bytes
    /// later: what was found in it before (`FrameHeaders`) counts from the old start.
    @_lifetime(frame: copy frame)
    public static func strip(type: UInt16 = 0x8100, from frame: inout MutableRawSpan) -> UInt16? {
        // What is left must have an EtherType of its own.
        guard frame.byteCount >= addressBytes + byteCount + 2, frame.bytes.networkUInt16(at: addressBytes) == type
        else { return nil }
        let control = frame.bytes.networkUInt16(at: addressBytes + 2)
        moveAddresses(in: &frame, from: 0, to: byteCount)
        return control
    }

    private static var addressBytes: Int { 12 }

    /// All is read before anything is written: the two places overlap.
    @_lifetime(frame: copy frame)
    private static func moveAddresses(in frame: inout MutableRawSpan, from: Int, to: Int) {
        let first = frame.bytes.networkUInt32(at: from)
        let second = frame.bytes.networkUInt32(at: from + 4)
        let third = frame.bytes.networkUInt32(at: from + 8)
        frame.storeNetwork(first, at: to)
        frame.storeNetwork(second, at: to + 4)
        frame.storeNetwork(third, at: to + 8)
    }
}
