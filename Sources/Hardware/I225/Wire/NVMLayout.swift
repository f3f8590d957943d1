// Where things lie in the NVM, in 16-bit words, and what makes it valid.
// Source: Linux igc_nvm.c (igc_validate_nvm_checksum), igc_i225.c of 6.12 and 7.x.

/// Layout of the NVM.
public enum NVMLayout {
    /// The MAC address: words 0 to 2, the first byte low in word 0.
    @inlinable public static var macAddress: Int { 0 }
    /// The version that `ethtool -i` shows.
    @inlinable public static var firmwareVersion: Int { 5 }
    /// The word that makes the checksum right.
    @inlinable public static var checksum: Int { 0x3F }
    /// The words that the checksum covers, itself included.
    @inlinable public static var checkedWordCount: Int { 0x40 }
    /// What the checked words add up to, modulo 2^16.
    @inlinable public static var expectedSum: UInt16 { 0xBABA }
    /// A word that was never written.
    @inlinable public static var blank: UInt16 { 0xFFFF }

    /// Whether the first words of an NVM add up; false if there are too few.
    public static func isValid(_ words: [UInt16]) -> Bool {
        words.count >= checkedWordCount && words.prefix(checkedWordCount).reduce(0, &+) == expectedSum
    }
}
