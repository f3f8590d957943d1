// Capture files for Wireshark, with hardware times in nanoseconds. Source of truth: draft-ietf-opsawg-pcapng.

import Glibc
import Memory

/// Which way a frame went, as seen from the device.
public enum FrameDirection: UInt32, Sendable {
    /// From the wire.
    case received = 0
    /// To the wire.
    case transmitted = 1
}

/// Frames of a capture file.
public struct PcapngCounters: Sendable, Equatable {
    /// Frames that are in the file, or wait in memory for the next `flush`.
    public var frames: UInt64 = 0
    /// Frames that came when the file could not be written any more, or waited when that showed.
    public var lost: UInt64 = 0

    public init() {}
}

/// A capture file in the making. Its end writes what waits and closes the file.
///
/// When the file cannot be written any more (the disk is full) it is cut after the last whole block, and further frames
/// are counted as lost: a capture never stops the wire.
public struct PcapngWriter: ~Copyable {
    // SAFETY: of the buffer's bytes only the first `count`, which are initialised, are handed to `write`.
    private let path: String
    private let fileDescriptor: Int32
    private var buffer = PcapngBuffer()
    private var framesInBuffer: UInt64 = 0
    private var bytesInFile = 0
    private var snapLengths: [Int] = []
    private var failure: PcapngError?
    private var isFailureReported = false
    public private(set) var counters = PcapngCounters()

    /// Makes the file; an old one of this name is overwritten.
    ///
    /// - Parameters:
    ///   - path: of the file; a pipe is refused.
    ///   - hardware: what the frames went through; Wireshark shows it.
    ///   - comment: a remark on the whole file.
    public init(path: String, hardware: String? = nil, comment: String? = nil) throws(PcapngError) {
        // Non-blocking, for opening a pipe without a reader would wait for one.
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK
        // SAFETY: the C string lives as long as the call.
        let descriptor = unsafe path.withCString { unsafe open($0, flags, 0o644) }
        guard descriptor >= 0 else {
            // ENXIO is what a pipe without a reader answers.
            throw errno == ENXIO ? .isPipe(path: path) : .cannotOpen(path: path, .last("open"))
        }
        var status = stat()
        // SAFETY: `status` outlives the call.
        guard unsafe fstat(descriptor, &status) == 0 else {
            let error = SystemError.last("fstat")
            Glibc.close(descriptor)
            throw .cannotOpen(path: path, error)
        }
        guard status.st_mode & S_IFMT != S_IFIFO else {
            Glibc.close(descriptor)
            throw .isPipe(path: path)
        }
        self.path = path
        fileDescriptor = descriptor
        putSectionHeader(hardware: hardware, comment: comment)
    }

    deinit {
        // Nobody is left to be told of an error; `close` is for those who want to know.
        if unsafe write(buffer.bytes, count: buffer.count, to: fileDescriptor) != nil {
            _ = ftruncate(fileDescriptor, bytesInFile)
        }
        Glibc.close(fileDescriptor)
    }

    /// Adds a source of frames; its number, counted from 0.
    ///
    /// - Parameters:
    ///   - name: what Wireshark calls it.
    ///   - snapLength: bytes of a frame to keep.
    public mutating func addInterface(named name: String, snapLength: Int = maximumFrameBytes) -> Int {
        precondition((1...maximumFrameBytes).contains(snapLength), "snap length of a capture")
        makeRoom(for: 2 * PcapngBuffer.maximumTextBytes)
        buffer.beginBlock(1)
        buffer.put(UInt16(1))  // LINKTYPE_ETHERNET
        buffer.put(UInt16(0))
        buffer.put(UInt32(snapLength))
        buffer.putOption(.hardwareOrNameOrFlags, name)
        buffer.putOption(.timeResolution, UInt8(9))  // 10^-9 s; without it readers take microseconds
        buffer.putOption(.checkSequenceLength, UInt8(0))
        buffer.putEndOfOptions()
        buffer.endBlock()
        snapLengths.append(snapLength)
        return snapLengths.count - 1
    }

