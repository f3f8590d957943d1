// BAR 0's registers that tell when the memory may be touched. Source: Linux nvgrace_gpu_wait_device_ready
// (nvgrace-gpu/main.c) of 7.3.

/// Offsets in BAR 0 and what they read when all is well.
public enum ReadinessRegisters {
    /// State of the link between CPU and GPU.
    public static let linkState: UInt32 = 0x1498
    /// State of the memory's training.
    public static let memoryTraining: UInt32 = 0x2_00BC
    public static let ready: UInt32 = 0xFF
}
