// The NVM as a driver reads it, and the semaphores that guard it.

import I225Model
import I225Wire
import Registers
import Testing

@Suite("NVM and semaphores")
struct NVMTests {
    private func word(_ rig: Rig, _ address: Int) -> UInt16? {
        rig.write(
            I225Register.nvmRead,
            .with {
                $0[.address] = UInt32(address)
                $0[.start] = true
            }
        )
        let answer = rig.read(I225Register.nvmRead)
        return answer[.done] ? UInt16(answer[.data]) : nil
    }

    @Test func theFirst64WordsAddUpToBABA() throws {
        let rig = try Rig()
        #expect(rig.read(I225Register.nvmControl)[.flashDetected])
        let words = (0..<64).compactMap { word(rig, $0) }
        #expect(words.count == 64)
        #expect(NVMLayout.isValid(words))
    }

    @Test func theAddressIsInTheFirstThreeWordsLowByteFirst() throws {
        let rig = try Rig { $0.macAddress = [0x02, 0x11, 0x22, 0x33, 0x44, 0x55] }
        #expect(word(rig, 0) == 0x1102)
        #expect(word(rig, 1) == 0x3322)
        #expect(word(rig, 2) == 0x5544)
        #expect(word(rig, NVMLayout.firmwareVersion) == 0x1057)
    }

    @Test func aCorruptImageDoesNotAddUp() throws {
        let rig = try Rig { $0.faults = .nvmChecksumWrong }
        #expect(!NVMLayout.isValid((0..<64).compactMap { word(rig, $0) }))
    }

    @Test func anNVMThatNeverAnswersIsNeverDone() throws {
        let rig = try Rig { $0.faults = .nvmNeverAnswers }
        #expect(word(rig, 0) == nil)
    }

    @Test func withoutAnNVMThereIsNoAddress() throws {
        let rig = try Rig { $0.faults = .nvmAbsent }
        #expect(!rig.read(I225Register.nvmControl)[.flashDetected])
        #expect(!rig.read(I225Register.receiveAddressHigh[0])[.valid])
    }

    @Test func wordsBeyondTheEndAreBlank() throws {
        let rig = try Rig()
        #expect(word(rig, 2048) == 0xFFFF)
        #expect(word(rig, 0x3FFF) == 0xFFFF)
    }

    @Test func aWordThatWasWrittenIsReadAgainAndSurvivesAReset() throws {
        let rig = try Rig()
        rig.write(
            I225Register.nvmWrite,
            .with {
                $0[.address] = 0x30
                $0[.data] = 0xCAFE
                $0[.start] = true
            }
        )
        #expect(rig.read(I225Register.nvmWrite)[.done])
        rig.modify(I225Register.nvmControl) { $0[.flashUpdate] = true }
        #expect(rig.read(I225Register.nvmControl)[.flashUpdateDone])
        rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        #expect(word(rig, 0x30) == 0xCAFE)
    }

    @Test func theSoftwareSemaphoreIsFreeOnce() throws {
        let rig = try Rig()
        #expect(!rig.read(I225Register.softwareSemaphore)[.taken])
        #expect(rig.read(I225Register.softwareSemaphore)[.taken])
        rig.write(I225Register.softwareSemaphore, SoftwareSemaphore(raw: 2))
        #expect(rig.read(I225Register.softwareSemaphore)[.softwareOwns])
        rig.write(I225Register.softwareSemaphore, SoftwareSemaphore(raw: 0))
        #expect(rig.read(I225Register.softwareSemaphore).raw == 0)
    }

    @Test func semaphoresSurviveADeviceReset() throws {
        let rig = try Rig()
        rig.write(I225Register.softwareFirmwareSync, .with { $0[.softwarePHY] = true })
        rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        #expect(rig.read(I225Register.softwareFirmwareSync)[.softwarePHY])
    }

    @Test func firmwareKeepsItsSemaphoresIfToldSo() throws {
        let rig = try Rig { $0.faults = .firmwareKeepsSemaphores }
        rig.write(I225Register.softwareFirmwareSync, SoftwareFirmwareSync(raw: 0))
        #expect(rig.read(I225Register.softwareFirmwareSync)[.firmwareNVM])
        #expect(rig.read(I225Register.softwareFirmwareSync)[.firmwarePHY])
    }
}
