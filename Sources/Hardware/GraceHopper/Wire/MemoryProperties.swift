// How firmware tells where the device's memory is. Source: Linux nvgrace_gpu_fetch_memory_property (nvgrace-gpu/main.c).

/// Names of the properties in the device's _DSD. Each is a 64-bit number.
public enum MemoryProperties {
    /// Physical address of the memory's first byte.
    public static let base = "nvidia,gpu-mem-base-pa"
    /// Bytes. 0: the link between CPU and GPU is down.
    public static let byteCount = "nvidia,gpu-mem-size"
}
