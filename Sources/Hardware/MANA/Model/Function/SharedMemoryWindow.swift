// The shared-memory window: eight dwords that the driver writes one by one, and whose it is.
// Source: Linux shm_channel.c of 6.12 and 7.x.

import MANAWire
import Registers

struct SharedMemoryWindow {
    private(set) var words = InlineArray<8, UInt32>(repeating: 0)
    /// When the answer to the request that the window holds is due; nil: none is.
    private(set) var due: UInt64?

    var header: ChannelHeader { ChannelHeader(raw: words[7]) }
    /// Whether the device has it.
    var isDevices: Bool { header[.isDevices] }

    mutating func reset(_ fault: WindowFault) {
        words = .init(repeating: 0)
        due = nil
        if fault == .staysDevices { words[7] = ChannelHeader.with { $0[.isDevices] = true }.raw }
    }

    /// The driver writes a dword; true where that is a request. While the device has the window nothing is written.
    mutating func write(_ index: Int, _ value: UInt32) -> Bool {
        guard !isDevices else { return false }
        words[index] = value
        return index == 7
    }

    /// The device takes the window until `due`; nil: for ever.
    mutating func take(until due: UInt64?) {
        words[7] |= ChannelHeader.with { $0[.isDevices] = true }.raw
        self.due = due
    }

    /// The device gives the window back with an answer in its header.
    mutating func answer(_ header: ChannelHeader) {
        words[7] = header.raw
        due = nil
    }
}
