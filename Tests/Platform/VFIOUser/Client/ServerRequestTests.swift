// What a server asks its client: DMA_READ and DMA_WRITE of memory that was lent, and nothing else. Some servers ask for
// what they must not have.

import Backing
import Clock
import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Testing
import VFIOUser
import VFIOUserTestClient

private func access(_ iova: UInt64, _ count: UInt64, _ data: [UInt8] = []) -> [UInt8] {
    bytes { buffer in
        DMAAccess(iova: iova, count: count).write(to: &buffer)
        for byte in data { buffer.append(byte) }
    }
}

extension SharedMemory {
    fileprivate borrowing func byte(_ index: Int) -> UInt8 {
        precondition(index >= 0 && index < byteCount)
        // SAFETY: checked.
        return unsafe base.load(fromByteOffset: index, as: UInt8.self)
    }
}

@Suite struct ServerRequestTests {
    /// Lets the server's question reach the client, and the answer the server.
    private func exchange(_ rig: ClientRig, _ backing: VFIOUserBacking) {
        for _ in 0..<4 {
            _ = backing.poll()
            rig.liar.takeTurn()
        }
    }

    /// While the client waits for a reply, and while it does nothing.
    @Test(arguments: [true, false], [true, false])
    func memoryThatWasLentIsServed(_ sharesMemory: Bool, whileWaiting: Bool) throws {
        var rig = try ClientRig()
        rig.options.sharesMemory = sharesMemory
        let backing = try rig.connect()
        let buffer = try backing.allocateDMA(byteCount: 8192, .both, purpose: "test")
        func say(_ command: Command, _ payload: [UInt8]) throws {
            rig.liar.ask(command.rawValue, payload)
            if whileWaiting { #expect(try backing.readConfig(0, .word) == 0x1D0B) }
            exchange(rig, backing)
        }
        let data = (0..<100).map { UInt8($0) }
        try say(.writeDMA, access(buffer.iova + 4090, 100, data))
        try say(.readDMA, access(buffer.iova + 4089, 102))
        #expect(rig.liar.answers.count == 2)
        let written = try #require(rig.liar.answers.first)
        #expect(written.header.isReply && !written.header.isError && written.header.identifier == 77)
        #expect(written.payload == access(buffer.iova + 4090, 100))
        let read = try #require(rig.liar.answers.last)
        #expect(read.payload == access(buffer.iova + 4089, 102, [0] + data + [0]))
        #expect(backing.counters.served == 2)
        #expect(backing.isConnected)
    }

    struct Demand: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let command: UInt16
        let errorNumber: Int32
        /// Gets the IOVA of memory that the device may only read, and of memory that it may only write; 4096 bytes each.
        let payload: @Sendable (UInt64, UInt64) -> [UInt8]

        init(
            _ description: String,
            _ command: Command,
            _ errorNumber: Int32,
            _ payload: @escaping @Sendable (UInt64, UInt64) -> [UInt8]
        ) {
            testDescription = "\(command): \(description)"
            self.command = command.rawValue
            self.errorNumber = errorNumber
            self.payload = payload
        }
    }

    static let demands: [Demand] = [
        Demand("memory for reading", .writeDMA, EFAULT) { readable, _ in access(readable, 1, [0xFF]) },
        Demand("memory for writing", .readDMA, EFAULT) { _, writable in access(writable, 1) },
        Demand("nobody's memory", .readDMA, EFAULT) { _, _ in access(0x1000, 8) },
        Demand("a byte before", .readDMA, EFAULT) { readable, _ in access(readable - 1, 2) },
        Demand("a byte behind", .readDMA, EFAULT) { readable, _ in access(readable + 4095, 2) },
        Demand("a byte behind", .writeDMA, EFAULT) { _, writable in access(writable + 4095, 2, [0xFF, 0xFF]) },
        Demand("the end of all addresses", .readDMA, EFAULT) { _, _ in access(.max, 2) },
        Demand("no bytes", .readDMA, EINVAL) { readable, _ in access(readable, 0) },
        Demand("all bytes there are", .readDMA, EINVAL) { readable, _ in access(readable, .max) },
        Demand("more than a message has", .readDMA, EINVAL) { readable, _ in access(readable, 1 << 20 + 1) },
        Demand("fewer bytes than it says", .writeDMA, EINVAL) { _, writable in access(writable, 8, [0xFF]) },
        Demand("more bytes than it says", .writeDMA, EINVAL) { _, writable in access(writable, 1, [0xFF, 0xFF]) },
        Demand("bytes where none belong", .readDMA, EINVAL) { readable, _ in access(readable, 4, [1]) },
        Demand("half of it", .readDMA, EINVAL) { _, _ in [0, 0, 0, 0, 0, 0, 0, 0] },
        Demand("nothing", .writeDMA, EINVAL) { _, _ in [] },
        Demand("a client's command", .version, ENOTSUP) { _, _ in [0, 0, 0, 0] },
        Demand("a client's command", .mapDMA, ENOTSUP) { _, _ in [] },
        Demand("a client's command", .readRegion, ENOTSUP) { _, _ in access(0, 4) },
    ]

