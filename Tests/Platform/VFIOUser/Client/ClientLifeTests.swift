// The life of a client of an honest server: which messages its accesses become, what is memory, and what survives a reset
// or another connection.

import Backing
import CLinux
import Clock
import Glibc
import Interrupts
import Leases
import Memory
import PCIe
import Registers
import Testing
import VFIOUser
import VFIOUserTestClient

private enum Place {
    static let scratch = UInt32(SampleDevice.Offset.scratch)
    static let fire = UInt32(SampleDevice.Offset.fire)
    static let address = UInt32(SampleDevice.Offset.address)
    static let value = UInt32(SampleDevice.Offset.value)
    static let transfer = UInt32(SampleDevice.Offset.transfer)
    static let doorbell = UInt32(SampleDevice.Offset.doorbell)
}

extension VFIOUserBAR {
    /// Has the device read (1) or write (2) the word at `iova`; whether it was allowed, and the word.
    func transfer(_ direction: UInt32, at iova: UInt64, _ value: UInt32 = 0) -> (isAllowed: Bool, value: UInt32) {
        store(Place.address, UInt32(truncatingIfNeeded: iova))
        store(Place.address + 4, UInt32(truncatingIfNeeded: iova >> 32))
        store(Place.value, value)
        store(Place.transfer, direction)
        return (load(Place.transfer) == 1, load(Place.value))
    }
}

private func end(_ lease: consuming InterruptLease) {}
private func end(_ mapping: consuming DMAMapping) {}

@Suite struct ClientAccessTests {
    /// Without and with REGION_WRITE_MULTI: the same effect, one round trip, and one message or as many as stores.
    @Test(arguments: [true, false])
    func storesThatBelongTogetherCostOneRoundTrip(_ isMultiple: Bool) throws {
        let rig = try ClientRig { command, _, reply in
            guard command == .version, !isMultiple else { return }
            reply.payload = bytes {
                $0.append(UInt32(0))
                $0.append(#"{"capabilities":{"max_msg_fds":16}}"#)
                $0.append(UInt8(0))
            }
        }
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        for count in [1, 2, 10, 127, 128, 129, 300] {
            let before = rig.liar.commands.count
            let roundTrips = backing.counters.roundTrips
            bar.together {
                for index in 0..<count { bar.store(0x100 + UInt32(index % 64) * 4, UInt32(index)) }
                #expect(rig.device.read(bar: 0, 0x100, .doubleWord) != UInt64(count) || count > 128, "not sent yet")
            }
            for index in max(0, count - 64)..<count {
                #expect(rig.device.read(bar: 0, 0x100 + UInt64(index % 64) * 4, .doubleWord) == UInt64(index))
            }
            let batches = (count + 127) / 128
            #expect(backing.counters.roundTrips - roundTrips == UInt64(batches))
            let expected = isMultiple ? batches : count
            let sent = rig.liar.commands[before...]
            #expect(sent.count == expected)
            #expect(sent.allSatisfy { $0 == (isMultiple ? .writeRegionMultiple : .writeRegion) })
        }
    }

    @Test func aLoadSeesTheStoresBeforeIt() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        let roundTrips = backing.counters.roundTrips
        let seen = bar.together {
            bar.store(Place.scratch, 1)
            bar.store(Place.scratch, 2)
            let seen = bar.load(Place.scratch)
            bar.store(Place.scratch, 3)
            // What else goes over the socket is behind them as well.
            _ = try? backing.readConfig(0, .word)
            #expect(rig.device.read(bar: 0, 0, .doubleWord) == 3)
            bar.together { bar.store(Place.scratch, 4) }
            #expect(rig.device.read(bar: 0, 0, .doubleWord) == 3, "the outer one has not ended")
            return seen
        }
        #expect(seen == 2)
        #expect(rig.device.read(bar: 0, 0, .doubleWord) == 4)
        #expect(backing.counters.roundTrips - roundTrips == 3)
    }

