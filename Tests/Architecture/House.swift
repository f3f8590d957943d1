// The package as values: targets with what they declare, files with what they say. Made from the tree, or made up.

/// A target as Package.swift declares it.
struct Target: Equatable {
    let name: String
    /// Its folder, relative to the package.
    let path: String
    /// Names of targets and products.
    let dependencies: [String]
}

/// A Swift source file.
struct SourceFile {
    /// Relative to the package.
    let path: String
    let text: SwiftText

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = SwiftText(text)
    }
}

/// All that the checks look at.
struct House {
    let targets: [Target]
    let files: [SourceFile]

    /// The target whose folder holds the file; the innermost one if folders are nested.
    func target(of file: SourceFile) -> Target? {
        targets.filter { file.path.hasPrefix($0.path + "/") }.max { $0.path.count < $1.path.count }
    }
}
