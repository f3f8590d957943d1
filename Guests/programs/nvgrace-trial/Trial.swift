// Runs the table on a lent function and prints a line per row: the row's name, a tab, and what came.
//
// SAFETY (whole file): `buffer` has `bufferBytes` bytes, and no row of the table asks for more; `forbidden` is mapped, and
// never touched by this program itself.

import Glibc

@safe struct Trial {
    private static let bufferBytes = 1 << 20

    private let file: any DeviceFile
    /// Of each region with memory that can be mapped: that memory's bytes and the region's.
    private var sizes: [Int: (memory: UInt64, region: UInt64)] = [:]
    private let buffer: UnsafeMutableRawPointer
    /// Pages that may be neither read nor written.
    private let forbidden: UnsafeMutableRawPointer
    /// What the next write writes begins with it, so that each leaves bytes of its own.
    private var nextByte: UInt8 = 1
    private var occurrences: [String: Int] = [:]

    /// - Parameter regions: those that show coherent memory: 2 and 4, or 4 alone.
    init(_ file: any DeviceFile, regions: [Int]) throws {
        self.file = file
        unsafe buffer = .allocate(byteCount: Self.bufferBytes, alignment: 4096)
        let pages = unsafe mmap(nil, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { throw TrialError("mmap: errno \(errno)") }
        unsafe forbidden = pages
        for region in regions {
            guard let answer = regionInfo(index: UInt32(region), argsz: 64).answer, answer.capabilityOffset == 32 else {
                throw TrialError("region \(region) has no memory that can be mapped")
            }
            sizes[region] = (answer.areaSize, answer.size)
        }
    }

    /// - Parameter names: of the sections to run; none: all.
    mutating func run(_ names: [String]) {
        for section in Table.sections where names.isEmpty || names.contains(section.name) {
            // Where region 2 shows no memory it is the function's own, which no driver here has a say in.
            for step in section.steps where step.region != 2 || sizes[2] != nil {
                let name = "\(section.name): \(step)"
                let count = (occurrences[name] ?? 0) + 1
                occurrences[name] = count
                let result = perform(step)
                print(count == 1 ? name : "\(name) (\(count))", result, separator: "\t")
            }
        }
    }

    private mutating func perform(_ step: Step) -> String {
        switch step {
        case .regionInfo(let index, let argsz):
            return regionInfo(index: index, argsz: argsz).text
        case .regionInfoUnwritable:
            return status(unsafe file.regionInfo(forbidden))
        case .read(let region, let at, let count):
            return read(region, offset(region, at), count)
        case .readUnwritable(let region, let at, let count):
            return status(unsafe file.read(forbidden, count, at: absolute(region, at)))
        case .write(let region, let at, let count):
            fill(count)
            return status(unsafe file.write(buffer, count, at: absolute(region, at)))
        case .writeUnreadable(let region, let at, let count):
            return status(unsafe file.write(forbidden, count, at: absolute(region, at)))
        case .map(let region, let at, let length, let isPrivate):
            let byteCount = Int(offset(region, length))
            return status(unsafe file.map(byteCount, at: absolute(region, at), isPrivate: isPrivate) { _ in })
        case .load(let region, let at):
            var value: UInt64 = 0
            let result = unsafe file.map(4096, at: absolute(region, at), isPrivate: false) { base in
                value = unsafe base.load(as: UInt64.self)
            }
            return result < 0 ? status(result) : "\(hexBytes(value.littleEndian, 8))"
        case .store(let region, let at):
            fill(8)
            let value = unsafe buffer.load(as: UInt64.self)
            return status(
                unsafe file.map(4096, at: absolute(region, at), isPrivate: false) { base in
                    unsafe base.storeBytes(of: value, as: UInt64.self)
                }
            )
        case .presetBARs, .configRead, .readBAR, .configWrite, .configSet, .decoding:
            return performConfig(step)
        case .reset:
            return status(file.reset())
        case .feature(let argsz, let flags):
            unsafe buffer.storeBytes(of: argsz, as: UInt32.self)
            unsafe buffer.storeBytes(of: flags, toByteOffset: 4, as: UInt32.self)
            return status(unsafe file.feature(buffer))
        case .ioeventfd(let region):
            return status(file.ioeventfd(region: region))
        }
    }

    private mutating func performConfig(_ step: Step) -> String {
        switch step {
        case .presetBARs:
            let values: [UInt32] = [0xE100_0000, 0x11, 0x8000_0000, 0x2233_4455, 0x8000_0000, 0x6677_8899]
            return setBARs(values)
        case .configRead(let at, let width):
            return read(Self.config, UInt64(at), width)
        case .readBAR(let region):
            return read(Self.config, UInt64(0x10 + region * 4), 8)
        case .configSet(let at, let width, let value):
            let result = writeConfig(at, width, value)
            return "\(status(result)), reads \(read(Self.config, UInt64(at), width))"
        case .configWrite(let at, let width):
            _ = setBARs([0, 0, 0, 0, 0, 0])
            // The highest bit of every byte is set, so that each is seen where a BAR keeps only its highest bits.
            for index in 0..<width {
                unsafe buffer.storeBytes(of: UInt8(0x81 + index), toByteOffset: index, as: UInt8.self)
            }
            let result = unsafe file.write(buffer, width, at: UInt64(Self.config) << 40 | UInt64(at))
            return "\(status(result)), BARs read \(allBARs())"
        case .decoding(let isOn):
            return status(writeConfig(4, 2, isOn ? 2 : 0))
        default:
            return "no row of the configuration space"
        }
    }

    // MARK: Calls

    private static let config = 7

    private func absolute(_ region: Int, _ place: Place) -> UInt64 { UInt64(region) << 40 + offset(region, place) }

    private func offset(_ region: Int, _ place: Place) -> UInt64 {
        let base =
            switch place.anchor {
            case .start: UInt64(0)
            case .memory: sizes[region]?.memory ?? 0
            case .end: sizes[region]?.region ?? 0
            }
        return base &+ UInt64(truncatingIfNeeded: place.distance)
    }

    private mutating func fill(_ count: Int) {
        for index in 0..<count {
            unsafe buffer.storeBytes(
                of: nextByte &+ UInt8(truncatingIfNeeded: index),
                toByteOffset: index,
                as: UInt8.self
            )
        }
        nextByte = nextByte == 0xEF ? 1 : nextByte + 1
    }

    private func read(_ region: Int, _ offset: UInt64, _ count: Int) -> String {
        unsafe buffer.initializeMemory(as: UInt8.self, repeating: 0x5A, count: Self.bufferBytes)
        let result = unsafe file.read(buffer, count, at: UInt64(region) << 40 + offset)
        guard result > 0 else { return status(result) }
        let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: min(result, count))
        if bytes.count <= 64 { return "\(result): \(unsafe hexBytes(bytes))" }
        // FNV-1a: long answers are compared by a digest.
        let digest = unsafe bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let ones = unsafe bytes.reversed().prefix { $0 == 0xFF }.count
        return "\(result): digest \(String(digest, radix: 16)), the last \(ones) are ff"
    }

