// The PHY through MDIC: identity, link, clause 45.

import I225Model
import I225Wire
import Registers
import Testing

extension Rig {
    func readPHY(_ register: UInt32, address: UInt32 = 0) -> PHYAccess {
        write(
            I225Register.phyAccess,
            .with {
                $0[.register] = register
                $0[.phyAddress] = address
                $0[.isRead] = true
            }
        )
        return read(I225Register.phyAccess)
    }

    func writePHY(_ register: UInt32, _ value: UInt16) {
        write(
            I225Register.phyAccess,
            .with {
                $0[.register] = register
                $0[.data] = UInt32(value)
                $0[.isWrite] = true
            }
        )
    }

    /// Selects a clause-45 register as Linux does: device, address, then data.
    func selectManaged(_ device: UInt16, _ register: UInt16) {
        writePHY(PHYRegister.managedDeviceControl, device)
        writePHY(PHYRegister.managedDeviceData, register)
        writePHY(PHYRegister.managedDeviceControl, ManagedDevice.dataFunction | device)
    }
}

@Suite("PHY access")
struct PHYAccessTests {
    @Test func theIdentifierIsTheGPY() throws {
        let rig = try Rig()
        let answer = rig.readPHY(PHYRegister.identifierHigh)
        #expect(answer[.ready])
        #expect(!answer[.error])
        #expect(answer[.data] == 0x67C9)
        #expect(rig.readPHY(PHYRegister.identifierLow)[.data] == 0xDC00)
    }

    @Test func otherAddressesAnswerWithAnError() throws {
        let rig = try Rig()
        let answer = rig.readPHY(PHYRegister.identifierHigh, address: 1)
        #expect(answer[.ready])
        #expect(answer[.error])
    }

    @Test func anAccessThatIsNeitherReadNorWriteIsAnError() throws {
        let rig = try Rig()
        rig.write(I225Register.phyAccess, PHYAccess(raw: 0))
        #expect(rig.read(I225Register.phyAccess)[.error])
        rig.write(I225Register.phyAccess, PHYAccess(raw: 0x0C00_0000))
        #expect(rig.read(I225Register.phyAccess)[.error])
    }

    @Test func anAbsentPHYIsAnErrorAndASilentOneIsNeverReady() throws {
        #expect(try Rig { $0.faults = .phyAbsent }.readPHY(2)[.error])
        #expect(try !Rig { $0.faults = .phyNeverAnswers }.readPHY(2)[.ready])
    }

    @Test func managedRegistersAreReachedThroughThirteenAndFourteen() throws {
        let rig = try Rig()
        rig.selectManaged(ManagedDevice.autonegotiation, ManagedDevice.multiGigabitControl)
        #expect(rig.readPHY(PHYRegister.managedDeviceData)[.data] == UInt32(PHYBit.advertise2500Full))
        rig.writePHY(PHYRegister.managedDeviceData, 0)
        #expect(rig.readPHY(PHYRegister.managedDeviceData)[.data] == 0)
        rig.selectManaged(ManagedDevice.autonegotiation, 0x3C)
        rig.writePHY(PHYRegister.managedDeviceData, 0x6)
        #expect(rig.readPHY(PHYRegister.managedDeviceData)[.data] == 6)
        rig.selectManaged(3, 0x3C)
        #expect(rig.readPHY(PHYRegister.managedDeviceData)[.data] == 0)
    }

    @Test func thePHYResetIsOverWhenTheBitIsCleared() throws {
        let rig = try Rig()
        #expect(rig.read(I225Register.phyPowerManagement)[.resetComplete])
        rig.modify(I225Register.deviceControl) { $0[.phyReset] = true }
        #expect(!rig.read(I225Register.phyPowerManagement)[.resetComplete])
        rig.modify(I225Register.deviceControl) { $0[.phyReset] = false }
        #expect(rig.read(I225Register.phyPowerManagement)[.resetComplete])
    }

    @Test func thePHYResetNeverEndsIfToldSo() throws {
        let rig = try Rig { $0.faults = .phyResetNeverEnds }
        #expect(!rig.read(I225Register.phyPowerManagement)[.resetComplete])
    }
}

@Suite("Link")
struct LinkTests {
    private func isUp(_ rig: Rig) -> Bool { rig.read(I225Register.deviceStatus)[.linkUp] }

    @Test func theLinkComesUpAfterAutonegotiationAndRaisesAnInterrupt() throws {
        let rig = try Rig { $0.autonegotiationNanoseconds = 2_000_000_000 }
        rig.advance(nanoseconds: 1_999_999_999)
        #expect(!isUp(rig))
        #expect(!rig.read(I225Register.interruptCause)[.linkChanged])
        rig.advance(nanoseconds: 1)
        #expect(rig.read(I225Register.deviceStatus).raw == 0x0048_0083)
        #expect(rig.read(I225Register.interruptCause)[.linkChanged])
    }

