// The story of BARs as people read it.

extension BarFigures {
    var title: String {
        "a GPU of \(MemorySize(byteCount: memoryByteCount)), of which \((allocatedByteCount + (1 << 19)) >> 20) MiB are "
            + "there; \(perSecond(messagesPerSecond)) reads/s by message"
    }

    var tables: [TextTable] { [splitTable, edgeTable, callTable, bandwidthTable] }

    private var splitTable: TextTable {
        var table = TextTable(["part", "memory", "usable", "reserved", "BAR 4", "BAR 2"])
        func size(_ byteCount: UInt64) -> String { byteCount == 0 ? "-" : "\(MemorySize(byteCount: byteCount))" }
        for split in splits {
            table.add([
                split.part, size(split.memory), size(split.usable), size(split.reserved), size(split.usableBAR),
                size(split.reservedBAR),
            ])
        }
        return table
    }

    private var edgeTable: TextTable {
        var table = TextTable(["BAR and place", "offset", "bytes", "as a file", "in a machine"])
        for edge in edges {
            table.add([
                "\(edge.region) \(edge.place)", hex(edge.offset), "\(edge.count)", edge.file, edge.machine ?? "-",
            ])
        }
        return table
    }

    private var callTable: TextTable {
        var table = TextTable(["call", "caller", "outcome"])
        for call in calls { table.add([call.call, call.caller, call.outcome]) }
        return table
    }

    private var bandwidthTable: TextTable {
        var table = TextTable(["way", "bytes/s", "of plain memory's"])
        for run in bandwidth {
            table.add([run.way, perSecond(run.bytesPerSecond), run.ratio.map { percent($0) } ?? "-"])
        }
        return table
    }
}
