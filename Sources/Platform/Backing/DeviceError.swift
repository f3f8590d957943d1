// What a driver says when a device, or the way to it, fails.

/// A failed operation on a device: which, on what, what was expected and what came.
public struct DeviceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A struct over a private enum, so that a new code breaks no one's `switch`.
    public struct Code: Equatable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case deviceGone, timedOut, refused, badContents, noResource, invalidArgument, hostLimit, system, injected
        }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// The device reads all ones: it was removed or has lost power.
        public static let deviceGone = Code(.deviceGone)
        /// A bounded wait ended.
        public static let timedOut = Code(.timedOut)
        /// The device or the backing said no.
        public static let refused = Code(.refused)
        /// What the device holds is not valid: a checksum, an address.
        public static let badContents = Code(.badContents)
        /// Nothing of the kind is left to lend.
        public static let noResource = Code(.noResource)
        /// The caller asked for what cannot be.
        public static let invalidArgument = Code(.invalidArgument)
        /// A limit that this machine sets its users forbids it, and an administrator can raise it.
        public static let hostLimit = Code(.hostLimit)
        /// A system call failed.
        public static let system = Code(.system)
        /// A `FaultPlan` made this step fail.
        public static let injected = Code(.injected)

        public var description: String { kind.rawValue }
    }

    public let code: Code
    /// Which device, as the backing names it.
    public let device: String
    /// What was being done, e.g. "reset".
    public let operation: String
    /// What was expected and what came, with register and value where one is to blame.
    public let detail: String

    public init(_ code: Code, device: String, operation: String, _ detail: String) {
        self.code = code
        self.device = device
        self.operation = operation
        self.detail = detail
    }

    public var description: String { "\(device) \(operation): \(detail) (\(code))" }
}
