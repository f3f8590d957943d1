// Accesses as nobody should make them: any BAR, any offset, any size, any value, in any order. The same seed makes the
// same ones.

import Backing
import Clock
import PCIe
import Simulation

struct Hostility {
    private var random: SeededRandom
    private let clock: VirtualClock?

    /// - Parameter clock: moved now and then, if given.
    init(seed: UInt64, clock: VirtualClock? = nil) {
        random = SeededRandom(seed: seed)
        self.clock = clock
    }

    /// Makes `count` accesses; what the reads gave.
    mutating func strike(_ model: any PCIeModel, count: Int) -> [UInt64] {
        var answers: [UInt64] = []
        for _ in 0..<count {
            let size = AccessSize.allCases[Int.random(in: 0..<4, using: &random)]
            switch Int.random(in: 0..<16, using: &random) {
            case 0: model.writeConfig(configOffset(), size, value())
            case 1: answers.append(model.readConfig(configOffset(), size))
            case 2: answers.append(model.poll() ? 1 : 0)
            case 3: clock?.advance(nanoseconds: UInt64.random(in: 0..<1_000_000, using: &random))
            case 4..<10: model.write(bar: bar(), offset(), size, value())
            default: answers.append(model.read(bar: bar(), offset(), size))
            }
            // Most accesses are made with memory space and the bus on, or they would all be dropped.
            if Int.random(in: 0..<32, using: &random) == 0 { model.switchOn() }
        }
        return answers
    }

    private mutating func bar() -> Int {
        Int.random(in: 0..<8, using: &random) < 6 ? 0 : Int.random(in: -1...7, using: &random)
    }

    private mutating func configOffset() -> UInt16 {
        Bool.random(using: &random)
            ? UInt16.random(in: 0..<256, using: &random) : .random(in: 0...(.max), using: &random)
    }

    /// Mostly aligned and inside a large BAR, where something happens.
    private mutating func offset() -> UInt64 {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: UInt64.random(in: 0...(.max), using: &random)
        case 1: UInt64.random(in: 0..<0x2_0000, using: &random)
        case 2:
            [0, 3, .max, .max - 3, 1 << 20, (1 << 20) - 4, (1 << 20) - 1, 1 << 32][
                Int.random(in: 0..<8, using: &random)
            ]
        default: UInt64.random(in: 0..<0x8000, using: &random) * 4
        }
    }

    private mutating func value() -> UInt64 {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: 0
        case 1: .max
        case 2: 1 << UInt64.random(in: 0..<64, using: &random)
        default: random.next()
        }
    }
}
