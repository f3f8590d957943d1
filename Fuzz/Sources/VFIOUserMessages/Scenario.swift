// One run: a virtual I225, its server, and a client that does what the input says. Nothing it does may end the process,
// leave something behind, or keep the next client from being served.

import Backing
import CLinux
import Clock
import Ethernet
import FuzzInput
import Glibc
import I225Model
import Memory
import PCIe
import VFIOUser

final class Scenario {
    // SAFETY: libFuzzer calls from one thread.
    nonisolated(unsafe) private static let place = Place()

    /// The socket that all runs' servers listen at, and what all clients have.
    private final class Place {
        let path = "/tmp/doorbell-fuzz-\(getpid()).sock"
        let listener: OwnedDescriptor
        let belongings: Belongings

        init() {
            guard let listener = try? UnixSocket.listen(path: path) else { fatalError("cannot listen at \(path)") }
            belongings = Belongings(listener: listener.raw)
            self.listener = listener
        }
    }

    private enum Operation: CaseIterable {
        case negotiate, map, unmap, deviceInfo, regionInfo, doorbells, interruptInfo, setInterrupts, read, write
        case writeMultiple, reset, unsupported, unknown, noise, reply, poll, wait, resize, block, store, leave, driver
        case frame, take, sleep
    }

    private var choices: Choices
    private let clock = VirtualClock(startNanoseconds: 1_000_000_000)
    private let model: I225Model
    private let server: VFIOUserServer<I225Model>
    private let belongings: Belongings
    private var wire: FrameProducer
    private var peer: Peer

    private static let addresses: [UInt64] = [0, 0x1000, 0x8000, 0x1_0000, 0x1_1000, 0x1_F000, 0x2_0000, 0x10_0000]
    private static let sizes: [UInt64] = [0x1000, 0x2000, 0x8000, 0x1_0000]

    init(_ choices: Choices) {
        self.choices = choices
        let place = unsafe Self.place
        belongings = place.belongings
        belongings.renew()
        let toDevice = FrameRing(capacity: 64 * 1024)
        let fromDevice = FrameRing(capacity: 64 * 1024)
        let port = WirePort(transmit: fromDevice.producer, receive: toDevice.consumer)
        wire = toDevice.producer
        model = I225Model(options: I225Options(), port: port, clock: .virtual(clock))
        do {
            server = VFIOUserServer(model, listener: try .duplicate(of: place.listener.raw))
            peer = Peer(try UnixSocket.connect(path: place.path))
        } catch {
            fatalError("\(error)")
        }
        // Most inputs should get past the first command.
        if self.choices.byte() & 7 != 0 { negotiate() }
    }

    /// The number that the next descriptor gets: it grows by what is left open.
    static var nextDescriptor: Int32 {
        _ = unsafe place  // has its descriptors by then
        let descriptor = dup(0)
        close(descriptor)
        return descriptor
    }

    // MARK: Running

    func run() {
        while !choices.isAtEnd {
            step(Operation.allCases[choices.below(Operation.allCases.count)])
            if peer.isClosed { reconnect() }
        }
        poll(40)
        peer.receive()
        // A client that takes its replies gets all of them, unless a message of its own is still to come.
        for _ in 0..<200 where !peer.isAnswered {
            poll()
            peer.receive()
        }
        if !peer.isAnswered { fatalError("a command was not answered") }
        leave()
        guard belongings.preciousIsUntouched else { fatalError("memory was written that is mapped to be read") }
        serveSomebody()
    }

    private func poll(_ count: Int = 1) {
        for _ in 0..<count { _ = server.poll() }
    }

    private func leave() {
        peer = Peer(OwnedDescriptor(owning: -1))
        for _ in 0..<300 where server.hasClient { poll() }
        guard !server.hasClient else { fatalError("the server does not let go") }
        guard model.host.memory.mappingCount == 0 else { fatalError("memory is still mapped") }
        let counters = server.counters
        guard counters.connections == counters.disconnections else { fatalError("a connection was not counted") }
    }

