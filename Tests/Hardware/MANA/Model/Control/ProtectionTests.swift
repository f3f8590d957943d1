// Requests that RDMA's driver makes: what is given out is held against what it stands on, and taken back.

import MANAModel
import MANAWire
import Testing

@Suite(.bothMemoryWays) struct ProtectionTests {
    private func registration(
        _ domain: UInt64,
        _ type: UInt32,
        over backing: UInt64 = 0
    ) -> Message<CreateMemoryRegistration> {
        var request = Message<CreateMemoryRegistration>(to: .rdma)
        request[.domain] = domain
        request[.type] = type
        request[.backing] = backing
        return request
    }

    @Test func domainsAndRegistrations() throws {
        let rig = try ControlRig.ready()
        let first = try rig.demand(Message<CreateProtectionDomain>(to: .rdma))
        let second = try rig.demand(Message<CreateProtectionDomain>(to: .rdma))
        #expect(first[.domain] != second[.domain] && first[.id] != second[.id])
        let region = try rig.makeRegion(rig.takePages(2))
        let whole = try rig.demand(registration(first[.domain], 1))
        let part = try rig.demand(registration(first[.domain], 2, over: region))
        #expect(whole[.localKey] != part[.localKey] && whole[.registration] != part[.registration])
        #expect(try rig.status(registration(77, 1)) != 0, "no such domain")
        #expect(try rig.status(registration(first[.domain], 3)) != 0, "no such type")
        #expect(try rig.status(registration(first[.domain], 4, over: 77)) != 0, "no such region")
        #expect(rig.model.holdings.protections == 4)

        var endRegion = Message<DestroyRegion>(to: .rdma)
        endRegion[.region] = region
        #expect(try rig.status(endRegion) != 0, "it is registered")
        try rig.register()
        #expect(try rig.status(rig.eventQueueRequest(region, vector: 1, bytes: 8192)) != 0, "it is registered")
        var endDomain = Message<DestroyProtectionDomain>(to: .rdma)
        endDomain[.domain] = first[.domain]
        #expect(try rig.status(endDomain) != 0, "it has registrations")
        for handle in [whole[.registration], part[.registration]] {
            var end = Message<DestroyMemoryRegistration>(to: .rdma)
            end[.registration] = handle
            #expect(try rig.status(end) == 0)
            #expect(try rig.status(end) != 0)
        }
        #expect(try rig.status(endDomain) == 0)
        #expect(try rig.status(endDomain) != 0)
        #expect(try rig.status(endRegion) == 0)
        #expect(rig.model.holdings.protections == 1)
        rig.destroy()
        #expect(rig.model.holdings.protections == 0)
    }

    @Test func deviceMemoryEnds() throws {
        let rig = try ControlRig.ready()
        var request = Message<AllocateDeviceMemory>(to: .rdma)
        #expect(try rig.status(request) != 0, "none of it is nothing")
        request[.length] = (1 << 20) - 4096
        let memory = try rig.demand(request)[.memory]
        request[.length] = 4097
        #expect(try rig.status(request) == 0xC000_009A)
        request[.length] = .max
        #expect(try rig.status(request) == 0xC000_009A)
        request[.length] = 4096
        #expect(try rig.status(request) == 0)
        let domain = try rig.demand(Message<CreateProtectionDomain>(to: .rdma))[.domain]
        let handle = try rig.demand(registration(domain, 5, over: memory))[.registration]
        var end = Message<DestroyDeviceMemory>(to: .rdma)
        end[.memory] = memory
        #expect(try rig.status(end) != 0, "it is registered")
        var deregister = Message<DestroyMemoryRegistration>(to: .rdma)
        deregister[.registration] = handle
        _ = try rig.demand(deregister)
        #expect(try rig.status(end) == 0)
        #expect(try rig.status(end) != 0)
    }

    @Test func doorbellPagesLieSideBySide() throws {
        let rig = try ControlRig.ready { $0.limits.doorbellPages = 8 }
        func ask(_ count: UInt32, alignment: UInt32 = 1, type: UInt32 = 27) throws -> (UInt32, UInt32) {
            var request = Message<AllocateResourceRange>(to: .rdma)
            request[.type] = type
            request[.count] = count
            request[.alignment] = alignment
            let answer = try #require(try rig.ask(request))
            return (answer.status.rawValue, answer[.first])
        }
        // 0 is the channel's, 1 the network adapter's: 2 to 8 are left.
        #expect(try ask(1) == (0, 2))
        #expect(try ask(2, alignment: 4) == (0, 4))
        #expect(try ask(2) == (0, 6))
        #expect(try ask(2).0 == 0xC000_009A)
        #expect(try ask(1) == (0, 3))
        for (count, alignment, type) in [(UInt32(0), UInt32(1), UInt32(27)), (1, 3, 27), (1, 1, 26)] {
            #expect(try ask(count, alignment: alignment, type: type).0 == 0xC000_000D)
        }
        #expect(try ask(.max).0 == 0xC000_009A)
        var end = Message<DestroyResourceRange>(to: .rdma)
        end[.type] = 27
        for (first, count) in [(UInt32(8), UInt32(1)), (7, 2), (0, 1), (3, 0), (.max, 2), (2, .max)] {
            end[.first] = first
            end[.count] = count
            #expect(try rig.status(end) != 0)
        }
        end[.first] = 3
        end[.count] = 3
        #expect(try rig.status(end) == 0, "by any pieces")
        #expect(try ask(3) == (0, 3))
    }
}
