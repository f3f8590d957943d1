// A scratch device behind a backing, in each of the ways that a driver may meet one.

import Backing
import Clock
import Leases
import Simulation

/// How driver and model come together.
enum Arrangement: String, CaseIterable, Sendable {
    /// One thread for both.
    case direct
    /// The model on a polling loop's thread that sleeps only when long idle.
    case threaded
    /// The same, but the loop goes to sleep at once whenever there is nothing to do.
    case sleepy
    case recording
    case faultyWithoutFaults
}

/// The parts of one arrangement. `finish` before the test ends, or the loop's thread stays.
final class Rig {
    let device: ScratchDevice
    let function: InProcess<ScratchDevice>
    let backing: any PCIeBacking
    let census = Census()
    let trace = RegisterTrace()
    let loop: PollingLoop?

    init(_ arrangement: Arrangement, clock: DeviceClock = .monotonic) throws {
        device = try ScratchDevice(clock: clock)
        switch arrangement {
        case .threaded: loop = PollingLoop([device], spinNanoseconds: 5_000_000)
        case .sleepy: loop = PollingLoop([device], spinNanoseconds: 0)
        case .direct, .recording, .faultyWithoutFaults: loop = nil
        }
        function = InProcess(device, name: "in-process:scratch", loop: loop, census: census)
        backing =
            switch arrangement {
            case .direct, .threaded, .sleepy: function
            case .recording: Recording(function, map: try ScratchRegister.map(), trace: trace)
            case .faultyWithoutFaults: Faulty(function, plan: FaultPlan())
            }
    }

    func finish() { loop?.stop() }

    /// Lets the model work until `condition` holds. The bound only turns a hang into a failure.
    func settle(_ condition: () -> Bool) -> Bool {
        guard loop == nil else {
            return DeviceClock.monotonic.waitUntil(
                timeoutNanoseconds: 20_000_000_000,
                intervalNanoseconds: 20_000,
                condition
            )
        }
        for _ in 0..<10_000 {
            if condition() { return true }
            _ = device.poll()
        }
        return condition()
    }
}
