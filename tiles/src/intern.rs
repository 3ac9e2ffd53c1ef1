//! Distinct values of a layer, each kept once, and how they are hashed.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The hash of an encoded value (FNV-1a over words; only speed depends on it).
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    let mut h = 0xCBF2_9CE4_8422_2325_u64 ^ bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for c in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(c);
        h = (h ^ u64::from_le_bytes(word)).wrapping_mul(PRIME);
        h ^= h >> 29;
    }
    for b in chunks.remainder() {
        h = (h ^ u64::from(*b)).wrapping_mul(PRIME);
    }
    h ^ (h >> 32)
}

/// Hashes keys of maps that live as long as a tile is drawn. Keys come from the store, not from
/// strangers, so nothing guards against chosen collisions.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Quick(u64);

impl Quick {
    #[inline]
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(26) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        // Maps look at the lowest and the highest bits; the highest are the best mixed.
        self.0.rotate_left(20)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.mix(hash(bytes));
    }

    fn write_u8(&mut self, v: u8) {
        self.mix(v.into());
    }

    fn write_u32(&mut self, v: u32) {
        self.mix(v.into());
    }

    fn write_u64(&mut self, v: u64) {
        self.mix(v);
    }

    fn write_usize(&mut self, v: usize) {
        self.mix(v as u64);
    }

    fn write_i32(&mut self, v: i32) {
        self.mix(v as u64);
    }
}

/// A map hashed by [`Quick`].
pub(crate) type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// Byte strings by number, and numbers by byte string.
#[derive(Debug, Clone)]
pub(crate) struct Interner {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// Open addressing; `u32::MAX` is free. Its length is a power of two.
    table: Vec<u32>,
}

impl Default for Interner {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), table: vec![u32::MAX; 16] }
    }
}

impl Interner {
    /// The string of a number that [`Interner::intern`] gave.
    #[inline]
    pub fn get(&self, i: u32) -> &[u8] {
        let i = i as usize;
        let from = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.bytes[from..self.ends[i] as usize]
    }

    /// The number of a string that is held.
    pub fn find(&self, value: &[u8]) -> Option<u32> {
        let at = self.table[self.slot(value)];
        (at != u32::MAX).then_some(at)
    }

    /// The number of a string, which is held from now on; `None` when 4 GB are full.
    pub fn intern(&mut self, value: &[u8]) -> Option<u32> {
        let slot = self.slot(value);
        if self.table[slot] != u32::MAX {
            return Some(self.table[slot]);
        }
        let end = u32::try_from(self.bytes.len() + value.len()).ok()?;
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(value);
        self.ends.push(end);
        self.table[slot] = number;
        if self.ends.len() * 2 > self.table.len() {
            self.table = vec![u32::MAX; self.table.len() * 2];
            for i in 0..self.ends.len() as u32 {
                let slot = self.slot(self.get(i));
                self.table[slot] = i;
            }
        }
        Some(number)
    }

    /// Gives spare room back.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    /// Bytes it takes in memory.
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + 4 * (self.ends.capacity() + self.table.capacity())
    }

    fn slot(&self, value: &[u8]) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = hash(value) as usize & mask;
        while self.table[slot] != u32::MAX && self.get(self.table[slot]) != value {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_get_one_number() {
        let mut i = Interner::default();
        for n in 0..1000_u32 {
            assert_eq!(i.intern(format!("value {n}").as_bytes()), Some(n));
        }
        for n in 0..1000_u32 {
            let s = format!("value {n}");
            assert_eq!(i.intern(s.as_bytes()), Some(n));
            assert_eq!(i.find(s.as_bytes()), Some(n));
            assert_eq!(i.get(n), s.as_bytes());
        }
        assert_eq!(i.find(b"value"), None);
        assert_eq!(i.ends.len(), 1000);
    }
}
