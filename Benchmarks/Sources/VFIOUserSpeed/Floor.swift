// The floor: the C client against the C server, nothing between them but the socket.

import CSocketFloor
import Measure

enum Floor {
    /// `count` messages of `operation`, after some that do not count, with the server on `cpu`; nanoseconds for each access.
    static func round(_ operation: Operation, _ count: Int, cpu: Int) -> Double {
        var socket: Int32 = -1
        let (request, reply) = (UInt32(operation.message.count), UInt32(operation.replyBytes))
        guard let server = unsafe csocket_floor_start(Int32(cpu), request, reply, &socket) else {
            fail("vfio-user: the floor did not start")
        }
        let client = RawClient(socket)
        _ = client.run(operation, count / 10 + 1)
        let nanoseconds = client.run(operation, count)
        // SAFETY: `start` made it, and nothing uses it afterwards.
        let received = unsafe csocket_floor_stop(server)
        let sent = UInt64(count + count / 10 + 1 + (operation.isPosted ? 2 : 0))
        guard received == sent else { fail("vfio-user: the floor got \(received) messages, not \(sent)") }
        return nanoseconds
    }
}
