// BAR 0's registers and the shared-memory window: the way to a hardware channel, and every way to be refused one.

import Backing
import Clock
import MANAModel
import MANAWire
import Memory
import PCIe
import Registers
import Testing

@Suite(.bothMemoryWays) struct WindowTests {
    // MARK: Registers

    @Test func aVirtualFunctionsRegisters() throws {
        let rig = try ControlRig()
        #expect(rig.readRegister(0x08) == 0x1_0000)
        #expect(rig.readRegister(0x10, .doubleWord) == 0x1000)
        #expect(rig.readRegister(0x18) == 0x3100)
        #expect(rig.readRegister(0x18, .doubleWord) == 0x3100 && rig.readRegister(0x1C, .doubleWord) == 0)
        #expect(rig.readRegister(0xC8) == 0 && rig.readRegister(0x108) == 0)
    }

    @Test func aPhysicalFunctionsRegisters() throws {
        let rig = try ControlRig { $0.deviceID = .physicalFunction }
        #expect(rig.readRegister(0xC8) == 0x1_0000)
        #expect(rig.readRegister(0xD0, .doubleWord) == 0x1000)
        #expect(rig.readRegister(0x108) == 0x3000)
        #expect(rig.readRegister(0x3070) == 0x100, "counted from the configuration base")
        #expect(rig.readRegister(0x08) == 0)
        #expect(rig.establish() == 0x81)
    }

    @Test func theSecondPhysicalFunctionHasTheVirtualOnesRegisters() throws {
        let rig = try ControlRig { $0.deviceID = .physicalFunction2 }
        #expect(rig.readRegister(0x08) == 0x1_0000 && rig.readRegister(0xC8) == 0)
        #expect(rig.establish() == 0x81)
    }

    /// A register above 32 bits tells its halves apart.
    @Test func halvesOfARegister() throws {
        let rig = try ControlRig { $0.faults.registers[0x08] = 0x1234_5678_9ABC_DEF0 }
        #expect(rig.readRegister(0x08, .doubleWord) == 0x9ABC_DEF0)
        #expect(rig.readRegister(0x0C, .doubleWord) == 0x1234_5678)
        #expect(rig.readRegister(0x0A, .word) == 0x9ABC && rig.readRegister(0x0B, .byte) == 0x9A)
        #expect(rig.readRegister(0x0A, .doubleWord) == 0x5678_9ABC)
    }

    // MARK: Setting up

