// Numbers as people read them.

import Foundation

/// `12.3 M`, `456 k`, `78`.
func perSecond(_ value: Double) -> String {
    switch value {
    case 1e9...: String(format: "%.2f G", value / 1e9)
    case 1e6...: String(format: "%.2f M", value / 1e6)
    case 1e3...: String(format: "%.1f k", value / 1e3)
    default: String(format: "%.0f", value)
    }
}

/// `97 %`.
func percent(_ ratio: Double) -> String { String(format: "%.0f %%", ratio * 100) }

/// Microseconds with one decimal: `12.3`.
func microseconds(_ nanoseconds: UInt64) -> String { String(format: "%.1f", Double(nanoseconds) / 1e3) }
