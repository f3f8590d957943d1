// Things that the driver creates and names by number later: a slot per number. They are noncopyable, which arrays do not
// take, and are changed where they lie.

/// `count` slots, all empty at first. The elements of those that are not go when the table does.
@safe package struct SlotTable<Element: ~Copyable>: ~Copyable {
    // SAFETY: `elements` and `flags` have room for `count`; an element is initialised as long as its flag says so, every
    // index is checked against `count`, and every element against its flag.
    private let elements: UnsafeMutablePointer<Element>
    private let flags: UnsafeMutablePointer<Bool>
    package let count: Int

    package init(count: Int) {
        precondition(count >= 0, "a table's size")
        self.count = count
        unsafe elements = .allocate(capacity: count)
        unsafe flags = .allocate(capacity: count)
        unsafe flags.initialize(repeating: false, count: count)
    }

    deinit {
        for index in 0..<count where unsafe flags[index] { unsafe (elements + index).deinitialize(count: 1) }
        unsafe elements.deallocate()
        unsafe flags.deallocate()
    }

    /// Whether there is something at `index`, which may be any number.
    @inline(__always) package func contains(_ index: Int) -> Bool {
        unsafe index >= 0 && index < count && flags[index]
    }

    /// What is at `index`. Where nothing is, asking is a programmer's error and traps.
    @inline(__always) package subscript(_ index: Int) -> Element {
        _read {
            precondition(contains(index), "nothing in this slot")
            yield unsafe elements[index]
        }
        _modify {
            precondition(contains(index), "nothing in this slot")
            yield unsafe &elements[index]
        }
    }

    /// Fills a slot that is empty.
    package mutating func insert(_ element: consuming Element, at index: Int) {
        precondition(index >= 0 && index < count && !contains(index), "no free slot")
        unsafe (elements + index).initialize(to: element)
        unsafe flags[index] = true
    }

    /// Empties a slot, if there is something in it.
    package mutating func remove(_ index: Int) {
        guard contains(index) else { return }
        unsafe flags[index] = false
        unsafe (elements + index).deinitialize(count: 1)
    }

    package mutating func removeAll() {
        for index in 0..<count { remove(index) }
    }

    /// The first slot that is empty; nil: all are taken.
    package var firstFree: Int? { (0..<count).first { !contains($0) } }
}
