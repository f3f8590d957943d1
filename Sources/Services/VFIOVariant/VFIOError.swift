// What a VFIO call answers when it fails: an errno, as the user API has it, and the reason in words.

import Backing
import Glibc

/// A refused or failed VFIO call.
public struct VFIOError: Error, Equatable, CustomStringConvertible {
    /// `EINVAL`, `EFAULT`, …: part of the contract with the caller.
    public let code: Int32
    /// What was expected and what came.
    public let detail: String

    public init(_ code: Int32, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// What the device or its backing failed with, which VFIO's users see as an error of the device.
    public init(_ error: DeviceError) {
        let code =
            switch error.code {
            case .deviceGone: ENODEV
            case .timedOut: ETIME
            case .invalidArgument: EINVAL
            case .noResource, .hostLimit: ENOSPC
            default: EIO
            }
        self.init(code, "\(error)")
    }

    // SAFETY: strerror's text stays until the thread asks for the next one; it is copied at once.
    public var description: String { "\(detail): \(unsafe String(cString: strerror(code))) (errno \(code))" }
}
