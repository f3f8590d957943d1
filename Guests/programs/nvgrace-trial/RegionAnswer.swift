// What VFIO_DEVICE_GET_REGION_INFO wrote, read without trust in any of its numbers. Source: linux/vfio.h.

/// struct vfio_region_info and, where it says so, one VFIO_REGION_INFO_CAP_SPARSE_MMAP behind it.
struct RegionAnswer: CustomStringConvertible {
    private let bytes: [UInt8]

    /// - Parameter bytes: 128 of them, those behind the struct filled with 0xEE before the call.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func number(_ offset: Int, _ count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) }
    }

    var size: UInt64 { number(16, 8) }
    var capabilityOffset: Int { Int(number(12, 4)) }
    /// Of the first area, if the capability is where it is expected.
    var areaSize: UInt64 { number(56, 8) }

    private var capability: String {
        if bytes[32...].allSatisfy({ $0 == 0xEE }) { return "nothing behind it" }
        let area = "id \(number(32, 2)) version \(number(34, 2)) next \(number(36, 4)) areas \(number(40, 4))"
        let rest = bytes[64...].allSatisfy { $0 == 0xEE } ? "" : ", and more behind it"
        return
            "\(area) [\(hex(Int(truncatingIfNeeded: number(48, 8)))), \(hex(Int(truncatingIfNeeded: areaSize)))]\(rest)"
    }

    var description: String {
        "argsz \(number(0, 4)) flags \(hex(Int(number(4, 4)))) cap_offset \(capabilityOffset) size "
            + "\(hex(Int(truncatingIfNeeded: size))) offset \(hex(Int(truncatingIfNeeded: number(24, 8)))); \(capability)"
    }
}
