// The end of serving as people read it.

extension CardServe.Summary {
    public var text: String {
        cards.map { card in
            "\(card.socket): \(card.connections) clients, \(card.framesTransmitted) frames out, "
                + "\(card.framesReceived) in, \(card.framesDropped) dropped, \(card.refusedDMA) DMA accesses refused"
        }.joined(separator: "\n")
    }
}