    @Test func theWindowSetsUpAChannelAndTakesItDown() throws {
        let rig = try ControlRig()
        let vector = try rig.attach(0)
        #expect(rig.readWindow(7) == 0, "the window is the driver's")
        #expect(rig.establish() == 0x0000_0081)
        #expect(vector.consume())
        #expect(vector.firedCount == 1, "armed once: one message for all events")
        #expect(
            rig.takeEvents() == [
                .channelQueue(id: 0, doorbellPage: 0),
                .channelItem(.completionQueue, 0), .channelItem(.receiveQueue, 0), .channelItem(.sendQueue, 0),
                .channelItem(.queueDepth, 1), .channelItem(.longestRequest, 4096),
                .channelItem(.longestResponse, 4096), .channelItem(.completionQueueLimit, 257),
                .channelItem(.protectionDomain, 0), .channelItem(.memoryKey, 0x11),
                .channelItem(.destinationReceiveQueue, 0), .channelItem(.destinationCompletionQueue, 0),
                Event(.channelDone),
            ]
        )
        #expect(rig.destroy() == 0x0000_0082)
        #expect(rig.establish() == 0x81, "and up again")
        #expect(rig.model.counters.channelsEstablished == 2)
    }

    /// The vector is the window's to say, not always 0.
    @Test func theWindowNamesTheVector() throws {
        let rig = try ControlRig()
        let vector = try rig.attach(7)
        var setup = rig.setup
        setup.vector = 7
        rig.writeWindow(setup.words)
        #expect(rig.readWindow(7) == 0x81)
        #expect(vector.consume())
    }

    @Test func destroyWithoutAChannelIsNoError() throws {
        let rig = try ControlRig()
        #expect(rig.destroy() == 0x82)
    }

    /// Every field wrong in turn: an answer with a status, no channel, nothing on loan.
    @Test(arguments: 0..<12) func everyFieldWrongInTurn(field: Int) throws {
        let rig = try ControlRig()
        var setup = rig.setup
        var header = ChannelHeader.request(.establish)
        switch field {
        case 0: setup.eventFrame = 0x7_0000
        case 1: setup.completionFrame = 0x7_0000
        case 2: setup.receiveFrame = 0x7_0000
        case 3: setup.sendFrame = 0x7_0000
        // Bits 51:48, which dword 6 has.
        case 4: setup.eventFrame |= 1 << 48
        case 5: setup.sendFrame |= 8 << 48
        case 6: setup.vector = 16
        case 7: setup.vector = 0xFFFF
        case 8: header[.version] = 1
        case 9: header[.command] = 0
        case 10: header[.command] = 3
        default: header[.command] = 7
        }
        var words = setup.words
        words[7] = header.raw
        rig.writeWindow(words)
        let answer = ChannelHeader(raw: rig.readWindow(7))
        #expect(answer[.isResponse] && answer[.status] != 0 && !answer[.isDevices])
        #expect(answer[.command] == header[.command])
        #expect(rig.model.counters.channelsEstablished == 0 && rig.model.counters.channelsRefused == 1)
        #expect(rig.takeEvents().isEmpty)
        #expect(rig.establish() == 0x81, "the next one is right")
    }

    @Test func aSecondSetUpIsRefusedAndTheFirstLives() throws {
        let rig = try ControlRig.ready()
        rig.writeWindow(rig.setup.words)
        #expect(ChannelHeader(raw: rig.readWindow(7))[.status] != 0)
        _ = try rig.demand(Message<ListDevices>(to: .channel))
    }

    @Test func aFunctionThatMayNotUseTheBusHasNoChannel() throws {
        let rig = try ControlRig()
        rig.allowBus(false)
        #expect(ChannelHeader(raw: rig.establish())[.status] != 0)
        rig.allowBus()
        #expect(rig.establish() == 0x81)
    }

    @Test func theWindowTakesWholeDwords() throws {
        let rig = try ControlRig()
        let words = rig.setup.words
        for index in stride(from: 0, to: 8, by: 2) {
            rig.model.write(
                bar: 0,
                rig.options.layout.windowOffset + UInt64(4 * index),
                .quadWord,
                UInt64(words[index]) | UInt64(words[index + 1]) << 32
            )
        }
        #expect(rig.readWindow(7) == 0x81)
        rig.model.write(bar: 0, rig.options.layout.windowOffset + 28, .byte, 2)
        #expect(rig.readWindow(7) == 0x81)
        #expect(rig.model.counters.oddWrites == 1)
    }

    // MARK: Broken windows

    @Test func aWindowThatStaysTheDevices() throws {
        let rig = try ControlRig { $0.faults.window = .staysDevices }
        #expect(rig.readWindow(7) == 0x8000_0000)
        #expect(rig.establish() == 0x8000_0000, "what is written is not taken")
        #expect(rig.readWindow(0) == 0)
    }

    @Test func aWindowThatIsNeverGivenBack() throws {
        let rig = try ControlRig { $0.faults.window = .neverAnswers }
        #expect(rig.establish() == 0x8000_0001)
        rig.advance(nanoseconds: 3_600_000_000_000)
        #expect(rig.readWindow(7) == 0x8000_0001)
    }

    @Test func aWindowThatIsGivenBackLate() throws {
        let rig = try ControlRig { $0.faults.window = .late(5_000_000) }
        #expect(rig.establish() == 0x8000_0001)
        #expect(rig.model.nextDeadline == 6_000_000)
        rig.advance(nanoseconds: 4_999_999)
        #expect(rig.readWindow(7) == 0x8000_0001)
        rig.clock.advance(nanoseconds: 1)
        #expect(rig.readWindow(7) == 0x81, "a look at the window is enough")
        #expect(rig.takeEvents().count == 13)
        #expect(rig.model.nextDeadline == nil)
    }

    @Test(arguments: [UInt32(0x181), 0x82, 0x01, 0xC1, 0xFFFF_FFFF]) func aWindowThatLies(answer: UInt32) throws {
        let rig = try ControlRig { $0.faults.window = .answers(answer) }
        #expect(rig.establish() == answer)
        #expect(rig.takeEvents().isEmpty && rig.model.counters.channelsEstablished == 0)
    }

    // MARK: Broken set-ups

    @Test func theFirstEventCanBeMissing() throws {
        let rig = try ControlRig { $0.faults.losesChannelQueue = true }
        rig.establish()
        #expect(rig.takeEvents().first?.type == .channelItem)
    }

    @Test func theLastEventCanBeMissing() throws {
        let rig = try ControlRig { $0.faults.losesChannelDone = true }
        rig.establish()
        #expect(!rig.takeEvents().contains { $0.type == .channelDone })
    }

    @Test(arguments: ChannelItem.allCases) func anItemCanBeMissingOrWrong(item: ChannelItem) throws {
        let without = try ControlRig { $0.faults.missingChannelItems = [item] }
        without.establish()
        let items = without.takeEvents().filter { $0.type == .channelItem }.compactMap(\.channelItem)
        #expect(items == ChannelItem.allCases.filter { $0 != item })

        let wrong = try ControlRig { $0.faults.channelItems[item] = 0xABCDEF }
        wrong.establish()
        #expect(wrong.takeEvents().first { $0.channelItem == item && $0.type == .channelItem }?.itemValue == 0xABCDEF)
    }
}
