/// How many frames ask for a stamp.
enum Mix: String, CaseIterable {
    case plain = "plain"
    case oneToTen = "1:10"
    case oneToOne = "1:1"

    /// A frame that asks comes every so many.
    var period: Int {
        switch self {
        case .plain: .max
        case .oneToTen: 11
        case .oneToOne: 2
        }
    }
}
