// A registered network adapter: what ports and queues need to ask for anything and to ring their doorbells.

import Backing
import Leases
import MANAWire

/// What control code, ports and queues of an adapter share. Queues keep it alive.
final class MANAAdapter<Backing: PCIeBacking>: Sendable {
    let hardware: MANAHardware<Backing>
    let channel: HardwareChannel<Backing>
    let registration: AdapterRegistration
    let network: NetworkConfiguration
    let configuration: MANAConfiguration
    let census: Census

    init(
        _ channel: HardwareChannel<Backing>,
        registration: AdapterRegistration,
        network: NetworkConfiguration,
        configuration: MANAConfiguration,
        census: Census
    ) {
        hardware = channel.hardware
        self.channel = channel
        self.registration = registration
        self.network = network
        self.configuration = configuration
        self.census = census
    }

    func error(_ code: DeviceError.Code, _ operation: String, _ detail: String) -> DeviceError {
        hardware.error(code, operation, detail)
    }

    /// The adapter's device is who all its requests are to.
    func request<Layout: RequestLayout>(
        _ layout: Layout.Type,
        version: UInt16 = 1,
        responseVersion: UInt16 = 1,
        elementBytes: Int = 0,
        responseBytes: Int? = nil
    ) -> Message<Layout> {
        Message(
            to: registration.device,
            version: version,
            responseVersion: responseVersion,
            elementBytes: elementBytes,
            responseBytes: responseBytes
        )
    }

    /// Runs what ends something on the card. A card that is closed or gone has forgotten it already; one that refuses or
    /// does not answer is reset later: the memory is out of its reach all the same, when its mapping ends.
    func undo(_ body: () throws(DeviceError) -> Void) {
        guard hardware.isOpen, !hardware.isGone else { return }
        try? body()
    }

    /// Resets the function: the card does not end what it was given. It forgets everything by that, so queues and ports that
    /// are still out are silent from here on, and `service` says that the card needs to be set up anew.
    func reset() {
        hardware.close()
        channel.distrust()
        guard !hardware.isGone else { return }
        // Where even that fails, the memory is out of the card's reach when its mapping ends.
        try? hardware.backing.reset()
        // A function level reset takes memory space away (PCI Express Base 5.0 §6.6.2), and a card without it looks gone.
        try? enableFunction(hardware.backing)
    }
}
