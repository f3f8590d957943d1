// Numbers that the device gives its queues: from 1 on, the lowest free one first. 0 is the hardware channel's.

struct IdentifierPool {
    private var isTaken: [Bool]

    init(count: Int) { isTaken = [Bool](repeating: false, count: count) }

    /// The next number; nil: none is left.
    var next: Int? { isTaken.firstIndex(of: false).map { $0 + 1 } }

    mutating func take(_ number: Int) { isTaken[number - 1] = true }
    mutating func giveBack(_ number: Int) { isTaken[number - 1] = false }
    mutating func giveBackAll() { isTaken = [Bool](repeating: false, count: isTaken.count) }
}
