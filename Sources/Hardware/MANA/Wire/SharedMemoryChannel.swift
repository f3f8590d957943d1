// The shared-memory channel: eight dwords in BAR 0 that set the hardware channel up and tear it down.
// Source: Linux mana_smc_setup_hwc and mana_smc_teardown_hwc (shm_channel.c) of 6.12 and 7.x.

import Registers

/// What a header dword asks for.
@frozen public enum ChannelCommand: UInt32, Sendable {
    case establish = 1
    case destroy = 2
}

/// Dword 7 of the window. Writing it is the trigger.
@frozen public struct ChannelHeader: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }

    /// A request, as a driver writes it.
    @inlinable public static func request(_ command: ChannelCommand) -> ChannelHeader {
        .init(raw: command.rawValue)
    }

    /// The device's answer; the window is the driver's again.
    @inlinable public static func response(_ command: UInt32, status: UInt32 = 0) -> ChannelHeader {
        .with {
            $0[.command] = command & 7
            $0[.isResponse] = true
            $0[.status] = status & 0xFF
        }
    }
}

extension Field where Layout == ChannelHeader, Value == UInt32 {
    /// msg_type: see `ChannelCommand`.
    @inlinable public static var command: Self { .init(bits: 0..<3) }
    /// msg_version, 0.
    @inlinable public static var version: Self { .init(bits: 3..<6) }
    /// Of a response: 0 is success.
    @inlinable public static var status: Self { .init(bits: 8..<16) }
}

extension Field where Layout == ChannelHeader, Value == Bool {
    @inlinable public static var isResponse: Self { .init(bit: 7) }
    /// reset_vf.
    @inlinable public static var resetsFunction: Self { .init(bit: 24) }
    /// owner_is_pf: the device has the window.
    @inlinable public static var isDevices: Self { .init(bit: 31) }
}

/// The window's contents for `ChannelCommand.establish`: the four rings, one page each.
@frozen public struct ChannelSetup: Equatable, Sendable {
    // Page frame numbers: an address over 4096, at most 52 bits.
    public var eventFrame: UInt64
    public var completionFrame: UInt64
    public var receiveFrame: UInt64
    public var sendFrame: UInt64
    public var vector: UInt16

    @inlinable public init(
        eventFrame: UInt64,
        completionFrame: UInt64,
        receiveFrame: UInt64,
        sendFrame: UInt64,
        vector: UInt16 = 0
    ) {
        self.eventFrame = eventFrame
        self.completionFrame = completionFrame
        self.receiveFrame = receiveFrame
        self.sendFrame = sendFrame
        self.vector = vector
    }

    /// From dwords 0 to 6; dword 7 is the header's.
    public init(_ words: InlineArray<8, UInt32>) {
        // Four numbers of 48 bits lie one after the other in dwords 0 to 5; dword 6 has the four highest bits of each.
        func frame(_ place: Int) -> UInt64 {
            let bit = place * 48
            let low = UInt64(words[bit / 32]) | UInt64(words[bit / 32 + 1]) << 32
            return (low >> UInt64(bit % 32)) & 0xFFFF_FFFF_FFFF | UInt64(words[6] >> UInt32(4 * place) & 0xF) << 48
        }
        eventFrame = frame(0)
        completionFrame = frame(1)
        receiveFrame = frame(2)
        sendFrame = frame(3)
        vector = UInt16(truncatingIfNeeded: words[6] >> 16)
    }

    /// All eight dwords, in the order in which they are written. Frame numbers above 52 bits trap.
    public var words: InlineArray<8, UInt32> {
        var words = InlineArray<8, UInt32>(repeating: 0)
        for (place, frame) in [eventFrame, completionFrame, receiveFrame, sendFrame].enumerated() {
            precondition(frame >> 52 == 0, "a page frame number has 52 bits")
            let bit = place * 48
            let low = (frame & 0xFFFF_FFFF_FFFF) << UInt64(bit % 32)
            words[bit / 32] |= UInt32(truncatingIfNeeded: low)
            words[bit / 32 + 1] |= UInt32(truncatingIfNeeded: low >> 32)
            words[6] |= UInt32(frame >> 48) << UInt32(4 * place)
        }
        words[6] |= UInt32(vector) << 16
        words[7] = ChannelHeader.request(.establish).raw
        return words
    }
}
