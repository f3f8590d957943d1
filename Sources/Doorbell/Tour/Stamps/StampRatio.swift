/// How many frames ask for a stamp.
public enum StampRatio: String, CaseIterable, Sendable {
    case none = "0"
    case oneToHundred = "1:100"
    case oneToTen = "1:10"
    case oneToOne = "1:1"
    case all

    /// Whether frame `number` asks: one stamped frame, then so many plain ones.
    func asks(_ number: UInt64) -> Bool {
        switch self {
        case .none: false
        case .oneToHundred: number % 101 == 0
        case .oneToTen: number % 11 == 0
        case .oneToOne: number % 2 == 0
        case .all: true
        }
    }
}
