// Vectors: which cause goes where, and the re-arming after work. Source: igc_configure_msix, igc_msix_other.

import Backing
import I225Wire
import Interrupts
import Registers

/// What vector 0 had to tell.
package struct OtherCauses {
    package var linkChanged = false
    /// Tx stamps are there; they have been collected.
    package var stamped = false
    /// The card was reset by something that is not this driver.
    package var wasReset = false
}

extension I225Hardware {
    /// Vector of a queue pair: 0 is for all other causes.
    package static func vector(ofQueue queue: Int) -> Int { queue + 1 }

    /// Routes every cause to its vector and arms those in `vectors`.
    package func enableInterrupts(vectors: UInt32, gapMicroseconds: Int) {
        bar.write(
            I225Register.generalInterruptEnable,
            .with { enable in
                enable[.nonSelectiveClear] = true
                enable[.multipleVectors] = true
                enable[.extendedAutoMask] = true
                enable[.pendingBits] = true
            }
        )
        bar.write(
            I225Register.otherVector,
            .with { other in
                other[.vector] = 0
                other[.valid] = true
            }
        )
        for queue in 0..<I225.queueCount { route(queue: queue, isValid: vectors & (2 << UInt32(queue)) != 0) }
        for vector in 0..<I225.vectorCount where vectors & (1 << UInt32(vector)) != 0 {
            bar.write(I225Register.vectorThrottle[vector], .with { $0[.microseconds] = UInt32(gapMicroseconds) })
        }
        _ = bar.read(I225Register.interruptCause)
        bar.write(I225Register.vectorAutoClear, vectors)
        bar.write(I225Register.vectorAutoMask, vectors)
        bar.write(I225Register.vectorMaskSet, vectors)
        bar.write(
            I225Register.interruptMaskSet,
            .with { causes in
                causes[.linkChanged] = true
                causes[.timeSync] = true
                causes[.deviceReset] = true
            }
        )
    }

    /// Lets the vectors in `mask` fire again. What came meanwhile fires at once.
    package func rearm(_ mask: UInt32) { bar.write(I225Register.vectorMaskSet, mask) }

    /// Reads the causes of vector 0, in the order that clears them: ICR, then TSICR (igc_msix_other).
    package func readOtherCauses() -> OtherCauses {
        let cause = bar.read(I225Register.interruptCause)
        guard cause.raw != ~0 else { return OtherCauses() }
        var causes = OtherCauses()
        causes.linkChanged = cause[.linkChanged]
        causes.wasReset = cause[.deviceReset]
        if cause[.timeSync] { causes.stamped = bar.read(I225Register.timeSyncCause)[.transmitStamp] }
        return causes
    }

    private func route(queue: Int, isValid: Bool) {
        let entry: UInt32 = isValid ? UInt32(Self.vector(ofQueue: queue)) | 0x80 : 0
        bar.modify(I225Register.queueVectors[queue / 2]) { vectors in
            for transmit in [false, true] {
                let shift = QueueVectors.shift(queue: queue, transmit: transmit)
                vectors.raw = (vectors.raw & ~(0xFF << shift)) | entry << shift
            }
        }
    }
}
