// The simplest driver's rings: descriptors and buffers in memory that the device may reach.

import Backing
import I225Wire
import Memory
import Registers
import Rings

/// Memory for the device, by IOVA and by byte.
final class Lent {
    let buffer: DMABuffer
    var iova: UInt64 { buffer.iova }

    init(_ rig: Rig, byteCount: Int, _ permissions: DMAPermissions = .both) throws {
        buffer = try rig.device.allocateDMA(byteCount: byteCount, permissions, purpose: "bench")
    }

    func fill(_ bytes: [UInt8], at offset: Int = 0) {
        precondition(offset >= 0 && bytes.count <= buffer.byteCount - offset)
        // SAFETY: checked above; the buffer lives as long as self.
        for (index, byte) in bytes.enumerated() {
            unsafe buffer.base.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
        }
    }

    func bytes(at offset: Int, count: Int) -> [UInt8] {
        precondition(offset >= 0 && count <= buffer.byteCount - offset)
        return (0..<count).map { unsafe buffer.base.load(fromByteOffset: offset + $0, as: UInt8.self) }
    }

    func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset % 8 == 0 && offset <= buffer.byteCount - 8)
        return unsafe buffer.base.load(fromByteOffset: offset, as: UInt64.self)
    }

    func setWord(_ value: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset % 8 == 0 && offset <= buffer.byteCount - 8)
        unsafe buffer.base.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
    }
}

/// A transmit ring with a 2 KB buffer per descriptor.
final class TransmitBench {
    let rig: Rig
    let queue: Int
    let count: Int
    let ring: Lent
    let data: Lent
    private(set) var tail = 0

    init(_ rig: Rig, queue: Int = 0, count: Int = 16) throws {
        self.rig = rig
        self.queue = queue
        self.count = count
        ring = try Lent(rig, byteCount: count * 16)
        data = try Lent(rig, byteCount: count * 2048, .deviceReads)
        rig.write(I225Register.transmitQueueControl[queue], QueueControl(raw: 0))
        rig.write(I225Register.transmitBaseLow[queue], UInt32(truncatingIfNeeded: ring.iova))
        rig.write(I225Register.transmitBaseHigh[queue], UInt32(ring.iova >> 32))
        rig.write(I225Register.transmitLength[queue], UInt32(count * 16))
        rig.write(I225Register.transmitHead[queue], 0)
        rig.write(I225Register.transmitTail[queue], 0)
        rig.write(I225Register.transmitQueueControl[queue], .with { $0[.enabled] = true })
    }

    func bufferAddress(_ slot: Int) -> UInt64 { data.iova + UInt64(slot * 2048) }

    /// Writes a descriptor and goes on to the next one; its slot.
    @discardableResult
    func put(_ descriptor: TransmitDataDescriptor) -> Int { put(low: descriptor.low, high: descriptor.high) }

    @discardableResult
    func put(_ context: TransmitContextDescriptor) -> Int { put(low: context.low, high: context.high) }

    @discardableResult
    func put(low: UInt64, high: UInt64) -> Int {
        let slot = tail
        ring.setWord(low, at: slot * 16)
        ring.setWord(high, at: slot * 16 + 8)
        tail = (tail + 1) % count
        return slot
    }

    /// Puts a whole frame in one descriptor.
    @discardableResult
    func put(
        _ frame: [UInt8],
        command change: (inout TransmitCommand) -> Void = { _ in },
        options changeOptions: (inout TransmitOptions) -> Void = { _ in }
    ) -> Int {
        data.fill(frame, at: tail * 2048)
        var command = TransmitCommand.dataDescriptor
        command[.length] = UInt32(frame.count)
        command[.endOfPacket] = true
        command[.insertCRC] = true
        command[.reportStatus] = true
        change(&command)
        var options = TransmitOptions(raw: 0)
        options[.payloadLength] = UInt32(frame.count)
        changeOptions(&options)
        return put(TransmitDataDescriptor(bufferAddress: bufferAddress(tail), command: command, options: options))
    }

    /// Rings the doorbell by its register, and polls the device until it rests.
    func ring(_ value: Int? = nil) {
        rig.write(I225Register.transmitTail[queue], UInt32(value ?? tail))
        rig.poll()
    }

    func isDone(_ slot: Int) -> Bool { ring.word(at: slot * 16 + 8) & TransmitDataDescriptor.doneBit != 0 }

    var head: UInt32 { rig.read(I225Register.transmitHead[queue]) }
}

/// A receive ring with a 2 KB buffer per descriptor.
final class ReceiveBench {
    let rig: Rig
    let queue: Int
    let count: Int
    let ring: Lent
    let data: Lent

    init(_ rig: Rig, queue: Int = 0, count: Int = 16, bufferKilobytes: UInt32 = 2, provide: Int? = nil) throws {
        self.rig = rig
        self.queue = queue
        self.count = count
        ring = try Lent(rig, byteCount: count * 16)
        data = try Lent(rig, byteCount: count * 2048, .deviceWrites)
        rig.write(I225Register.receiveQueueControl[queue], QueueControl(raw: 0))
        rig.write(I225Register.receiveBaseLow[queue], UInt32(truncatingIfNeeded: ring.iova))
        rig.write(I225Register.receiveBaseHigh[queue], UInt32(ring.iova >> 32))
        rig.write(I225Register.receiveLength[queue], UInt32(count * 16))
        rig.write(I225Register.receiveHead[queue], 0)
        rig.write(I225Register.receiveTail[queue], 0)
        rig.write(
            I225Register.splitReceiveControl[queue],
            .with {
                $0[.bufferKilobytes] = bufferKilobytes
                $0[.descriptorType] = SplitReceiveControl.advancedOneBuffer
                $0[.timer1] = 1
            }
        )
        rig.write(I225Register.receiveQueueControl[queue], .with { $0[.enabled] = true })
        for slot in 0..<count { setBuffer(slot, data.iova + UInt64(slot * 2048)) }
        self.provide(provide ?? count - 1)
    }

    func setBuffer(_ slot: Int, _ address: UInt64) {
        let descriptor = ReceiveDescriptor(bufferAddress: address)
        ring.setWord(descriptor.low, at: slot * 16)
        ring.setWord(descriptor.high, at: slot * 16 + 8)
    }

    /// Sets the tail.
    func provide(_ tail: Int) { rig.write(I225Register.receiveTail[queue], UInt32(tail)) }

    func writeBack(_ slot: Int) -> ReceiveWriteBack {
        ReceiveWriteBack(low: ring.word(at: slot * 16), high: ring.word(at: slot * 16 + 8))
    }

    /// The bytes that the write-back of `slot` says are there.
    func bytes(_ slot: Int) -> [UInt8] { data.bytes(at: slot * 2048, count: Int(writeBack(slot).length)) }

    var head: UInt32 { rig.read(I225Register.receiveHead[queue]) }
}