    @Test func aStoreWaitsForTheDeviceAndAPostedOneDoesNot() throws {
        for posts in [false, true] {
            var rig = try ClientRig()
            rig.options.postsStores = posts
            let backing = try rig.connect()
            let bar = try backing.mapBAR(0)
            bar.store(Place.scratch, 5)
            #expect(rig.device.read(bar: 0, 0, .doubleWord) == (posts ? 0 : 5))
            #expect(bar.load(Place.scratch) == 5)
            #expect(bar.doorbell(at: Place.doorbell) == nil || !posts, "a doorbell in memory would be ahead of a store")
            let memory = try backing.mapBAR(SampleDevice.memoryBAR)
            let before = rig.liar.commands.count
            memory.store(0x1000, 9)
            #expect(memory.load(0x1000) == 9)
            #expect((rig.liar.commands.count > before) == posts, "nor would memory be in order")
        }
    }

    @Test func partsOfABARThatAreMemoryNeedNoMessage() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        let bar = try backing.mapBAR(SampleDevice.memoryBAR)
        let before = rig.liar.commands.count
        for offset in [UInt32(0x1000), 0x3FFC] {
            bar.store(offset, offset ^ 0xABCD)
            #expect(bar.load(offset) == offset ^ 0xABCD)
            #expect(rig.device.read(bar: 2, UInt64(offset), .doubleWord) == UInt64(offset ^ 0xABCD))
        }
        #expect(rig.liar.commands.count == before)
        bar.store(0xFFC, 7)
        #expect(bar.load(0xFFC) == 7)
        #expect(rig.liar.commands.count == before + 2, "this part is not mapped")
        #expect(bar.load(0x4000) == ~0 && bar.load(0x1002) == ~0 && bar.load(.max) == ~0)
        // A store by message comes before one to memory.
        let registers = try backing.mapBAR(0)
        registers.together {
            registers.store(Place.scratch, 0x77)
            bar.store(0x1000, 1)
            #expect(rig.device.read(bar: 0, 0, .doubleWord) == 0x77)
        }
    }

    /// A file that its owner can truncate is not mapped, one that is shorter than it should be neither.
    @Test(arguments: [0x4000, 0x3000, 0])
    func memoryThatCouldGoIsReachedByMessage(_ byteCount: Int) throws {
        let file = try UnsealedFile(byteCount: max(byteCount, 1))
        let sealed = try SharedMemory(byteCount: 4096, name: "short")
        let raw = byteCount == 0 ? sealed.fileDescriptor : file.descriptor.raw
        let rig = try ClientRig { command, _, reply in
            guard command == .getRegionInfo, reply.payload[8] == 2, reply.payload.count > 32 else { return }
            reply.passesDescriptors = false
            reply.replacements = [raw]
        }
        let backing = try rig.connect()
        let bar = try backing.mapBAR(SampleDevice.memoryBAR)
        let before = rig.liar.commands.count
        bar.store(0x1000, 3)
        #expect(bar.load(0x1000) == 3)
        #expect(rig.liar.commands.count == before + 2)
        #expect(rig.device.read(bar: 2, 0x1000, .doubleWord) == 3)
    }

    @Test func aDoorbellRingsWithoutAMessage() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        let doorbell = try #require(bar.doorbell(at: Place.doorbell))
        #expect(bar.doorbell(at: Place.scratch) == nil)
        let before = rig.liar.commands.count
        let page = rig.device.host.doorbells
        doorbell.ring(41)
        #expect(page.load(0) == 41)
        page.setSleeping(true)
        doorbell.ring(42)
        var wait = pollfd(fd: page.wakeDescriptor, events: Int16(POLLIN), revents: 0)
        // SAFETY: one pollfd, on this stack.
        #expect(unsafe poll(&wait, 1, 0) == 1, "it sleeps, so it is woken")
        page.setSleeping(false)
        #expect(page.load(0) == 42)
        #expect(rig.liar.commands.count == before)
        // By message it is the same doorbell.
        bar.store(Place.doorbell, 43)
        #expect(page.load(0) == 43)
    }

    /// A server that has filled its eventfd, and has made it one that blocks.
    @Test(.timeLimit(.minutes(1))) func ringingADoorbellNeverWaits() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        let doorbell = try #require(try backing.mapBAR(0).doorbell(at: Place.doorbell))
        let page = rig.device.host.doorbells
        page.setSleeping(true)
        var most = UInt64.max - 1
        // SAFETY: a local of 8 bytes.
        #expect(unsafe write(page.wakeDescriptor, &most, 8) == 8)
        #expect(fcntl(page.wakeDescriptor, F_SETFL, 0) == 0)
        doorbell.ring(1)
        #expect(page.load(0) == 1)
    }

    /// libvfio-user has no word that says whether the server sleeps: it is woken each time.
    @Test func aServerWithoutASleepWordIsAlwaysWoken() throws {
        let rig = try ClientRig { command, _, reply in
            guard command == .version else { return }
            reply.payload = bytes {
                $0.append(UInt32(0))
                $0.append(#"{"capabilities":{"max_msg_fds":8}}"#)
                $0.append(UInt8(0))
            }
        }
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        try #require(bar.doorbell(at: Place.doorbell)).ring(1)
        #expect(clinux_drain_eventfd(rig.device.host.doorbells.wakeDescriptor) == 1)
    }

    @Test func oddSizesAndPlacesAreRefused() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        let error = #expect(throws: DeviceError.self) { try backing.readConfig(0, .quadWord) }
        #expect(error?.code == .invalidArgument)
        #expect(throws: DeviceError.self) { try backing.writeConfig(0, .quadWord, 0) }
        #expect(try backing.readConfig(4095, .word) == 0xFFFF)
        for index in [-1, 1, 6, Int.max] { #expect(throws: DeviceError.self) { try backing.mapBAR(index) } }
    }

    /// A refused access is all ones, or dropped; the connection goes on.
    @Test func aRefusedAccessIsLikeOneToNowhere() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        rig.liar.lie = { command, _, reply in
            if command == .readRegion || command == .writeRegion { reply.refuse(EINVAL) }
        }
        #expect(bar.load(Place.scratch) == ~0)
        bar.store(Place.scratch, 1)
        #expect(try backing.readConfig(0, .byte) == 0xFF)
        try backing.writeConfig(0x3C, .byte, 1)
        #expect(backing.isConnected)
        #expect(backing.counters.refused == 4)
        rig.liar.lie = { _, _, _ in }
        #expect(bar.load(Place.scratch) == 1)
    }
}

