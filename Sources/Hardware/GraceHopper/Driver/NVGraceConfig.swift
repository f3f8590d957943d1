// Configuration space: the function's own with the fake BARs over it, at any width and place. Source of truth:
// nvgrace_gpu_read_config_emu, nvgrace_gpu_write_config_emu (nvgrace-gpu/main.c).

import Backing
import Memory
import Synchronization
import VFIOVariant

extension NVGraceDevice {
    func readConfig(at offset: UInt64, into bytes: inout MutableRawSpan) throws(VFIOError) -> Int {
        lock.share()
        defer { lock.release() }
        let count = try core.read(region: VFIORegion.config, at: offset, into: &bytes)
        state.withLock { $0.overlay }?.apply(at: offset, to: &bytes, count: count)
        return count
    }

    /// Writes each byte where it belongs. Alone, for it may be a reset: no access to memory is under way meanwhile.
    func writeConfig(at offset: UInt64, from bytes: RawSpan) throws(VFIOError) -> Int {
        lock.seize()
        defer { lock.release() }
        let (overlay, resets) = state.withLock { ($0.overlay, $0.resets) }
        guard var overlay else { return try core.write(region: VFIORegion.config, at: offset, from: bytes) }

        let powerBefore = resets.touchesPower(bytes.byteCount, at: offset) ? try powerState(resets) : nil
        var done = 0
        var failure: VFIOError?
        while failure == nil, let run = overlay.run(at: offset, count: bytes.byteCount, done: done) {
            if run.owner == .function {
                do throws(VFIOError) {
                    let piece = bytes.extracting(run.bytes)
                    let count = try core.write(region: VFIORegion.config, at: run.offset, from: piece)
                    done += count
                    guard count == piece.byteCount else { break }
                } catch {
                    failure = error
                }
            } else {
                overlay.store(run, from: bytes)
                done = run.bytes.upperBound
            }
        }
        let written = overlay
        state.withLock { $0.overlay = written }
        lookForReset(bytes.extracting(first: done), at: offset, resets, powerBefore)
        // What went well is told; the caller meets the error when it goes on from there.
        if let failure, done == 0 { throw failure }
        return done
    }

    /// Finds out whether what was written has reset the function.
    private func lookForReset(
        _ written: RawSpan,
        at offset: UInt64,
        _ resets: ResetRegisters,
        _ powerBefore: UInt8?
    ) {
        if resets.startsReset(written, at: offset) { noteReset() }
        guard let powerBefore else { return }
        do throws(VFIOError) {
            guard let powerAfter = try powerState(resets) else { return }
            if ResetRegisters.isReset(from: powerBefore, to: powerAfter) { noteReset() }
        } catch {
            // It was there to be written: a function that tells nothing since then is taken for one that lost its state.
            noteReset()
        }
    }

    /// The byte in which the power state is; nil: the function is always on.
    private func powerState(_ resets: ResetRegisters) throws(VFIOError) -> UInt8? {
        guard let offset = resets.powerState else { return nil }
        return UInt8(truncatingIfNeeded: try readWord(region: VFIORegion.config, at: offset))
    }

    /// Whether the function is in a power state in which it answers nothing.
    func isAsleep(_ resets: ResetRegisters) throws(VFIOError) -> Bool {
        try powerState(resets).map(ResetRegisters.isAsleep) ?? false
    }
}
