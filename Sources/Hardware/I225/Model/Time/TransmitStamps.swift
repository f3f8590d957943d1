// The four slots for stamps of transmitted frames, shared by all queues.
//
// A slot is empty, waiting (the frame is out, the stamp is on its way) or full; TSYNCTXCTL shows which are full. Reading
// the seconds empties the slot; its value stays readable. A frame that asks for a slot that is not empty gets no stamp:
// the older one is kept (I210 data sheet §7.8.2).
// Source: Linux igc_ptp.c (igc_ptp_tx_hwtstamp) of 6.12.69 and 7.x, whose comments describe both errata.

import I225Wire
import Registers

struct TransmitStamps {
    private enum Slot {
        case empty
        case waiting(DeviceTime, until: UInt64)
        case full
    }

    private let delayNanoseconds: UInt64
    private let errata: StampErrata
    private let faults: [Int: StampFault]

    private var slots: InlineArray<4, Slot> = [.empty, .empty, .empty, .empty]
    private var values = InlineArray<4, DeviceTime>(repeating: .init(nanoseconds: 0, seconds: 0))
    /// The writable bits of TSYNCTXCTL.
    private var control = TransmitStampControl(raw: 0)
    /// Erratum: a stamp outside slot 0 was told of, and slot 0 has not been read since.
    private var isSilent = false
    /// The earliest `until` of a waiting slot; all ones if none waits.
    private var earliest = UInt64.max

    private(set) var taken: UInt64 = 0
    private(set) var refused: UInt64 = 0
    private(set) var disabled: UInt64 = 0
    private(set) var lost: UInt64 = 0

    init(_ options: I225Options) {
        delayNanoseconds = options.stampDelayNanoseconds
        errata = options.stampErrata
        faults = options.stampFaults
    }

    /// CTRL.RST: slots empty, stamping off.
    mutating func reset() {
        slots = [.empty, .empty, .empty, .empty]
        values = InlineArray(repeating: DeviceTime(nanoseconds: 0, seconds: 0))
        control = TransmitStampControl(raw: 0)
        isSilent = false
        earliest = .max
    }

    var isEnabled: Bool { control[.enabled] }

    /// A frame that asked for `slot` is on the wire; `time` is its stamp.
    mutating func take(_ time: DeviceTime, in slot: Int, now: UInt64) {
        guard isEnabled else {
            disabled &+= 1
            return
        }
        guard case .empty = slots[slot] else {
            refused &+= 1
            return
        }
        var delay = delayNanoseconds
        switch faults.isEmpty ? nil : faults[Int(taken)] {
        case nil: break
        case .late(let nanoseconds): delay &+= nanoseconds
        case .lost:
            taken &+= 1
            lost &+= 1
            return
        }
        taken &+= 1
        let until = now &+ delay
        slots[slot] = .waiting(time, until: until)
        earliest = min(earliest, until)
    }

    /// Fills the slots whose time has come; whether TSICR.TXTS is raised.
    mutating func advance(_ now: UInt64) -> Bool {
        guard now >= earliest else { return false }
        earliest = .max
        var raises = false
        for slot in 0..<4 {
            guard case .waiting(let time, let until) = slots[slot] else { continue }
            guard now >= until else {
                earliest = min(earliest, until)
                continue
            }
            slots[slot] = .full
            values[slot] = time
            raises = raises || !isSilent
            if slot != 0, errata.contains(.silentUntilSlot0IsRead) { isSilent = true }
        }
        return raises
    }

    var nextDeadline: UInt64? { earliest == .max ? nil : earliest }

    // MARK: Registers

    /// TSYNCTXCTL.
    var controlWord: UInt32 {
        var value = control
        for slot in 0..<4 {
            if case .full = slots[slot] { value[.fullSlots] |= 1 << UInt32(slot) }
        }
        return value.raw
    }

    mutating func writeControl(_ value: UInt32) {
        let written = TransmitStampControl(raw: value)
        control[.enabled] = written[.enabled]
        control[.sampleAtPHY] = written[.sampleAtPHY]
    }

    func readLow(_ slot: Int) -> UInt32 { values[slot].nanoseconds }

    mutating func readHigh(_ slot: Int) -> UInt32 {
        if slot == 0 {
            isSilent = false
            if errata.contains(.slot0EmptiesAll) { for other in 1..<4 { empty(other) } }
        }
        empty(slot)
        return values[slot].seconds
    }

    private mutating func empty(_ slot: Int) {
        if case .full = slots[slot] { slots[slot] = .empty }
    }
}
