// C sources beside these tests, compiled against a linux/if_xdp.h with Tx metadata, and run with descriptors of ours.
//
// SAFETY (all uses of `unsafe`): C calls with strings and locals that outlive the call.

import Glibc
import Testing

/// What is needed to compile against the header that `HeaderCheck/fetch-header` puts into the cache.
enum HeaderCheck {
    static let whyNot: Comment = "no header in .cache/if_xdp: Tests/Services/XSK/HeaderCheck/fetch-header says why"

    /// The folder to pass with `-I`. Where it is missing `fetch-header` is run, once; nil if that did not help.
    static let includeFolder: String? = {
        var path = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false)
        path.removeLast("Tests/Services/XSK/CProgram.swift".split(separator: "/").count)
        let folder = path.joined(separator: "/") + "/.cache/if_xdp"
        // SAFETY: the string is a C string for the call.
        func isThere() -> Bool { unsafe access(folder + "/linux/if_xdp.h", R_OK) == 0 }
        if !isThere(), var child = try? Child(sourceFolder + "/fetch-header", []) {
            _ = child.readToEnd()
            _ = child.wait()
        }
        return isThere() ? folder : nil
    }()

    static var sourceFolder: String {
        "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/HeaderCheck"
    }
}

/// A compiled program. Its end removes it.
struct CProgram: ~Copyable {
    private let folder: String
    private var path: String { folder + "/program" }

    /// Compiles `HeaderCheck/<source>`.
    init(_ source: String) throws {
        let include = try #require(HeaderCheck.includeFolder)
        var template = Array("/tmp/doorbell-xsk-XXXXXX".utf8CString)
        let made = unsafe mkdtemp(&template)
        let folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        try #require(unsafe made != nil, "a temporary folder")
        var compiled = false
        for compiler in ["cc", "clang"] where !compiled {
            let arguments = [
                "-Wall", "-Wextra", "-Werror", "-O1", "-I", include, "\(HeaderCheck.sourceFolder)/\(source)",
                "-o", "\(folder)/program",
            ]
            guard var child = try? Child(compiler, arguments) else { continue }
            _ = child.readToEnd()
            compiled = child.wait() == 0
        }
        try #require(compiled, "cc or clang compiles \(source)")
        self.folder = folder
    }

    deinit {
        unsafe unlink(path)
        unsafe rmdir(folder)
    }

    /// Starts it with `input` as its standard input and `descriptors` as 3, 4, 5…
    func start(input: [UInt8] = [], descriptors: [Int32] = []) throws -> Child {
        try Child(path, [], input: input, descriptors: descriptors)
    }
}

/// A running program. Its end kills it, if it has not ended.
struct Child: ~Copyable {
    private var process: pid_t
    /// Its standard output.
    let output: Int32

    struct SpawnFailed: Error {}

    init(_ program: String, _ arguments: [String], input: [UInt8] = [], descriptors: [Int32] = []) throws {
        let (inputRead, inputWrite) = try Self.pipe()
        let (outputRead, outputWrite) = try Self.pipe()
        // Out of the way of the numbers that the child wants them at.
        let parked = ([inputRead, outputWrite] + descriptors).map { fcntl($0, F_DUPFD_CLOEXEC, 100) }

        // Short enough for the pipe, so that it never blocks.
        _ = unsafe write(inputWrite, input, input.count)

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        for (target, source) in zip([0, 1] + (0..<descriptors.count).map { Int32($0) + 3 }, parked) {
            unsafe posix_spawn_file_actions_adddup2(&actions, source, target)
        }
        var words: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
        var process: pid_t = 0
        let status = unsafe posix_spawnp(&process, program, &actions, nil, &words, environ)
        unsafe words.forEach { unsafe free($0) }
        unsafe posix_spawn_file_actions_destroy(&actions)
        for descriptor in parked + [inputRead, outputWrite] { close(descriptor) }
        close(inputWrite)
        guard status == 0 else {
            close(outputRead)
            throw SpawnFailed()
        }
        self.process = process
        output = outputRead
    }

    deinit {
        if process > 0 {
            kill(process, SIGKILL)
            var status: Int32 = 0
            _ = unsafe waitpid(process, &status, 0)
        }
        close(output)
    }

    /// All that it prints until it ends.
    func readToEnd() -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(output, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    /// Its exit status; nil if a signal ended it.
    mutating func wait() -> Int32? {
        var status: Int32 = 0
        guard unsafe waitpid(process, &status, 0) == process else { return nil }
        process = 0
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe Glibc.pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }
}
