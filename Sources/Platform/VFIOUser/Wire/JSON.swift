// Just enough JSON for the VERSION message, from a peer that nobody vouches for. RFC 8259, read strictly: one value, no
// key twice, UTF-8, no depth and no length beyond what the message needs.

/// Why a text is not the JSON that we take.
public enum JSONError: Error, Equatable, Sendable {
    /// Longer than `JSONValue.mostBytes`.
    case tooLong(Int)
    /// Nested deeper than `JSONValue.mostDepth`.
    case tooDeep
    /// The text ends inside a value.
    case unexpectedEnd
    case unexpectedByte(UInt8, at: Int)
    case duplicateKey(String)
    case badString(at: Int)
    case badNumber(at: Int)
}

/// A JSON value. Numbers that are not whole, or do not fit, keep their text only.
public indirect enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(UInt64)
    case otherNumber(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    public static let mostBytes = 16384
    public static let mostDepth = 8

    public init(parsing text: RawSpan) throws(JSONError) {
        guard text.byteCount <= Self.mostBytes else { throw .tooLong(text.byteCount) }
        // The text is short and comes once per connection.
        var parser = JSONParser((0..<text.byteCount).map { text.integer($0, as: UInt8.self) })
        self = try parser.document()
    }

    /// The member of an object; nil if this is none, or has none.
    public subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }
}

private struct JSONParser {
    private let bytes: [UInt8]
    private var place = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSONValue {
        let value = try value(depth: 1)
        skipSpace()
        guard place == bytes.count else { throw .unexpectedByte(bytes[place], at: place) }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= JSONValue.mostDepth else { throw .tooDeep }
        skipSpace()
        let first = try peek()
        switch first {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw .unexpectedByte(first, at: place)
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        var members: [String: JSONValue] = [:]
        place += 1
        skipSpace()
        if try take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard try peek() == UInt8(ascii: "\"") else { throw .unexpectedByte(bytes[place], at: place) }
            let key = try string()
            skipSpace()
            try expect(UInt8(ascii: ":"))
            let member = try value(depth: depth + 1)
            guard members.updateValue(member, forKey: key) == nil else { throw .duplicateKey(key) }
            skipSpace()
            if try take(UInt8(ascii: "}")) { return .object(members) }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        var elements: [JSONValue] = []
        place += 1
        skipSpace()
        if try take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if try take(UInt8(ascii: "]")) { return .array(elements) }
            try expect(UInt8(ascii: ","))
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in "\(text)".utf8 { try expect(byte) }
        return value
    }

    /// A number by its grammar (RFC 8259 §6); only those without sign, fraction and exponent become integers.
    private mutating func number() throws(JSONError) -> JSONValue {
        let start = place
        var isWhole = true
        if bytes[place] == UInt8(ascii: "-") {
            isWhole = false
            place += 1
        }
        let leadingZero = place < bytes.count && bytes[place] == UInt8(ascii: "0")
        guard skipDigits() > 0, !leadingZero || digitCount(since: start, sign: !isWhole) == 1 else {
            throw .badNumber(at: start)
        }
        if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
            isWhole = false
            place += 1
            guard skipDigits() > 0 else { throw .badNumber(at: start) }
        }
        if place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") {
            isWhole = false
            place += 1
            if place < bytes.count, bytes[place] == UInt8(ascii: "+") || bytes[place] == UInt8(ascii: "-") {
                place += 1
            }
            guard skipDigits() > 0 else { throw .badNumber(at: start) }
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        guard isWhole, let value = UInt64(text) else { return .otherNumber(text) }
        return .integer(value)
    }

    private func digitCount(since start: Int, sign: Bool) -> Int { place - start - (sign ? 1 : 0) }

    private mutating func skipDigits() -> Int {
        let start = place
        while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
        return place - start
    }

    private mutating func string() throws(JSONError) -> String {
        let start = place
        var text: [UInt8] = []
        place += 1
        while true {
            let byte = try peek()
            place += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw .badString(at: start) }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw .badString(at: place - 1)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let byte = try peek()
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let unit = try hexUnit()
            var scalar = UInt32(unit)
            if (0xD800..<0xDC00).contains(unit) {
                // A high surrogate needs its low one (RFC 8259 §7).
                try expect(UInt8(ascii: "\\"))
                try expect(UInt8(ascii: "u"))
                let low = try hexUnit()
                guard (0xDC00..<0xE000).contains(low) else { throw .badString(at: place) }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + UInt32(low) - 0xDC00
            }
            guard let scalar = Unicode.Scalar(scalar) else { throw .badString(at: place) }
            text.append(contentsOf: String(Character(scalar)).utf8)
        default: throw .badString(at: place - 1)
        }
    }

    private mutating func hexUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let byte = try peek()
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw .badString(at: place)
            }
            unit = unit << 4 | UInt16(digit)
            place += 1
        }
        return unit
    }

    private mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    private func peek() throws(JSONError) -> UInt8 {
        guard place < bytes.count else { throw .unexpectedEnd }
        return bytes[place]
    }

    private mutating func take(_ byte: UInt8) throws(JSONError) -> Bool {
        guard try peek() == byte else { return false }
        place += 1
        return true
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        let found = try peek()
        guard found == byte else { throw .unexpectedByte(found, at: place) }
        place += 1
    }
}
