// Filters that name a queue, and which of them comes first.

import Ethernet
import I225Model
import TestFrames
import Testing

/// ETQF for `etherType`: filter and queue enabled.
private func etherTypeFilter(_ etherType: UInt16, queue: UInt32) -> UInt32 {
    1 << 31 | 1 << 26 | queue << 16 | UInt32(etherType)
}

@Suite struct QueueSteeringTests {
    private let precisionTime = FrameHeaders(ethernet(type: 0x88F7, payload(46)).raw)

    private func tagged(_ control: UInt16) -> FrameHeaders {
        FrameHeaders(ethernet(tags: [control], type: 0x0800, payload(46)).raw)
    }

    @Test func withoutFiltersTheHashDecides() {
        #expect(QueueSteering().queue(for: precisionTime, addressQueue: nil) == nil)
    }

    @Test func everyEtherTypeFilterCounts() {
        for index in 0..<8 {
            var steering = QueueSteering()
            steering.etherTypes[index] = etherTypeFilter(0x88F7, queue: 3)
            #expect(steering.queue(for: precisionTime, addressQueue: nil) == 3)
            #expect(steering.queue(for: tagged(0), addressQueue: nil) == nil)
        }
    }

    @Test(arguments: [1 << 31, 1 << 26] as [UInt32])
    func bothEnablesOfAnEtherTypeFilterAreNeeded(missing: UInt32) {
        var steering = QueueSteering()
        steering.etherTypes[0] = etherTypeFilter(0x88F7, queue: 3) & ~missing
        #expect(steering.queue(for: precisionTime, addressQueue: nil) == nil)
    }

    @Test func theEtherTypeIsTheOneBehindTheTag() {
        var steering = QueueSteering()
        steering.etherTypes[0] = etherTypeFilter(0x0800, queue: 1)
        steering.etherTypes[1] = etherTypeFilter(0x8100, queue: 2)
        #expect(steering.queue(for: tagged(0), addressQueue: nil) == 1)
    }

    @Test func ofTwoEtherTypeFiltersTheLastCounts() {
        var steering = QueueSteering()
        steering.etherTypes[2] = etherTypeFilter(0x88F7, queue: 3)
        steering.etherTypes[5] = etherTypeFilter(0x88F7, queue: 1)
        #expect(steering.queue(for: precisionTime, addressQueue: nil) == 1)
    }

    @Test func prioritiesOfTags() {
        for priority in 0..<8 as Range<UInt16> {
            var steering = QueueSteering()
            steering.vlanPriorities = (8 | 2) << (UInt32(priority) * 4)
            for other in 0..<8 as Range<UInt16> {
                // The other bits of a tag do not count.
                let queue = steering.queue(for: tagged(other << 13 | 0x1FFF), addressQueue: nil)
                #expect(queue == (other == priority ? 2 : nil))
            }
            #expect(steering.queue(for: precisionTime, addressQueue: nil) == nil, "a frame without tag")
        }
    }

    @Test func aPriorityWithoutItsEnableIsNone() {
        var steering = QueueSteering()
        steering.vlanPriorities = 0x7777_7777
        #expect(steering.queue(for: tagged(0), addressQueue: nil) == nil)
    }

    @Test func etherTypeBeforeAddressBeforePriority() {
        var steering = QueueSteering()
        steering.vlanPriorities = 0xBBBB_BBBB
        #expect(steering.queue(for: tagged(0), addressQueue: nil) == 3)
        #expect(steering.queue(for: tagged(0), addressQueue: 2) == 2)
        steering.etherTypes[0] = etherTypeFilter(0x0800, queue: 1)
        #expect(steering.queue(for: tagged(0), addressQueue: 2) == 1)
    }
}
