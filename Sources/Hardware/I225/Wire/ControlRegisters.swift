// Device control and status, flow control, LEDs, wake-up and power: the registers around the data path.
// Source: Linux igc (igc_regs.h, igc_defines.h, igc_mac.c of 6.12 and 7.x); I210 data sheet §8.2.

import Registers

/// The registers of BAR 0, by name. Each topic's file adds its own.
///
/// Offsets are bytes; all registers are 32 bits, little endian, accessed aligned.
public enum I225Register {}

extension I225Register {
    /// Device control.
    @inlinable public static var deviceControl: Register<DeviceControl> { .init(0x00000, "CTRL") }
    /// Device status; read only.
    @inlinable public static var deviceStatus: Register<DeviceStatus> { .init(0x00008, "STATUS") }
    /// Extended device control.
    @inlinable public static var extendedControl: Register<ExtendedControl> { .init(0x00018, "CTRL_EXT") }
    /// Flow control: destination address of pause frames, low.
    @inlinable public static var flowControlAddressLow: Register<PlainWord> { .init(0x00028, "FCAL") }
    /// Flow control: destination address of pause frames, high 16 bits.
    @inlinable public static var flowControlAddressHigh: Register<PlainWord> { .init(0x0002C, "FCAH") }
    /// Flow control: EtherType of pause frames.
    @inlinable public static var flowControlType: Register<PlainWord> { .init(0x00030, "FCT") }
    /// Copper switch control.
    @inlinable public static var copperSwitch: Register<PlainWord> { .init(0x00034, "CONNSW") }
    /// EtherType that marks a VLAN tag.
    @inlinable public static var vlanEtherType: Register<PlainWord> { .init(0x00038, "VET") }
    /// Flow control: pause time in 512 bit times.
    @inlinable public static var flowControlTransmitTimer: Register<PlainWord> { .init(0x00170, "FCTTV") }
    /// Flow control: fill level at which XON is sent.
    @inlinable public static var flowControlReceiveLow: Register<FlowControlThreshold> { .init(0x02160, "FCRTL") }
    /// Flow control: fill level at which XOFF is sent.
    @inlinable public static var flowControlReceiveHigh: Register<PlainWord> { .init(0x02168, "FCRTH") }
    /// Flow control: refresh time of XOFF.
    @inlinable public static var flowControlRefresh: Register<PlainWord> { .init(0x02460, "FCRTV") }
    /// Latency tolerance reporting.
    @inlinable public static var latencyToleranceControl: Register<PlainWord> { .init(0x001A0, "LTRC") }
    /// Latency tolerance, shortest.
    @inlinable public static var latencyToleranceMinimum: Register<PlainWord> { .init(0x05BB0, "LTRMINV") }
    /// Latency tolerance, longest.
    @inlinable public static var latencyToleranceMaximum: Register<PlainWord> { .init(0x05BB4, "LTRMAXV") }
    /// Three LEDs: a mode nibble and a blink bit each.
    @inlinable public static var ledControl: Register<PlainWord> { .init(0x00E00, "LEDCTL") }
    /// PHY power management.
    @inlinable public static var phyPowerManagement: Register<PHYPowerManagement> { .init(0x00E14, "PHPM") }
    /// Energy efficient Ethernet.
    @inlinable public static var energyEfficientEthernet: Register<EnergyEfficientEthernet> { .init(0x00E30, "EEER") }
    /// Energy efficient Ethernet: set-up times.
    @inlinable public static var energyEfficientSetup: Register<PlainWord> { .init(0x00E34, "EEE_SU") }
    /// Internal PHY configuration.
    @inlinable public static var internalPHYConfiguration: Register<InternalPHYConfiguration> {
        .init(0x00E38, "IPCNFG")
    }
    /// Wake-up control.
    @inlinable public static var wakeUpControl: Register<PlainWord> { .init(0x05800, "WUC") }
    /// Which bank of flexible filters a write reaches.
    @inlinable public static var flexFilterSelect: Register<PlainWord> { .init(0x05804, "FHFTSL") }
    /// Wake-up filter control.
    @inlinable public static var wakeUpFilterControl: Register<PlainWord> { .init(0x05808, "WUFC") }
    /// Wake-up filter control of the upper flexible filters.
    @inlinable public static var wakeUpFilterControlExtended: Register<PlainWord> { .init(0x0580C, "WUFC_EXT") }
    /// Wake-up status.
    @inlinable public static var wakeUpStatus: Register<PlainWord> { .init(0x05810, "WUS") }
    /// Management control.
    @inlinable public static var managementControl: Register<ManagementControl> { .init(0x05820, "MANC") }
    /// Wake-up packet length.
    @inlinable public static var wakeUpPacketLength: Register<PlainWord> { .init(0x05900, "WUPL") }
    /// Wake-up packet memory.
    @inlinable public static var wakeUpPacketMemory: RegisterArray<PlainWord> {
        .init(0x05A00, stride: 0x4, count: 32, "WUPM")
    }
    /// Function active and power state; 0 without management firmware.
    @inlinable public static var functionPower: Register<PlainWord> { .init(0x05B30, "FACTPS") }
    /// Firmware semaphore; 0 without management firmware.
    @inlinable public static var firmwareSemaphore: Register<PlainWord> { .init(0x05B54, "FWSM") }
    /// Flexible host filter table, filters 0 to 3.
    @inlinable public static var flexFilter: RegisterArray<PlainWord> {
        .init(0x09000, stride: 0x4, count: 256, "FHFT")
    }
    /// Flexible host filter table, filters 4 to 7.
    @inlinable public static var flexFilterExtended: RegisterArray<PlainWord> {
        .init(0x09A00, stride: 0x4, count: 256, "FHFT_EXT")
    }
}

