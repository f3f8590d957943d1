// A bit field of a register: where it is and what its value is read as.
// Fields are computed statics, so that a use costs one `and`/`or` also across modules.

/// What the bits of a field stand for. `Bool` and the unsigned integers conform; an enum with a fixed width may.
public protocol FieldValue {
    init(fieldBits: UInt32)
    var fieldBits: UInt32 { get }
}

extension Bool: FieldValue {
    @inlinable public init(fieldBits: UInt32) { self = fieldBits != 0 }
    @inlinable public var fieldBits: UInt32 { self ? 1 : 0 }
}

extension UInt32: FieldValue {
    @inlinable public init(fieldBits: UInt32) { self = fieldBits }
    @inlinable public var fieldBits: UInt32 { self }
}

/// The 32 bits of one register (or of one descriptor word), read as `Layout`'s fields.
public protocol RegisterLayout: Sendable, Equatable {
    var raw: UInt32 { get set }
    init(raw: UInt32)
}

/// A register without fields: an address, a length, a count.
@frozen public struct PlainWord: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

/// A field of `Layout`, `width` bits from bit `shift` up.
@frozen public struct Field<Layout: RegisterLayout, Value: FieldValue>: Sendable {
    public let shift: UInt32
    public let width: UInt32

    @inlinable public init(bit: UInt32) {
        self.shift = bit
        self.width = 1
    }

    @inlinable public init(bits: Range<UInt32>) {
        self.shift = bits.lowerBound
        self.width = bits.upperBound &- bits.lowerBound
    }

    /// The field's bits in place, e.g. 0x300 for bits 8..<10.
    @inlinable public var mask: UInt32 { (width >= 32 ? ~0 : (1 &<< width) &- 1) &<< shift }
}

extension RegisterLayout {
    /// Reads or replaces one field. Writing a value that does not fit the field is a programmer's error and traps.
    @inlinable public subscript<Value: FieldValue>(_ field: Field<Self, Value>) -> Value {
        get { Value(fieldBits: (raw & field.mask) &>> field.shift) }
        set {
            let bits = newValue.fieldBits
            precondition(field.width >= 32 || bits &>> field.width == 0, "value does not fit the field")
            raw = (raw & ~field.mask) | (bits &<< field.shift)
        }
    }

    /// The register with these fields set and all else zero.
    @inlinable public static func with(_ change: (inout Self) -> Void) -> Self {
        var value = Self(raw: 0)
        change(&value)
        return value
    }
}
