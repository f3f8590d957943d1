// `doorbell serve`: what its arguments mean, the line it prints, and that a card is there as long as it runs.

import Doorbell
import Foundation
import Synchronization
import Testing

/// What a test asks of a run on another thread.
private final class Control: Sendable {
    let isReady = Atomic<Bool>(false)
    let mayStop = Atomic<Bool>(false)
}

@Suite struct ServeTests {
    @Test(
        arguments: [
            ("tap:dbw", .tap(TAPEnd(name: "dbw"))), ("tap:dbw,trains", .tap(TAPEnd(name: "dbw", takesTrains: true))),
            ("tap:,trains", nil), ("loopback", .loopback), ("tap:", nil), ("tap", nil), ("", nil), ("switch", nil),
        ] as [(String, FarEnd?)]
    )
    func farEndsHaveNames(text: String, end: FarEnd?) { #expect(FarEnd(text) == end) }

    @Test(
        arguments: [
            ("0=lost", true), ("3=16000", true), ("0=3600001", false), ("0=-1", false), ("-1=lost", false),
            ("=lost", false),
            ("0=", false), ("0", false), ("0=lost=1", false), ("1=soon", false),
        ]
    )
    func stampFaultsAreNumberAndFault(text: String, isOne: Bool) { #expect((StampFaultRule(text) != nil) == isOne) }

    @Test(
        arguments: [
            ("02:1b:21:02:25:00", true), ("01:00:5e:00:00:01", false), ("00:00:00:00:00:00", false), ("02:1b", false),
        ]
    )
    func aCardHasAStationsAddress(text: String, isOne: Bool) { #expect((StationAddress(text) != nil) == isOne) }

    /// The path goes through JSON and the shell and must come out as it was.
    @Test(arguments: ["/tmp/a.sock", "/tmp/it's \"here\" \\ there.sock", "/tmp/\u{1}.sock"])
    func theLineForQEMUHoldsThePath(path: String) throws {
        let command = QEMUCommand(sockets: [path])
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/bin/sh")
        // The last word of the line, as the shell makes it.
        process.arguments = ["-c", "set -- \(command.text); shift $(($# - 1)); printf %s \"$1\""]
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let device = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        #expect(device?["driver"] as? String == "vfio-user-pci")
        #expect((device?["socket"] as? [String: String])?["path"] == path)
    }

    @Test func aMANAIsWithinLimits() {
        func objection(_ change: (inout MANACard) -> Void) -> String? {
            var card = MANACard()
            change(&card)
            return card.objection
        }
        #expect(objection { _ in } == nil)
        #expect(objection { $0.vectors = 0 } == nil && objection { $0.vectors = .max } == nil, "it may say anything")
        #expect(objection { $0.tableVectors = 2048 } == nil && objection { $0.queues = 64 } == nil)
        #expect(objection { $0.tableVectors = 0 } != nil && objection { $0.tableVectors = 2049 } != nil)
        #expect(objection { $0.queues = 0 } != nil && objection { $0.ports = 17 } != nil)
    }

    private static var kinds: [CardServe.Kind] {
        var bare = GraceHopperCard()
        bare.isBare = true
        return [.i225(I225Card()), .mana(MANACard()), .graceHopper(GraceHopperCard()), .graceHopper(bare)]
    }

    @Test(.timeLimit(.minutes(1)), arguments: kinds)
    func cardsAreThereAsLongAsItRuns(_ kind: CardServe.Kind) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "serve-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let paths = ["a", "b"].map { folder.appending(path: "\($0).sock").path }
        let serve = CardServe(kind, listeners: paths.map { .path($0) }, wires: [])
        let control = Control()
        async let run = onOwnThread {
            try serve.run(
                CardServe.Attendance(
                    onReady: { command, _ in
                        #expect(command?.sockets == paths)
                        control.isReady.store(true, ordering: .releasing)
                    },
                    onEvent: { _ in },
                    cableToggles: { 0 },
                    shouldStop: { control.mayStop.load(ordering: .acquiring) }
                )
            )
        }
        while !control.isReady.load(ordering: .acquiring) { try await Task.sleep(nanoseconds: 1_000_000) }
        #expect(paths.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        control.mayStop.store(true, ordering: .releasing)
        let summary = try await run
        #expect(summary.cards.map { $0.socket } == paths)
        #expect(summary.cards.allSatisfy { $0.connections == 0 && $0.framesTransmitted ?? 0 == 0 })
        #expect(!paths.contains { FileManager.default.fileExists(atPath: $0) }, "sockets go with the run")
    }

    @Test func whatCannotBeServedIsRefused() {
        func failure(_ serve: CardServe) -> String? {
            do {
                _ = try serve.run(
                    CardServe.Attendance(
                        onReady: { _, _ in },
                        onEvent: { _ in },
                        cableToggles: { 0 },
                        shouldStop: { true }
                    )
                )
                return nil
            } catch {
                return "\(error)"
            }
        }
        let missing = CardServe(.i225(I225Card()), listeners: [.path("/nonexistent/a.sock")], wires: [])
        #expect(failure(missing)?.contains("/nonexistent/a.sock") == true)
        var small = GraceHopperCard()
        small.memory = MemorySize(byteCount: 1 << 30)
        let unsplit = CardServe(.graceHopper(small), listeners: [.path("/nonexistent/a.sock")])
        #expect(failure(unsplit)?.contains("512 MiB") == true)
        let noSocket = CardServe(.i225(I225Card()), listeners: [.descriptor(0)], wires: [.loopback])
        #expect(failure(noSocket)?.contains("descriptor 0") == true)
        let socket = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sock").path
        let loop = CardServe(.i225(I225Card()), listeners: [.path(socket), .path(socket + "2")], wires: [.loopback])
        #expect(failure(loop)?.contains("loopback") == true)
        #expect(!FileManager.default.fileExists(atPath: socket))
    }
}
