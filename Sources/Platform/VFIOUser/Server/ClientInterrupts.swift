// The eventfds that a client wants signalled: vectors are routed to them in the device's host, the line, errors and
// requests are kept here.

import Backing
import CLinux
import Glibc
import Interrupts
import PCIe

/// A change of the vectors that a client gets.
public enum VectorChange: Equatable, Sendable, CustomStringConvertible {
    case attached(Range<Int>)
    case detached([Int])

    public var description: String {
        switch self {
        case .attached(let range): "vectors attached: \(range.map(String.init).joined(separator: " "))"
        case .detached(let vectors): "vectors detached: \(vectors.map(String.init).joined(separator: " "))"
        }
    }
}

/// The interrupts of one client.
final class ClientInterrupts {
    private let host: DeviceHost
    /// How many of each kind the device has.
    let counts: InlineArray<5, UInt32>
    /// Vectors of MSI-X that go to an eventfd, and those of MSI.
    private(set) var routed: Set<Int> = []
    private var routedMessages: Set<Int> = []
    private var line: InterruptCell?
    /// After a signal the client masks the line by itself, and says when it may come again.
    private var isLineMasked = false
    private var others: (error: InterruptCell?, request: InterruptCell?) = (nil, nil)

    init(_ model: some PCIeModel) {
        host = model.host
        let pin = model.readConfig(0x3D, .byte)
        var msi: UInt32 = 0
        if let capability = ConfigSpace.findCapability(0x05, read: model.readConfig) {
            // Multiple Message Capable (PCI Local Bus 3.0 §6.8.1.3).
            msi = min(32, 1 << UInt32(model.readConfig(capability + 2, .word) >> 1 & 7))
        }
        counts = [pin == 0 ? 0 : 1, msi, UInt32(model.vectorCount), 1, 1]
    }

    /// Checks what came, and makes it something to signal.
    static func cell(_ descriptor: consuming OwnedDescriptor) throws(Refusal) -> InterruptCell {
        guard clinux_is_eventfd(descriptor.raw) == 1 else { throw Refusal(EINVAL, "not an eventfd") }
        let result = clinux_set_nonblocking(descriptor.raw)
        guard result == 0 else { throw Refusal(-result, "fcntl") }
        return InterruptCell(signalling: descriptor.release())
    }

    /// Has interrupt `index` of a kind signal `cell`, or nothing.
    func assign(_ kind: InterruptKind, _ index: Int, _ cell: InterruptCell?) {
        switch kind {
        case .line:
            line = cell
            isLineMasked = false
        case .msi, .msix:
            guard index < Int(counts[Int(InterruptKind.msix.rawValue)]) else { return }
            host.route(index, to: cell)
            // A vector goes one way only, that of the last one who asked.
            routed.remove(index)
            routedMessages.remove(index)
            guard cell != nil else { return }
            if kind == .msix { routed.insert(index) } else { routedMessages.insert(index) }
        case .error: others.error = cell
        case .request: others.request = cell
        }
    }

    func fire(_ kind: InterruptKind, _ index: Int) {
        switch kind {
        case .line: line?.fire()
        case .msi, .msix: host.raise(index)
        case .error: others.error?.fire()
        case .request: others.request?.fire()
        }
    }

    func maskLine(_ masked: Bool) { isLineMasked = masked }

    /// Signals the line if it is asserted and the client waits for it. To be called after whatever may have asserted it.
    @inline(__always)
    func updateLine() {
        guard host.isInterruptLineAsserted, !isLineMasked, let line else { return }
        isLineMasked = true
        line.fire()
    }

    /// Forgets the eventfds of a kind.
    func disable(_ kind: InterruptKind) {
        switch kind {
        case .line, .error, .request: assign(kind, 0, nil)
        case .msi: for index in routedMessages { assign(kind, index, nil) }
        case .msix: for index in routed { assign(kind, index, nil) }
        }
    }

    /// Forgets all eventfds.
    func removeAll() {
        disable(.msi)
        disable(.msix)
        line = nil
        others = (nil, nil)
    }
}