    /// Adds a frame; false if it is lost, because the file cannot be written or has no such interface.
    ///
    /// - Parameters:
    ///   - frame: its bytes, without CRC.
    ///   - interface: the number that `addInterface` gave.
    ///   - time: nanoseconds of the clock that stamped the frame.
    ///   - direction: which way it went.
    ///   - comment: a remark that Wireshark shows with the frame.
    @discardableResult public mutating func append(
        _ frame: RawSpan,
        interface: Int,
        time: UInt64,
        direction: FrameDirection,
        comment: String? = nil
    ) -> Bool {
        guard failure == nil, snapLengths.indices.contains(interface) else {
            counters.lost &+= 1
            return false
        }
        let captured = min(frame.byteCount, snapLengths[interface])
        makeRoom(for: 64 + captured + (comment == nil ? 0 : PcapngBuffer.maximumTextBytes))
        guard failure == nil else {
            counters.lost &+= 1
            return false
        }
        buffer.beginBlock(6)
        buffer.put(UInt32(truncatingIfNeeded: interface))
        buffer.put(UInt32(truncatingIfNeeded: time &>> 32))
        buffer.put(UInt32(truncatingIfNeeded: time))
        buffer.put(UInt32(truncatingIfNeeded: captured))
        buffer.put(UInt32(clamping: frame.byteCount))
        buffer.put(frame.extracting(first: captured))
        // Bits 0 and 1 of epb_flags: 1 is inbound, 2 is outbound.
        buffer.putOption(.hardwareOrNameOrFlags, direction.rawValue &+ 1)
        if let comment { buffer.putOption(.comment, comment) }
        buffer.putEndOfOptions()
        buffer.endBlock()
        framesInBuffer &+= 1
        counters.frames &+= 1
        return true
    }

    /// Writes what waits in memory.
    public mutating func flush() {
        let count = buffer.count
        guard failure == nil, count > 0 else { return }
        if let error = unsafe write(buffer.bytes, count: count, to: fileDescriptor) {
            failure = .cannotWrite(path: path, error)
            // A block that is there in part would make the whole file suspect. What is no file cannot be cut.
            _ = ftruncate(fileDescriptor, bytesInFile)
            counters.frames &-= framesInBuffer
            counters.lost &+= framesInBuffer
        } else {
            bytesInFile += count
        }
        framesInBuffer = 0
        buffer.removeAll()
    }

    /// Whether frames wait in memory for `flush`.
    public var hasUnwritten: Bool { buffer.count > 0 }

    /// Why the file cannot be written any more; told once, nil from then on.
    public mutating func takeFailure() -> PcapngError? {
        guard let failure, !isFailureReported else { return nil }
        isFailureReported = true
        return failure
    }

    /// Writes what waits, closes the file, and throws what was not told yet.
    public consuming func close() throws(PcapngError) {
        flush()
        if let failure = takeFailure() { throw failure }
    }

    private mutating func putSectionHeader(hardware: String?, comment: String?) {
        buffer.beginBlock(0x0A0D_0D0A)
        buffer.put(UInt32(0x1A2B_3C4D))  // says which byte order the numbers have
        buffer.put(UInt16(1))
        buffer.put(UInt16(0))
        buffer.put(UInt64.max)  // length of the section: not said
        if let comment { buffer.putOption(.comment, comment) }
        if let hardware { buffer.putOption(.hardwareOrNameOrFlags, hardware) }
        buffer.putOption(.application, "Doorbell")
        buffer.putEndOfOptions()
        buffer.endBlock()
    }

    private mutating func makeRoom(for byteCount: Int) {
        if buffer.room < byteCount { flush() }
    }
}

/// Writes all bytes, or says why not.
private func write(_ bytes: UnsafeRawPointer, count: Int, to descriptor: Int32) -> SystemError? {
    var written = 0
    while written < count {
        // SAFETY: within the caller's `count` bytes.
        let length = unsafe Glibc.write(descriptor, bytes + written, count - written)
        if length > 0 {
            written += length
        } else if errno != EINTR {
            return .last("write")
        }
    }
    return nil
}
