// The regions of coherent memory for their users. Source of truth: nvgrace_gpu_read_mem, nvgrace_gpu_write_mem,
// nvgrace_gpu_mmap, nvgrace_gpu_check_device_ready (nvgrace-gpu/main.c of 7.3).

import Backing
import Clock
import Glibc
import Memory
import PCIe
import Synchronization
import VFIOVariant

extension NVGraceDevice {
    public func region(_ index: Int) throws(VFIOError) -> VFIORegion {
        guard let part = part(index) else { return try core.region(index) }
        guard state.withLock({ $0.isOpen }) else { throw notOpen }
        return part.description
    }

    public func read(region: Int, at offset: UInt64, into bytes: inout MutableRawSpan) throws(VFIOError) -> Int {
        guard let part = part(region) else {
            guard region == VFIORegion.config else { return try core.read(region: region, at: offset, into: &bytes) }
            return try readConfig(at: offset, into: &bytes)
        }
        do throws(VFIOError) {
            let access = try part.access(at: offset, count: bytes.byteCount)
            try enter()
            defer { lock.release() }
            try part.read(access, at: offset, into: &bytes)
            if access.emptyByteCount > 0 { count { $0.readsBeyondMemory &+= 1 } }
            return access.byteCount
        } catch {
            count { $0.refusedReads &+= 1 }
            throw error
        }
    }

    public func write(region: Int, at offset: UInt64, from bytes: RawSpan) throws(VFIOError) -> Int {
        guard let part = part(region) else {
            guard region == VFIORegion.config else { return try core.write(region: region, at: offset, from: bytes) }
            return try writeConfig(at: offset, from: bytes)
        }
        do throws(VFIOError) {
            let access = try part.access(at: offset, count: bytes.byteCount)
            try enter()
            defer { lock.release() }
            try part.write(access, at: offset, from: bytes)
            if access.emptyByteCount > 0 { count { $0.writesBeyondMemory &+= 1 } }
            return access.byteCount
        } catch {
            count { $0.refusedWrites &+= 1 }
            throw error
        }
    }

    /// Lends memory, of which `range` has whole pages. A mapping that is out when the function is reset stays: the memory
    /// keeps its contents.
    public func map(region: Int, _ range: Range<UInt64>) throws(VFIOError) -> RegionMapping {
        guard let part = part(region) else { return try core.map(region: region, range) }
        do throws(VFIOError) {
            let request = try MappingRequest(
                offset: range.lowerBound,
                byteCount: range.upperBound - range.lowerBound,
                memory: part.part.byteCount
            )
            try enter()
            defer { lock.release() }
            return try part.map(request)
        } catch {
            count { $0.refusedMappings &+= 1 }
            throw error
        }
    }

    // MARK: Admission

    private var notOpen: VFIOError { VFIOError(EBADF, "\(name) is not open") }

    /// Shares the lock while the device is open and its memory ready; the caller gives it back. Nothing is held while it
    /// waits, so that a reset or the end does not wait as well.
    private func enter() throws(VFIOError) {
        var wait = ReadinessWait(now: clock.now)
        while true {
            lock.share()
            do throws(VFIOError) {
                if try proveReady(&wait) { return }
            } catch {
                lock.release()
                throw error
            }
            lock.release()
            count { $0.readinessWaits &+= 1 }
            clock.wait(nanoseconds: ReadinessWait.stepNanoseconds)
        }
    }

    /// Whether the memory may be touched, as far as anyone has to look.
    private func proveReady(_ wait: inout ReadinessWait) throws(VFIOError) -> Bool {
        let (isOpen, isUnproven, resets) = state.withLock { ($0.isOpen, $0.isUnproven, $0.resets) }
        guard isOpen else { throw notOpen }
        guard isUnproven else { return true }
        try checkMemorySpace(resets)
        let reading = try readiness.reading(
            config: readConfigWord,
            register: { (offset) throws(VFIOError) in try readWord(region: 0, at: UInt64(offset)) }
        )
        guard try wait.judge(reading, now: clock.now) else { return false }
        state.withLock { $0.isUnproven = false }
        return true
    }

    /// After a reset the user has to switch the function's memory on before it touches any. Later on nobody asks: the
    /// device answers accesses that come too late with ones, safely.
    private func checkMemorySpace(_ resets: ResetRegisters) throws(VFIOError) {
        let command = try readConfigWord(ConfigSpace.Offset.command)
        guard UInt64(command) & ConfigSpace.memorySpaceEnable != 0 else {
            throw VFIOError(EIO, "access to memory after a reset, expected memory space on before")
        }
        if try isAsleep(resets) { throw VFIOError(EIO, "access to memory in D3hot, expected D0") }
    }

    private func count(_ change: (inout NVGraceCounters) -> Void) {
        state.withLock { change(&$0.counters) }
    }
}
