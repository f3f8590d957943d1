// What the fuzzer's input does to a device's file: requests, reads, writes and mappings with any value, from memory of any
// kind, on a GPU with coherent memory, one without, and one whose memory is all one part.
//
// What must hold: no call ends the program; an error is one of the few that the interface has; nothing is written behind
// what was asked for; bytes are what the memory holds; nothing is out on loan in the end.

import Backing
import Clock
import FuzzInput
import Glibc
import GraceHopperDriver
import GraceHopperModel
import GraceHopperWire
import Interrupts
import Leases
import Memory
import VFIOVariant

struct Scenario {
    private var choices: Choices
    private let census = Census()
    private let model: GraceHopperModel
    private let device: NVGraceDevice<InProcess<GraceHopperModel>>
    private let arena = Arena()
    private var errors: UInt64 = 0

    /// The lowest number that the next file would get.
    static var nextDescriptor: Int32 {
        let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        close(descriptor)
        return descriptor
    }

    private enum Operation: CaseIterable {
        case request, knownRequest, pread, pwrite, read, write, seek, map, vector, protect, restore
    }

    private static let memoryBytes: UInt64 = 3 << 29 + 0x5000
    private static let codes = [EINVAL, EFAULT, EIO, ENOTTY, EOVERFLOW, ENOMEM, ENOSPC]

    init(_ choices: Choices) {
        self.choices = choices
        var options = GraceHopperOptions()
        options.memory.byteCount = Self.memoryBytes
        switch self.choices.below(4) {
        case 0: options.firmware.tellsBase = false
        case 1: options.part = GraceHopperPart.all[3]
        default: break
        }
        let clock = DeviceClock.virtual(VirtualClock(startNanoseconds: 1_000_000_000))
        do {
            model = try GraceHopperModel(options: options, clock: clock)
            device = try NVGraceDevice(
                InProcess(model, name: "gpu", census: census),
                properties: model.properties,
                memory: model.physicalMemory,
                clock: clock,
                census: census
            )
        } catch {
            fatalError("\(error)")
        }
    }

    mutating func run() {
        do {
            let file = try VFIOFile(device, census: census)
            while !choices.isAtEnd { step(file) }
            guard file.refusedCalls == errors else {
                fatalError("\(file.refusedCalls) refusals counted, \(errors) seen")
            }
        } catch {
            fatalError("\(error)")
        }
        guard census.outstanding.isEmpty else { fatalError("on loan: \(census.outstanding)") }
    }

    private mutating func step(_ file: borrowing VFIOFile) {
        switch choices.pick(Operation.allCases) {
        case .request: request(file, UInt(choices.longWord()))
        case .knownRequest: request(file, choices.pick(DeviceRequest.allCases).rawValue)
        case .pread: transfer(file, writes: false, position: position())
        case .pwrite: transfer(file, writes: true, position: position())
        case .read: transfer(file, writes: false, position: nil)
        case .write: transfer(file, writes: true, position: nil)
        case .seek: file.position = position()
        case .map: map(file)
        case .vector:
            let index = Int(truncatingIfNeeded: choices.range([0, 1, 5, 6, 100]))
            attempt { () throws(VFIOError) in Self.end(try file.attachVector(index)) }
        case .protect: arena.protect(&choices)
        case .restore: arena.restore()
        }
    }

    private static func end(_ lease: consuming InterruptLease) {}

    /// Runs a call; its error, if it has one, is one that it may have.
    private mutating func attempt(_ call: () throws(VFIOError) -> Void) {
        do throws(VFIOError) {
            try call()
        } catch {
            errors += 1
            guard Self.codes.contains(error.code) else { fatalError("an error of another kind: \(error)") }
        }
    }

    // MARK: ioctl(2)

    private mutating func request(_ file: borrowing VFIOFile, _ number: UInt) {
        // SAFETY (here and below): an address is in the arena, or no memory.
        guard choices.byte() & 7 != 0 else {
            let address = unsafe arena.nowhere(&choices)
            return attempt { () throws(VFIOError) in unsafe try file.ioctl(number, address) }
        }
        let place = arena.place(&choices)
        var words = [UInt32(truncatingIfNeeded: choices.range([0, 8, 16, 24, 31, 32, 33, 63, 64, 65, 4096]))]
        words.append(choices.pick([0, 0x1_0000, 0x2_0003, 0x4_0001, choices.word()]))
        words.append(UInt32(truncatingIfNeeded: choices.range((0..<10).map { $0 })))
        for _ in 0..<5 { words.append(choices.byte() & 1 == 0 ? 0 : choices.word()) }
        let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
        arena.store(bytes, at: place)
        // What an answer fills at most: 64 bytes, or what the caller has room for.
        let end = place + min(64, arena.room(place))
        arena.mark(behind: end)
        let address = unsafe arena.address(place)
        attempt { () throws(VFIOError) in unsafe try file.ioctl(number, address) }
        arena.check(behind: end)
    }

