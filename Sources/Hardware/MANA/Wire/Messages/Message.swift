// Messages of the hardware channel: bytes with named fields, as registers are words with named fields. A layout is an
// enum without cases; its fields are computed statics of `MessageField`, one line each, used by both sides.

/// The shape of a message.
public protocol MessageLayout: Sendable {
    /// Bytes of the fixed part, in its newest version.
    static var byteCount: Int { get }
    /// What it must have at least: that of its oldest version.
    static var shortestByteCount: Int { get }
}

extension MessageLayout {
    @inlinable public static var shortestByteCount: Int { byteCount }
}

/// A message that a driver sends.
public protocol RequestLayout: MessageLayout {
    associatedtype Response: ResponseLayout
    static var kind: RequestKind { get }
}

/// A message that a device answers with.
public protocol ResponseLayout: MessageLayout {}

/// An unsigned integer at a byte offset of `Layout`, little-endian.
@frozen public struct MessageField<Layout: MessageLayout, Value: FixedWidthInteger & Sendable>: Sendable {
    public let offset: Int
    @inlinable public init(_ offset: Int) { self.offset = offset }
}

/// Unsigned integers one after the other, from a byte offset on.
@frozen public struct MessageArray<Layout: MessageLayout, Value: FixedWidthInteger & Sendable>: Sendable {
    public let offset: Int
    /// nil: as many as the message has behind `offset`.
    public let count: Int?
    @inlinable public init(_ offset: Int, count: Int?) {
        self.offset = offset
        self.count = count
    }
}

/// Why bytes are not a message.
public enum MessageError: Error, Equatable, Sendable {
    case tooShort(bytes: Int, needed: Int)
    /// More than the hardware channel carries.
    case tooLong(bytes: Int)
}

/// A message of `Layout`. It holds at least the fixed part: fields that a shorter, older version lacks are zero.
public struct Message<Layout: MessageLayout>: Sendable, Equatable {
    private var storage: [UInt8]
    /// What the message has on the wire; of one that was read it can be less than the fixed part.
    public let byteCount: Int

    /// All zero, with `elementBytes` behind the fixed part.
    public init(elementBytes: Int = 0) {
        byteCount = Layout.byteCount + elementBytes
        storage = [UInt8](repeating: 0, count: byteCount)
    }

    /// What came.
    public init(_ bytes: [UInt8]) throws(MessageError) {
        guard bytes.count >= Layout.shortestByteCount else {
            throw .tooShort(bytes: bytes.count, needed: Layout.shortestByteCount)
        }
        guard bytes.count <= MANA.messageBytes else { throw .tooLong(bytes: bytes.count) }
        byteCount = bytes.count
        storage = bytes
        storage.append(contentsOf: repeatElement(0, count: max(0, Layout.byteCount - byteCount)))
    }

    /// A copy of what came.
    public init(_ bytes: RawSpan) throws(MessageError) {
        // SAFETY: any byte is a valid UInt8, and the span checks the offset.
        try self.init((0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) })
    }

    /// The bytes on the wire.
    public var bytes: ArraySlice<UInt8> { storage[..<byteCount] }

    /// As many bytes as `bytes` has room for; zeros where the message has none.
    public func copy(into bytes: inout MutableRawSpan) {
        for index in 0..<bytes.byteCount {
            bytes.storeBytes(of: index < storage.count ? storage[index] : 0, toByteOffset: index, as: UInt8.self)
        }
    }

    public subscript<Value>(_ field: MessageField<Layout, Value>) -> Value {
        get { load(field.offset) }
        set { store(newValue, field.offset) }
    }

    /// Element `index` of an array; one outside it is a programmer's error and traps.
    public subscript<Value>(_ array: MessageArray<Layout, Value>, _ index: Int) -> Value {
        get {
            precondition(index >= 0 && index < count(of: array), "message element out of range")
            return load(array.offset + index * (Value.bitWidth / 8))
        }
        set {
            precondition(index >= 0 && index < count(of: array), "message element out of range")
            store(newValue, array.offset + index * (Value.bitWidth / 8))
        }
    }

    /// How many elements of an array the message has.
    public func count<Value>(of array: MessageArray<Layout, Value>) -> Int {
        array.count ?? max(0, byteCount - array.offset) / (Value.bitWidth / 8)
    }

    public func elements<Value>(_ array: MessageArray<Layout, Value>) -> [Value] {
        (0..<count(of: array)).map { self[array, $0] }
    }

    private func load<Value: FixedWidthInteger>(_ offset: Int) -> Value {
        var value: Value = 0
        for byte in 0..<Value.bitWidth / 8 {
            value |= Value(truncatingIfNeeded: storage[offset + byte]) << Value(8 * byte)
        }
        return value
    }

    private mutating func store<Value: FixedWidthInteger>(_ value: Value, _ offset: Int) {
        for byte in 0..<Value.bitWidth / 8 {
            storage[offset + byte] = UInt8(truncatingIfNeeded: value >> Value(8 * byte))
        }
    }
}