    @Test func theDeadlineOfThePHYIsTheModels() throws {
        let rig = try Rig { $0.autonegotiationNanoseconds = 5_000_000 }
        #expect(rig.model.nextDeadline == 6_000_000)
        rig.linkUp()
        #expect(rig.model.nextDeadline == nil)
    }

    @Test(
        "The fastest common speed is taken",
        arguments: [
            (LinkSpeed.megabits2500, UInt32(0x0048_0083)), (.megabits1000, 0x0008_0083), (.megabits100, 0x0008_0043),
            (.megabits10, 0x0008_0003),
        ]
    )
    func partnerSpeed(_ speed: LinkSpeed, _ status: UInt32) throws {
        let rig = try Rig { $0.linkSpeed = speed }
        rig.linkUp()
        #expect(rig.read(I225Register.deviceStatus).raw == status)
        #expect(rig.read(I225Register.deviceStatus).speed == speed)
        #expect(rig.model.linkSpeed == speed)
    }

    @Test func whatIsNotAdvertisedIsNotTaken() throws {
        let rig = try Rig()
        rig.selectManaged(ManagedDevice.autonegotiation, ManagedDevice.multiGigabitControl)
        rig.writePHY(PHYRegister.managedDeviceData, 0)
        rig.writePHY(PHYRegister.gigabitControl, 0)
        rig.writePHY(PHYRegister.control, 0x1340)
        rig.linkUp()
        #expect(rig.model.linkSpeed == .megabits100)
    }

    @Test func noCommonSpeedIsNoLink() throws {
        let rig = try Rig { $0.linkSpeed = .megabits10 }
        rig.writePHY(PHYRegister.advertisement, PHYBit.advertise100Full)
        rig.linkUp()
        #expect(!isUp(rig))
        #expect(rig.model.nextDeadline == nil)
    }

    @Test func aForcedSpeedNeedsNoAutonegotiation() throws {
        let rig = try Rig()
        rig.writePHY(PHYRegister.control, 0x2100)
        rig.linkUp()
        #expect(rig.model.linkSpeed == .megabits100)
    }

    @Test func statusOfThePHYLatchesTheLossAndTheSecondReadIsCurrent() throws {
        let rig = try Rig()
        #expect(rig.readPHY(PHYRegister.status)[.data] == 0x7949)
        rig.linkUp()
        _ = rig.readPHY(PHYRegister.status)
        #expect(rig.readPHY(PHYRegister.status)[.data] == 0x796D)
        rig.model.setCable(plugged: false)
        rig.model.setCable(plugged: true)
        rig.linkUp()
        #expect(rig.readPHY(PHYRegister.status)[.data] == 0x7969)
        #expect(rig.readPHY(PHYRegister.status)[.data] == 0x796D)
    }

    @Test func thePartnerIsSeenWithTheLinkOnly() throws {
        let rig = try Rig()
        #expect(rig.readPHY(PHYRegister.partnerAbility)[.data] == 0)
        rig.linkUp()
        #expect(rig.readPHY(PHYRegister.partnerAbility)[.data] == 0xCDE1)
        #expect(rig.readPHY(PHYRegister.gigabitStatus)[.data] & UInt32(PHYBit.remoteReceiverOK) != 0)
    }

    /// What takes a link down, and whether it comes back by itself.
    enum Cause: CaseIterable {
        case powerDown, phyReset, cable, restart, softwareReset
    }

    @Test("Each way to lose the link raises an interrupt", arguments: Cause.allCases)
    func loss(_ cause: Cause) throws {
        let rig = try Rig()
        rig.linkUp()
        _ = rig.read(I225Register.interruptCause)
        switch cause {
        case .powerDown: rig.writePHY(PHYRegister.control, 0x1140 | PHYBit.powerDown)
        case .phyReset: rig.modify(I225Register.deviceControl) { $0[.phyReset] = true }
        case .cable: rig.model.setCable(plugged: false)
        case .restart: rig.writePHY(PHYRegister.control, 0x1140 | PHYBit.restartAutonegotiation)
        case .softwareReset: rig.writePHY(PHYRegister.control, PHYBit.reset)
        }
        #expect(!isUp(rig))
        #expect(rig.read(I225Register.interruptCause)[.linkChanged])
        rig.linkUp()
        #expect(isUp(rig) == (cause == .restart || cause == .softwareReset))
    }

    @Test func autonegotiationRestartClearsItself() throws {
        let rig = try Rig()
        rig.writePHY(PHYRegister.control, 0x1140 | PHYBit.restartAutonegotiation)
        #expect(rig.readPHY(PHYRegister.control)[.data] == 0x1140)
    }

    @Test func aDeviceResetKeepsTheLink() throws {
        let rig = try Rig()
        rig.linkUp()
        rig.modify(I225Register.deviceControl) { $0[.deviceReset] = true }
        #expect(isUp(rig))
    }
}
