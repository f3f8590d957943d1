/// How many frames ask for a stamp.
enum Mix: String, CaseIterable {
    case plain = "plain"
    case oneToTen = "1:10"
    case oneToOne = "1:1"

    /// A frame that asks comes every so many; 0: none asks.
    var period: Int {
        switch self {
        case .plain: 0
        case .oneToTen: 11
        case .oneToOne: 2
        }
    }
}
