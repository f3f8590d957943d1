// One row of the table: a call and its arguments, as data. Offsets are named by what is there, because that is what the
// contract speaks of; the names are the same wherever the table runs, and so are the numbers.

/// An offset or a length in a region.
struct Place: Equatable, CustomStringConvertible {
    enum Anchor: String { case start, memory, end }

    /// The region's first byte, the first behind its memory, the first behind the region.
    let anchor: Anchor
    let distance: Int

    static func at(_ distance: Int) -> Place { Place(anchor: .start, distance: distance) }
    static func memory(_ distance: Int = 0) -> Place { Place(anchor: .memory, distance: distance) }
    static func end(_ distance: Int = 0) -> Place { Place(anchor: .end, distance: distance) }

    var description: String {
        switch anchor {
        case .start: "\(distance)"
        case .memory, .end: distance == 0 ? anchor.rawValue : "\(anchor)\(distance < 0 ? "" : "+")\(distance)"
        }
    }
}

/// A row.
enum Step: CustomStringConvertible {
    case regionInfo(index: UInt32, argsz: UInt32)
    case regionInfoUnwritable(index: UInt32)
    case read(region: Int, at: Place, count: Int)
    case readUnwritable(region: Int, at: Place, count: Int)
    case write(region: Int, at: Place, count: Int)
    case writeUnreadable(region: Int, at: Place, count: Int)
    /// A mapping that nobody touches.
    case map(region: Int, at: Place, length: Place, isPrivate: Bool)
    /// What a mapping reads at its start.
    case load(region: Int, at: Place)
    /// Eight bytes through a mapping.
    case store(region: Int, at: Place)
    /// BARs to known values, which the rows that follow start from.
    case presetBARs
    case configRead(at: Int, width: Int)
    /// The BAR of a region, 64 bits, as it is.
    case readBAR(region: Int)
    /// From known values, and what all BARs read then.
    case configWrite(at: Int, width: Int)
    /// One register of a fake BAR, and what it reads then.
    case configSet(at: Int, width: Int, value: UInt32)
    case decoding(Bool)
    case reset
    case feature(argsz: UInt32, flags: UInt32)
    case ioeventfd(region: UInt32)

    /// The region that it is about; nil: the whole function, or its configuration space.
    var region: Int? {
        switch self {
        case .regionInfo(let index, _), .regionInfoUnwritable(let index): Int(index)
        case .read(let region, _, _), .readUnwritable(let region, _, _), .write(let region, _, _),
            .writeUnreadable(let region, _, _), .map(let region, _, _, _), .load(let region, _),
            .store(let region, _), .readBAR(let region):
            region
        default: nil
        }
    }

    var description: String {
        switch self {
        case .regionInfo(let index, let argsz): "region-info \(index) argsz \(argsz)"
        case .regionInfoUnwritable(let index): "region-info \(index) unwritable"
        case .read(let region, let at, let count): "read \(region) \(at) \(count)"
        case .readUnwritable(let region, let at, let count): "read \(region) \(at) \(count) unwritable"
        case .write(let region, let at, let count): "write \(region) \(at) \(count)"
        case .writeUnreadable(let region, let at, let count): "write \(region) \(at) \(count) unreadable"
        case .map(let region, let at, let length, let isPrivate):
            "map \(region) \(at) length \(length)\(isPrivate ? " private" : "")"
        case .load(let region, let at): "load \(region) \(at)"
        case .store(let region, let at): "store \(region) \(at)"
        case .presetBARs: "preset BARs"
        case .configRead(let at, let width): "config read \(hex(at)) \(width)"
        case .readBAR(let region): "read BAR \(region)"
        case .configWrite(let at, let width): "config write \(hex(at)) \(width)"
        case .configSet(let at, let width, let value): "config set \(hex(at)) \(width) \(hex(Int(value)))"
        case .decoding(let isOn): "memory decoding \(isOn ? "on" : "off")"
        case .reset: "reset"
        case .feature(let argsz, let flags): "feature argsz \(argsz) flags \(hex(Int(flags)))"
        case .ioeventfd(let region): "ioeventfd \(region)"
        }
    }
}

func hex(_ value: Int) -> String { "0x" + String(value, radix: 16) }
