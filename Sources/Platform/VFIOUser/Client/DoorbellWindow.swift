// Doorbells of a server as memory: a value is stored where the server looks, and an eventfd wakes it if it sleeps.
// Source of truth: the vfio-user protocol specification, VFIO_USER_DEVICE_GET_REGION_IO_FDS; libvfio-user for the shadow
// ioeventfd and its 48-byte entries.

import CLinux
import Glibc
import Memory
import Registers
import Synchronization

/// The doorbells of one BAR.
@safe final class DoorbellWindow: @unchecked Sendable {
    // SAFETY (Sendable): immutable after init but for what is behind the mappings, which are atomics.
    private let memories: [UInt32: ServerMemory]
    private let events: [UInt32: SharedEvent]
    private let entries: [UInt32: Entry]
    /// The first word of the memory says whether the server sleeps. If not, it wants to be woken each time.
    private let hasSleepWord: Bool
    private let always: UnsafeMutablePointer<Atomic<UInt32>>

    /// Where a doorbell is, by its offset in the BAR.
    struct Entry: Equatable {
        let memory: UInt32
        let offset: UInt64
        let event: UInt32
    }

    init(memories: [UInt32: ServerMemory], events: [UInt32: SharedEvent], entries: [UInt32: Entry], hasSleepWord: Bool)
    {
        self.memories = memories
        self.events = events
        self.entries = entries
        self.hasSleepWord = hasSleepWord
        unsafe always = .allocate(capacity: 1)
        unsafe always.initialize(to: Atomic(1))
    }

    deinit {
        unsafe always.deinitialize(count: 1)
        unsafe always.deallocate()
    }

    /// The doorbell at `offset` of the BAR. Whoever rings it holds the backing, which holds this.
    func register(at offset: UInt32) -> DoorbellRegister? {
        guard let entry = entries[offset], let memory = memories[entry.memory], let event = events[entry.event] else {
            return nil
        }
        // SAFETY: `entries` has only aligned words inside their memory, and the memory stays as long as this object.
        let value = unsafe UnsafePointer((memory.base + Int(entry.offset)).assumingMemoryBound(to: Atomic<UInt32>.self))
        let sleeping = unsafe UnsafePointer(memory.base.assumingMemoryBound(to: Atomic<UInt32>.self))
        return unsafe DoorbellRegister(
            value: value,
            sleeping: hasSleepWord ? sleeping : UnsafePointer(always),
            wakeDescriptor: event.descriptor.raw
        )
    }

    /// Has every doorbell lead to another server's memory; whether that has the same ones.
    func replace(_ other: borrowing DoorbellFiles) -> Bool {
        guard other.entries == entries, other.hasSleepWord == hasSleepWord else { return false }
        for (index, memory) in memories {
            guard other.withFile(index, { memory.replace($0, offset: 0) }) else { return false }
        }
        for (index, event) in events {
            guard other.withFile(index, { event.replace($0) }) else { return false }
        }
        return true
    }
}

/// An eventfd that the server reads.
final class SharedEvent: Sendable {
    let descriptor: OwnedDescriptor

    /// Nil: it is no eventfd. Signalling it must not wait, whatever its count.
    init?(_ file: borrowing OwnedDescriptor) {
        guard clinux_is_eventfd(file.raw) == 1, clinux_set_nonblocking(file.raw) == 0,
            let copy = try? OwnedDescriptor.duplicate(of: file.raw)
        else { return nil }
        descriptor = copy
    }

    /// Puts another eventfd under the same number.
    func replace(_ file: borrowing OwnedDescriptor) -> Bool {
        guard clinux_is_eventfd(file.raw) == 1, clinux_set_nonblocking(file.raw) == 0 else { return false }
        // Close-on-exec goes with dup2, and comes back.
        guard dup2(file.raw, descriptor.raw) >= 0 else { return false }
        return fcntl(descriptor.raw, F_SETFD, FD_CLOEXEC) == 0
    }
}

/// What the server handed out for one BAR.
struct DoorbellFiles: ~Copyable {
    fileprivate(set) var entries: [UInt32: DoorbellWindow.Entry] = [:]
    fileprivate(set) var hasSleepWord = false
    private var files = InlineArray<16, OwnedDescriptor?> { _ in nil }

    fileprivate mutating func keep(_ file: consuming OwnedDescriptor, at index: Int) {
        files[index] = .some(file)
    }

