// A small PCI function under a pass-through, in each of the places where a backing may find it.

import Backing
import Clock
import Interrupts
import Leases
import Memory
import PCIe
import VFIOUser
import VFIOUserTestClient
import VFIOVariant

enum Place: String, CaseIterable, Sendable {
    /// The model on the caller's thread.
    case inProcess
    /// The model on a polling loop's thread.
    case threaded
    /// The model behind a vfio-user socket, its server on a polling loop's thread.
    case socket
}

/// A sample device and the pass-through over it. `finish` before the test ends, or the loop's thread stays.
final class Function {
    let model = SampleDevice(clock: .monotonic)
    let census = Census()
    let device: any VFIODevice
    private let loop: PollingLoop?

    init(_ place: Place) throws {
        switch place {
        case .inProcess:
            loop = nil
            device = try PassThrough(InProcess(model, name: "sample", census: census))
        case .threaded:
            let loop = PollingLoop([model])
            self.loop = loop
            device = try PassThrough(InProcess(model, name: "sample", loop: loop, census: census))
        case .socket:
            let pair = try UnixSocket.pair()
            loop = PollingLoop([VFIOUserServer(model, connection: pair.second)])
            device = try PassThrough(VFIOUserBacking(pair.first, name: "sample", census: census))
        }
    }

    func finish() {
        device.close()
        loop?.stop()
    }
}

extension VFIODevice {
    /// Reads up to `count` bytes.
    func read(_ region: Int, _ offset: UInt64, _ count: Int) throws(VFIOError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xA5, count: count)
        var span = bytes.mutableSpan
        // SAFETY: UInt8 has no padding and no invalid bit pattern.
        var raw = unsafe span.mutableBytes
        let done = try read(region: region, at: offset, into: &raw)
        return Array(bytes.prefix(done))
    }

    @discardableResult
    func write(_ region: Int, _ offset: UInt64, _ bytes: [UInt8]) throws(VFIOError) -> Int {
        // SAFETY: as above.
        unsafe try write(region: region, at: offset, from: bytes.span.bytes)
    }
}

/// The code of the error that `body` throws; nil: none.
func errorCode(_ body: () throws(VFIOError) -> Void) -> Int32? {
    do throws(VFIOError) {
        try body()
        return nil
    } catch {
        return error.code
    }
}
