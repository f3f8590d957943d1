// Where each end stands in its rings while it is not out. Kept in private memory: the words in the rings are for the
// other side to read, and anybody may have written to them.

/// The positions of both ends.
struct XSKPositions {
    struct Pool {
        var transmit: UInt32
        var completion: UInt32
        var completionConsumer: UInt32
        var fill: UInt32
        var receive: UInt32
        var receiveConsumer: UInt32
        /// Chunks that a driver recycled and no driver has taken since.
        var recycled: [UInt64]
    }

    struct Program {
        var transmit: UInt32
        var transmitConsumer: UInt32
        var completion: UInt32
        var fill: UInt32
        var fillConsumer: UInt32
        var receive: UInt32
    }

    var pool: Pool
    var program: Program

    /// All rings empty, with their indices at `index`.
    init(all index: UInt32) {
        pool = Pool(
            transmit: index,
            completion: index,
            completionConsumer: index,
            fill: index,
            receive: index,
            receiveConsumer: index,
            recycled: []
        )
        program = Program(
            transmit: index,
            transmitConsumer: index,
            completion: index,
            fill: index,
            fillConsumer: index,
            receive: index
        )
    }
}
