// Why a question to the server has no answer.

import Backing
import Memory

/// A failed exchange. Only after `refused` and `local` does the connection go on.
enum LinkFailure: Error, Equatable {
    /// The server answered with this errno.
    case refused(Int32)
    /// A system call of ours failed before anything was asked.
    case local(SystemError)
    /// The connection has ended, and why.
    case gone(String)
    /// No answer came in time, to what, and after how long.
    case late(String)
    /// What came is not what the protocol has there: what was expected, and what came.
    case confused(String)

    var code: DeviceError.Code {
        switch self {
        case .refused: .refused
        case .local: .system
        case .gone: .deviceGone
        case .late: .timedOut
        case .confused: .badContents
        }
    }

    var detail: String {
        switch self {
        case .refused(let number): "\(SystemError("the server refused it", code: number))"
        case .local(let error): "\(error)"
        case .gone(let reason), .late(let reason), .confused(let reason): reason
        }
    }

    init(_ error: TransportError) {
        switch error {
        case .closed: self = .gone("the server closed the connection")
        case .system(let error): self = .gone("\(error)")
        case .tooManyDescriptors: self = .confused("more than \(MessageDescriptors.most) descriptors with one message")
        case .badMessageSize(let size):
            self = .confused("a message of \(size) bytes, expected 16 to \(MessageInput.mostMessageBytes)")
        }
    }

    /// A command as errors name it.
    static func name(_ command: Command) -> String {
        switch command {
        case .version: "VERSION"
        case .mapDMA: "DMA_MAP"
        case .unmapDMA: "DMA_UNMAP"
        case .getDeviceInfo: "DEVICE_GET_INFO"
        case .getRegionInfo: "DEVICE_GET_REGION_INFO"
        case .getRegionIODescriptors: "DEVICE_GET_REGION_IO_FDS"
        case .getInterruptInfo: "DEVICE_GET_IRQ_INFO"
        case .setInterrupts: "DEVICE_SET_IRQS"
        case .readRegion: "REGION_READ"
        case .writeRegion: "REGION_WRITE"
        case .readDMA: "DMA_READ"
        case .writeDMA: "DMA_WRITE"
        case .resetDevice: "DEVICE_RESET"
        case .dirtyPages: "DIRTY_PAGES"
        case .writeRegionMultiple: "REGION_WRITE_MULTI"
        case .deviceFeature: "DEVICE_FEATURE"
        case .readMigrationData: "MIG_DATA_READ"
        case .writeMigrationData: "MIG_DATA_WRITE"
        }
    }
}
