// What a model stands on: memory by IOVA, interrupt vectors, doorbells, a clock. Whoever hosts the model (in-process
// backing, vfio-user server) owns one and fills it.

import Clock
import Interrupts
import Memory

/// The host of one model. Belongs to the model's owner thread, except for the doorbells.
public final class DeviceHost {
    public let clock: DeviceClock
    public let memory = IOVASpace()
    public let doorbells: DoorbellPage
    private var cells: [InterruptCell?]
    private var held: [Int] = []
    /// Messages for vectors that nobody had attached. They are gone, as a message to an unmapped address is.
    public private(set) var unattachedMessages: UInt64 = 0

    public init(clock: DeviceClock, vectorCount: Int, doorbellCount: Int) {
        self.clock = clock
        self.cells = [InterruptCell?](repeating: nil, count: vectorCount)
        self.doorbells = DoorbellPage(count: doorbellCount)
    }

    /// Sends the message of vector `index`. Whether it may be sent (mask bits) is the model's MSI-X table's business.
    public func raise(_ index: Int) {
        // A message is a posted write, and posted writes arrive in order (PCI Express Base 5.0 §2.4).
        guard memory.transfers.unconfirmedWrites == 0 else {
            // Two messages of a vector that the driver has not seen are one.
            if !held.contains(index) { held.append(index) }
            return
        }
        send(index)
    }

    /// Sends what was held back by writes to remote memory, once those are confirmed.
    public func sendHeldMessages() {
        guard !held.isEmpty, memory.transfers.unconfirmedWrites == 0 else { return }
        let messages = held
        held = []
        for index in messages { send(index) }
    }

    private func send(_ index: Int) {
        guard index >= 0, index < cells.count, let cell = cells[index] else {
            unattachedMessages += 1
            return
        }
        cell.fire()
    }

    /// The level of the function's INTx line (PCI Local Bus 3.0 §2.2.6), for a model that has an interrupt pin.
    public var isInterruptLineAsserted = false

    /// Routes vector `index` to `cell`, or nowhere.
    public func route(_ index: Int, to cell: InterruptCell?) { cells[index] = cell }

    public func isRouted(_ index: Int) -> Bool { cells[index] != nil }
}
