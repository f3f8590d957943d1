// Tells whether somebody still has a descriptor open, without counting those of the whole process: other tests run too.

import Glibc
import VFIOUser

/// The writing end of a pipe to hand out, and the reading end, which sees when the last copy of it is closed.
public struct DescriptorWitness: ~Copyable {
    private let reading: OwnedDescriptor
    private var writing: OwnedDescriptor?

    public init() {
        var ends: [Int32] = [-1, -1]
        // SAFETY: an array of two, as pipe fills it.
        unsafe ends.withUnsafeMutableBufferPointer { _ = unsafe pipe($0.baseAddress) }
        reading = OwnedDescriptor(owning: ends[0])
        writing = OwnedDescriptor(owning: ends[1])
    }

    /// A copy to hand out.
    public func copy() throws -> OwnedDescriptor {
        switch writing {
        case .some(let writing): try .duplicate(of: writing.raw)
        case .none: preconditionFailure("no copies after allClosed")
        }
    }

    /// Whether every copy is closed. No copy can be made after it.
    ///
    /// Other tests start programs, and a process has copies of all of this one's descriptors until it runs its program:
    /// for as long as that may take, it waits.
    public mutating func allClosed() -> Bool { isHungUp(within: 30_000) }

    /// Whether a copy is open. No copy can be made after it.
    public mutating func someOpen() -> Bool { !isHungUp(within: 0) }

    private mutating func isHungUp(within milliseconds: Int32) -> Bool {
        writing = nil
        var wait = pollfd(fd: reading.raw, events: 0, revents: 0)
        // SAFETY: one pollfd, on this stack.
        _ = unsafe poll(&wait, 1, milliseconds)
        return Int32(wait.revents) & Int32(POLLHUP) != 0
    }
}