    @Test("What a server must not have it does not get", arguments: demands)
    func refused(_ demand: Demand) throws {
        var rig = try ClientRig()
        rig.options.sharesMemory = false
        let backing = try rig.connect()
        let readable = try backing.allocateDMA(byteCount: 4096, .deviceReads, purpose: "readable")
        let writable = try backing.allocateDMA(byteCount: 4096, .deviceWrites, purpose: "writable")
        let payload = demand.payload(readable.iova, writable.iova)
        rig.liar.ask(demand.command, payload)
        // Without a reply it is refused as silently.
        rig.liar.ask(demand.command, payload, noReply: true)
        exchange(rig, backing)
        #expect(rig.liar.answers.count == 1)
        let answer = try #require(rig.liar.answers.first)
        #expect(answer.header.isError && answer.header.errorNumber == UInt32(demand.errorNumber))
        #expect(answer.payload.isEmpty)
        #expect((0..<4096).allSatisfy { readable.memory.byte($0) == 0 && writable.memory.byte($0) == 0 })
        #expect(backing.counters.refusedToServe == 2)
        #expect(try backing.readConfig(0, .word) == 0x1D0B)
        #expect(backing.isConnected)
    }

    @Test func unknownCommandsAreRefused() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        for command in [UInt16(0), 19, 1000, .max] { rig.liar.ask(command, [1, 2, 3]) }
        exchange(rig, backing)
        #expect(rig.liar.answers.map(\.header.errorNumber) == [UInt32](repeating: UInt32(ENOTSUP), count: 4))
        #expect(backing.isConnected)
    }

    @Test func memoryThatIsNotLentAnyMoreIsOutOfReach() throws {
        var rig = try ClientRig()
        rig.options.sharesMemory = false
        let backing = try rig.connect()
        var iova: UInt64 = 0
        do { iova = try backing.allocateDMA(byteCount: 4096, .both, purpose: "test").iova }
        rig.liar.ask(Command.readDMA.rawValue, access(iova, 4))
        exchange(rig, backing)
        #expect(rig.liar.answers.first?.header.isError == true)
    }

    @Test func aReplyThatNobodyAskedEndsTheConnection() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        rig.liar.say(bytes { MessageHeader(identifier: 5, command: 9, flags: 1).write(to: &$0) })
        exchange(rig, backing)
        #expect(!backing.isConnected)
        #expect(backing.wakeDescriptors.isEmpty, "a closed socket would wake its loop for ever")
    }

    /// A server that asks without end, and never answers: the wait has its limit, and the answers need bounded memory.
    @Test func aFloodOfQuestionsIsNoReply() throws {
        let flood = Flood()
        let pair = try UnixSocket.pair()
        let far = try FarSide(pair.second)
        var options = VFIOUserOptions()
        options.replyNanoseconds = 300_000_000
        let clock = VirtualClock()
        options.clock = .virtual(clock)
        options.whileWaiting = {
            clock.advance(nanoseconds: 10_000_000)
            far.liar.takeTurn()
            if flood.isOn { for _ in 0..<4 { far.liar.ask(Command.readDMA.rawValue, access(0x10_0000_0000, 1 << 16)) } }
        }
        let backing = try VFIOUserBacking(pair.first, name: "test:flood", options: options, census: Census())
        let buffer = try backing.allocateDMA(byteCount: 1 << 20, .both, purpose: "test")
        #expect(buffer.iova == 0x10_0000_0000)
        far.liar.lie = { _, _, reply in reply.fate = .isLost }
        flood.isOn = true
        let start = clock.now
        #expect(try backing.readConfig(0, .word) == 0xFFFF)
        #expect(clock.now - start < 10_000_000_000)
        #expect(!backing.isConnected)
        #expect(backing.counters.served > 0)
    }

    private final class Flood: @unchecked Sendable {
        // SAFETY (Sendable): one thread.
        var isOn = false
    }
}
