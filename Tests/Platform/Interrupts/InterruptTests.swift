// Whatever the order of firing, asking and sleeping, no message is lost: the count shows it or the descriptor wakes.

import Glibc
import Interrupts
import Leases
import Synchronization
import Testing

/// Keeps the vectors that were given back.
private final class Detachments: VectorDetacher, @unchecked Sendable {
    // SAFETY (Sendable): one test, one thread.
    var indices: [Int] = []
    func detachVector(_ index: Int) { indices.append(index) }
}

/// Whether a sleeper would wake at once.
private func isReadable(_ descriptor: Int32) -> Bool {
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    // SAFETY: one pollfd, on this stack.
    return unsafe poll(&wait, 1, 0) == 1
}

private func signal(_ descriptor: Int32, _ count: UInt64) {
    var count = count
    // SAFETY: the address and the size of a local.
    #expect(unsafe write(descriptor, &count, 8) == 8)
}

private func taken(from descriptor: Int32) -> UInt64 {
    var count: UInt64 = 0
    // SAFETY: the address and the size of a local.
    return unsafe read(descriptor, &count, 8) == 8 ? count : 0
}

@Suite struct InterruptTests {
    private let census = Census()
    private let detachments = Detachments()
    private let cell = InterruptCell()

    private func attach(_ index: Int = 3) -> InterruptLease {
        InterruptLease(index: index, cell: cell, detacher: detachments, mark: census.mark("vector"))
    }

    @Test func consumeTellsOfMessagesOnce() {
        var lease = attach()
        #expect(lease.consume() == false)
        cell.fire()
        cell.fire()
        #expect(lease.firedCount == 2)
        #expect(lease.consume() == true, "two messages between two looks are one news")
        #expect(lease.consume() == false)
        cell.fire()
        #expect(lease.consume() == true)
    }

    @Test func aDriverThatPollsIsNotSignalled() {
        var lease = attach()
        cell.fire()
        #expect(!isReadable(cell.eventDescriptor))
        #expect(lease.consume() == true)
    }

    @Test func aMessageFromBeforeTheDescriptorWasAskedForWakes() {
        var lease = attach()
        cell.fire()
        #expect(isReadable(lease.eventDescriptor()))
        #expect(lease.consume() == true)
        #expect(!isReadable(lease.eventDescriptor()))
    }

    @Test func consumeDrainsTheDescriptorAndTheNextMessageFillsIt() {
        var lease = attach()
        let descriptor = lease.eventDescriptor()
        #expect(!isReadable(descriptor))
        for _ in 0..<3 {
            cell.fire()
            #expect(isReadable(descriptor))
            #expect(lease.consume() == true)
            #expect(!isReadable(descriptor))
            #expect(lease.consume() == false)
        }
    }

    @Test func askingForTheDescriptorAgainDoesNotSignalWhatWasSeen() {
        var lease = attach()
        cell.fire()
        #expect(lease.consume() == true)
        #expect(!isReadable(lease.eventDescriptor()))
        cell.fire()
        #expect(isReadable(lease.eventDescriptor()))
        #expect(lease.consume() == true)
        #expect(!isReadable(lease.eventDescriptor()))
    }

    @Test func aCellForSomebodyElsesEventfdSignalsEveryMessage() {
        let owner = InterruptCell.signalledFromOutside()
        let theirs = owner.eventDescriptor
        let cell = InterruptCell(signalling: dup(theirs))
        for message in UInt64(1)...3 {
            cell.fire()
            #expect(isReadable(theirs))
            #expect(taken(from: theirs) == 1)
            #expect(cell.count == message)
        }
    }

    @Test func messagesFromOutsideCountWhenTheyAreSeen() {
        let cell = InterruptCell.signalledFromOutside()
        var lease = InterruptLease(index: 0, cell: cell, detacher: detachments, mark: census.mark("vector"))
        let descriptor = lease.eventDescriptor()
        #expect(lease.consume() == false)
        signal(descriptor, 2)
        #expect(isReadable(lease.eventDescriptor()), "asking for the descriptor takes nothing out")
        #expect(lease.consume() == true)
        #expect(lease.firedCount == 2)
        #expect(lease.consume() == false)
        #expect(!isReadable(descriptor))
        signal(descriptor, 1)
        #expect(lease.consume() == true)
        #expect(lease.firedCount == 3)
    }

    /// O_NONBLOCK belongs to the open file, which the far end shares: it cannot make us wait.
    @Test(.timeLimit(.minutes(1)))
    func aFarEndThatMakesTheDescriptorBlockHoldsNobodyUp() {
        let cell = InterruptCell.signalledFromOutside()
        var lease = InterruptLease(index: 0, cell: cell, detacher: detachments, mark: census.mark("vector"))
        _ = fcntl(lease.eventDescriptor(), F_SETFL, 0)
        #expect(lease.consume() == false)
    }

    @Test func theEndOfTheLeaseDetachesOnce() {
        do {
            let lease = attach(5)
            #expect(census.outstanding == ["vector": 1])
            #expect(detachments.indices.isEmpty)
            #expect(lease.index == 5)
        }
        #expect(detachments.indices == [5])
        #expect(census.outstanding.isEmpty)
    }

    /// The device sends each message when the one before has been handled, a varying moment later, so that messages meet
    /// every step of the driver's way to sleep. A sleep that goes on although a message has come is a lost wake-up; one
    /// without a message only says that the other thread is slow.
    @Test func noMessageIsLostBetweenTheLookAndTheSleep() async {
        var lease = attach()
        let descriptor = lease.eventDescriptor()
        let messages: UInt64 = 20_000
        let handled = Progress()
        let device = Task.detached { [cell] in
            for number in 0..<messages {
                while handled.count.load(ordering: .acquiring) < number { sched_yield() }
                for _ in 0..<number % 61 { _ = handled.count.load(ordering: .relaxed) }
                cell.fire()
            }
        }
        while handled.count.load(ordering: .relaxed) < messages {
            if lease.consume() {
                handled.count.store(lease.firedCount, ordering: .releasing)
                continue
            }
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // SAFETY: one pollfd, on this stack.
            let woken = unsafe poll(&wait, 1, 5_000)
            if woken == 0, lease.consume() {
                Issue.record("slept through message \(lease.firedCount)")
                handled.count.store(messages, ordering: .releasing)
            }
        }
        await device.value
        #expect(lease.firedCount == messages)
    }
}

/// How many messages the driver has handled.
private final class Progress: Sendable {
    let count = Atomic<UInt64>(0)
}
