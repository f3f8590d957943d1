// VERSION: the first message of a connection, both ways. Source of truth: the vfio-user protocol specification,
// "VFIO_USER_VERSION".

/// What one side can take. Nil: the key was absent, and its default holds.
public struct VersionCapabilities: Equatable, Sendable {
    /// `twin_socket`: the server's commands go over a socket of their own.
    public struct TwinSocket: Equatable, Sendable {
        public var isSupported: Bool
        /// In a reply: which of its descriptors is the client's end.
        public var descriptorIndex: UInt64?

        public init(isSupported: Bool, descriptorIndex: UInt64? = nil) {
            self.isSupported = isSupported
            self.descriptorIndex = descriptorIndex
        }
    }

    /// `max_msg_fds`: descriptors per message that the side which says so accepts.
    public var mostDescriptors: UInt64?
    /// `max_data_xfer_size`: bytes of data in one region or DMA access.
    public var mostData: UInt64?
    /// `max_dma_maps`.
    public var mostMappings: UInt64?
    /// `pgsizes`: page sizes that DMA_MAP may be in, or-ed together.
    public var pageSizes: UInt64?
    /// `write_multiple`: REGION_WRITE_MULTI is understood.
    public var writeMultiple: Bool?
    public var twinSocket: TwinSocket?
    /// `doorbell_sleep_word`, a key of ours: the first word of the memory that DEVICE_GET_REGION_IO_FDS hands out is not
    /// zero while the server sleeps, and only then the eventfd must be signalled. Answered only to a client that asks.
    public var sleepWord: Bool?

    public static let defaultMostDescriptors: UInt64 = 1
    public static let defaultMostData: UInt64 = 1 << 20
    public static let defaultMostMappings: UInt64 = 65535
    public static let defaultPageSizes: UInt64 = 4096

    public init() {}

    /// Takes what is known out of a message's JSON. Other keys are somebody else's; a known one of the wrong type is an
    /// error.
    public init(_ document: JSONValue) throws(WireError) {
        guard case .object = document else { throw .badCapability("the top level is not an object") }
        guard let capabilities = document["capabilities"] else { return }
        guard case .object(let members) = capabilities else { throw .badCapability("capabilities") }
        mostDescriptors = try Self.integer(members, "max_msg_fds")
        mostData = try Self.integer(members, "max_data_xfer_size")
        mostMappings = try Self.integer(members, "max_dma_maps")
        pageSizes = try Self.integer(members, "pgsizes")
        writeMultiple = try Self.bool(members, "write_multiple")
        sleepWord = try Self.bool(members, "doorbell_sleep_word")
        if let twin = members["twin_socket"] {
            guard case .object(let parts) = twin else { throw .badCapability("twin_socket") }
            twinSocket = TwinSocket(
                isSupported: try Self.bool(parts, "supported") ?? false,
                descriptorIndex: try Self.integer(parts, "fd_index")
            )
        }
    }

    private static func integer(_ members: [String: JSONValue], _ key: String) throws(WireError) -> UInt64? {
        guard let value = members[key] else { return nil }
        guard case .integer(let number) = value else { throw .badCapability(key) }
        return number
    }

    private static func bool(_ members: [String: JSONValue], _ key: String) throws(WireError) -> Bool? {
        guard let value = members[key] else { return nil }
        guard case .bool(let answer) = value else { throw .badCapability(key) }
        return answer
    }

    /// The JSON text.
    public var json: String {
        var members: [String] = []
        if let mostDescriptors { members.append("\"max_msg_fds\":\(mostDescriptors)") }
        if let mostData { members.append("\"max_data_xfer_size\":\(mostData)") }
        if let mostMappings { members.append("\"max_dma_maps\":\(mostMappings)") }
        if let pageSizes { members.append("\"pgsizes\":\(pageSizes)") }
        if let writeMultiple { members.append("\"write_multiple\":\(writeMultiple)") }
        if let sleepWord { members.append("\"doorbell_sleep_word\":\(sleepWord)") }
        if let twinSocket {
            let index = twinSocket.descriptorIndex.map { ",\"fd_index\":\($0)" } ?? ""
            members.append("\"twin_socket\":{\"supported\":\(twinSocket.isSupported)\(index)}")
        }
        return "{\"capabilities\":{\(members.joined(separator: ","))}}"
    }
}

/// VERSION and its reply.
public struct VersionMessage: Equatable, Sendable {
    public static let fixedByteCount = 4
    public static let major: UInt16 = 0
    public static let minor: UInt16 = 0

    public var major: UInt16
    public var minor: UInt16
    /// Nil: the message has no JSON.
    public var capabilities: VersionCapabilities?

    public init(capabilities: VersionCapabilities?) {
        self.major = Self.major
        self.minor = Self.minor
        self.capabilities = capabilities
    }

    public init(_ payload: RawSpan) throws(WireError) {
        try payload.require(Self.fixedByteCount)
        major = payload.integer(0)
        minor = payload.integer(2)
        guard major == Self.major else { throw .badMajorVersion(major) }
        guard payload.byteCount > Self.fixedByteCount else { return }
        // The text ends with a NUL, which is not part of it.
        let last = payload.byteCount - 1
        guard payload.integer(last, as: UInt8.self) == 0 else { throw .badCapability("no NUL at the end") }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: payload.extracting(Self.fixedByteCount..<last))
        } catch {
            throw .badJSON(error)
        }
        capabilities = try VersionCapabilities(document)
    }

    public func write(to buffer: inout MessageBuffer) {
        buffer.append(major)
        buffer.append(minor)
        guard let capabilities else { return }
        buffer.append(capabilities.json)
        buffer.append(UInt8(0))
    }
}
