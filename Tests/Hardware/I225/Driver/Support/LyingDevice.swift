// The device's half of a queue pair's rings in the test's hands: it writes what it likes, where it may.

import Backing
import I225Driver
import I225Model
import I225Wire
import Memory
import Registers
import TestCards

/// Memory writes in the name of a card. The card itself stays idle: it has no frames.
struct LyingDevice {
    private let memory: IOVASpace
    private let receiveBase: UInt64
    private let transmitBase: UInt64

    init(_ rig: Rig, queue: Int = 0) throws {
        let bar = try rig.backing.mapBAR(0)
        memory = rig.model.host.memory
        func base(_ low: Register<PlainWord>, _ high: Register<PlainWord>) -> UInt64 {
            UInt64(bar.read(low).raw) | UInt64(bar.read(high).raw) << 32
        }
        receiveBase = base(I225Register.receiveBaseLow[queue], I225Register.receiveBaseHigh[queue])
        transmitBase = base(I225Register.transmitBaseLow[queue], I225Register.transmitBaseHigh[queue])
    }

    /// Where the driver wants the frame of Rx descriptor `index`.
    func buffer(_ index: Int) -> UInt64 { word(receiveBase + UInt64(index) * 16) }

    /// Writes an Rx descriptor back.
    func writeBack(_ index: Int, length: UInt16, _ status: ReceiveStatus) {
        let writeBack = ReceiveWriteBack(rssType: .none, rssHash: 0, status: status, length: length, vlanTag: 0)
        set(receiveBase + UInt64(index) * 16, writeBack.low)
        set(receiveBase + UInt64(index) * 16 + 8, writeBack.high)
    }

    /// Delivers a frame as an honest card would.
    func deliver(_ frame: [UInt8], _ index: Int) {
        // SAFETY: bytes have no padding.
        precondition(unsafe memory.write(buffer(index), from: frame.span.bytes), "the buffer is the card's")
        writeBack(index, length: UInt16(frame.count), .whole)
    }

    /// Sets both words of a descriptor.
    func setReceive(_ index: Int, low: UInt64, high: UInt64) {
        set(receiveBase + UInt64(index) * 16, low)
        set(receiveBase + UInt64(index) * 16 + 8, high)
    }

    /// Says that Tx descriptor `index` is done.
    func finish(_ index: Int) {
        let address = transmitBase + UInt64(index) * 16 + 8
        set(address, word(address) | TransmitDataDescriptor.doneBit)
    }

    /// What the driver wrote as Tx descriptor `index`.
    func transmitDescriptor(_ index: Int) -> TransmitDataDescriptor {
        let address = transmitBase + UInt64(index) * 16
        return TransmitDataDescriptor(low: word(address), high: word(address + 8))
    }

    private func word(_ iova: UInt64) -> UInt64 {
        // SAFETY: the ring is lent to the card and stays mapped while the queue is open.
        guard let place = unsafe memory.address(iova, length: 8, .deviceReads) else { return 0 }
        return unsafe place.loadUnaligned(as: UInt64.self)
    }

    private func set(_ iova: UInt64, _ value: UInt64) {
        // SAFETY: as in `word`.
        guard let place = unsafe memory.address(iova, length: 8, .deviceWrites) else { return }
        unsafe place.storeBytes(of: value, as: UInt64.self)
    }
}

extension ReceiveStatus {
    /// A whole frame in one buffer.
    static var whole: ReceiveStatus {
        .with {
            $0[.done] = true
            $0[.endOfPacket] = true
        }
    }

    /// As `self`, changed.
    func with(_ field: Field<ReceiveStatus, Bool>, _ value: Bool = true) -> ReceiveStatus {
        var status = self
        status[field] = value
        return status
    }
}
