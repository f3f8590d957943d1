// An Rx queue of the card, on loan.
// Source: igc_configure_rx_ring, igc_disable_rx_ring (Linux 6.12); unlike igc it waits until the card says so.

import Backing
import I225Wire
import Leases
import Memory
import Registers
import Rings

/// One of the four Rx queues. Its end switches the queue off and waits until the device has let go of ring and buffers.
public struct ReceiveQueue<Backing: PCIeBacking>: ~Copyable {
    /// The hot half: descriptors and cookies.
    public var ring: ReceiveRing
    public let index: Int
    public let statistics: QueueStatistics
    private let tail: TailRegister<Backing.BAR>
    private var isRunning = true
    // After `deinit` has stopped the queue: first the ring memory, then the number, then the card.
    private let memory: DMABuffer
    private let number: IndexLease
    private let hardware: I225Hardware<Backing>

    /// - Parameter bufferBytes: of every buffer provided; the device writes whole KB of it.
    package init(
        _ hardware: I225Hardware<Backing>,
        number: consuming IndexLease,
        entries: Int,
        bufferBytes: Int,
        stamps: Bool,
        statistics: QueueStatistics
    ) throws(DeviceError) {
        let index = number.index
        try hardware.checkRing(entries: entries, operation: "open Rx queue \(index)")
        let kilobytes = bufferBytes / 1024
        guard (1...127).contains(kilobytes) else {
            throw hardware.error(
                .invalidArgument,
                "open Rx queue \(index)",
                "buffers of \(bufferBytes) bytes, expected 1024 to 130048"
            )
        }
        let memory = try hardware.backing.allocateDMA(
            byteCount: entries * I225.descriptorBytes,
            .both,
            purpose: "i225-rx\(index)"
        )
        try hardware.enableReceiveQueue(
            index,
            iova: memory.iova,
            entries: entries,
            bufferKilobytes: kilobytes,
            stamps: stamps
        )
        // SAFETY: the ring lives in `memory`, which ends after it.
        self.ring = unsafe ReceiveRing(DescriptorRing16(base: memory.base, count: entries))
        self.index = index
        self.statistics = statistics
        self.tail = TailRegister(hardware.bar, I225Register.receiveTail[index])
        self.memory = memory
        self.number = number
        self.hardware = hardware
    }

    deinit {
        if isRunning { hardware.disableReceiveQueue(index) }
    }

    /// Tells the device about everything provided.
    public func ringTail() { tail.ring(ring.tail) }

    /// Switches the queue off. Buffers that the device had are `ring.takeBack`'s.
    mutating func stop() {
        guard isRunning else { return }
        isRunning = false
        hardware.disableReceiveQueue(index)
    }
}

extension I225Hardware {
    fileprivate func enableReceiveQueue(
        _ index: Int,
        iova: UInt64,
        entries: Int,
        bufferKilobytes: Int,
        stamps: Bool
    ) throws(DeviceError) {
        bar.write(I225Register.receiveQueueControl[index], QueueControl(raw: 0))
        bar.write(I225Register.receiveBaseLow[index], UInt32(truncatingIfNeeded: iova))
        bar.write(I225Register.receiveBaseHigh[index], UInt32(truncatingIfNeeded: iova >> 32))
        bar.write(I225Register.receiveLength[index], UInt32(entries * I225.descriptorBytes))
        bar.write(I225Register.receiveHead[index], 0)
        bar.write(I225Register.receiveTail[index], 0)
        bar.write(
            I225Register.splitReceiveControl[index],
            .with { control in
                control[.bufferKilobytes] = UInt32(bufferKilobytes)
                control[.descriptorType] = SplitReceiveControl.advancedOneBuffer
                control[.timestamps] = stamps
                // The adjustable clock in the header's second half, the free-running one in its first (igc_ptp_enable_rx_timestamp).
                control[.timer0] = 0
                control[.timer1] = 1
            }
        )
        bar.write(
            I225Register.receiveQueueControl[index],
            .with { control in
                control[.prefetchThreshold] = 8
                control[.hostThreshold] = 8
                control[.writeBackThreshold] = 4
                control[.enabled] = true
            }
        )
        do {
            try waitForQueue(I225Register.receiveQueueControl[index], "enable Rx queue \(index)", isEnabled: true)
        } catch {
            disableReceiveQueue(index)
            throw error
        }
    }

    fileprivate func disableReceiveQueue(_ index: Int) {
        stopQueue(I225Register.receiveQueueControl[index], "disable Rx queue \(index)")
    }
}
