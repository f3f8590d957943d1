// The typed accesses of a driver come down to exactly the loads and stores that they name.

import Registers
import Testing

/// 16 words that keep a list of what was done to them.
private final class WordBank: RegisterAccess {
    enum Access: Equatable {
        case load(UInt32)
        case store(UInt32, UInt32)
        case storeWide(UInt32, UInt64)
        case loadSized(UInt64, Int)
        case storeSized(UInt64, Int, UInt64)
    }

    var words = [UInt32](repeating: 0, count: 16)
    var accesses: [Access] = []

    func load(_ offset: UInt32) -> UInt32 {
        accesses.append(.load(offset))
        return words[Int(offset / 4)]
    }

    func store(_ offset: UInt32, _ value: UInt32) {
        accesses.append(.store(offset, value))
        words[Int(offset / 4)] = value
    }

    func storeWide(_ offset: UInt32, _ value: UInt64) {
        accesses.append(.storeWide(offset, value))
        words[Int(offset / 4)] = UInt32(truncatingIfNeeded: value)
        words[Int(offset / 4) + 1] = UInt32(truncatingIfNeeded: value >> 32)
    }

    func load(_ offset: UInt64, byteCount: Int) -> UInt64 {
        accesses.append(.loadSized(offset, byteCount))
        return UInt64(words[Int(offset / 4)])
    }

    func store(_ offset: UInt64, byteCount: Int, _ value: UInt64) {
        accesses.append(.storeSized(offset, byteCount, value))
        words[Int(offset / 4)] = UInt32(truncatingIfNeeded: value)
    }

    func doorbell(at offset: UInt32) -> DoorbellRegister? { nil }
}

private struct Control: RegisterLayout {
    var raw: UInt32
    static var enable: Field<Self, Bool> { .init(bit: 1) }
}

@Suite struct RegisterAccessTests {
    private let control = Register<Control>(0x08, "CTRL")
    private let length = Register<PlainWord>(0x0C, "LEN")

    @Test func modifyIsOneLoadAndOneStore() {
        let bank = WordBank()
        bank.words[2] = 0xF0
        bank.modify(control) { $0[Control.enable] = true }
        #expect(bank.accesses == [.load(0x08), .store(0x08, 0xF2)])
    }

    @Test func readAndWriteAreOneAccessEach() {
        let bank = WordBank()
        bank.write(control, .with { $0[Control.enable] = true })
        bank.write(length, 1514)
        #expect(bank.read(control)[Control.enable])
        #expect(bank.read(length).raw == 1514)
        #expect(bank.accesses == [.store(0x08, 2), .store(0x0C, 1514), .load(0x08), .load(0x0C)])
    }
}
