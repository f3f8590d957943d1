// The registers of the scratch device: one of every kind that a backing must carry.

import Registers

/// CONTROL: the engine's switch.
struct ScratchControl: RegisterLayout {
    var raw: UInt32
    static var enable: Field<Self, Bool> { .init(bit: 0) }
}

/// CAUSE: why an interrupt came. A read clears it.
struct ScratchCause: RegisterLayout {
    var raw: UInt32
    static var copied: Field<Self, Bool> { .init(bit: 0) }
    static var refused: Field<Self, Bool> { .init(bit: 1) }
}

enum ScratchRegister {
    static var scratch: Register<PlainWord> { .init(0x00, "SCRATCH") }
    static var magic: Register<PlainWord> { .init(0x04, "MAGIC") }
    static var control: Register<ScratchControl> { .init(0x08, "CONTROL") }
    static var cause: Register<ScratchCause> { .init(0x0C, "CAUSE") }
    static var copies: Register<PlainWord> { .init(0x10, "COPIES") }
    /// IOVA of the source (low word, high word), IOVA of the destination (low, high), bytes.
    static var source: RegisterArray<PlainWord> { .init(0x20, count: 2, "SOURCE") }
    static var destination: RegisterArray<PlainWord> { .init(0x28, count: 2, "DESTINATION") }
    static var length: Register<PlainWord> { .init(0x30, "LENGTH") }
    /// Nanoseconds that a copy takes.
    static var latency: Register<PlainWord> { .init(0x34, "LATENCY") }
    /// The doorbell: copies asked for in all, free running.
    static var tail: Register<PlainWord> { .init(0x40, "TAIL") }

    static let magicValue: UInt32 = 0xD00B_E110

    static func map() throws(RegisterMap.Problem) -> RegisterMap {
        try RegisterMap(
            [
                RegisterRow(scratch, .readWrite),
                RegisterRow(magic, .readOnly, reset: magicValue),
                RegisterRow(control, .readWrite, writeMask: 1),
                RegisterRow(cause, .readToClear),
                RegisterRow(copies, .readToClear),
                RegisterRow(source, .readWrite),
                RegisterRow(destination, .readWrite),
                RegisterRow(length, .readWrite, writeMask: 0xFFFF),
                RegisterRow(latency, .readWrite),
                RegisterRow(tail, .writeOnly),
            ],
            byteCount: ScratchDevice.registerBytes
        )
    }
}
