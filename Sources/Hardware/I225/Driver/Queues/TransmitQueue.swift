// A Tx queue of the card, on loan: ring memory, queue number, registers.
// Source: igc_configure_tx_ring, igc_disable_tx_ring (Linux 6.12); unlike igc it waits until the card says so.

import Backing
import I225Wire
import Leases
import Memory
import Registers
import Rings

/// One of the four Tx queues. Its end switches the queue off and waits until the device has let go of the ring.
public struct TransmitQueue<Backing: PCIeBacking>: ~Copyable {
    /// The hot half: descriptors and cookies.
    public var ring: TransmitRing
    public let index: Int
    public let statistics: QueueStatistics
    private let tail: TailRegister<Backing.BAR>
    private var isRunning = true
    // After `deinit` has stopped the queue: first the ring memory, then the number, then the card.
    private let memory: DMABuffer
    private let number: IndexLease
    private let hardware: I225Hardware<Backing>

    package init(
        _ hardware: I225Hardware<Backing>,
        number: consuming IndexLease,
        entries: Int,
        statistics: QueueStatistics
    ) throws(DeviceError) {
        let index = number.index
        try hardware.checkRing(entries: entries, operation: "open Tx queue \(index)")
        let memory = try hardware.backing.allocateDMA(
            byteCount: entries * I225.descriptorBytes,
            .both,
            purpose: "i225-tx\(index)"
        )
        try hardware.enableTransmitQueue(index, iova: memory.iova, entries: entries)
        // SAFETY: the ring lives in `memory`, which ends after it.
        self.ring = unsafe TransmitRing(DescriptorRing16(base: memory.base, count: entries))
        self.index = index
        self.statistics = statistics
        self.tail = TailRegister(hardware.bar, I225Register.transmitTail[index])
        self.memory = memory
        self.number = number
        self.hardware = hardware
    }

    deinit {
        if isRunning { hardware.disableTransmitQueue(index) }
    }

    /// Tells the device about everything submitted.
    public func ringTail() { tail.ring(ring.tail) }

    /// Switches the queue off. Buffers that the device had are `ring.takeBack`'s.
    mutating func stop() {
        guard isRunning else { return }
        isRunning = false
        hardware.disableTransmitQueue(index)
    }
}

extension I225Hardware {
    /// igc.h: 64 to 4096 descriptors, in steps of 8 (a ring is a multiple of 128 bytes).
    func checkRing(entries: Int, operation: String) throws(DeviceError) {
        guard (64...4096).contains(entries), entries % 8 == 0 else {
            throw error(.invalidArgument, operation, "\(entries) descriptors, expected 64 to 4096 in steps of 8")
        }
    }

    fileprivate func enableTransmitQueue(_ index: Int, iova: UInt64, entries: Int) throws(DeviceError) {
        bar.write(I225Register.transmitQueueControl[index], QueueControl(raw: 0))
        flush()
        bar.write(I225Register.transmitLength[index], UInt32(entries * I225.descriptorBytes))
        bar.write(I225Register.transmitBaseLow[index], UInt32(truncatingIfNeeded: iova))
        bar.write(I225Register.transmitBaseHigh[index], UInt32(truncatingIfNeeded: iova >> 32))
        bar.write(I225Register.transmitHead[index], 0)
        bar.write(I225Register.transmitTail[index], 0)
        bar.write(
            I225Register.transmitQueueControl[index],
            .with { control in
                control[.prefetchThreshold] = 8
                control[.hostThreshold] = 1
                control[.writeBackThreshold] = 16
                control[.enabled] = true
            }
        )
        do {
            try waitForQueue(I225Register.transmitQueueControl[index], "enable Tx queue \(index)", isEnabled: true)
        } catch {
            // The device knows the ring by now: it must have let go before the memory does.
            disableTransmitQueue(index)
            throw error
        }
    }

    fileprivate func disableTransmitQueue(_ index: Int) {
        stopQueue(I225Register.transmitQueueControl[index], "disable Tx queue \(index)")
    }

    func waitForQueue(
        _ register: Register<QueueControl>,
        _ operation: String,
        isEnabled: Bool
    ) throws(DeviceError) {
        try wait(
            for: register,
            operation,
            isEnabled ? "ENABLE (bit 25) set" : "ENABLE (bit 25) clear",
            timeoutNanoseconds: 10 * millisecond,
            intervalNanoseconds: 10 * microsecond
        ) { $0[.enabled] == isEnabled }
    }

    /// Disables a queue and waits for it. A device that will not let go of one queue is reset whole: freeing memory
    /// that it still writes to would be worse than losing the others.
    func stopQueue(_ register: Register<QueueControl>, _ operation: String) {
        bar.modify(register) { control in
            control[.enabled] = false
            control[.flush] = true
        }
        do {
            try waitForQueue(register, operation, isEnabled: false)
        } catch {
            quiesce()
        }
    }
}
