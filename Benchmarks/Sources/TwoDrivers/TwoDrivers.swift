import Measure

@main
enum TwoDrivers {
    static func main() {
        for bytes in [64, 1518] {
            for _ in 0..<5 { print(bytes, decimal(Run.framesPerSecond(bytes: bytes, seconds: 1, cpus: (2, 3)) / 1e6), "M/s") }
        }
    }
}
