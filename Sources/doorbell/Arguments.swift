// Words of a command line that are values of the host.

import ArgumentParser
import Doorbell

extension FarEnd: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension StampFaultRule: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension BackingPlace: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    public var defaultValueDescription: String { "virtual" }
    public static var allValueStrings: [String] { ["virtual", "vfio:ADDRESS", "vfio-user:SOCKET"] }
}

extension MANACard.Function: ExpressibleByArgument {}

extension MemorySize: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension GraceHopperCard.Property: ExpressibleByArgument {}

extension GraceHopperCard.Readiness: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension VectorSpread.Rule: ExpressibleByArgument {}
