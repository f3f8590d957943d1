// A file that goes away with the test.

import Foundation
import Glibc

final class TemporaryFile {
    let path: String

    init(_ name: String = "\(UUID())") { path = "/tmp/doorbell-ethernet-\(name)" }

    // SAFETY: a C string that lives as long as the call.
    deinit { unsafe unlink(path) }

    /// What is in it; empty if it is not there.
    var bytes: [UInt8] { [UInt8](FileManager.default.contents(atPath: path) ?? Data()) }
}
