// Which bytes of configuration space are whose: the function's own, or those of BARs that it does not have. Source of truth:
// nvgrace_gpu_read_config_emu and nvgrace_gpu_write_config_emu (nvgrace-gpu/main.c), which serve one BAR per access; an
// access here may touch both, and their neighbours.

/// The fake BARs in the function's configuration space.
package struct ConfigOverlay: Sendable, Equatable {
    /// Offsets of the registers.
    package static let reservedOffset: UInt64 = 0x18
    package static let usableOffset: UInt64 = 0x20

    /// Of region 2; nil: the function's own is shown.
    package var reserved: FakeBAR?
    /// Of region 4.
    package var usable: FakeBAR

    package init(_ split: MemorySplit) {
        reserved = split.reserved.map { FakeBAR(byteCount: $0.barByteCount) }
        usable = FakeBAR(byteCount: split.usable.barByteCount)
    }

    /// Who answers for a byte of configuration space.
    package enum Owner: Equatable {
        case function, reserved, usable
    }

    /// Bytes of one owner.
    package struct Run: Equatable {
        package let owner: Owner
        /// In configuration space.
        package let offset: UInt64
        /// From the access's first byte on.
        package let bytes: Range<Int>
    }

    private func owner(at offset: UInt64) -> (Owner, end: UInt64) {
        let width = UInt64(FakeBAR.width)
        let first = reserved == nil ? Self.usableOffset : Self.reservedOffset
        if offset < first { return (.function, first) }
        if offset < Self.usableOffset { return (.reserved, Self.usableOffset) }
        if offset < Self.usableOffset + width { return (.usable, Self.usableOffset + width) }
        return (.function, .max)
    }

    /// The run that begins `done` bytes into an access of `count` bytes at `offset`; nil at its end.
    package func run(at offset: UInt64, count: Int, done: Int) -> Run? {
        let (place, wraps) = offset.addingReportingOverflow(UInt64(done))
        guard done < count, !wraps else { return nil }
        let (owner, end) = owner(at: place)
        return Run(owner: owner, offset: place, bytes: done..<done + Int(min(UInt64(count - done), end - place)))
    }

    /// Puts what the fake BARs read over the first `count` bytes, which the function gave for `offset`.
    package func apply(at offset: UInt64, to bytes: inout MutableRawSpan, count: Int) {
        var done = 0
        while let run = run(at: offset, count: count, done: done) {
            done = run.bytes.upperBound
            guard run.owner != .function else { continue }
            for index in run.bytes {
                let byte = self[run.owner, UInt64(index - run.bytes.lowerBound) + run.offset]
                bytes.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            }
        }
    }

    /// Stores the bytes of one run that is not the function's.
    package mutating func store(_ run: Run, from bytes: RawSpan) {
        for index in run.bytes {
            let place = run.offset + UInt64(index - run.bytes.lowerBound)
            // SAFETY: any byte is a valid UInt8, and the span checks the offset.
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            switch run.owner {
            case .function: break
            case .reserved: reserved?[Int(place - Self.reservedOffset)] = byte
            case .usable: usable[Int(place - Self.usableOffset)] = byte
            }
        }
    }

    private subscript(owner: Owner, place: UInt64) -> UInt8 {
        switch owner {
        case .function: 0
        case .reserved: reserved?[Int(place - Self.reservedOffset)] ?? 0
        case .usable: usable[Int(place - Self.usableOffset)]
        }
    }

    /// As after a reset.
    package mutating func clear() {
        reserved?.clear()
        usable.clear()
    }
}
