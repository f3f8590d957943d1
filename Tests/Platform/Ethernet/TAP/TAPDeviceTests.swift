// Opening a TAP device: what can be wrong, and that the answer says what to do.

import Clock
import Ethernet
import Glibc
import Memory
import Testing

@Suite struct TAPDeviceTests {
    @Test(arguments: [
        "", ".", "..", "sixteen-bytes-xx", "über-fünfzehn-x", "tap 0", "tap\n", "tap\0", "a/b", "a:b", "tap%d",
    ])
    func namesThatNoInterfaceCanHave(name: String) {
        #expect(openingFails(name) == .notAName(name))
    }

    @Test(.enabled(if: Host.hasTAPs, "needs root, ip and /dev/net/tun"))
    func aDeviceIsOpenOnce() throws {
        let name = "dbonce\(getpid() % 100_000)"
        do {
            let device = try TAPDevice(name)
            #expect(openingFails(name) == .busy(name: name))
            #expect(device.name == name)
        }
        // A child process that another test starts has a copy of the descriptor until it runs its program.
        let isClosed = DeviceClock.monotonic.waitUntil(
            timeoutNanoseconds: 5_000_000_000,
            intervalNanoseconds: 1_000_000
        ) { (try? run("ip link show dev \(name)").status) == 1 }
        #expect(isClosed, "the device went away with the value")
    }

    @Test(.enabled(if: Host.hasTAPs, "needs root, ip and /dev/net/tun"))
    func anotherKindOfInterface() {
        #expect(openingFails("lo") == .notATAP(name: "lo"))
    }

    // What follows happens in processes of their own, because there is no way back.

    @Test(.enabled(if: Host.hasTAPs, "needs root, ip and /dev/net/tun"))
    func withoutPermission() async {
        await #expect(processExitsWith: .success) {
            guard setgid(65534) == 0, setuid(65534) == 0 else { exit(2) }
            exit(openingFails("dbdenied") == .notPermitted(name: "dbdenied") ? 0 : 1)
        }
    }

    @Test(.enabled(if: Host.isRoot, "needs root, to see no driver"))
    func withoutDriver() async {
        await #expect(processExitsWith: .success) {
            // A root directory without /dev. SAFETY: C strings that live as long as the calls.
            guard unsafe chdir("/proc/self/task") == 0, unsafe chroot(".") == 0 else { exit(2) }
            let expected = TAPError.noDriver(SystemError("open /dev/net/tun", code: ENOENT))
            exit(openingFails("dbabsent") == expected ? 0 : 1)
        }
    }

    @Test func errorsSayWhatToDo() {
        let cause = SystemError("open /dev/net/tun", code: ENOENT)
        #expect(TAPError.notAName("a/b").description.contains("1 to 15 bytes"))
        #expect(TAPError.noDriver(cause).description.contains("modprobe tun"))
        #expect(TAPError.noDriver(cause).description.contains("errno 2"))
        #expect(TAPError.notPermitted(name: "x").description.contains("ip tuntap add dev x mode tap user"))
        #expect(TAPError.busy(name: "x").description.contains("another program"))
        #expect(TAPError.notATAP(name: "x").description.contains("ip -details link show dev x"))
        #expect(TAPError.failed(name: "x", SystemError("ioctl", code: ENOMEM)).description.contains("errno 12"))
    }
}

/// Why the device cannot be opened; nil if it can.
private func openingFails(_ name: String) -> TAPError? {
    do {
        _ = try TAPDevice(name)
        return nil
    } catch {
        return error
    }
}
