//! One seed, and a generator of its own for everybody who draws: what one draws does not shift what another gets.

/// Generators that follow from one number.
#[derive(Debug, Clone, Copy)]
pub struct Seed(pub u64);

impl Seed {
    /// The generator of this name.
    #[must_use]
    pub fn rng(self, name: &str) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.number(name))
    }

    /// The number of this name.
    #[must_use]
    pub fn number(self, name: &str) -> u64 {
        // FNV-1a, then a round of mixing (SplitMix64), so that near seeds do not give near numbers.
        let mut hash = self.0 ^ 0xcbf2_9ce4_8422_2325;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }
}
