// The way to one card: its registers and doorbells, bounded waits, and errors that name it. Queues keep it alive.
// Source: mana_gd_init_registers, mana_gd_ring_doorbell (gdma_main.c of Linux 6.12 and 7.x).

import Backing
import Clock
import MANAWire
import PCIe
import Registers
import Synchronization

/// What control code and queues of a card share.
final class MANAHardware<Backing: PCIeBacking>: @unchecked Sendable {
    // SAFETY (Sendable): all is immutable or atomic; registers may be accessed from any thread, each by its one owner.
    let backing: Backing
    let bar: Backing.BAR
    let clock: DeviceClock
    let kind: MANADeviceID
    /// Bytes of a doorbell page, where page 0 is, and where the shared-memory window is.
    let doorbellPageBytes: UInt64
    let doorbellOffset: UInt64
    let windowOffset: UInt32
    private let pageSizeRegister: UInt32
    /// Cleared when the card is closed: queues that are still out are mute from then on. What they would ring may be
    /// another's by now.
    private let isOpenFlag = Atomic<Bool>(true)

    /// Maps the registers and reads where everything is. Memory space and bus mastering must be on (`enableFunction`).
    init(backing: Backing, clock: DeviceClock) throws(DeviceError) {
        func refuse(_ code: DeviceError.Code, _ detail: String) -> DeviceError {
            DeviceError(code, device: backing.name, operation: "read registers", detail)
        }
        guard backing.identity.vendor == MANA.vendor, let kind = MANADeviceID(rawValue: backing.identity.device) else {
            throw refuse(
                .invalidArgument,
                "device \(hex(backing.identity.vendor)):\(hex(backing.identity.device)), expected a MANA"
            )
        }
        let bar = try backing.mapBAR(0)
        let registers = AdapterRegisters.of(kind)
        func load64(_ offset: UInt32) -> UInt64 { UInt64(bar.load(offset)) | UInt64(bar.load(offset &+ 4)) << 32 }
        let pageSize = bar.load(registers.doorbellPageSize)
        /// All ones are no card's words, but those of a card that went.
        func wrong(_ code: DeviceError.Code, _ detail: String) -> DeviceError {
            guard bar.load(registers.doorbellPageSize) != ~0 else {
                return refuse(.deviceGone, "the page size reads 0xffffffff, expected a card")
            }
            return refuse(code, detail)
        }
        let pageBytes = UInt64(pageSize & AdapterRegisters.pageSizeMask)
        guard pageBytes >= UInt64(MANA.pageBytes), pageBytes % 8 == 0 else {
            throw wrong(.badContents, "doorbell pages of \(pageBytes) bytes, expected 4096 or more")
        }
        let doorbells = load64(registers.doorbellOffset)
        // Registers are at 32-bit offsets; the first page must lie below that as a whole.
        guard doorbells % 8 == 0, doorbells <= UInt64(UInt32.max) - pageBytes else {
            throw wrong(.badContents, "doorbells at \(hex(doorbells)), expected a place in BAR 0")
        }
        let window: UInt64
        if let register = registers.windowOffset {
            window = load64(register)
        } else {
            let base = load64(AdapterRegisters.configurationBase)
            guard base % 8 == 0, base <= UInt64(UInt32.max) - 0x100 else {
                throw wrong(.badContents, "configuration at \(hex(base)), expected a place in BAR 0")
            }
            let offset = load64(UInt32(base) + AdapterRegisters.physicalWindowOffset)
            let (sum, wraps) = base.addingReportingOverflow(offset)
            window = wraps ? .max : sum
        }
        guard window % 4 == 0, window <= UInt64(UInt32.max) - UInt64(MANA.windowBytes) else {
            throw wrong(.badContents, "shared memory at \(hex(window)), expected a place in BAR 0")
        }
        self.backing = backing
        self.bar = bar
        self.clock = clock
        self.kind = kind
        doorbellPageBytes = pageBytes
        doorbellOffset = doorbells
        windowOffset = UInt32(window)
        pageSizeRegister = registers.doorbellPageSize
    }

    func error(_ code: DeviceError.Code, _ operation: String, _ detail: String) -> DeviceError {
        DeviceError(code, device: backing.name, operation: operation, detail)
    }

    /// The page size has 16 bits and never all of them: all ones means that the card is gone.
    var isGone: Bool { bar.load(pageSizeRegister) == ~0 }

    func checkPresent(_ operation: String) throws(DeviceError) {
        guard !isGone else { throw error(.deviceGone, operation, "the page size reads 0xffffffff, expected a card") }
    }

    var isOpen: Bool { isOpenFlag.load(ordering: .relaxed) }

    func close() { isOpenFlag.store(false, ordering: .sequentiallyConsistent) }

    // MARK: doorbells

    /// Where the doorbells of page `page` are.
    func doorbellPage(_ page: UInt32, _ operation: String) throws(DeviceError) -> DoorbellPlace<Backing.BAR> {
        let offset = doorbellOffset + doorbellPageBytes * UInt64(page)
        guard offset <= UInt64(UInt32.max) - doorbellPageBytes else {
            throw error(.badContents, operation, "doorbell page \(page) at \(hex(offset)), expected a place in BAR 0")
        }
        return DoorbellPlace(bar: bar, base: UInt32(offset))
    }

    // MARK: waiting

    /// Looks at `condition` until it holds or the time is up; whether it held. It looks often at first and less often later,
    /// and sees to it that the card is there.
    func waitUntil(
        timeoutNanoseconds: UInt64,
        _ operation: String,
        _ condition: () throws(DeviceError) -> Bool
    ) throws(DeviceError) -> Bool {
        let start = clock.now
        let (end, wraps) = start.addingReportingOverflow(timeoutNanoseconds)
        let deadline = wraps ? .max : end
        var interval = microsecond
        while true {
            if try condition() { return true }
            let now = clock.now
            if now >= deadline { return false }
            // Memory tells nothing of a card that was pulled.
            try checkPresent(operation)
            clock.wait(nanoseconds: min(interval, deadline - now))
            interval = longerInterval(interval, waited: now &- start)
        }
    }

    /// The time between two looks, after one of `interval`: twice as long, up to a millisecond or a hundredth of the wait.
    func longerInterval(_ interval: UInt64, waited: UInt64) -> UInt64 {
        min(interval * 2, max(millisecond, waited / 100))
    }
}

/// One page of doorbells: every queue that is rung there is the driver's.
struct DoorbellPlace<BAR: RegisterAccess> {
    let bar: BAR
    let base: UInt32

    /// Publishes all that was written before, and rings.
    @inline(__always) func ring(_ kind: DoorbellKind, _ doorbell: QueueDoorbell) {
        bar.storeWide(base &+ kind.offset, doorbell.raw(kind))
    }
}

/// Switches a function's memory space and bus mastering on.
func enableFunction(_ backing: some PCIeBacking) throws(DeviceError) {
    let memorySpaceAndMaster: UInt32 = 0x6
    let command = try backing.readConfig(ConfigSpace.Offset.command, .word)
    try backing.writeConfig(ConfigSpace.Offset.command, .word, command | memorySpaceAndMaster)
}

func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