/// CTRL.
@frozen public struct DeviceControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == DeviceControl, Value == Bool {
    /// FD: full duplex.
    @inlinable public static var fullDuplex: Self { .init(bit: 0) }
    /// GIO_MASTER_DISABLE: stop requests on PCIe; STATUS tells when they have stopped.
    @inlinable public static var masterDisable: Self { .init(bit: 2) }
    /// SLU: let the MAC follow the PHY's link.
    @inlinable public static var setLinkUp: Self { .init(bit: 6) }
    /// FRCSPD: the speed field holds, not the PHY.
    @inlinable public static var forceSpeed: Self { .init(bit: 11) }
    /// FRCDPX: the duplex bit holds, not the PHY.
    @inlinable public static var forceDuplex: Self { .init(bit: 12) }
    /// ADVD3WUC: advertise wake-up from D3cold.
    @inlinable public static var wakeFromD3Cold: Self { .init(bit: 20) }
    /// SDP0_DIR: pin 0 is an output.
    @inlinable public static var pin0IsOutput: Self { .init(bit: 22) }
    /// SDP1_DIR: pin 1 is an output.
    @inlinable public static var pin1IsOutput: Self { .init(bit: 23) }
    /// RST: reset of the whole device; clears itself.
    @inlinable public static var deviceReset: Self { .init(bit: 26) }
    /// RFCE: obey received pause frames.
    @inlinable public static var receiveFlowControl: Self { .init(bit: 27) }
    /// TFCE: send pause frames.
    @inlinable public static var transmitFlowControl: Self { .init(bit: 28) }
    /// VME: strip VLAN tags on receive.
    @inlinable public static var vlanMode: Self { .init(bit: 30) }
    /// PHY_RST: holds the PHY in reset; set, then cleared by the driver.
    @inlinable public static var phyReset: Self { .init(bit: 31) }
}

extension Field where Layout == DeviceControl, Value == UInt32 {
    /// SPEED: forced speed.
    @inlinable public static var speed: Self { .init(bits: 8..<11) }
}

/// STATUS.
@frozen public struct DeviceStatus: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == DeviceStatus, Value == Bool {
    /// FD: the link is full duplex.
    @inlinable public static var fullDuplex: Self { .init(bit: 0) }
    /// LU: the link is up.
    @inlinable public static var linkUp: Self { .init(bit: 1) }
    /// TXOFF: paused by the link partner.
    @inlinable public static var transmissionPaused: Self { .init(bit: 4) }
    /// 100 Mb/s.
    @inlinable public static var speed100: Self { .init(bit: 6) }
    /// 1000 Mb/s; with `speed2500` 2500 Mb/s.
    @inlinable public static var speed1000: Self { .init(bit: 7) }
    /// GIO_MASTER_ENABLE: requests on PCIe may be pending.
    @inlinable public static var masterEnabled: Self { .init(bit: 19) }
    /// Together with `speed1000`: 2500 Mb/s.
    @inlinable public static var speed2500: Self { .init(bit: 22) }
}

extension Field where Layout == DeviceStatus, Value == UInt32 {
    /// FUNC: the PCIe function.
    @inlinable public static var function: Self { .init(bits: 2..<4) }
}

/// CTRL_EXT.
@frozen public struct ExtendedControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ExtendedControl, Value == Bool {
    /// SDP2_DIR: pin 2 is an output.
    @inlinable public static var pin2IsOutput: Self { .init(bit: 10) }
    /// SDP3_DIR: pin 3 is an output.
    @inlinable public static var pin3IsOutput: Self { .init(bit: 11) }
    /// DRV_LOAD: a driver owns the device.
    @inlinable public static var driverLoaded: Self { .init(bit: 28) }
}

/// FCRTL.
@frozen public struct FlowControlThreshold: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == FlowControlThreshold, Value == Bool {
    /// XONE: XON is sent at all.
    @inlinable public static var sendXON: Self { .init(bit: 31) }
}

/// PHPM.
@frozen public struct PHYPowerManagement: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == PHYPowerManagement, Value == Bool {
    /// RST_COMPL: the PHY has come out of reset.
    @inlinable public static var resetComplete: Self { .init(bit: 8) }
}

/// EEER.
@frozen public struct EnergyEfficientEthernet: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == EnergyEfficientEthernet, Value == Bool {
    /// TX_LPI_EN.
    @inlinable public static var transmitLowPowerIdle: Self { .init(bit: 16) }
    /// RX_LPI_EN.
    @inlinable public static var receiveLowPowerIdle: Self { .init(bit: 17) }
    /// LPI_FC.
    @inlinable public static var lowPowerIdleFlowControl: Self { .init(bit: 18) }
}

/// IPCNFG.
@frozen public struct InternalPHYConfiguration: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == InternalPHYConfiguration, Value == Bool {
    /// EEE_100M_AN.
    @inlinable public static var advertise100M: Self { .init(bit: 2) }
    /// EEE_1G_AN.
    @inlinable public static var advertise1G: Self { .init(bit: 3) }
    /// EEE_2_5G_AN.
    @inlinable public static var advertise2500M: Self { .init(bit: 4) }
}

/// MANC.
@frozen public struct ManagementControl: RegisterLayout {
    public var raw: UInt32
    @inlinable public init(raw: UInt32) { self.raw = raw }
}

extension Field where Layout == ManagementControl, Value == Bool {
    /// RCV_TCO_EN: firmware receives; must be 0 for a driver to start quickly.
    @inlinable public static var receiveToManagement: Self { .init(bit: 17) }
    /// BLK_PHY_RST_ON_IDE: the driver may not reset the PHY.
    @inlinable public static var blockPHYReset: Self { .init(bit: 18) }
}
