/// How the CPU caches a mapping.
public enum MemoryCaching: Sendable, Equatable {
    /// As ordinary memory.
    case writeBack
    /// Stores are gathered, loads are not cached: for memory that the device does not keep coherent.
    case writeCombining
}
