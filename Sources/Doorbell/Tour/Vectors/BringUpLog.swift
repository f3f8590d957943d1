// What the card saw of a bring-up: how many vectors worked at each step, and when that was.

import Backing
import Clock
import MANAModel
import MANAWire

/// The steps of one bring-up, noted on the model's thread; others look when it is over.
final class BringUpLog {
    /// A step of the driver's.
    struct Moment {
        /// Vectors that can reach a handler.
        let enabled: Int
        let at: UInt64
    }

    private(set) var channel: Moment?
    private(set) var limitsAsked: Moment?
    private(set) var registered: Moment?

    /// Notes what the driver of `model` does from now on. Call it on the model's thread.
    func follow(_ model: MANAModel) {
        model.onDriverStep = { [unowned model] step in
            let moment = Moment(enabled: Self.enabledVectors(model), at: DeviceClock.monotonic.now)
            switch step {
            case .establishedChannel: self.channel = moment
            case .asked(.queryMaxResources, _): self.limitsAsked = moment
            case .asked(.registerDevice, _): self.registered = moment
            default: break
            }
        }
    }

    static func enabledVectors(_ model: MANAModel) -> Int {
        (0..<model.vectorCount).count { model.host.isRouted($0) }
    }
}

/// How long a bring-up took: until the channel was set up, and as a whole.
struct BringUpTimes {
    let channelNanoseconds: UInt64
    let wholeNanoseconds: UInt64
}