    private func reconnect() {
        leave()
        guard let socket = try? UnixSocket.connect(path: unsafe Self.place.path) else { fatalError("nobody listens") }
        peer = Peer(socket)
        if choices.byte() & 3 != 0 { negotiate() }
    }

    /// A client that behaves: it is served, whatever was before.
    private func serveSomebody() {
        guard let socket = try? UnixSocket.connect(path: unsafe Self.place.path) else { fatalError("nobody listens") }
        peer = Peer(socket)
        negotiate()
        message(.readRegion) { RegionAccess(offset: 0, region: UInt32(Region.config), count: 4).write(to: &$0) }
        for _ in 0..<10 {
            poll()
            peer.receive()
        }
        guard peer.isAnswered, !peer.isClosed else { fatalError("the next client is not served") }
        leave()
    }

    private func step(_ operation: Operation) {
        switch operation {
        case .negotiate: negotiateOddly()
        case .map, .unmap, .deviceInfo, .regionInfo, .doorbells, .interruptInfo, .setInterrupts: ask(operation)
        case .read, .write, .writeMultiple, .reset, .unsupported, .unknown: access(operation)
        case .noise:
            peer.isInStep = false
            peer.send(choices.data(64), choices.byte() & 3 == 0 ? descriptors() : []) { poll() }
        case .reply: reply()
        case .poll: poll(1 + choices.below(8))
        case .wait: clock.advance(nanoseconds: choices.pick([1, 1000, 1_000_000, 100_000_000, 6_000_000_000]))
        case .resize: belongings.resize(choices.pick([0, 1, 0x1000, 0x8000, Belongings.fileBytes]))
        case .block: belongings.block()
        case .store: store()
        case .leave:
            if choices.byte() & 3 == 0 { reconnect() }
        case .driver: startDriver()
        case .frame: frame()
        case .take: peer.receive()
        case .sleep:
            server.setSleeping(true)
            model.host.doorbells.wake()
            server.setSleeping(false)
        }
    }

    // MARK: Messages

    private func negotiate() {
        message(.version) {
            var capabilities = VersionCapabilities()
            capabilities.mostDescriptors = 16
            capabilities.writeMultiple = true
            VersionMessage(capabilities: capabilities).write(to: &$0)
        }
        poll()
        peer.receive()
    }

