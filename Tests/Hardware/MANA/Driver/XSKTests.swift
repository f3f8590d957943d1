// Zero copy: a program's frames on the card's rings, and what a hostile one gets.

import Backing
import Clock
import Leases
import MANADriver
import MANAModel
import MANAWire
import Memory
import Rings
import TestFrames
import TestQueues
import Testing
import XSK

@Suite("MANA: XSK", .overEveryBacking)
struct XSKTests {
    @Test("A program's frames leave and come, lap after lap, and all chunks are its own at the end")
    func bothWays() throws {
        let rig = Rig()
        do {
            let device = try rig.open()
            let port = try device.openPort()
            var program = try Program(chunks: 256, refills: true, census: rig.census)
            do {
                var queue = try port.openXSKQueue(0, try program.socket.takePool(), entries: 128)
                program.provide(128..<256)
                // Chunks go to the card in batches of 32.
                for _ in 0..<8 { _ = queue.poll() }
                try port.steer()
                for round in 0..<40 {
                    for chunk in 0..<32 {
                        program.send(testFrame(UInt8(chunk), length: 60 + round), chunk: chunk)
                        #expect(rig.send(testFrame(UInt8(chunk), length: 61 + round)))
                    }
                    for _ in 0..<4 {
                        _ = queue.poll()
                        rig.settle()
                    }
                    let out = rig.arrivals()
                    #expect(out == (0..<32).map { testFrame(UInt8($0), length: 60 + round) }, "round \(round)")
                    same(program.completions(), Array(0..<32))
                    same(program.received().map { $0.frame }, (0..<32).map { testFrame(UInt8($0), length: 61 + round) })
                }
                let statistics = try device.statistics()
                #expect(value("tx_0_xdp_xmit", statistics) == 1280)
                #expect(value("rx_0_xdp_redirect", statistics) == 1280)
                #expect(value("rx_0_xdp_drop", statistics) == 0)
                program.send(testFrame(1), chunk: 1)
                program.send(testFrame(2), chunk: 2)
                _ = queue.poll()
            }
            same(program.completions(), [1, 2], "what the card had comes back when the queue ends")
            same(program.socket.diagnostics.lostTransmitFrames, 0)
            same(program.socket.diagnostics.lostReceiveChunks, 0)
        }
        #expect(rig.isClean, "\(rig.census.outstanding) \(rig.model.holdings)")
    }

    @Test("A request for a stamp is answered: the card has none; a checksum is completed")
    func requests() throws {
        let rig = Rig()
        let device = try rig.open()
        let port = try device.openPort()
        var program = try Program(chunks: 256, refills: true, census: rig.census)
        var queue = try port.openXSKQueue(0, try program.socket.takePool(), entries: 128)
        program.send(testFrame(1), chunk: 1, stamped: true)
        _ = queue.poll()
        rig.settle()
        _ = queue.poll()
        #expect(rig.arrivals() == [testFrame(1)])
        same(program.completions(), [1])
        let outcome = program.end.stamp(of: program.address(1))
        #expect(outcome == .disabled)

        let whole = ipv4Frame(17, udp(payload(100)))
        var frame = whole
        frame.set16(pseudoHeaderSum(17, addresses: [UInt8](whole[26..<34]), byteCount: whole.count - 34), at: 40)
        let address = program.address(3)
        // SAFETY: bytes have no padding.
        _ = unsafe program.socket.umem.write(frame.span.bytes, at: address)
        let words = XSKMetadataRequest(checksumStart: 34, checksumOffset: 6, launchTime: 0)
        same(program.end.write(.checksum, words, at: address), true)
        same(
            program.end.put(
                XSKDescriptor(address: address, length: UInt32(frame.count), options: .transmitMetadata)
            ),
            true
        )
        program.end.submit()
        _ = queue.poll()
        rig.settle()
        #expect(rig.arrivals() == [whole])
    }

    @Test("Chunks too short for a frame are refused, and the pool goes back")
    func shortChunks() throws {
        let rig = Rig()
        let device = try rig.open()
        var configuration = MANAConfiguration()
        configuration.maximumFrameBytes = 4000
        let program = try Program(chunks: 256, refills: true, census: rig.census)
        do {
            let jumbo = try device.suspend().with(configuration).resume()
            let port = try jumbo.openPort()
            #expect(throws: DeviceError.self) {
                _ = try port.openXSKQueue(0, try program.socket.takePool(), entries: 128)
            }
            let pool = try program.socket.takePool()
            _ = consume pool
        }
    }

    @Test("Descriptors outside the umem, empty ones and those that are too long are counted; good ones behind go out")
    func hostileProgram() throws {
        let rig = Rig { $0.longestFrame = 1514 }
        let device = try rig.open()
        let port = try device.openPort()
        var program = try Program(chunks: 256, refills: true, census: rig.census)
        var queue = try port.openXSKQueue(0, try program.socket.takePool(), entries: 128)
        let end = UInt64(256 * 4096)
        let lies: [(UInt64, UInt32)] = [
            (end, 60), (end - 59, 60), (1 << 63, 60), (.max - 31, 60), (0, 60), (32, 1515), (32, 0),
        ]
        for (address, length) in lies {
            _ = program.end.put(XSKDescriptor(address: address, length: length))
            program.send(testFrame(5), chunk: 5)
            for _ in 0..<3 {
                _ = queue.poll()
                rig.settle()
            }
            #expect(rig.arrivals() == [testFrame(5)], "after \(address), \(length)")
            same(program.completions().last, 5)
        }
        #expect(rig.model.counters.dmaFaults == 0)
    }
}
