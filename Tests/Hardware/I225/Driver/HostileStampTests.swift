// Stamp registers that hold what cannot be: a request ends with its own stamp or a word, never with another's.

import Backing
import Clock
import I225Driver
import I225Model
import I225Wire
import Registers
import TestQueues
import Testing
import XSK

@Suite("Stamp registers that lie", .overEveryBacking)
struct HostileStampTests {
    private static let registers = (0..<4).flatMap {
        [I225Register.transmitStampLow($0).offset, I225Register.transmitStampHigh($0).offset]
    }

    @Test(
        "Values that are no time are nobody's stamp; requests end at their deadline",
        arguments: [0xFFFF_FFFF, 1_000_000_000] as [UInt32]
    )
    func impossible(_ made: UInt32) throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        let device = try rig.open(on: HookedBacking(rig.backing, hooks))
        hooks.answer = { offset, value in
            if offset == I225Register.transmitStampControl.offset { return value | 0xF }
            return Self.registers.contains(offset) ? made : value
        }
        #expect(try outcomes(rig, device) == [.timedOut, .timedOut, .timedOut, .timedOut])
        #expect(device.stampCounters.stamped == 0)
    }

    @Test("A register that holds an old value since before the start does not give it away")
    func oldValue() throws {
        let rig = Rig { $0.stampFaults = [0: .lost, 1: .lost, 2: .lost, 3: .lost] }
        let hooks = RegisterHooks()
        hooks.answer = { offset, value in Self.registers.contains(offset) ? 12_345 : value }
        let device = try rig.open(on: HookedBacking(rig.backing, hooks))
        #expect(try outcomes(rig, device) == [.timedOut, .timedOut, .timedOut, .timedOut])
    }

    @Test("A valid bit that stays set gives each stamp once, and no old one to the next request")
    func stuckValid() throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        let device = try rig.open(on: HookedBacking(rig.backing, hooks))
        hooks.answer = { offset, value in
            offset == I225Register.transmitStampControl.offset ? value | 0xF : value
        }
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        for round in 0..<10 {
            for chunk in 0..<4 { program.send(testFrame(UInt8(round * 4 + chunk)), chunk: chunk, stamped: true) }
            // The driver looks before the frames are out, while they go, and after.
            for _ in 0..<4 {
                _ = queue.poll()
                rig.advance(nanoseconds: 3_000)
            }
            _ = queue.poll()
            let truth = Dictionary(uniqueKeysWithValues: rig.timedArrivals().map { ($0.frame, $0.deviceTime) })
            #expect(program.completions().sorted() == [0, 1, 2, 3])
            for chunk in 0..<4 {
                let expected = truth[testFrame(UInt8(round * 4 + chunk))]
                #expect(program.outcome(chunk) == expected.map { .stamped(nanoseconds: $0) })
            }
        }
    }

    @Test("Stamps that nobody asked for go nowhere")
    func unasked() throws {
        let rig = Rig()
        let hooks = RegisterHooks()
        var device = try rig.open(on: HookedBacking(rig.backing, hooks))
        let vectors = try device.enableInterrupts(queueCount: 0)
        var made: UInt32 = 0
        hooks.answer = { offset, value in
            if offset == I225Register.transmitStampControl.offset { return value | 0xF }
            if offset == I225Register.interruptCause.offset || offset == I225Register.timeSyncCause.offset { return ~1 }
            made += 1
            return Self.registers.contains(offset) ? made : value
        }
        let program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        let before = program.socket.umem.read(at: 0, length: 4096 * 64)
        for _ in 0..<100 {
            _ = queue.poll()
            rig.model.setCable(plugged: false)
            rig.model.setCable(plugged: true)
            rig.advance(nanoseconds: 100_000)
            _ = try device.service()
        }
        #expect(device.stampCounters.stamped == 0)
        #expect(device.stampCounters.late > 0)
        #expect(program.socket.umem.read(at: 0, length: 4096 * 64) == before)
        _ = consume vectors
    }

    /// Four requests, given the time to end.
    private func outcomes<Backing: PCIeBacking>(
        _ rig: Rig,
        _ device: borrowing I225Device<Backing>
    ) throws -> [TransmitStampOutcome?] {
        var program = try Program(census: rig.census)
        var queue = try device.openXSKQueue(0, try program.socket.takePool())
        for chunk in 0..<4 { program.send(testFrame(UInt8(chunk)), chunk: chunk, stamped: true) }
        for _ in 0..<30 {
            _ = queue.poll()
            rig.advance(nanoseconds: 500_000)
        }
        #expect(program.completions().sorted() == [0, 1, 2, 3])
        return (0..<4).map { program.outcome($0) }
    }
}
