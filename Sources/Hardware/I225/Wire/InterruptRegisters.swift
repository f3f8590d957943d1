// Interrupt causes, masks, moderation and the routing of causes to vectors.
// Source: Linux igc_main.c (igc_configure_msix, igc_msix_other) of 6.12 and 7.x; I210 data sheet §7.3.

import Registers

extension I225Register {
    /// Causes that are not a queue's; a read clears.
    @inlinable public static var interruptCause: Register<InterruptCause> { .init(0x01500, "ICR") }
    /// Ones set causes; reads ICR without effect.
    @inlinable public static var interruptCauseSet: Register<InterruptCause> { .init(0x01504, "ICS") }
    /// Ones enable causes; reads the mask.
    @inlinable public static var interruptMaskSet: Register<InterruptCause> { .init(0x01508, "IMS") }
    /// Ones disable causes; reads the mask.
    @inlinable public static var interruptMaskClear: Register<InterruptCause> { .init(0x0150C, "IMC") }
    /// Causes whose mask bit an interrupt clears (MSI and INTx).
    @inlinable public static var interruptAutoMask: Register<InterruptCause> { .init(0x01510, "IAM") }
    /// How interrupts work at all.
    @inlinable public static var generalInterruptEnable: Register<GeneralInterruptEnable> { .init(0x01514, "GPIE") }
    /// Ones set vectors' bits of EICR; reads EICR without effect.
    @inlinable public static var vectorCauseSet: Register<PlainWord> { .init(0x01520, "EICS") }
    /// Ones enable vectors; reads the mask.
    @inlinable public static var vectorMaskSet: Register<PlainWord> { .init(0x01524, "EIMS") }
    /// Ones disable vectors; reads the mask.
    @inlinable public static var vectorMaskClear: Register<PlainWord> { .init(0x01528, "EIMC") }
    /// Vectors whose cause bit the message clears.
    @inlinable public static var vectorAutoClear: Register<PlainWord> { .init(0x0152C, "EIAC") }
    /// Vectors whose mask bit the message clears.
    @inlinable public static var vectorAutoMask: Register<PlainWord> { .init(0x01530, "EIAM") }
    /// One bit per vector; ones written clear.
    @inlinable public static var vectorCause: Register<PlainWord> { .init(0x01580, "EICR") }
    /// Shortest time between two messages of a vector.
    @inlinable public static var vectorThrottle: RegisterArray<InterruptThrottle> {
        .init(0x01680, stride: 0x4, count: 5, "EITR")
    }
    /// The vectors of two queues, receive and transmit.
    @inlinable public static var queueVectors: RegisterArray<QueueVectors> {
        .init(0x01700, stride: 0x4, count: 2, "IVAR")
    }
    /// The vector of all other causes.
    @inlinable public static var otherVector: Register<OtherVector> { .init(0x01740, "IVAR_MISC") }
}

/// Bits of ICR, ICS, IMS, IMC and IAM.
@frozen public struct InterruptCause: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == InterruptCause, Value == Bool {
    /// TXDW.
    @inlinable public static var transmitDescriptorWritten: Self { .init(bit: 0) }
    /// TXQE.
    @inlinable public static var transmitQueueEmpty: Self { .init(bit: 1) }
    /// LSC.
    @inlinable public static var linkChanged: Self { .init(bit: 2) }
    /// RXSEQ.
    @inlinable public static var receiveSequenceError: Self { .init(bit: 3) }
    /// RXDMT0.
    @inlinable public static var receiveThreshold: Self { .init(bit: 4) }
    /// RXO.
    @inlinable public static var receiveOverrun: Self { .init(bit: 6) }
    /// RXT0.
    @inlinable public static var receiveTimer: Self { .init(bit: 7) }
    /// TS: see TSICR.
    @inlinable public static var timeSync: Self { .init(bit: 19) }
    /// DOUTSYNC.
    @inlinable public static var dmaOutOfSync: Self { .init(bit: 28) }
    /// DRSTA: a reset that the driver did not ask for.
    @inlinable public static var deviceReset: Self { .init(bit: 30) }
    /// INT_ASSERTED.
    @inlinable public static var asserted: Self { .init(bit: 31) }
}

/// GPIE.
@frozen public struct GeneralInterruptEnable: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == GeneralInterruptEnable, Value == Bool {
    /// NSICR: a read of ICR clears all of it.
    @inlinable public static var nonSelectiveClear: Self { .init(bit: 0) }
    /// Multiple_MSIX: vectors by IVAR.
    @inlinable public static var multipleVectors: Self { .init(bit: 4) }
    /// EIAME: EIAM holds.
    @inlinable public static var extendedAutoMask: Self { .init(bit: 30) }
    /// PBA support.
    @inlinable public static var pendingBits: Self { .init(bit: 31) }
}

/// EITR.
@frozen public struct InterruptThrottle: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == InterruptThrottle, Value == Bool {
    /// CNT_IGNR: the write does not restart the running counter.
    @inlinable public static var keepCounter: Self { .init(bit: 31) }
}

extension Field where Layout == InterruptThrottle, Value == UInt32 {
    /// Shortest gap in µs.
    @inlinable public static var microseconds: Self { .init(bits: 2..<15) }
}

extension InterruptThrottle {
    /// The bits in which drivers count: a quarter of a microsecond each, the lowest two zero.
    @inlinable public static var intervalMask: UInt32 { 0x7FFC }
}

/// IVAR: vectors of an even and an odd queue.
@frozen public struct QueueVectors: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == QueueVectors, Value == Bool {
    /// The byte holds.
    @inlinable public static var receiveEvenValid: Self { .init(bit: 7) }
    /// The byte holds.
    @inlinable public static var transmitEvenValid: Self { .init(bit: 15) }
    /// The byte holds.
    @inlinable public static var receiveOddValid: Self { .init(bit: 23) }
    /// The byte holds.
    @inlinable public static var transmitOddValid: Self { .init(bit: 31) }
}

extension Field where Layout == QueueVectors, Value == UInt32 {
    /// Vector of the even queue's receive side.
    @inlinable public static var receiveEven: Self { .init(bits: 0..<3) }
    /// Vector of the even queue's transmit side.
    @inlinable public static var transmitEven: Self { .init(bits: 8..<11) }
    /// Vector of the odd queue's receive side.
    @inlinable public static var receiveOdd: Self { .init(bits: 16..<19) }
    /// Vector of the odd queue's transmit side.
    @inlinable public static var transmitOdd: Self { .init(bits: 24..<27) }
}

extension QueueVectors {
    /// The byte of one side of a queue: the vector in bits 2:0 and bit 7 for valid.
    @inlinable public static func shift(queue: Int, transmit: Bool) -> UInt32 {
        UInt32(truncatingIfNeeded: queue & 1) &* 16 &+ (transmit ? 8 : 0)
    }
}

/// IVAR_MISC.
@frozen public struct OtherVector: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == OtherVector, Value == Bool {
    /// The byte holds.
    @inlinable public static var valid: Self { .init(bit: 15) }
}

extension Field where Layout == OtherVector, Value == UInt32 {
    /// The vector.
    @inlinable public static var vector: Self { .init(bits: 8..<11) }
}
