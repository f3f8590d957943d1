// Serving GPUs: no wires, and one device in two forms.

import Backing
import Clock
import GraceHopperDriver
import GraceHopperModel
import Memory
import PCIe
import VFIOVariant

extension CardServe {
    func serve(_ card: GraceHopperCard, _ attendance: Attendance) throws -> Summary {
        guard !card.isBare else {
            return try serve(card, attendance) { _ in
                let model = try GraceHopperModel(options: card.options, clock: .monotonic)
                return (model, model)
            }
        }
        return try serve(card, attendance) { index in
            let gpu = try VirtualGraceHopper(card.options, name: listeners[index].name)
            if case .plain(let reason) = gpu.device.lending {
                attendance.onEvent("\(listeners[index].name): lent as it is: \(reason)")
            }
            return (try gpu.export(), gpu.model)
        }
    }

    /// - Parameter make: gives what is served, and the GPU in it.
    private func serve<Model: ServedModel>(
        _ card: GraceHopperCard,
        _ attendance: Attendance,
        _ make: (Int) throws -> (Model, GraceHopperModel)
    ) throws -> Summary {
        var cards: [ServedCard<Model>] = []
        defer { for card in cards { card.stop() } }
        var barBytes: UInt64 = 0
        var notes: [String] = []
        for (index, listener) in listeners.enumerated() {
            let (served, gpu) = try make(index)
            barBytes += served.baseAddressRegisters.reduce(0) { $0 + $1.byteCount }
            notes = card.notes(for: gpu)
            cards.append(
                try ServedCard(
                    listener,
                    served,
                    keepsState: keepsState,
                    isTraced: isTraced,
                    onEvent: attendance.onEvent
                )
            )
        }
        attendance.onReady(QEMUCommand(listeners, guest: card.guest(barBytes: barBytes)), notes)
        attend(cards, attendance)
        return Summary(cards: cards.map { $0.summary() })
    }
}

extension GraceHopperModel: ServedModel {
    var passage: FramePassage? { nil }
    var refusedDMA: UInt64 { host.memory.faults }

    var oddities: [Oddity] {
        let counters = counters
        return [
            Oddity(name: "resets", count: counters.resets),
            Oddity(name: "accessesBeyondTheMemory", count: counters.accessesBeyondMemory),
            Oddity(name: "accessesWhileOff", count: counters.disabledAccesses),
            Oddity(name: "accessesToNothing", count: counters.unknownAccesses &+ counters.oddWrites),
        ]
    }

    /// Its driver asks nothing of it.
    func trace(_ log: @escaping (String) -> Void) {}
}

extension ExportedFunction: ServedModel where Device == VirtualGraceHopper.Device {
    var passage: FramePassage? { nil }
    var refusedDMA: UInt64 { host.memory.faults }

    var oddities: [Oddity] {
        let lent = device.counters
        let exported = counters
        return [
            Oddity(name: "resets", count: lent.resets),
            Oddity(name: "readsBeyondTheMemory", count: lent.readsBeyondMemory),
            Oddity(name: "writesBeyondTheMemory", count: lent.writesBeyondMemory),
            Oddity(name: "refusedReads", count: exported.failedReads),
            Oddity(name: "refusedWrites", count: exported.failedWrites),
            Oddity(name: "refusedResets", count: exported.failedResets),
        ]
    }

    /// Its driver is ours.
    func trace(_ log: @escaping (String) -> Void) {}
}