@Suite struct ClientInterruptTests {
    @Test func everyVectorHasAnEventfdOfItsOwn() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        #expect(backing.vectorCount == SampleDevice.vectors)
        #expect(backing.canAddVectors)
        let bar = try backing.mapBAR(0)
        var leases = InlineArray<20, InterruptLease?> { _ in nil }
        for index in [3, 0, 19, 7] { leases[index] = try backing.attachVector(index, cpu: nil) }
        #expect(rig.census.outstanding == ["interrupt vector": 4])
        for round in 0..<3 {
            for index in [0, 3, 7, 19] {
                bar.store(Place.fire, UInt32(index))
                for other in [0, 3, 7, 19] {
                    let fired = leases[other]?.consume()
                    #expect(fired == (other == index), "round \(round), vector \(index)")
                }
            }
        }
        leases[7] = nil
        bar.store(Place.fire, 7)
        let others = leases[3]?.consume() == true || leases[0]?.consume() == true
        #expect(!others)
        // Kept pending by the device, for the next holder.
        leases[7] = try backing.attachVector(7, cpu: nil)
        let pending = leases[7]?.consume()
        #expect(pending == true)
    }

    /// Where vectors cannot be added, all are set anew, in as many messages as the descriptors need; nobody misses one.
    @Test(arguments: [16, 3, 1])
    func vectorsThatCannotBeAddedAreSetAnew(_ mostDescriptors: Int) throws {
        let rig = try ClientRig { command, _, reply in
            if command == .getInterruptInfo { reply.set(4, UInt32(9)) }
            guard command == .version else { return }
            reply.payload = bytes {
                $0.append(UInt32(0))
                $0.append(#"{"capabilities":{"max_msg_fds":\#(mostDescriptors)}}"#)
                $0.append(UInt8(0))
            }
        }
        let backing = try rig.connect()
        #expect(!backing.canAddVectors)
        let bar = try backing.mapBAR(0)
        var first = try backing.attachVector(2, cpu: nil)
        bar.store(Place.fire, 2)
        let before = rig.liar.commands.count
        var second = try backing.attachVector(5, cpu: nil)
        let messages = rig.liar.commands[before...].filter { $0 == .setInterrupts }.count
        #expect(messages == 1 + (6 + mostDescriptors - 1) / mostDescriptors, "disable, then vectors 0 to 5")
        #expect(first.consume() == true, "a message before it is still there")
        _ = second.consume()
        for _ in 0..<2 {
            bar.store(Place.fire, 5)
            #expect(second.consume() == true)
            #expect(first.consume() == false)
            bar.store(Place.fire, 2)
            #expect(first.consume() == true)
        }
        end(first)
        bar.store(Place.fire, 5)
        #expect(second.consume() == true)
    }

    @Test func aRefusedVectorOrMappingLeavesNothing() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        rig.liar.lie = { command, _, reply in
            if command == .setInterrupts || command == .mapDMA { reply.refuse(ENOSPC) }
        }
        let vector = try #require(throws: DeviceError.self) { end(try backing.attachVector(0, cpu: nil)) }
        #expect(vector.code == .refused && vector.description.contains("No space left"))
        let memory = try SharedMemory(byteCount: 4096, name: "test")
        let mapping = try #require(throws: DeviceError.self) { end(try backing.mapDMA(memory, .both)) }
        #expect(mapping.code == .refused && mapping.operation == "map DMA")
        #expect(rig.census.outstanding.isEmpty)
        rig.liar.lie = { _, _, _ in }
        end(try backing.attachVector(0, cpu: nil))
        end(try backing.mapDMA(memory, .both))
        #expect(rig.device.host.memory.mappingCount == 1, "the one that the server had made before the lie")
    }

    @Test func aServerSaysHowManyMappingsItTakes() throws {
        let rig = try ClientRig { command, _, reply in
            guard command == .version else { return }
            reply.payload = bytes {
                $0.append(UInt32(0))
                $0.append(#"{"capabilities":{"max_msg_fds":8,"max_dma_maps":1}}"#)
                $0.append(UInt8(0))
            }
        }
        let backing = try rig.connect()
        let memory = try SharedMemory(byteCount: 4096, name: "test")
        let first = try backing.mapDMA(memory, .both)
        let error = try #require(throws: DeviceError.self) { end(try backing.mapDMA(memory, .both)) }
        #expect(error.code == .noResource)
        end(first)
        end(try backing.mapDMA(memory, .both))
    }
}

