// The table: every row that both Linux's nvgrace driver and ours are asked, in order; rows rely on what those before them
// left behind. Regions 2 and 4 are the BARs that the device does not have: reserved memory and memory for the guest's use.
// Source: linux/vfio.h; nvgrace_gpu_{read,write,mmap,ioctl} of Linux (drivers/vfio/pci/nvgrace-gpu/main.c).

enum Table {
    /// Rows that belong together; the name precedes each of them.
    struct Section {
        let name: String
        let steps: [Step]
    }

    static let sections: [Section] = [
        Section(name: "region info", steps: regionInfo),
        Section(name: "access", steps: [4, 2].flatMap(accesses)),
        Section(name: "mapping", steps: mappings),
        Section(name: "BAR registers", steps: barRegisters),
        Section(name: "config", steps: configReads + configWrites),
        Section(name: "reset", steps: resets),
        Section(name: "calls", steps: otherCalls),
    ]

    private static let regionInfo: [Step] =
        [2, 4].flatMap { index in
            [0, 1, 31, 32, 33, 63, 64, 65, 4096, .max].map { Step.regionInfo(index: index, argsz: $0) }
        }
        + [3, 5, 6, 7, 9, 255, .max].map { .regionInfo(index: $0, argsz: 64) }
        + [2, 4].map { .regionInfoUnwritable(index: $0) }

    /// Reads and writes at every edge of a region's memory and of the region.
    private static func accesses(_ region: Int) -> [Step] {
        // Memory that no row has written to reads 0, here and there: these rows first.
        var steps: [Step] = [.write(region: region, at: .at(0), count: 64)]
        steps += [.memory(-65536), .memory(-8)].map { .write(region: region, at: $0, count: 8) }
        steps += [0, 1, 2, 3, 4, 8, 64].map { .read(region: region, at: .at(0), count: $0) }
        steps += [(1, 1), (1, 2), (3, 8), (7, 16)].map { .read(region: region, at: .at($0.0), count: $0.1) }

        let starts: [Place] = [
            .memory(-8), .memory(-4), .memory(-1), .memory(), .memory(1), .end(-8), .end(-4), .end(-1), .end(),
            .end(1), .end(4096),
        ]
        for start in starts {
            for count in [0, 1, 4, 8, 16] { steps.append(.read(region: region, at: start, count: count)) }
        }
        steps.append(.read(region: region, at: .memory(-32768), count: 65536))
        steps.append(.read(region: region, at: .memory(4096), count: 65536))
        steps.append(.read(region: region, at: .end(-65536), count: 1 << 20))
        for start in starts {
            for count in [0, 1, 8] {
                steps.append(.write(region: region, at: start, count: count))
                // The last bytes that a write may reach, and the first that it may not.
                steps.append(.read(region: region, at: .memory(-8), count: 8))
            }
        }
        steps.append(.write(region: region, at: .memory(-4096), count: 8192))
        steps.append(.read(region: region, at: .memory(-4096), count: 4096))
        steps.append(.read(region: region, at: .memory(), count: 4096))
        steps.append(.readUnwritable(region: region, at: .at(0), count: 8))
        steps.append(.readUnwritable(region: region, at: .memory(4096), count: 8))
        steps.append(.writeUnreadable(region: region, at: .at(0), count: 8))
        steps.append(.read(region: region, at: .at(0), count: 64))
        return steps
    }

