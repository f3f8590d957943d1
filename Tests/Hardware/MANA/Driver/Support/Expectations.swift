// Expectations about noncopyable values, which the macro cannot take apart.

import Backing
import Testing

/// Both are the same. The left side may change what it asks.
func same<Value: Equatable>(
    _ value: Value,
    _ expected: Value,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(value == expected, comment, sourceLocation: sourceLocation)
}

/// The error that `body` throws, which it has to.
func failure(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws(DeviceError) -> Void
) -> DeviceError? {
    do throws(DeviceError) {
        try body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        return nil
    } catch {
        return error
    }
}
