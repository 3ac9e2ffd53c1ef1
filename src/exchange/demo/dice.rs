//! Seeded randomness. Everything that looks random in the demo province comes from here, so that
//! one seed gives one province on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use uuid::Uuid;

/// A stream of chance. Only `next_u64` of the generator is used, so that no other crate's idea of a
/// range or a distribution can change the province.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one purpose in one place: streams of different counties do not touch.
    pub fn new(seed: u64, place: &str, purpose: &str) -> Self {
        // FNV-1a: small, and the same everywhere.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in place.bytes().chain([0]).chain(purpose.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(ChaCha8Rng::seed_from_u64(hash))
    }

    /// Uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Whole number in low..=high.
    pub fn whole(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        low + (self.0.next_u64() % (high - low + 1) as u64) as i64
    }

    /// Index below `len` (0 for an empty range).
    pub fn index(&mut self, len: usize) -> usize {
        if len == 0 { 0 } else { (self.0.next_u64() % len as u64) as usize }
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Roughly normal: mean 0, deviation 1, never beyond 3.
    pub fn bell(&mut self) -> f64 {
        (self.unit() + self.unit() + self.unit() + self.unit() - 2.0) * 1.732
    }

    /// One of these.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.index(choices.len())]
    }

    /// Puts a slice in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.index(i + 1));
        }
    }

    /// UUIDv7 of this moment (milliseconds since 1970), its random part from the seed.
    pub fn uuid(&mut self, millis: i64) -> Uuid {
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        self.0.fill_bytes(&mut bytes[6..]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Uuid::from_bytes(bytes)
    }
}
