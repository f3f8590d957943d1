// The program's end of a socket, for programs in Swift: what libxdp is to a program in C.

import Leases
import Rings
import Synchronization

/// The program's end of a socket: it sends, gets its memory back, lends chunks and receives. One owner thread.
///
/// SAFETY (all uses of `unsafe` in its files): as for `XSKPool`.
@safe @frozen public struct XSKProgram: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): handed over by consuming.
    @usableFromInline let socket: XSKSocket
    @usableFromInline let view: UMEMView
    @usableFromInline let usesNeedWakeup: Bool

    @usableFromInline var transmit: RingProducer
    @usableFromInline var completion: RingConsumer
    @usableFromInline var fill: RingProducer
    @usableFromInline var receive: RingConsumer
    private let mark: CensusMark

    init(_ socket: XSKSocket, _ state: XSKPositions.Program) {
        self.socket = socket
        view = UMEMView(socket.umem)
        usesNeedWakeup = socket.bindFlags.contains(.useNeedWakeup)
        let errors = XSKCount.driverIndexErrors
        transmit = RingProducer(
            socket.ring(.transmit, indexErrors: errors),
            position: state.transmit,
            consumer: state.transmitConsumer
        )
        completion = RingConsumer(socket.ring(.completion, indexErrors: errors), position: state.completion)
        fill = RingProducer(
            socket.ring(.fill, indexErrors: errors),
            position: state.fill,
            consumer: state.fillConsumer
        )
        receive = RingConsumer(socket.ring(.receive, indexErrors: errors), position: state.receive)
        mark = socket.census.mark("XSK program")
    }

    deinit {
        transmit.publishAtEnd()
        fill.publishAtEnd()
        let state = XSKPositions.Program(
            transmit: transmit.written,
            transmitConsumer: transmit.knownConsumer,
            completion: completion.position,
            fill: fill.written,
            fillConsumer: fill.knownConsumer,
            receive: receive.position
        )
        socket.giveBackProgram(state)
    }

    public var umem: UMEM { socket.umem }

    // MARK: Transmit

    /// How many of `limit` descriptors the Tx ring has room for.
    @inlinable public mutating func transmitRoom(_ limit: Int) -> Int {
        Int(transmit.room(UInt32(clamping: limit)))
    }

    /// Puts a descriptor into the Tx ring, for the next `submit`; false while the ring is full.
    @inlinable public mutating func put(_ descriptor: XSKDescriptor) -> Bool {
        guard transmit.room(1) == 1 else { return false }
        transmit.reserve(1)
        transmit.put(descriptor.address, length: descriptor.length, options: descriptor.options.rawValue)
        return true
    }

    /// Shows the driver all descriptors that were put. Once per burst; then kick, if `transmitNeedsWakeup`.
    @inlinable public mutating func submit() {
        transmit.publishBeforeWakeupCheck()
    }

    /// Takes back the addresses of frames that are done with, at most `limit` and at most 32.
    @inlinable public mutating func reapCompletions(_ addresses: inout InlineArray<32, UInt64>, limit: Int) -> Int {
        let count = completion.available(UInt32(clamping: min(limit, 32)))
        let ring = completion.ring
        let start = completion.position
        var index: UInt32 = 0
        while index < count {
            addresses[Int(truncatingIfNeeded: index)] = ring.address(start &+ index)
            index &+= 1
        }
        if count != 0 { completion.release(count) }
        return Int(count)
    }

    // MARK: Receive

    /// Lends a chunk to receive into, with the next `submitFill`; false while the fill ring is full.
    @inlinable public mutating func provideFill(_ address: UInt64) -> Bool {
        guard fill.room(1) == 1 else { return false }
        fill.reserve(1)
        fill.put(address)
        return true
    }

    /// Shows the driver all chunks that were provided. Once per burst; then kick, if `fillNeedsWakeup`.
    @inlinable public mutating func submitFill() {
        fill.publishBeforeWakeupCheck()
    }

    /// Takes received frames, at most `limit` and at most 32.
    @inlinable public mutating func receive(_ burst: inout XSKReceiveBurst, limit: Int) -> Int {
        let count = receive.available(UInt32(clamping: min(limit, XSKReceiveBurst.capacity)))
        let ring = receive.ring
        let start = receive.position
        let frames = unsafe burst.pointer
        var index: UInt32 = 0
        while index < count {
            let (address, word) = ring.descriptor(start &+ index)
            unsafe frames[Int(truncatingIfNeeded: index)] = XSKDescriptor(
                address: address,
                length: UInt32(truncatingIfNeeded: word),
                options: XSKDescriptorOptions(rawValue: UInt32(truncatingIfNeeded: word >> 32))
            )
            index &+= 1
        }
        if count != 0 { receive.release(count) }
        return Int(count)
    }

    // MARK: Wake-ups

    /// Whether the driver sleeps on the Tx ring. Without XDP_USE_NEED_WAKEUP a program must always kick.
    @inlinable public var transmitNeedsWakeup: Bool { needsWakeup(transmit.ring) }

    /// Whether the driver sleeps on the fill ring.
    @inlinable public var fillNeedsWakeup: Bool { needsWakeup(fill.ring) }

    @inlinable func needsWakeup(_ ring: SharedRing) -> Bool {
        let flags = unsafe ring.flags.pointee.load(ordering: .sequentiallyConsistent)
        return flags & XSKRingFlags.needWakeup.rawValue != 0 || !usesNeedWakeup
    }

    /// Wakes the driver.
    public func kick() { socket.kick() }
}
