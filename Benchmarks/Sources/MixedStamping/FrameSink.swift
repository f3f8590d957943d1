// The far end of the wire: it takes every frame at once, so that the card alone sets the pace.

import Clock
import Ethernet

/// Takes frames and forgets them. The card's thread polls it.
final class FrameSink: Pollable {
    private var port: WirePort

    init(_ port: consuming WirePort) { self.port = port }

    var wakeDescriptors: [Int32] { [port.receive.wakeDescriptor] }
    func setSleeping(_ sleeping: Bool) { port.receive.setSleeping(sleeping) }

    func poll() -> Bool {
        var count = 0
        while count < 256, let frame = unsafe port.receive.peek() {
            unsafe port.receive.consume(frame)
            count &+= 1
        }
        port.receive.release()
        return count > 0
    }
}
