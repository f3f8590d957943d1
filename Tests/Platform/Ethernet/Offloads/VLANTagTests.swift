// Tags put in and taken out.

import Ethernet
import TestFrames
import Testing

@Suite struct VLANTagTests {
    /// `frame` with a tag put in, by way of four free bytes before it; nil if it was refused.
    private func tagged(_ frame: [UInt8], _ control: UInt16, type: UInt16 = 0x8100) -> [UInt8]? {
        var lent = LentBytes([0xEE, 0xEE, 0xEE, 0xEE] + frame)
        do {
            try lent.lend { (bytes) throws(OffloadError) in
                try VLANTag.insert(control, type: type, into: &bytes)
            }
        } catch {
            #expect(error == .frameTooShortForTag)
            #expect(lent.bytes == [0xEE, 0xEE, 0xEE, 0xEE] + frame)
            return nil
        }
        #expect(lent.guardsHold)
        return lent.bytes
    }

    /// The tag and what is left; nil if there was none.
    private func stripped(_ frame: [UInt8], type: UInt16 = 0x8100) -> (control: UInt16, frame: [UInt8])? {
        var lent = LentBytes(frame)
        let control = lent.lend { bytes in VLANTag.strip(type: type, from: &bytes) }
        #expect(lent.guardsHold)
        guard let control else {
            #expect(lent.bytes == frame)
            return nil
        }
        return (control, [UInt8](lent.bytes.dropFirst(4)))
    }

    @Test func aTagGoesBehindTheAddresses() {
        let frame = ethernet(type: 0x0800, payload(46))
        #expect(tagged(frame, 0xABCD) == ethernet(tags: [0xABCD], type: 0x0800, payload(46)))
    }

    @Test func aSecondTagGoesBeforeTheFirst() {
        let frame = ethernet(tags: [1], type: 0x0800, payload(46))
        #expect(tagged(frame, 2) == ethernet(tags: [2, 1], type: 0x0800, payload(46)))
    }

    @Test func theTypeOfATagIsThatOfVET() throws {
        let frame = ethernet(type: 0x0800, payload(46))
        let service = try #require(tagged(frame, 5, type: 0x88A8))
        #expect(service.number16(at: 12) == 0x88A8)
        #expect(stripped(service) == nil)
        #expect(try #require(stripped(service, type: 0x88A8)) == (5, frame))
    }

    @Test(arguments: [0x0000, 0x0FFF, 0xE001, 0xFFFF] as [UInt16])
    func whatWentInComesOut(control: UInt16) throws {
        for count in 14...70 {
            let frame = payload(count)
            let long = try #require(tagged(frame, control))
            #expect(try #require(stripped(long)) == (control, frame))
        }
    }

    @Test func aFrameWithoutTagHasNone() {
        #expect(stripped(ethernet(type: 0x0800, payload(46))) == nil)
    }

    @Test func framesTooShortForATag() {
        for count in 0..<12 { #expect(tagged(payload(count), 1) == nil) }
        let long = ethernet(tags: [1], type: 0x0800, [])
        for count in 0..<18 { #expect(stripped([UInt8](long[..<count])) == nil) }
        #expect(stripped(long) != nil)
    }
}