    private func negotiateOddly() {
        let text: String = choices.pick([
            "{}", "", "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":64}}",
            "{\"capabilities\":{\"doorbell_sleep_word\":true,\"twin_socket\":{\"supported\":true}}}",
            "{\"a\":[[[[[[[[[[]]]]]]]]]]}", "{\"capabilities\":{\"max_msg_fds\":1e400}}",
        ])
        let noise = choices.byte() & 1 == 0 ? [] : choices.data(32)
        let version = choices.byte() & 7 == 0 ? choices.word() : 0
        twisted(.version) {
            $0.append(version)
            $0.append(text)
            for byte in noise { $0.append(byte) }
            $0.append(UInt8(0))
        }
    }

    private func descriptors() -> [Int32] {
        (0..<choices.below(18)).map { _ in belongings.descriptor(choices.pick(Belongings.Kind.allCases)) }
    }

    private func ask(_ operation: Operation) {
        switch operation {
        case .map: map()
        case .unmap:
            let request = UnmapDMARequest(
                flags: choices.pick([0, 0, 0, 2, 1, 3, 0xFF]),
                iova: choices.range(Self.addresses),
                size: choices.range(Self.sizes + [0])
            )
            twisted(.unmapDMA) { request.write(to: &$0) }
        case .deviceInfo:
            twisted(.getDeviceInfo) { DeviceInfo(flags: 0, regionCount: 0, interruptCount: 0).write(to: &$0) }
        case .regionInfo:
            let request = RegionInfo(
                argumentSize: choices.pick([32, 64, 1024, 0]),
                flags: choices.pick([0, 0, 8]),
                index: UInt32(choices.below(11))
            )
            twisted(.getRegionInfo) { request.writeRequest(to: &$0) }
        case .doorbells:
            let request = IODescriptorsRequest(
                argumentSize: choices.pick([16, 64, 4096]),
                index: UInt32(choices.below(10))
            )
            twisted(.getRegionIODescriptors) { request.write(to: &$0) }
        case .interruptInfo:
            let info = InterruptInfo(flags: 0, index: UInt32(choices.below(6)), count: 0)
            twisted(.getInterruptInfo) { info.write(to: &$0) }
        default: setInterrupts()
        }
    }

    private func map() {
        let kind = choices.pick([Belongings.Kind.shared, .precious, .unsealed, .readOnly, .socket])
        let hasFile = choices.byte() & 3 != 0
        let mayWrite = kind != .precious && kind != .readOnly
        let request = MapDMARequest(
            flags: choices.pick([3, 3, 1, 2, 0, 7]) & (mayWrite ? 7 : 5),
            fileOffset: choices.range([0, 0, 0x1000, 0x8000]),
            iova: choices.range(Self.addresses),
            size: choices.range(Self.sizes)
        )
        // Never with descriptors by chance: what may be written is decided here.
        message(.mapDMA, hasFile ? [belongings.descriptor(kind)] : []) { request.write(to: &$0) }
    }

    private func setInterrupts() {
        let count = choices.pick([1, 1, 2, 5, 0, 0x8000_0000] as [UInt32])
        let flags: UInt32 =
            choices.pick([0x24, 0x24, 0x21, 0x22, 0x11, 0x09, 0x14]) | (choices.byte() & 15 == 0 ? 0x40 : 0)
        let kind = UInt32(choices.pick([2, 2, 0, 1, 3, 4, 5]))
        let words: [UInt32] = [20, flags, kind, UInt32(choices.below(7)), count]
        let bools = flags & 2 != 0 ? Int(min(count, 8)) : 0
        let events = flags & 4 != 0 && count < 16 ? (0..<count).map { _ in belongings.descriptor(.event) } : []
        twisted(.setInterrupts, events) {
            for word in words { $0.append(word) }
            for _ in 0..<bools { $0.append(UInt8(1)) }
        }
    }

    private func regionAccess() -> RegionAccess {
        let region = choices.pick([0, 0, 0, UInt32(Region.config), 3, 6, 9])
        let offset = choices.range((0..<64).map { UInt64($0 * 4) } + Self.registers)
        return RegionAccess(offset: offset, region: region, count: choices.pick([4, 4, 4, 1, 2, 8, 3, 0, 64, 4096]))
    }

    /// Registers that make the device do something: control, interrupts, rings.
    private static let registers: [UInt64] =
        [
            0x0100, 0x0400, 0x1500, 0x1508, 0x150C, 0x1514, 0x1524, 0x1528, 0x1680, 0xB600, 0xB640, 0x5800, 0x5B50,
        ]
        + (0..<4).flatMap { queue in
            [0xC000, 0xC008, 0xC00C, 0xC010, 0xC018, 0xC028, 0xE000, 0xE008, 0xE010, 0xE018, 0xE028].map {
                $0 + UInt64(queue * 0x40)
            }
        }

    private func access(_ operation: Operation) {
        switch operation {
        case .read:
            let access = regionAccess()
            twisted(.readRegion) { access.write(to: &$0) }
        case .write:
            let access = regionAccess()
            let value = choices.longWord()
            twisted(.writeRegion) {
                access.write(to: &$0)
                for byte in 0..<UInt64(access.count) { $0.append(UInt8(truncatingIfNeeded: value >> (byte % 8 * 8))) }
            }
        case .writeMultiple:
            let writes = (0..<choices.below(6)).map { _ in (regionAccess(), choices.longWord()) }
            twisted(.writeRegionMultiple) {
                $0.append(UInt64(writes.count))
                for write in writes { RegionWrites.write(write.0, write.1, to: &$0) }
            }
        case .reset: twisted(.resetDevice) { _ in }
        case .unsupported:
            let command = choices.pick([Command.dirtyPages, .deviceFeature, .readMigrationData, .writeMigrationData])
            let data = choices.data(32)
            twisted(command) { for byte in data { $0.append(byte) } }
        default:
            let number = UInt16(truncatingIfNeeded: choices.word())
            let data = choices.data(32)
            // A map by its true number would not be checked for what it may write.
            frame(
                number == Command.mapDMA.rawValue ? 0 : number,
                data,
                flags: choices.pick([0, 0x10, 0x20, 2, 0xFFFF_FFF0])
            )
        }
    }

    /// Answers one of the server's commands, or one that it never sent.
    private func reply() {
        peer.receive()
        let wanted = peer.takeWanted()
        let header =
            wanted?.header ?? .command(choices.pick([.readDMA, .writeDMA]), identifier: UInt16(choices.byte()))
        var access = wanted?.access ?? DMAAccess(iova: choices.range(Self.addresses), count: UInt64(choices.byte()))
        var flags = MessageHeader.typeReply
        switch choices.below(8) {
        case 0: access.count = choices.range([0, 64])
        case 1: flags |= MessageHeader.error
        case 2: access.iova = choices.longWord()
        default: break
        }
        let isRead = header.command == Command.readDMA.rawValue && flags & MessageHeader.error == 0
        let data = isRead ? Int(min(access.count, 0x1_0000)) : 0
        let noise = choices.byte()
        var buffer = MessageBuffer(capacity: 64)
        MessageHeader(
            identifier: header.identifier,
            command: header.command,
            messageSize: UInt32(MessageHeader.byteCount + DMAAccess.byteCount + data),
            flags: flags,
            errorNumber: flags & MessageHeader.error != 0 ? 14 : 0
        ).write(to: &buffer)
        access.write(to: &buffer)
        for _ in 0..<data { buffer.append(noise) }
        peer.send(buffer.array, []) { poll() }
    }

    private func message(_ command: Command, _ descriptors: [Int32] = [], _ write: (inout MessageBuffer) -> Void) {
        var buffer = MessageBuffer(capacity: 64)
        write(&buffer)
        frame(command.rawValue, buffer.array, flags: 0, descriptors)
    }

    /// A message as it should be, or nearly so.
    private func twisted(_ command: Command, _ natural: [Int32] = [], _ write: (inout MessageBuffer) -> Void) {
        var buffer = MessageBuffer(capacity: 64)
        write(&buffer)
        var payload = buffer.array
        var flags: UInt32 = 0
        var added = natural
        let style = choices.byte()
        if style & 3 == 3 { flags = MessageHeader.noReply }
        if style & 0x0C == 0x0C { added = descriptors() }
        if style & 0x30 == 0x30, !payload.isEmpty {
            payload[choices.below(min(payload.count, 64))] = choices.byte()
        }
        if style & 0xC0 == 0xC0 {
            let length = choices.byte()
            if length & 0x80 == 0 {
                payload += [UInt8](repeating: 0, count: Int(length))
            } else {
                payload.removeLast(min(payload.count, Int(length & 0x7F)))
            }
        }
        // Bytes that come in two parts.
        frame(command.rawValue, payload, flags: flags, added, split: style & 0x0F == 5 ? choices.below(40) : nil)
    }

    private func frame(
        _ command: UInt16,
        _ payload: [UInt8],
        flags: UInt32,
        _ descriptors: [Int32] = [],
        split: Int? = nil
    ) {
        let identifier = peer.makeIdentifier()
        var buffer = MessageBuffer(capacity: 64)
        MessageHeader(
            identifier: identifier,
            command: command,
            messageSize: UInt32(MessageHeader.byteCount + payload.count),
            flags: flags
        ).write(to: &buffer)
        for byte in payload { buffer.append(byte) }
        if flags & MessageHeader.noReply == 0, flags & MessageHeader.typeMask == 0 { peer.expect(identifier, command) }
        // More descriptors than there may be end the connection, and the call does not send more than 16.
        let sent = Array(descriptors.prefix(16))
        let bytes = buffer.array
        guard let split, split < bytes.count, split > 0 else { return peer.send(bytes, sent) { poll() } }
        peer.send(Array(bytes.prefix(split)), sent) { poll() }
        poll()
        peer.send(Array(bytes.dropFirst(split)), []) { poll() }
    }

    // MARK: The device

    /// Rings and buffers as a driver has them, at addresses that may be mapped.
    private func startDriver() {
        let queue = UInt64(choices.below(4)) * 0x40
        let ring = choices.pick(Self.addresses)
        let count = choices.pick([128, 256, 4096, 0, 0xFFFF_FFFF] as [UInt32])
        let tail = UInt32(choices.byte())
        let registers: [(UInt64, UInt32)] = [
            (0xC000 + queue, UInt32(truncatingIfNeeded: ring)), (0xC004 + queue, 0), (0xC008 + queue, count),
            (0xC00C + queue, choices.pick([0x0200_0001, 0x0400_0402, 0x0200_0000])), (0xC010 + queue, 0),
            (0xE000 + queue, UInt32(truncatingIfNeeded: ring) &+ 0x800), (0xE004 + queue, 0), (0xE008 + queue, count),
            (0xC028 + queue, 1 << 25), (0xE028 + queue, 1 << 25), (0x0000, 0x40 | 1 << 28),
            (0x0100, 0x802A), (0x0400, 0xA), (0x1524, 0xFFFF_FFFF), (0xC018 + queue, tail), (0xE018 + queue, tail),
        ]
        message(.writeRegion) {
            RegionAccess(offset: 4, region: UInt32(Region.config), count: 2).write(to: &$0)
            $0.append(UInt16(6))
        }
        clock.advance(nanoseconds: 10_000_000)
        message(.writeRegionMultiple) {
            $0.append(UInt64(registers.count))
            for (offset, value) in registers {
                RegionWrites.write(RegionAccess(offset: offset, region: 0, count: 4), UInt64(value), to: &$0)
            }
        }
        poll(2)
        peer.receive()
    }

    /// Descriptors and the like, in memory that the device reads.
    private func store() {
        let offset = choices.pick([0, 0x10, 0x800, 0x810, 0x1000, 0x1800, 0x8000]) + choices.below(16) * 16
        let address = choices.range(Self.addresses)
        let words = choices.byte() & 1 == 0 ? [0x2B30_0040, 64 << 14] : [choices.word(), choices.word()]
        // SAFETY: all of it below 0x9000, and the file has 0x10000 bytes.
        unsafe belongings.shared.base.storeBytes(of: address, toByteOffset: offset, as: UInt64.self)
        unsafe belongings.shared.base.storeBytes(of: words[0], toByteOffset: offset + 8, as: UInt32.self)
        unsafe belongings.shared.base.storeBytes(of: words[1], toByteOffset: offset + 12, as: UInt32.self)
    }

    private func frame() {
        let bytes = [UInt8](repeating: 0xFF, count: 14) + choices.data(250)
        // SAFETY: bytes have no padding.
        _ = unsafe wire.send(bytes.span.bytes, wireTime: clock.now)
    }
}

extension MessageBuffer {
    /// A copy of all bytes.
    fileprivate var array: [UInt8] {
        // SAFETY: the bytes are there for the call.
        unsafe bytes().withUnsafeBytes { unsafe Array($0) }
    }
}