@Suite struct ClientResetTests {
    @Test func aResetLeavesConfigurationMappingsAndVectors() throws {
        let rig = try ClientRig()
        let backing = try rig.connect()
        let bar = try backing.mapBAR(0)
        var vector = try backing.attachVector(4, cpu: nil)
        let buffer = try backing.allocateDMA(byteCount: 4096, .both, purpose: "test")
        try backing.writeConfig(ConfigSpace.Offset.command, .word, 6)
        bar.store(Place.scratch, 1)
        let addresses = try (0..<6).map { try backing.readConfig(0x10 + UInt16($0) * 4, .doubleWord) }
        #expect(addresses[0] != 0 && addresses[2] & ~0xF != 0)
        try backing.reset()
        #expect(rig.device.resets == 1)
        #expect(bar.load(Place.scratch) == 0)
        #expect(try (0..<6).map { try backing.readConfig(0x10 + UInt16($0) * 4, .doubleWord) } == addresses)
        #expect(try backing.readConfig(ConfigSpace.Offset.command, .word) == 6)
        bar.store(Place.fire, 4)
        #expect(vector.consume() == true)
        #expect(bar.transfer(2, at: buffer.iova, 0x1122).isAllowed)
    }

    @Test func aServerThatCannotReset() throws {
        let rig = try ClientRig { command, _, reply in
            if command == .getDeviceInfo { reply.set(4, DeviceInfo.isPCI) }
        }
        let backing = try rig.connect()
        let error = #expect(throws: DeviceError.self) { try backing.reset() }
        #expect(error?.code == .refused)
    }
}

@Suite struct ReconnectionTests {
    private final class SocketBox {
        private var socket: OwnedDescriptor?
        init(_ socket: consuming OwnedDescriptor) { self.socket = .some(socket) }
        func take() throws -> OwnedDescriptor {
            guard let socket = socket.take() else { throw SystemError("take", code: EINVAL) }
            return socket
        }
    }

