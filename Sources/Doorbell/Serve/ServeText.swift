// The end of serving as people read it.

extension CardServe.Summary {
    public var text: String {
        cards.map { card in
            "\(card.socket): \(card.connections) clients, " + card.happenings.joined(separator: ", ")
        }.joined(separator: "\n")
    }
}

extension CardServe.Summary.Card {
    fileprivate var happenings: [String] {
        if let framesTransmitted, let framesReceived, let framesDropped {
            return [
                "\(framesTransmitted) frames out", "\(framesReceived) in", "\(framesDropped) dropped",
                "\(refusedDMA) DMA accesses refused",
            ]
        }
        return (oddities ?? [:]).sorted { $0.key < $1.key }.map { "\($0.value) \(Oddity.words($0.key))" }
    }
}
