// Room for what goes into or out of a ring at once: made once per queue, filled again and again.

/// Up to 32 elements, overwritten burst by burst. One owner.
///
/// Behind a pointer, because the compiler copies an `InlineArray` of structures whole when one element of it is read
/// (Swift 6.3): that costs several times the burst itself. An `InlineArray` of plain integers has no such cost.
@safe @frozen public struct Burst<Element: BitwiseCopyable & Sendable>: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): one owner, handed over by consuming; `capacity` elements, made by `init`.
    @inlinable public static var capacity: Int { 32 }
    @usableFromInline let elements: UnsafeMutablePointer<Element>

    public init(repeating element: Element) {
        unsafe elements = .allocate(capacity: Self.capacity)
        unsafe elements.initialize(repeating: element, count: Self.capacity)
    }

    deinit { unsafe elements.deallocate() }

    /// An index outside `0..<32` is a programmer's error and traps.
    @inlinable public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < Self.capacity, "burst index out of range")
            return unsafe elements[index]
        }
        set {
            precondition(index >= 0 && index < Self.capacity, "burst index out of range")
            unsafe elements[index] = newValue
        }
    }

    /// The elements without a check per access, for loops that are bounded by construction.
    ///
    /// SAFETY: good for `capacity` elements as long as the burst.
    @unsafe @inlinable public var pointer: UnsafeMutablePointer<Element> { unsafe elements }
}
