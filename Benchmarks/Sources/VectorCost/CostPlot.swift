// Lines over a double logarithmic grid, as SVG.

import Foundation
import Measure

struct CostPlot {
    struct Line {
        let title: String
        let color: String
        /// One per place.
        let values: [Double]
    }

    let title: String
    let horizontal: String
    let vertical: String
    /// Along the horizontal axis.
    let places: [Int]
    let lines: [Line]

    private static let size = (width: 720.0, height: 440.0)
    private static let frame = (left: 80.0, right: 520.0, top: 50.0, bottom: 380.0)

    private var decades: ClosedRange<Int> {
        let logarithms = lines.flatMap(\.values).map { log10($0) }
        return Int((logarithms.min() ?? 0).rounded(.down))...Int((logarithms.max() ?? 1).rounded(.up))
    }

    private func x(_ place: Int) -> Double {
        let share = places.count > 1 ? Double(place) / Double(places.count - 1) : 0
        return Self.frame.left + share * (Self.frame.right - Self.frame.left)
    }

    private func y(_ value: Double) -> Double {
        let span = max(1, Double(decades.upperBound - decades.lowerBound))
        let share = (log10(value) - Double(decades.lowerBound)) / span
        return Self.frame.bottom - share * (Self.frame.bottom - Self.frame.top)
    }

    var svg: String {
        let (width, height) = (Int(Self.size.width), Int(Self.size.height))
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" \
            font-family="sans-serif" font-size="13">
            <rect width="\(width)" height="\(height)" fill="white"/>
            <text x="\(number(Self.frame.left))" y="28" font-size="16">\(title)</text>
            \(grid)
            \(lines.map(curve).joined(separator: "\n"))
            </svg>

            """
    }

    private var grid: String {
        var parts: [String] = []
        let middle = (Self.frame.left + Self.frame.right) / 2
        for (place, value) in places.enumerated() {
            parts.append(rule(x(place), Self.frame.top, x(place), Self.frame.bottom))
            parts.append(text(x(place), Self.frame.bottom + 20, "\(value)", anchor: "middle"))
        }
        for decade in decades {
            let height = y(pow(10, Double(decade)))
            parts.append(rule(Self.frame.left, height, Self.frame.right, height))
            parts.append(
                text(Self.frame.left - 8, height + 4, "\(Int(pow(10, Double(decade)))) \(vertical)", anchor: "end")
            )
        }
        parts.append(text(middle, Self.frame.bottom + 44, horizontal, anchor: "middle"))
        return parts.joined(separator: "\n")
    }

    private func curve(_ line: Line) -> String {
        let points = line.values.enumerated().map { "\(number(x($0.offset))),\(number(y($0.element)))" }
        let label = text(Self.frame.right + 8, y(line.values.last ?? 1) + 4, line.title, anchor: "start", line.color)
        return """
            <polyline points="\(points.joined(separator: " "))" fill="none" stroke="\(line.color)" stroke-width="2"/>
            \(label)
            """
    }

    private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"#ddd\"/>"
    }

    private func text(_ x: Double, _ y: Double, _ words: String, anchor: String, _ color: String = "black") -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" fill=\"\(color)\">\(words)</text>"
    }

    private func number(_ value: Double) -> String { decimal(value, 1) }
}
