// Where each end stands in its rings while it is not out. Kept in private memory: the words in the rings are for the
// other side to read, and anybody may have written to them.

/// The positions of both ends.
struct XSKPositions {
    struct Pool {
        var transmit: UInt32 = 0
        var completion: UInt32 = 0
        var completionConsumer: UInt32 = 0
        var fill: UInt32 = 0
        var receive: UInt32 = 0
        var receiveConsumer: UInt32 = 0
        /// Chunks that a driver recycled and no driver has taken since.
        var recycled: [UInt64] = []
    }

    struct Program {
        var transmit: UInt32 = 0
        var transmitConsumer: UInt32 = 0
        var completion: UInt32 = 0
        var fill: UInt32 = 0
        var fillConsumer: UInt32 = 0
        var receive: UInt32 = 0
    }

    var pool = Pool()
    var program = Program()
}
