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

    @Test func anIndexOutsideThePageTraps() async {
        await #expect(processExitsWith: .failure) { _ = DoorbellPage(count: 2).load(2) }
        await #expect(processExitsWith: .failure) { DoorbellPage(count: 2).store(-1, 0) }
        await #expect(processExitsWith: .failure) { _ = DoorbellPage(count: 2).register(2) }
    }
}
