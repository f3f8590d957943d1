// The card of these tests, in either place.

import I225Model
import TestCards
import Testing

typealias CardBacking = PlacedCard<I225Model>

extension Trait where Self == OverEveryBacking {
    static var overEveryBacking: Self { OverEveryBacking() }
}