    /// What `body` says of a file; false if there is none.
    func withFile(_ index: UInt32, _ body: (borrowing OwnedDescriptor) -> Bool) -> Bool {
        guard index < 16 else { return false }
        switch files[Int(index)] {
        case .some(let file): return body(file)
        case .none: return false
        }
    }

    /// Maps and opens all that is used; entries whose memory or eventfd is not fit are left out.
    func window() -> DoorbellWindow? {
        var memories: [UInt32: ServerMemory] = [:]
        var events: [UInt32: SharedEvent] = [:]
        for entry in entries.values {
            if memories[entry.memory] == nil {
                _ = withFile(entry.memory) { file in
                    guard let size = ServerMemory.size(of: file), size <= Self.mostMemoryBytes else { return false }
                    memories[entry.memory] = ServerMemory(file, offset: 0, byteCount: size)
                    return true
                }
            }
            if events[entry.event] == nil {
                _ = withFile(entry.event) { file in
                    events[entry.event] = SharedEvent(file)
                    return true
                }
            }
        }
        let usable = entries.filter { _, entry in
            guard let memory = memories[entry.memory], events[entry.event] != nil else { return false }
            return entry.offset % 4 == 0 && memory.byteCount >= 4 && entry.offset <= UInt64(memory.byteCount - 4)
        }
        guard !usable.isEmpty, usable.count == entries.count else { return nil }
        return DoorbellWindow(memories: memories, events: events, entries: usable, hasSleepWord: hasSleepWord)
    }

    private static let mostMemoryBytes: UInt64 = 16 << 20
}

extension ClientLink {
    private static var mostDoorbells: UInt32 { 1024 }

    /// Asks for the doorbells of a BAR; nil: it has none, or the server lends none.
    mutating func doorbells(region: Int, byteCount: UInt64) throws(LinkFailure) -> DoorbellFiles? {
        let fixed = UInt32(IODescriptorsRequest.byteCount)
        let entrySize = UInt32(ShadowedSubregion.byteCount)
        var room = fixed + 64 * entrySize
        for _ in 0..<2 {
            let start = try begin(.getRegionIODescriptors)
            IODescriptorsRequest(argumentSize: room, index: UInt32(region)).write(to: &output.buffer)
            let message: IncomingMessage
            do throws(LinkFailure) {
                message = try exchange(
                    start,
                    .getRegionIODescriptors,
                    replying: Int(fixed)...Int(fixed + Self.mostDoorbells * entrySize)
                )
            } catch {
                // A server need not know this command.
                if case .refused = error { return nil }
                throw error
            }
            guard let answer = try? IODescriptorsRequest(payload(of: message)), answer.index == UInt32(region),
                answer.count <= Self.mostDoorbells
            else { throw confused("DEVICE_GET_REGION_IO_FDS: a reply that does not answer for region \(region)") }
            let needed = fixed + answer.count * entrySize
            if answer.argumentSize > room, room < needed || answer.count == 0 {
                guard answer.argumentSize <= fixed + Self.mostDoorbells * entrySize else { return nil }
                room = answer.argumentSize
                continue
            }
            guard payload(of: message).byteCount >= Int(needed) else {
                throw confused(
                    "DEVICE_GET_REGION_IO_FDS: \(answer.count) entries in \(payload(of: message).byteCount) bytes"
                )
            }
            return files(message, count: Int(answer.count), within: byteCount)
        }
        return nil
    }

    /// The entries that are doorbells of 32 bits; others are left to messages.
    private mutating func files(_ message: IncomingMessage, count: Int, within byteCount: UInt64) -> DoorbellFiles? {
        var all = DoorbellFiles()
        all.hasSleepWord = offer.hasSleepWord
        for index in 0..<count {
            let place = IODescriptorsRequest.byteCount + index * ShadowedSubregion.byteCount
            let bytes = payload(of: message)
            guard let entry = try? ShadowedSubregion(bytes.extracting(place..<bytes.byteCount)),
                entry.type == ShadowedSubregion.shadowType, entry.flags == 0, entry.size == 4, entry.offset % 4 == 0,
                byteCount >= 4, entry.offset <= byteCount - 4, let offset = UInt32(exactly: entry.offset),
                entry.eventIndex < 16, entry.memoryIndex < 16
            else { continue }
            all.entries[offset] = DoorbellWindow.Entry(
                memory: entry.memoryIndex,
                offset: entry.memoryOffset,
                event: entry.eventIndex
            )
        }
        guard !all.entries.isEmpty else { return nil }
        for index in 0..<descriptorCount {
            if let file = takeDescriptor(index) { all.keep(file, at: index) }
        }
        return all
    }
}
