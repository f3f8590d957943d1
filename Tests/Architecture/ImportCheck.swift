// Who may import whom, and whether Package.swift says the same as the sources.

extension House {
    /// Every breach of the house's rules, one line each; empty if there is none.
    func importViolations() -> [String] {
        let rooms = targets.reduce(into: [String: Room]()) { $0[$1.name] = Room(target: $1.name, path: $1.path) }
        let misplaced = targets.filter { rooms[$0.name] == nil }.map { target in
            "\(target.path): no room of the house is target \(target.name)'s"
        }
        let imports = importsByTarget()
        return misplaced + imports.homeless
            + targets.flatMap { target -> [String] in
                guard let room = rooms[target.name] else { return [] }
                return violations(of: target, in: room, rooms, imports.byTarget[target.name] ?? [])
            }
    }

    private func violations(of target: Target, in room: Room, _ rooms: [String: Room], _ seen: [Place]) -> [String] {
        var violations: [String] = []
        for place in seen {
            let isAllowed =
                if let other = rooms[place.module] {
                    room.maySee(place.module, in: other)
                } else {
                    room.maySeeForeign(place.module)
                }
            if !isAllowed { violations.append("\(place): \(target.name) may not import \(place.module)") }
            let isDeclared = target.dependencies.contains(place.module)
            if rooms[place.module] != nil, !isDeclared, place.module != target.name {
                violations.append("\(place): Package.swift gives \(target.name) no dependency on \(place.module)")
            }
        }
        guard room != .outside else { return violations }
        let imported = Set(seen.map(\.module))
        for dependency in target.dependencies {
            if let other = rooms[dependency], !room.maySee(dependency, in: other) {
                violations.append("Package.swift: \(target.name) may not depend on \(dependency)")
            }
            if !imported.contains(dependency) {
                violations.append("Package.swift: \(target.name) depends on \(dependency) and never imports it")
            }
        }
        return violations
    }

    /// An import declaration in a file.
    private struct Place: CustomStringConvertible {
        let module: String
        let file: String
        let line: Int
        var description: String { "\(file):\(line)" }
    }

    private func importsByTarget() -> (byTarget: [String: [Place]], homeless: [String]) {
        var byTarget: [String: [Place]] = [:]
        var homeless: [String] = []
        for file in files {
            guard let target = target(of: file) else {
                homeless.append("\(file.path): no target of Package.swift holds this file")
                continue
            }
            byTarget[target.name, default: []] += file.text.imports.map {
                Place(module: $0.module, file: file.path, line: $0.line)
            }
        }
        return (byTarget, homeless)
    }
}