    // MARK: read(2), write(2)

    private mutating func position() -> Int64 {
        let region = choices.range((0..<10).map { $0 })
        let offset = choices.range([
            0, 4, 0x10, 0x14, 0x18, 0x1C, 0x20, 0x24, 0xFFC, 0x1000, 0x1498, 0x2000_0000, 0x1FFF_FFFC, 0x4000_0000,
            0x4000_4FFC, 0x4000_5000, 0x7FFF_FFFC, 0x8000_0000, 0x6000_4FF0,
        ])
        return Int64(truncatingIfNeeded: region << 40 | offset)
    }

    private mutating func transfer(_ file: borrowing VFIOFile, writes: Bool, position: Int64?) {
        let count = Int(
            truncatingIfNeeded: choices.range([0, 1, 2, 3, 4, 7, 8, 16, 24, 256, 4096, 0x1_0000, 0x2_0001])
        )
        let isWild = choices.byte() & 7 == 0
        let place = arena.place(&choices)
        let address = isWild ? unsafe arena.nowhere(&choices) : unsafe arena.address(place)
        guard let address = unsafe address else { return }
        let fits = !isWild && count >= 0 && count <= arena.room(place)
        if writes {
            arena.store(choices.data(32), at: place)
        } else if fits {
            arena.mark(behind: place + count)
        }
        let before = file.position
        var done: Int?
        attempt { () throws(VFIOError) in
            done =
                switch (position, writes) {
                case (let position?, false): unsafe try file.pread(address, count: count, at: position)
                case (let position?, true): unsafe try file.pwrite(address, count: count, at: position)
                case (nil, false): unsafe try file.read(address, count: count)
                case (nil, true): unsafe try file.write(address, count: count)
                }
        }
        let moved = position == nil ? Int64(done ?? 0) : 0
        guard file.position == before + moved else { fatalError("the position is \(file.position), was \(before)") }
        guard let done else { return }
        guard done >= 0, done <= count else { fatalError("\(done) of \(count) bytes") }
        guard fits || done == 0 || count > arena.room(place), !isWild || done == 0 else {
            fatalError("\(done) bytes to no memory")
        }
        guard fits else { return }
        if !writes { arena.check(behind: place + count) }
        compare(place, done, position ?? before, isWritten: writes)
    }

    /// The bytes that went, against the memory itself.
    private func compare(_ place: Int, _ count: Int, _ position: Int64, isWritten: Bool) {
        guard arena.isWhole, let memory = model.physicalMemory else { return }
        let (region, offset) = (Int(position >> 40), UInt64(position) & (1 << 40 - 1))
        guard let addresses = device.physicalAddresses(ofRegion: region) else { return }
        let byteCount = addresses.upperBound - addresses.lowerBound
        for index in 0..<count {
            let byte = arena[place + index]
            guard offset + UInt64(index) < byteCount else {
                guard isWritten || byte == 0xFF else { fatalError("byte \(index) behind the memory is \(byte)") }
                continue
            }
            let address = addresses.lowerBound + offset + UInt64(index)
            guard let stored = memory.fileOffset(of: address, byteCount: 1) else { fatalError("no such memory") }
            // SAFETY: the memory has that byte.
            guard unsafe memory.bytes[Int(stored)] == byte else { fatalError("byte \(index) is not the memory's") }
        }
    }

    // MARK: mmap(2)

    private mutating func map(_ file: borrowing VFIOFile) {
        let byteCount = Int(
            truncatingIfNeeded: choices.range([0, 1, 4096, 8192, 0x2000_0000, 0x4000_5000, 0x4000_6000])
        )
        let offset = position()
        let flags = choices.pick([MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_PRIVATE, 0, MAP_SHARED | MAP_FIXED])
        let protection = choices.pick([PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE])
        let value = choices.byte()
        attempt { () throws(VFIOError) in
            let mapping = try file.map(byteCount: byteCount, at: offset, protection: protection, flags: flags)
            guard flags == MAP_SHARED, mapping.byteCount >= byteCount else { fatalError("a mapping of other bytes") }
            guard protection == PROT_READ | PROT_WRITE else { return }
            // SAFETY: the first and the last byte of the mapping.
            unsafe mapping.base.storeBytes(of: value, as: UInt8.self)
            unsafe mapping.base.storeBytes(of: value, toByteOffset: mapping.byteCount - 1, as: UInt8.self)
        }
    }
}