    private static let mappings: [Step] =
        [4, 2].flatMap { (region: Int) -> [Step] in
            [
                .map(region: region, at: .at(0), length: .at(4096), isPrivate: false),
                .map(region: region, at: .at(4096), length: .at(8192), isPrivate: false),
                .map(region: region, at: .at(0), length: .memory(), isPrivate: false),
                .map(region: region, at: .memory(-4096), length: .at(4096), isPrivate: false),
                .map(region: region, at: .memory(-4096), length: .at(4097), isPrivate: false),
                .map(region: region, at: .memory(-4096), length: .at(8192), isPrivate: false),
                .map(region: region, at: .memory(), length: .at(4096), isPrivate: false),
                .map(region: region, at: .at(0), length: .memory(1), isPrivate: false),
                .map(region: region, at: .at(0), length: .end(), isPrivate: false),
                .map(region: region, at: .end(-4096), length: .at(4096), isPrivate: false),
                .map(region: region, at: .end(), length: .at(4096), isPrivate: false),
                .map(region: region, at: .at(0), length: .at(0), isPrivate: false),
                .map(region: region, at: .at(8), length: .at(4096), isPrivate: false),
                .map(region: region, at: .at(0), length: .at(1 << 40 | 4096), isPrivate: false),
                .map(region: region, at: .at(0), length: .at(4096), isPrivate: true),
                .store(region: region, at: .at(8192)),
                .read(region: region, at: .at(8192), count: 16),
                .write(region: region, at: .memory(-4096), count: 8),
                .load(region: region, at: .memory(-4096)),
                .store(region: region, at: .memory(-4096)),
                .read(region: region, at: .memory(-4096), count: 16),
            ]
        } + [
            // The last byte of the one memory and the first of the other are neighbours, and two bytes.
            .write(region: 4, at: .memory(-1), count: 1),
            .write(region: 2, at: .at(0), count: 1),
            .read(region: 4, at: .memory(-1), count: 1),
            .read(region: 2, at: .at(0), count: 1),
            .map(region: 3, at: .at(0), length: .at(4096), isPrivate: false),
            .map(region: 5, at: .at(0), length: .at(4096), isPrivate: false),
            .map(region: 7, at: .at(0), length: .at(4096), isPrivate: false),
            .map(region: 9, at: .at(0), length: .at(4096), isPrivate: false),
        ]

    /// Sizing and single registers, in the order of a kernel that enumerates.
    private static let barRegisters: [Step] =
        [.reset, .readBAR(region: 2), .readBAR(region: 4)]
        + [0x18, 0x1C, 0x20, 0x24].map { .configSet(at: $0, width: 4, value: .max) }
        + [0x18, 0x1C, 0x20, 0x24].map { .configSet(at: $0, width: 4, value: 0) }
        + [
            .configSet(at: 0x1C, width: 4, value: 0x1000), .configRead(at: 0x18, width: 8),
            .configSet(at: 0x1B, width: 1, value: 0xC0), .configRead(at: 0x18, width: 4),
            .configSet(at: 0x1A, width: 2, value: 0x8000), .configRead(at: 0x1B, width: 1),
            .configSet(at: 0x18, width: 2, value: 0x1234), .configSet(at: 0x18, width: 4, value: 0xF),
            .configRead(at: 0x21, width: 1),
        ]

    /// Every width at every offset from BAR 0 to BAR 5, up to the bytes that a guest's kernel and firmware fill in.
    private static let configPlaces: [(at: Int, width: Int)] = (0x10..<0x28).flatMap { at in
        [1, 2, 3, 4, 8, 16, 24].filter { at + $0 <= 0x30 }.map { (at, $0) }
    }

    private static let configReads = [.presetBARs] + configPlaces.map { Step.configRead(at: $0.at, width: $0.width) }
    private static let configWrites = configPlaces.map { Step.configWrite(at: $0.at, width: $0.width) }

    private static let resets: [Step] = [
        .write(region: 4, at: .at(0), count: 16),
        .write(region: 2, at: .at(0), count: 16),
        .presetBARs,
        .reset,
        .readBAR(region: 2), .readBAR(region: 4),
        .decoding(true),
        .read(region: 4, at: .at(0), count: 16),
        .read(region: 2, at: .at(0), count: 16),
        // The first access after a reset asks the device whether it is ready, which takes its registers.
        .decoding(false),
        .reset,
        .read(region: 4, at: .at(0), count: 16),
        .write(region: 2, at: .at(0), count: 16),
        .decoding(true),
        .read(region: 4, at: .at(0), count: 16),
        .read(region: 2, at: .at(0), count: 16),
        // Later ones do not, and the memory does not hang on the bus.
        .decoding(false),
        .read(region: 4, at: .at(0), count: 16),
        .decoding(true),
    ]

    private static let otherCalls: [Step] =
        [0, 2, 4].map { .ioeventfd(region: $0) }
        + [
            .feature(argsz: 0, flags: 0), .feature(argsz: 7, flags: 1 << 16),
            .feature(argsz: 8, flags: 0xFFFF | 1 << 16),
            .feature(argsz: 8, flags: 1 | 3 << 16), .feature(argsz: 8, flags: 1 << 19),
            .feature(argsz: 8, flags: 1 | 1 << 16),
        ]
}
