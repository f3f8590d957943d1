// Memory from the kernel: whole pages, zeroed, the same through its descriptor, gone with its value.

import Glibc
import Memory
import Testing

@Suite struct SharedMemoryTests {
    @Test(arguments: [(1, 4096), (4095, 4096), (4096, 4096), (4097, 8192), (1 << 20, 1 << 20)])
    func isWholePagesOfZeroes(asked: Int, got: Int) throws {
        let memory = try SharedMemory(byteCount: asked, name: "test")
        #expect(memory.byteCount == got)
        let visible = memory.bytes().byteCount
        #expect(visible == got)
        let isZeroed = (0..<got).allSatisfy { memory.byte(at: $0) == 0 }
        #expect(isZeroed)
    }

    @Test(arguments: [0, -1, Int.min, Int.max, Int.max - 4094])
    func sizesThatCannotBeAreErrors(byteCount: Int) {
        #expect(throws: SystemError.self) { _ = try SharedMemory(byteCount: byteCount, name: "test").byteCount }
    }

    @Test func theDescriptorShowsTheSameBytes() throws {
        var memory = try SharedMemory(byteCount: 4096, name: "test")
        memory.setByte(at: 100, to: 0xAB)
        var seen: UInt8 = 0
        // SAFETY: one byte, on this stack.
        #expect(unsafe pread(memory.fileDescriptor, &seen, 1, 100) == 1)
        #expect(seen == 0xAB)
        var changed: UInt8 = 0xCD
        #expect(unsafe pwrite(memory.fileDescriptor, &changed, 1, 4095) == 1)
        #expect(memory.byte(at: 4095) == 0xCD)
    }

    @Test func theEndClosesTheDescriptor() throws {
        let descriptor = try SharedMemory(byteCount: 4096, name: "test").fileDescriptor
        #expect(fcntl(descriptor, F_GETFD) == -1 || linkName(of: descriptor) != "/memfd:test (deleted)")
    }

    private func linkName(of descriptor: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        // SAFETY: the buffer's own length is passed; readlink writes no more.
        let length = unsafe readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

@Suite struct SystemErrorTests {
    @Test func saysTheCallAndTheErrno() {
        #expect(SystemError("mmap", code: ENOMEM).description == "mmap: Cannot allocate memory (errno 12)")
    }
}
