// What can be wrong with the bytes of a message. Source of truth: the vfio-user protocol specification, and libvfio-user
// where that is silent.

import Glibc

/// Why a message was not understood.
public enum WireError: Error, Equatable, Sendable {
    /// Fewer bytes than the structure has.
    case short(needed: Int, got: Int)
    /// More bytes than the message may have.
    case long(most: Int, got: Int)
    /// The header states a size below its own or above what was negotiated. The stream cannot be followed any further.
    case badMessageSize(UInt32)
    /// A bit that has no meaning, or two that exclude each other.
    case badFlags(UInt32)
    /// `argsz` below the structure that it stands in.
    case badArgumentSize(UInt32)
    /// A count that its data contradicts, or that is above the limit.
    case badCount(UInt64)
    case badMajorVersion(UInt16)
    case badCapability(String)
    case badJSON(JSONError)

    /// What an error reply carries. libvfio-user has EINVAL for all of them.
    public var errorNumber: Int32 { EINVAL }
}
