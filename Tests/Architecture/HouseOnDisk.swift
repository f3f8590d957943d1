// The house as it stands: targets from Package.swift as SwiftPM evaluates it, files from the tree.

import Foundation

enum HouseOnDisk {
    struct Failure: Error { let reason: String }

    /// The package's folder, three above this file.
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func load() throws -> House {
        House(targets: try targets(), files: try files(under: "Sources") + files(under: "Tests"))
    }

    /// Asks SwiftPM for the evaluated manifest: its helper functions make a reading of the text worthless. A scratch
    /// folder of its own keeps it off the lock that the running `swift test` holds.
    private static func targets() throws -> [Target] {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("doorbell-manifest-\(UUID())")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "swift", "package", "--package-path", root.path, "--scratch-path", scratch.path,
            "--manifest-cache", "none", "dump-package",
        ]
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(reason: "swift package dump-package ended with \(process.terminationStatus)")
        }
        return try JSONDecoder().decode(Manifest.self, from: data).targets.map(\.target)
    }

    private static func files(under folder: String) throws -> [SourceFile] {
        guard let walk = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path) else {
            throw Failure(reason: "no folder \(folder)")
        }
        return try walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let path = "\(folder)/\(name)"
            return SourceFile(path, try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8))
        }
    }
}

/// What `swift package dump-package` prints, as far as it is of interest.
private struct Manifest: Decodable {
    let targets: [Entry]

    struct Entry: Decodable {
        let name: String
        let path: String?
        let dependencies: [Dependency]

        /// A target without a path lies where SwiftPM expects it, which is no room of the house.
        var target: Target {
            Target(name: name, path: path ?? "Sources/\(name)", dependencies: dependencies.compactMap(\.name))
        }
    }

    /// `{"byName": ["Memory", null]}`, `{"product": ["ArgumentParser", "swift-argument-parser", null, null]}`, …
    struct Dependency: Decodable {
        let name: String?

        init(from decoder: any Decoder) throws {
            let kinds = try decoder.singleValueContainer().decode([String: [Name?]].self)
            name = kinds.values.first?.first??.text
        }
    }

    /// A string, or whatever else stands in these lists.
    struct Name: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            text = try? decoder.singleValueContainer().decode(String.self)
        }
    }
}
