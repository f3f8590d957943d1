// Doorbells: what is rung is seen, and a sleeping owner is woken while one that is awake costs no system call.

import Backing
import Glibc
import Registers
import Testing

private func isReadable(_ descriptor: Int32) -> Bool {
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // SAFETY: one pollfd, on this stack.
    return unsafe poll(&wait, 1, 0) == 1
}

@Suite struct DoorbellPageTests {
    @Test func eachDoorbellHasItsOwnWord() {
        let page = DoorbellPage(count: 5)
        for index in 0..<5 { page.register(index).ring(UInt32(100 + index)) }
        #expect((0..<5).map { page.load($0) } == [100, 101, 102, 103, 104])
        page.store(2, 0)
        #expect((0..<5).map { page.load($0) } == [100, 101, 0, 103, 104])
    }

    @Test func anOwnerThatIsAwakeIsNotSignalled() {
        let page = DoorbellPage(count: 1)
        page.register(0).ring(1)
        page.wake()
        #expect(!isReadable(page.wakeDescriptor))
    }

    @Test func aSleepingOwnerIsWoken() {
        let page = DoorbellPage(count: 1)
        page.setSleeping(true)
        #expect(!isReadable(page.wakeDescriptor))
        page.register(0).ring(1)
        #expect(isReadable(page.wakeDescriptor))
        page.setSleeping(false)
        #expect(!isReadable(page.wakeDescriptor), "being awake drains it")
        page.setSleeping(true)
        page.wake()
        #expect(isReadable(page.wakeDescriptor))
    }

    /// A driver in another process has the memory and the descriptor, and may do anything with them.
    @Test(.timeLimit(.minutes(1)))
    func aHostileDriverHoldsTheOwnerUpInNothing() throws {
        let page = DoorbellPage(count: 2)
        let length = page.byteCount
        // SAFETY: a mapping of our own, as a driver in another process has it, unmapped at the end.
        let mapped = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, page.memoryDescriptor, 0)
        let words = unsafe try #require(mapped)
        defer { unsafe munmap(words, length) }
        unsafe words.storeBytes(of: 77, toByteOffset: page.byteOffset(of: 1), as: UInt32.self)
        #expect(page.load(1) == 77)

        page.setSleeping(true)
        unsafe words.storeBytes(of: 0, toByteOffset: page.sleepingOffset, as: UInt32.self)
        page.wake()
        #expect(isReadable(page.wakeDescriptor), "what the driver says of our sleep is not what we believe")
        page.setSleeping(false)

        _ = fcntl(page.wakeDescriptor, F_SETFL, 0)
        page.setSleeping(true)
        page.setSleeping(false)
    }

    @Test func anIndexOutsideThePageTraps() async {
        await #expect(processExitsWith: .failure) { _ = DoorbellPage(count: 2).load(2) }
        await #expect(processExitsWith: .failure) { DoorbellPage(count: 2).store(-1, 0) }
        await #expect(processExitsWith: .failure) { _ = DoorbellPage(count: 2).register(2) }
    }
}