    private func writeConfig(_ at: Int, _ width: Int, _ value: UInt32) -> Int {
        var bytes = value.littleEndian
        return unsafe file.write(&bytes, width, at: UInt64(Self.config) << 40 | UInt64(at))
    }

    private func setBARs(_ values: [UInt32]) -> String {
        for (index, value) in values.enumerated() {
            let result = writeConfig(0x10 + index * 4, 4, value)
            guard result == 4 else { return "BAR \(index): \(status(result))" }
        }
        return "ok"
    }

    private func allBARs() -> String {
        (0..<6).map { index -> String in
            var value: UInt32 = 0
            let result = unsafe file.read(&value, 4, at: UInt64(Self.config) << 40 | UInt64(0x10 + index * 4))
            return result == 4 ? hexBytes(UInt64(UInt32(littleEndian: value).bigEndian), 4) : status(result)
        }.joined(separator: " ")
    }

    /// struct vfio_region_info and one area of VFIO_REGION_INFO_CAP_SPARSE_MMAP, 64 bytes, and 64 more.
    private func regionInfo(index: UInt32, argsz: UInt32) -> (text: String, answer: RegionAnswer?) {
        var bytes = [UInt8](repeating: 0, count: 32) + [UInt8](repeating: 0xEE, count: 96)
        unsafe bytes.withUnsafeMutableBytes { unsafe $0.storeBytes(of: argsz, as: UInt32.self) }
        unsafe bytes.withUnsafeMutableBytes { unsafe $0.storeBytes(of: index, toByteOffset: 8, as: UInt32.self) }
        let asked = bytes
        let result = unsafe bytes.withUnsafeMutableBytes { unsafe file.regionInfo($0.baseAddress ?? forbidden) }
        guard result == 0 else { return (status(result) + (bytes == asked ? "" : ", and something written"), nil) }
        let answer = RegionAnswer(bytes)
        return (answer.description, answer)
    }
}

/// 0 or a count, or the error's name.
func status(_ result: Int) -> String {
    guard result < 0 else { return "\(result)" }
    return switch Int32(-result) {
    case EINVAL: "EINVAL"
    case EFAULT: "EFAULT"
    case ENOTTY: "ENOTTY"
    case EOVERFLOW: "EOVERFLOW"
    case ENOMEM: "ENOMEM"
    case EIO: "EIO"
    case ENODEV: "ENODEV"
    default: "errno \(-result)"
    }
}

func hexBytes(_ bytes: UnsafeRawBufferPointer) -> String {
    unsafe bytes.map { String(0x100 + Int($0), radix: 16).dropFirst() }.joined()
}

/// The lowest `count` bytes of a little-endian number, as they lie in memory.
func hexBytes(_ value: UInt64, _ count: Int) -> String {
    var bytes = value.littleEndian
    return unsafe withUnsafeBytes(of: &bytes) { unsafe hexBytes(UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
}
