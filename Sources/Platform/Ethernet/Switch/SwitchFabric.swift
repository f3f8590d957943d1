// What a switch does with a frame. Source of truth: IEEE 802.1Q-2022, 8.6 (forwarding), 8.7 (learning), table 8-1
// (addresses that a bridge does not forward).

/// The ports and the table of a switch; the part of it that runs per frame.
@safe struct SwitchFabric: ~Copyable {
    // SAFETY: the first `count` of `ports` are initialised, and indices of ports are below `count`. A frame stays where
    // it is until the `release` of the burst it came in; the room that it is copied to is reserved for its length.
    private var ports: UnsafeMutablePointer<SwitchPort>
    private var capacity: Int
    private(set) var count = 0
    private let maximumFrameLength: Int
    private let burst: Int
    private(set) var addresses: AddressTable

    init(_ options: SwitchOptions) {
        precondition((14...maximumFrameBytes).contains(options.maximumFrameLength), "longest frame of a switch")
        precondition(options.burst > 0, "burst of a switch")
        capacity = 8
        unsafe ports = .allocate(capacity: capacity)
        maximumFrameLength = options.maximumFrameLength
        burst = options.burst
        addresses = AddressTable(
            capacity: options.addressCapacity,
            ageingNanoseconds: options.ageingNanoseconds
        )
    }

    deinit {
        unsafe ports.deinitialize(count: count)
        unsafe ports.deallocate()
    }

    /// Adds a port; its number.
    mutating func append(_ wire: consuming WirePort) -> Int {
        // The table keeps a port in 16 bits.
        precondition(count < 1 << 16, "ports of a switch")
        if count == capacity {
            let larger = UnsafeMutablePointer<SwitchPort>.allocate(capacity: capacity * 2)
            unsafe larger.moveInitialize(from: ports, count: count)
            unsafe ports.deallocate()
            unsafe ports = larger
            capacity *= 2
        }
        unsafe (ports + count).initialize(to: SwitchPort(wire))
        count += 1
        return count - 1
    }

    func counters(ofPort port: Int) -> SwitchPortCounters? {
        (0..<count).contains(port) ? unsafe ports[port].counters : nil
    }

    func wakeDescriptor(ofPort port: Int) -> Int32 { unsafe ports[port].wire.receive.wakeDescriptor }

    func setSleeping(_ sleeping: Bool) {
        for port in 0..<count { unsafe ports[port].wire.receive.setSleeping(sleeping) }
    }

    /// Forwards up to a burst of frames from each port, so that no port starves another; whether there were any.
    mutating func forward(now: UInt64) -> Bool {
        var worked = false
        for port in 0..<count where forwardBurst(from: port, now: now) { worked = true }
        if worked {
            for port in 0..<count { unsafe ports[port].wire.transmit.publish() }
        }
        return worked
    }

    private mutating func forwardBurst(from source: Int, now: UInt64) -> Bool {
        var received = 0
        while received < burst, let frame = unsafe ports[source].wire.receive.peek() {
            unsafe forward(frame, from: source, now: now)
            unsafe ports[source].wire.receive.consume(frame)
            received &+= 1
        }
        unsafe ports[source].wire.receive.release()
        unsafe ports[source].counters.received &+= UInt64(truncatingIfNeeded: received)
        return received > 0
    }

    private mutating func forward(_ frame: FrameView, from source: Int, now: UInt64) {
        guard unsafe frame.length >= 14 else {
            unsafe ports[source].counters.runts &+= 1
            return
        }
        guard unsafe frame.length <= maximumFrameLength else {
            unsafe ports[source].counters.giants &+= 1
            return
        }
        // Eight bytes from either address on are within the 14.
        let destination = MACAddress(value: unsafe frame.bytes.loadUnaligned(as: UInt64.self).bigEndian &>> 16)
        let station = MACAddress(value: unsafe (frame.bytes + 6).loadUnaligned(as: UInt64.self).bigEndian &>> 16)
        if station.isStation { addresses.learn(station, port: source, now: now) }

        if destination.isReservedForOneWire {
            unsafe ports[source].counters.reserved &+= 1
        } else if !destination.isMulticast, let port = addresses.port(of: destination, now: now) {
            if port == source {
                unsafe ports[source].counters.filtered &+= 1
            } else {
                unsafe send(frame, to: port)
            }
        } else {
            unsafe ports[source].counters.flooded &+= 1
            for port in 0..<count where port != source { unsafe send(frame, to: port) }
        }
    }

    private mutating func send(_ frame: FrameView, to port: Int) {
        guard let room = unsafe ports[port].wire.transmit.reserve(frame.length) else {
            unsafe ports[port].counters.dropped &+= 1
            return
        }
        unsafe room.copyMemory(from: frame.bytes, byteCount: frame.length)
        unsafe ports[port].wire.transmit.commit(frame.length, wireTime: frame.wireTime, tag: frame.tag)
        unsafe ports[port].counters.transmitted &+= 1
    }
}

extension MACAddress {
    /// 01-80-C2-00-00-00 to -0F: for the other end of this wire alone.
    fileprivate var isReservedForOneWire: Bool { value & ~0xF == 0x0180_C200_0000 }
}
