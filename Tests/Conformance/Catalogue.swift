// Every virtual device of the house, fresh from power-on, and every way to reach one. A new device is one case more.

import Backing
import Clock
import Ethernet
import GraceHopperModel
import I225Model
import MANAModel
import PCIe
import VFIOUserTestClient

enum Device: String, CaseIterable, Sendable {
    case i225
    case mana
    case graceHopper

    func make(_ clock: DeviceClock) throws -> any PCIeModel {
        switch self {
        case .i225: I225Model(options: I225Options(), port: .loopback(), clock: clock)
        case .mana: MANAModel(options: MANAOptions(), port: .loopback(), clock: clock)
        case .graceHopper: try Self.graceHopper(clock)
        }
    }
}

extension Device {
    /// With a window to its memory that is short enough to go through word by word.
    fileprivate static func graceHopper(_ clock: DeviceClock) throws -> any PCIeModel {
        var options = GraceHopperOptions()
        options.apertureByteCount = 1 << 20
        return try GraceHopperModel(options: options, clock: clock)
    }
}

/// A device, and the way that its accesses take.
struct Specimen: Sendable, CustomStringConvertible {
    enum Way: String, CaseIterable {
        /// As calls.
        case direct
        /// As messages to a vfio-user server.
        case vfioUser
    }

    let device: Device
    let way: Way

    static let all = Device.allCases.flatMap { device in Way.allCases.map { Specimen(device: device, way: $0) } }

    var description: String { "\(device) \(way)" }

    func make(_ clock: DeviceClock) throws -> any PCIeModel {
        let model = try device.make(clock)
        return way == .direct ? model : try Self.served(model)
    }

    private static func served<Model: PCIeModel>(_ model: Model) throws -> any PCIeModel { try ServedModel(model) }
}

extension PCIeModel {
    /// Lets the device answer memory accesses and use the bus, as firmware and a driver do.
    func switchOn() {
        for register in baseAddressRegisters {
            let offset = ConfigSpace.Offset.baseAddressRegisters + UInt16(register.index * 4)
            writeConfig(offset, .doubleWord, 0xE000_0000 + UInt64(register.index) << 24)
        }
        writeConfig(ConfigSpace.Offset.command, .word, 0x6)
    }

    /// All of configuration space.
    var configBytes: [UInt64] {
        stride(from: UInt16(0), to: UInt16(ConfigSpace.byteCount), by: 1).map { readConfig($0, .byte) }
    }
}
