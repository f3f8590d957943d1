// A scratch device behind a backing, in each of the ways that a driver may meet one.

import Backing
import Clock
import Leases
import Simulation
import VFIOUser

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
    /// The model behind a socket, its server on a polling loop's thread.
    case socket
    /// The same, but the loop goes to sleep at once.
    case sleepySocket
    /// The same, and stores return before the device has acted on them.
    case postingSocket
    /// The server on the driver's thread: it has its turn while the driver waits for a reply.
    case lockstepSocket
}

/// The parts of one arrangement. `finish` before the test ends, or the loop's thread stays.
final class Rig {
    let device: ScratchDevice
    let backing: any PCIeBacking
    let census = Census()
    let trace = RegisterTrace()
    let loop: PollingLoop?
    private let inProcess: InProcess<ScratchDevice>?

    init(_ arrangement: Arrangement, clock: DeviceClock = .monotonic) throws {
        device = try ScratchDevice(clock: clock)
        guard arrangement.isRemote else {
            loop = arrangement.loop(device)
            let function = InProcess(device, name: "in-process:scratch", loop: loop, census: census)
            inProcess = function
            backing =
                switch arrangement {
                case .recording: Recording(function, map: try ScratchRegister.map(), trace: trace)
                case .faultyWithoutFaults: Faulty(function, plan: FaultPlan())
                default: function
                }
            return
        }
        inProcess = nil
        let pair = try UnixSocket.pair()
        let server = VFIOUserServer(device, connection: pair.second)
        loop = arrangement.loop(server)
        var options = VFIOUserOptions()
        options.postsStores = arrangement == .postingSocket
        if loop == nil {
            let turns = Turns(server)
            options.whileWaiting = { turns.take() }
        }
        backing = try VFIOUserBacking(pair.first, name: "socket:scratch", options: options, census: census)
    }

    /// The in-process backing, for an arrangement that has one.
    var function: InProcess<ScratchDevice> {
        guard let inProcess else { preconditionFailure("the device is behind a socket") }
        return inProcess
    }

    /// Runs `body` where the device may be touched.
    func onOwner<Result>(_ body: () -> Result) -> Result {
        guard let loop else { return body() }
        var result: Result?
        loop.perform { result = body() }
        guard let result else { preconditionFailure("the polling loop returned without running the request") }
        return result
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

extension Arrangement {
    /// Driver and model have a socket between them.
    var isRemote: Bool {
        switch self {
        case .socket, .sleepySocket, .postingSocket, .lockstepSocket: true
        case .direct, .threaded, .sleepy, .recording, .faultyWithoutFaults: false
        }
    }

    /// The loop that owns the device, or its server.
    fileprivate func loop(_ owned: any Pollable) -> PollingLoop? {
        switch self {
        case .threaded, .socket, .postingSocket: PollingLoop([owned], spinNanoseconds: 5_000_000)
        case .sleepy, .sleepySocket: PollingLoop([owned], spinNanoseconds: 0)
        case .direct, .recording, .faultyWithoutFaults, .lockstepSocket: nil
        }
    }
}

/// A server's turns on its client's thread.
private final class Turns: @unchecked Sendable {
    // SAFETY (Sendable): the claim of the arrangement: one thread has both.
    private let server: VFIOUserServer<ScratchDevice>

    init(_ server: VFIOUserServer<ScratchDevice>) { self.server = server }

    func take() { _ = server.poll() }
}