    /// The far side that has its turn while the client waits.
    private final class Current: @unchecked Sendable {
        // SAFETY (Sendable): one thread.
        var far: FarSide?
        func takeTurn() { far?.liar.takeTurn() }
    }

    private func makeParts(keepsState: Bool) throws -> (VFIOUserBacking, Current, Census) {
        let current = Current()
        let pair = try UnixSocket.pair()
        var serverOptions = VFIOUserServerOptions()
        serverOptions.keepsState = keepsState
        current.far = try FarSide(pair.second, serverOptions)
        var options = VFIOUserOptions()
        options.replyNanoseconds = 100_000_000
        let clock = VirtualClock()
        options.clock = .virtual(clock)
        options.whileWaiting = {
            clock.advance(nanoseconds: 20_000)
            current.takeTurn()
        }
        let census = Census()
        return (
            try VFIOUserBacking(pair.first, name: "test:sample", options: options, census: census), current, census
        )
    }

    /// Another server for the device, or for another one, and what connects to it.
    private func newFarSide(_ device: SampleDevice?, keepsState: Bool) throws -> (FarSide, SocketBox) {
        let pair = try UnixSocket.pair()
        var options = VFIOUserServerOptions()
        options.keepsState = keepsState
        return (try FarSide(pair.second, device: device, options), SocketBox(pair.first))
    }

    @Test(arguments: [true, false])
    func allThatWasLentIsThereAgain(_ keepsState: Bool) throws {
        let (backing, current, census) = try makeParts(keepsState: keepsState)
        let device = try #require(current.far).device
        do {
            let bar = try backing.mapBAR(0)
            let memory = try backing.mapBAR(SampleDevice.memoryBAR)
            let doorbell = try #require(bar.doorbell(at: Place.doorbell))
            let first = try backing.attachVector(1, cpu: nil)
            var second = try backing.attachVector(9, cpu: nil)
            let buffer = try backing.allocateDMA(byteCount: 8192, .both, purpose: "test")
            bar.store(Place.scratch, 0xBEEF)
            memory.store(0x1004, 0xCAFE)

            // The connection goes, its server sees that, and another one takes its place.
            let server = try #require(current.far).server
            current.far = nil
            #expect(server.poll())
            #expect(device.host.memory.mappingCount == 0)
            #expect(bar.load(Place.scratch) == ~0)
            #expect(!backing.isConnected)
            #expect(memory.load(0x1004) == ~0, "memory is there, but no device behind it")
            let (far, socket) = try newFarSide(device, keepsState: keepsState)
            current.far = far
            try backing.reconnect(over: socket.take())

            #expect(backing.isConnected)
            #expect(bar.load(Place.scratch) == (keepsState ? 0xBEEF : 0))
            #expect(memory.load(0x1004) == 0xCAFE)
            memory.store(0x1004, 0xF00D)
            #expect(device.read(bar: 2, 0x1004, .doubleWord) == 0xF00D)
            doorbell.ring(5)
            #expect(device.host.doorbells.load(0) == 5)
            bar.store(Place.fire, 9)
            #expect(second.consume() == true)
            #expect(first.firedCount == 0)
            #expect(bar.transfer(2, at: buffer.iova + 4096, 0x5566).isAllowed)
            #expect(unsafe buffer.base.load(fromByteOffset: 4096, as: UInt32.self) == 0x5566)
            #expect(try backing.readConfig(ConfigSpace.Offset.command, .word) & 2 == 2)
        }
        #expect(census.outstanding.isEmpty)
        #expect(device.host.memory.mappingCount == 0)
    }

    @Test func anotherDeviceIsRefused() throws {
        let (backing, current, _) = try makeParts(keepsState: true)
        let bar = try backing.mapBAR(0)
        let (far, socket) = try newFarSide(nil, keepsState: true)
        far.liar.lie = { command, _, reply in
            if command == .getRegionInfo, reply.payload[8] == 0 { reply.set(16, UInt64(0x2000)) }
        }
        current.far = far
        let error = try #require(throws: DeviceError.self) { try backing.reconnect(over: socket.take()) }
        #expect(error.code == .badContents && error.operation == "reconnect")
        #expect(!backing.isConnected)
        #expect(bar.load(Place.scratch) == ~0)
        #expect(throws: DeviceError.self, "there is no path to find it at") { try backing.reconnect() }
    }
}
