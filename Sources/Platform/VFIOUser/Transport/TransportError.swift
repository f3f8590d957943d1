// Why a connection cannot go on.

import Memory

/// The end of a connection.
public enum TransportError: Error, Equatable {
    /// The other side has closed it.
    case closed
    case system(SystemError)
    /// More descriptors with one message than the receiver takes.
    case tooManyDescriptors
    /// A header states a size that no message has; where the next one begins cannot be known.
    case badMessageSize(UInt32)
}
