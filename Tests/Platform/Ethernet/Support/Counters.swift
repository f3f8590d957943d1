// Expected counters: all zero but those named.

import Ethernet

protocol CounterSet {
    init()
}

extension CounterSet {
    static func with(_ values: KeyValuePairs<WritableKeyPath<Self, UInt64>, UInt64>) -> Self {
        var counters = Self()
        for (counter, value) in values { counters[keyPath: counter] = value }
        return counters
    }
}

extension SwitchPortCounters: CounterSet {}
extension AddressTableCounters: CounterSet {}
