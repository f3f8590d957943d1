// The socket as a lender: what it refuses, that each end is out once, what is left when all is given back.

import Glibc
import Leases
import Memory
import Testing
import XSK

@Suite struct SocketTests {
    @Test(arguments: XSKRing.allCases, [UInt32(0), 3, 12, 1 << 27, .max])
    func ringSizesArePowersOfTwo(ring: XSKRing, size: UInt32) throws {
        var sizes = XSKRingSizes(receive: 8, transmit: 8, fill: 8, completion: 8)
        switch ring {
        case .receive: sizes.receive = size
        case .transmit: sizes.transmit = size
        case .fill: sizes.fill = size
        case .completion: sizes.completion = size
        }
        let umem = try makeUMEM()
        #expect(throws: XSKError.ringSize(ring, size)) { _ = try XSKSocket(umem: umem, rings: sizes) }
    }

    @Test(arguments: [XSKBindFlags.copy, .sharedUMEM, .scatterGather, [.copy, .zeroCopy], .init(rawValue: 32)])
    func bindFlagsThatNoDriverHereHasAreRefused(flags: XSKBindFlags) throws {
        let umem = try makeUMEM()
        #expect(throws: XSKError.bindFlags(flags)) { _ = try XSKSocket(umem: umem, flags: flags) }
    }

    @Test func eachEndIsLentOnce() throws {
        let census = Census()
        let socket = try makeSocket(makeUMEM(), census: census)
        do {
            let pool = try socket.takePool()
            let program = try socket.takeProgram()
            #expect(census.outstanding == ["XSK pool": 1, "XSK program": 1])
            #expect(throws: XSKError.taken("pool")) { _ = try socket.takePool() }
            #expect(throws: XSKError.taken("program's end")) { _ = try socket.takeProgram() }
            #expect(pool.outstandingTransmitFrames == 0)
            #expect(program.umem.chunkCount == 16)
        }
        #expect(census.outstanding.isEmpty)
        _ = try socket.takePool()
        _ = try socket.takeProgram()
        #expect(census.outstanding.isEmpty)
    }

    @Test func theEndsGoOnWhereTheyWere() throws {
        let socket = try makeSocket(makeUMEM(), size: 2, firstIndex: .max)
        for round in 0..<5 {
            let address = UInt64(round) * 2048
            var program = try socket.takeProgram()
            let sent = program.send(address)
            #expect(sent)
            do {
                var pool = try socket.takePool()
                #expect(pool.peek().map(\.address) == [address])
                pool.finish(address)
            }
            #expect(program.reapAll() == [address])
        }
    }

    /// The words in the rings are the other side's to read; somebody's writing to them does not move this side.
    @Test func aStrangerCannotMoveTheDriversPositions() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        _ = program.send(2048)
        do {
            var pool = try socket.takePool()
            #expect(pool.peek().count == 1)
            pool.finish(2048)
        }
        let transmit = try ForeignRing(.transmit, of: socket)
        transmit.consumer = 0
        var pool = try socket.takePool()
        #expect(pool.peek().isEmpty)
    }

    @Test func aStrangerSeesTheSameBytesAtTheABIsOffsets() throws {
        let socket = try makeSocket(makeUMEM())
        var program = try socket.takeProgram()
        var pool = try socket.takePool()
        let transmit = try ForeignRing(.transmit, of: socket)
        let completion = try ForeignRing(.completion, of: socket)
        let fill = try ForeignRing(.fill, of: socket)
        let receive = try ForeignRing(.receive, of: socket)

        let descriptor = XSKDescriptor(address: 0x1810, length: 77, options: .transmitMetadata)
        _ = program.put(descriptor)
        program.submit()
        #expect(transmit.descriptor(0) == descriptor)
        #expect(transmit.producer == 1)
        #expect(transmit.consumer == 0)
        #expect(pool.peek().count == 1)
        #expect(transmit.consumer == 1)
        pool.finish(0x1810)
        #expect(completion.address(0) == 0x1810)
        #expect(completion.producer == 1)

        _ = program.lend(4096)
        #expect(fill.address(0) == 4096)
        #expect(pool.take() == [4096])
        #expect(fill.consumer == 1)
        _ = pool.deliver(address: 4352, length: 60)
        pool.publishReceived()
        #expect(receive.descriptor(0) == XSKDescriptor(address: 4352, length: 60))
        #expect(receive.producer == 1)
    }

    @Test func theRingsFileCannotBeShrunk() throws {
        let socket = try makeSocket(makeUMEM())
        for ring in XSKRing.allCases { #expect(ftruncate(socket.fileDescriptor(of: ring), 0) == -1) }
        #expect(ftruncate(socket.umem.memory.fileDescriptor, 0) == -1)
    }

    @Test func theProgramIsToldWhenToKick() throws {
        let socket = try makeSocket(makeUMEM())
        let program = try socket.takeProgram()
        let transmit = try ForeignRing(.transmit, of: socket)
        let fill = try ForeignRing(.fill, of: socket)
        do {
            var pool = try socket.takePool()
            // As in the kernel, the first frame must be announced.
            #expect(program.transmitNeedsWakeup == true)
            #expect(program.fillNeedsWakeup == false)
            pool.setNeedWakeup(transmit: false)
            pool.setNeedWakeup(fill: true)
            #expect(program.transmitNeedsWakeup == false)
            #expect(program.fillNeedsWakeup == true)
            #expect(transmit.flags == 0)
            #expect(fill.flags == 1)
        }
        _ = try socket.takePool()
        #expect(transmit.flags == 1)
        #expect(fill.flags == 0)
    }

    @Test func withoutNeedWakeupTheProgramAlwaysKicks() throws {
        let socket = try makeSocket(makeUMEM(), flags: .zeroCopy)
        let program = try socket.takeProgram()
        var pool = try socket.takePool()
        pool.setNeedWakeup(transmit: true)
        pool.setNeedWakeup(fill: false)
        let transmit = try ForeignRing(.transmit, of: socket)
        #expect(transmit.flags == 0)
        #expect(program.transmitNeedsWakeup == true)
        #expect(program.fillNeedsWakeup == true)
    }

    @Test func aKickIsSeenOnce() throws {
        let socket = try makeSocket(makeUMEM())
        let program = try socket.takeProgram()
        let pool = try socket.takePool()
        #expect(pool.consumeKick() == false)
        program.kick()
        program.kick()
        var wake = pollfd(fd: pool.wakeDescriptor, events: Int16(POLLIN), revents: 0)
        // SAFETY: the address of a local.
        // SAFETY: one pollfd, on this stack.
        let ready = unsafe poll(&wake, 1, 0)
        #expect(ready == 1)
        #expect(pool.consumeKick() == true)
        #expect(pool.consumeKick() == false)
    }

    @Test func aFrameToSendIs16Bytes() {
        #expect(MemoryLayout<XSKTransmitFrame>.stride == 16)
    }
}
