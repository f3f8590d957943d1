// The superchips' GPUs, as data. Source: the id tables of Linux's nvgrace-gpu driver, 6.12 and 7.3.

/// A GPU whose memory hangs on the CPU's coherent link.
public struct GraceHopperPart: Sendable, Equatable {
    public static let vendor: UInt16 = 0x10DE
    /// 3D controller.
    public static let classCode: UInt32 = 0x03_0200
    public static let revision: UInt8 = 0xA1

    public let device: UInt16
    /// As NVIDIA calls it; the gigabytes in a name are those of the CPU's memory.
    public let name: String
    /// Generations after Hopper need no reserved memory: cached memory serves all of the device's uses.
    public let needsNoReserve: Bool
    /// The chip's architecture, as NV_PMC_BOOT_0 tells it.
    public let architecture: UInt32

    /// NV_PMC_BOOT_0_ARCHITECTURE.
    private static let hopper: UInt32 = 0x18
    private static let blackwell: UInt32 = 0x1A

    public static let all: [GraceHopperPart] = [
        GraceHopperPart(device: 0x2342, name: "GH200 120GB", needsNoReserve: false, architecture: hopper),
        GraceHopperPart(device: 0x2345, name: "GH200 480GB", needsNoReserve: false, architecture: hopper),
        GraceHopperPart(device: 0x2348, name: "GH200 144G", needsNoReserve: false, architecture: hopper),
        GraceHopperPart(device: 0x2941, name: "GB200", needsNoReserve: true, architecture: blackwell),
        GraceHopperPart(device: 0x31C2, name: "GB300", needsNoReserve: true, architecture: blackwell),
    ]

    public static func of(device: UInt16) -> GraceHopperPart? { all.first { $0.device == device } }
}
