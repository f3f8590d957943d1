// What can be wrong with a capture file: no place, a pipe, a full disk. The wire goes on in each case.

import Ethernet
import Glibc
import Memory
import Testing

@Suite struct PcapngFailureTests {
    @Test func aFileThatCannotBeMade() {
        #expect(
            openingFails("/nonexistent/a.pcapng")
                == .cannotOpen(
                    path: "/nonexistent/a.pcapng",
                    SystemError("open", code: ENOENT)
                )
        )
        #expect(openingFails("/tmp") == .cannotOpen(path: "/tmp", SystemError("open", code: EISDIR)))
    }

    @Test(arguments: [false, true])
    func aPipe(hasReader: Bool) throws {
        let file = TemporaryFile()
        // SAFETY: C strings that live as long as the calls.
        #expect(unsafe mkfifo(file.path, 0o600) == 0)
        let reader = hasReader ? unsafe open(file.path, O_RDONLY | O_NONBLOCK) : -1
        defer { if hasReader { close(reader) } }
        #expect(openingFails(file.path) == .isPipe(path: file.path))
    }

    @Test func aFullDiskIsToldOnceAndFramesAreCounted() throws {
        let recorder = try Recorder(path: "/dev/full")
        for number in 0..<100 { #expect(recorder.append(number)) }
        #expect(recorder.takeFailure() == nil, "nothing has been written yet")
        recorder.flush()
        #expect(recorder.counters.frames == 0)
        #expect(recorder.counters.lost == 100)

        let expected = PcapngError.cannotWrite(path: "/dev/full", SystemError("write", code: ENOSPC))
        #expect(recorder.takeFailure() == expected)
        #expect(recorder.takeFailure() == nil)
        #expect(expected.description.contains("No space left on device"))

        #expect(!recorder.append(100))
        recorder.flush()
        #expect(recorder.counters.lost == 101)
    }

    @Test func closingTellsOfAFailure() throws {
        let expected = PcapngError.cannotWrite(path: "/dev/full", SystemError("write", code: ENOSPC))
        #expect(throws: expected) {
            let writer = try PcapngWriter(path: "/dev/full")
            try writer.close()
        }
    }

    // In a process of its own, for the limit holds for all files of a process.
    @Test func aFileThatFillsUpEndsWithAWholeBlock() async {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 600_000, rlim_max: 600_000)
            // SAFETY: `limit` outlives the call.
            guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }

            let file = TemporaryFile("limit-\(getpid())")
            let recorder = try Recorder(path: file.path)
            var appended: UInt64 = 0
            while recorder.append(Int(appended)) { appended += 1 }
            let counters = recorder.counters
            // The frame that was refused counts as lost too.
            #expect(counters.frames + counters.lost == appended + 1)
            #expect(counters.lost > 1)
            #expect(file.bytes.count <= 600_000)
            #expect(countBlocks(file.bytes) == 2 + Int(counters.frames), "whole blocks: section, interface, frames")
            #expect(recorder.takeFailure() == .cannotWrite(path: file.path, SystemError("write", code: EFBIG)))
        }
    }

    @Test func framesOfUnknownInterfacesAreLost() throws {
        let file = TemporaryFile()
        let recorder = try Recorder(path: file.path)
        for interface in [-1, 1, .max] { #expect(!recorder.append(0, interface: interface)) }
        recorder.flush()
        #expect(recorder.counters.lost == 3)
        #expect(countBlocks(file.bytes) == 2)
    }

    @Test func textsOfAnyLengthAreCutBetweenCharacters() throws {
        let file = TemporaryFile()
        let recorder = try Recorder(path: file.path)
        // The byte at the limit is in the middle of a character of 3 bytes.
        #expect(recorder.append(0, comment: String(repeating: "€", count: 100_000)))
        #expect(recorder.append(1))
        recorder.flush()
        #expect(countBlocks(file.bytes) == 4)
        let comment = [0x01, 0x00, 0xFF, 0x0F] + [UInt8](String(repeating: "€", count: 4095 / 3).utf8)
        #expect(file.bytes.firstRange(of: comment) != nil)
    }
}

/// A writer with one interface, in a class because `#expect` cannot hold noncopyable values.
private final class Recorder {
    private var writer: PcapngWriter

    init(path: String) throws {
        var writer = try PcapngWriter(path: path)
        _ = writer.addInterface(named: "q0")
        self.writer = writer
    }

    func append(_ number: Int, interface: Int = 0, comment: String? = nil) -> Bool {
        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 60)
        let time = UInt64(number)
        // SAFETY: an array's bytes are initialised.
        return unsafe writer.append(
            bytes.span.bytes,
            interface: interface,
            time: time,
            direction: .received,
            comment: comment
        )
    }

    func flush() { writer.flush() }
    func takeFailure() -> PcapngError? { writer.takeFailure() }
    var counters: PcapngCounters { writer.counters }
}

private func openingFails(_ path: String) -> PcapngError? {
    do {
        _ = try PcapngWriter(path: path)
        return nil
    } catch {
        return error
    }
}

/// How many blocks a file has; nil if it does not end with one.
func countBlocks(_ bytes: [UInt8]) -> Int? {
    var offset = 0
    var count = 0
    while offset < bytes.count {
        guard offset + 12 <= bytes.count else { return nil }
        let length = (0..<4).reduce(0) { $0 | Int(bytes[offset + 4 + $1]) << (8 * $1) }
        guard length >= 12, length % 4 == 0, offset + length <= bytes.count else { return nil }
        guard bytes[(offset + 4)..<(offset + 8)] == bytes[(offset + length - 4)..<(offset + length)] else { return nil }
        offset += length
        count += 1
    }
    return count
}
