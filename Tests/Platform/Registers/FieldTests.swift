// Bit fields: where they lie, what a write leaves alone, and what does not fit.

import Registers
import Testing

/// Fields at both ends, in the middle, and over the whole word.
private struct Sample: RegisterLayout {
    var raw: UInt32
    static var lowest: Field<Self, Bool> { .init(bit: 0) }
    static var middle: Field<Self, UInt32> { .init(bits: 8..<12) }
    static var highest: Field<Self, Bool> { .init(bit: 31) }
    static var upperHalf: Field<Self, UInt32> { .init(bits: 16..<32) }
    static var all: Field<Self, UInt32> { .init(bits: 0..<32) }
    static var speed: Field<Self, Speed> { .init(bits: 6..<8) }
}

/// An enum as a field's value; the fourth code point is not assigned.
private enum Speed: UInt32, FieldValue {
    case slow = 0
    case fast = 1
    case faster = 2

    init(fieldBits: UInt32) { self = Speed(rawValue: fieldBits) ?? .slow }
    var fieldBits: UInt32 { rawValue }
}

@Suite struct FieldTests {
    @Test func masksLieWhereTheFieldsAre() {
        #expect(Sample.lowest.mask == 0x0000_0001)
        #expect(Sample.middle.mask == 0x0000_0F00)
        #expect(Sample.highest.mask == 0x8000_0000)
        #expect(Sample.upperHalf.mask == 0xFFFF_0000)
        #expect(Sample.all.mask == 0xFFFF_FFFF)
    }

    @Test(arguments: [UInt32(0), 0xFFFF_FFFF, 0xA5A5_5A5A])
    func aWriteChangesItsFieldAndNothingElse(before: UInt32) {
        for value in UInt32(0)..<16 {
            var register = Sample(raw: before)
            register[Sample.middle] = value
            #expect(register[Sample.middle] == value)
            #expect(register.raw & ~Sample.middle.mask == before & ~Sample.middle.mask)
        }
    }

    @Test func everyBitCanBeAFieldOfItsOwn() {
        for bit in UInt32(0)..<32 {
            let field = Field<Sample, Bool>(bit: bit)
            var register = Sample(raw: 0)
            register[field] = true
            #expect(register.raw == 1 << bit)
            register[field] = false
            #expect(register.raw == 0)
        }
    }

    @Test func anEnumReadsItsCodePoints() {
        #expect(Sample(raw: 0x80)[Sample.speed] == .faster)
        #expect(Sample(raw: 0xC0)[Sample.speed] == .slow, "the code point that is not assigned")
        #expect(Sample.with { $0[Sample.speed] = .fast }.raw == 0x40)
    }

    @Test func withStartsFromZero() {
        let register = Sample.with {
            $0[Sample.highest] = true
            $0[Sample.middle] = 0xA
        }
        #expect(register.raw == 0x8000_0A00)
    }

    @Test func aValueWiderThanItsFieldTraps() async {
        await #expect(processExitsWith: .failure) {
            var register = Sample(raw: 0)
            register[Sample.middle] = 16
        }
    }
}
