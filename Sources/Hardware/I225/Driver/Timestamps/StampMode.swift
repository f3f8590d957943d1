// Switching stamps on: Tx for requests, Rx for every frame. Source:
// igc_ptp_set_timestamp_mode (Linux 6.12).

import Backing
import I225Wire
import Registers
import Synchronization

extension I225Hardware {
    /// Applies the configuration to the card after a reset.
    package func setStampMode(_ configuration: I225Configuration, _ stamps: TransmitStamps<Backing.BAR>) {
        bar.write(
            I225Register.transmitStampControl,
            .with { control in
                control[.enabled] = configuration.stampsTransmitted
                control[.sampleAtPHY] = configuration.stampsTransmitted
            }
        )
        if configuration.stampsTransmitted { stamps.enable() }
        bar.modify(I225Register.receivePacketBuffer) { $0[.timestamps] = configuration.stampsReceived }
        bar.write(
            I225Register.receiveStampControl,
            .with { control in
                guard configuration.stampsReceived else { return }
                control[.enabled] = true
                control[.kind] = ReceiveStampControl.everyFrame
                control[.sampleAtPHY] = true
            }
        )
    }
}
