// What a driver has made of the adapter by its requests: devices, regions, queues, ports. All of it goes with the channel.

import MANAWire

struct Adapter {
    /// A work queue's object: the handle's other side.
    struct WorkObject {
        let type: QueueType
        let port: Int
        let queue: Int
        let completionQueue: Int
    }

    struct PortState {
        var handle: UInt64
        /// The privileged driver has put a handle of its own in its place.
        var isReplaced = false
        /// Mbit/s that SET_BW_CLAMP left; nil: all.
        var clamp: UInt32?
    }

    struct Filter {
        let port: Int
    }

    /// What follows an answer.
    enum LaterEvent {
        case test(queue: Int)
        case fence(queue: Int)
    }

    /// REGISTER_DEVICE's answer for the network adapter.
    static let protectionDomain: UInt32 = 5
    static let memoryKey: UInt32 = 0x55
    let doorbellPage = 1

    var driver: DriverCapabilities = []
    var isRegistered = false
    var regions: RegionTable
    var protection: ProtectionTable
    var sendQueues: IdentifierPool
    var receiveQueues: IdentifierPool
    var completionQueues: IdentifierPool
    var objects: [UInt64: WorkObject] = [:]
    var eventQueues: Set<Int> = []
    var ports: [PortState] = []
    var filters: [UInt64: Filter] = [:]
    private var later: [LaterEvent] = []
    /// More than 32 bits, so that a driver that cuts handles off is found out.
    private var nextHandle: UInt64 = 0x1_0000_0001
    /// How often each fault's request has come.
    private var faultOccurrences: [Int]

    init(_ options: MANAOptions) {
        let limits = options.limits
        regions = RegionTable(limits)
        protection = ProtectionTable(doorbellPages: 2..<limits.doorbellPages + 1)
        sendQueues = IdentifierPool(count: limits.sendQueues)
        receiveQueues = IdentifierPool(count: limits.receiveQueues)
        completionQueues = IdentifierPool(count: limits.completionQueues)
        faultOccurrences = [Int](repeating: 0, count: options.faults.requests.count)
        ports = (0..<limits.ports).map { _ in PortState(handle: makeHandle()) }
    }

    /// A new one, after an earlier one: no handle comes twice, and faults do not begin anew.
    init(_ options: MANAOptions, since earlier: Adapter) {
        self.init(options)
        nextHandle = earlier.nextHandle
        faultOccurrences = earlier.faultOccurrences
        for index in ports.indices { ports[index].handle = makeHandle() }
    }

    mutating func makeHandle() -> UInt64 {
        defer { nextHandle += 1 }
        return nextHandle
    }

    mutating func follow(with event: LaterEvent) { later.append(event) }

    mutating func takeEvents() -> [LaterEvent] {
        guard !later.isEmpty else { return [] }
        defer { later = [] }
        return later
    }

    /// What goes wrong with a request that has come.
    mutating func takeFault(_ faults: [RequestFault], _ kind: RequestKind) -> RequestFault.Kind? {
        var found: RequestFault.Kind?
        for (index, fault) in faults.enumerated() where fault.request == nil || fault.request == kind {
            let occurrence = faultOccurrences[index]
            faultOccurrences[index] += 1
            if found == nil, fault.occurrence == nil || fault.occurrence == occurrence { found = fault.kind }
        }
        return found
    }

    /// The port that a handle names.
    func port(_ handle: UInt64) throws(RequestRefusal) -> Int {
        guard let index = ports.firstIndex(where: { $0.handle == handle }) else { throw .notFound }
        return index
    }

    var holdings: MANAHoldings {
        var holdings = MANAHoldings()
        holdings.regions = regions.count
        holdings.protections = protection.count
        holdings.eventQueues = eventQueues.count
        holdings.workQueues = objects.count
        holdings.filters = filters.count
        holdings.hardwarePorts = ports.count(where: \.isReplaced)
        holdings.isRegistered = isRegistered
        return holdings
    }
}
