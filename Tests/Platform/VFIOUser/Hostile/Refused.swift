// What a client was told, as a value to compare.

import VFIOUserTestClient

/// The refusal of `body`; nil if it was carried out.
func refusal(_ body: () throws(RawRefusal) -> Void) -> RawRefusal? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
