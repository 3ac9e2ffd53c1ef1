//! The audit chain (审计链): each entry's hash covers its predecessor's, so that nothing can be
//! changed, taken out or cut off at the end without a break that anyone can find offline.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// One entry as it is stored or exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 6-digit county code, or 'system'.
    pub chain: String,
    /// 1, 2, 3, … in the chain.
    pub seq: i64,
    /// When the database recorded it, for people; the body carries the time that is hashed.
    pub recorded_at: String,
    /// Exactly the bytes that were hashed.
    pub body: String,
    /// Hash of the entry before.
    pub prev_hash: Vec<u8>,
    /// Its own.
    pub hash: Vec<u8>,
}

/// Where a chain ends: kept apart, so that a cut-off tail shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// 6-digit county code, or 'system'.
    pub chain: String,
    /// Entries in the chain.
    pub seq: i64,
    /// Hash of the last.
    pub hash: Vec<u8>,
}

/// The first thing that is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// Which chain.
    pub chain: String,
    /// Which entry.
    pub seq: i64,
    /// When it was recorded; empty when the row is gone.
    pub recorded_at: String,
    /// What is wrong with it, Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// What the first entry of a chain follows: the hash of its name.
pub fn genesis(chain: &str) -> Hash {
    Sha256::digest(chain.as_bytes()).into()
}

/// SHA-256 over the previous hash, seq as 8 bytes big-endian, chain, a zero byte, body.
pub fn entry_hash(prev: &[u8], seq: i64, chain: &str, body: &str) -> Hash {
    let mut sha = Sha256::new();
    sha.update(prev);
    sha.update(seq.to_be_bytes());
    sha.update(chain.as_bytes());
    sha.update([0]);
    sha.update(body.as_bytes());
    sha.finalize().into()
}

/// Recomputes chains from their entries, given in order of chain and seq, whatever their number:
/// it remembers one state per chain and no entry.
#[derive(Debug, Default)]
pub struct Verifier {
    chains: BTreeMap<String, ChainState>,
    /// Heads of a checkpoint that were met on the way, by chain.
    expected: BTreeMap<String, Head>,
    entries: u64,
}

#[derive(Debug)]
struct ChainState {
    seq: i64,
    hash: Hash,
    broken: Option<Break>,
}

impl Verifier {
    /// A verifier; `checkpoint` are heads signed earlier, which the chains must still contain.
    pub fn new(checkpoint: impl IntoIterator<Item = Head>) -> Self {
        Self { expected: checkpoint.into_iter().map(|h| (h.chain.clone(), h)).collect(), ..Self::default() }
    }

    /// Takes the next entry.
    pub fn entry(&mut self, entry: &Entry) {
        self.entries += 1;
        let state = self.chains.entry(entry.chain.clone()).or_insert_with(|| ChainState {
            seq: 0,
            hash: genesis(&entry.chain),
            broken: None,
        });
        // After the first break everything that follows would be reported as broken, too.
        if state.broken.is_some() {
            return;
        }
        let fail = |zh: String, en: String| {
            Some(Break {
                chain: entry.chain.clone(),
                seq: entry.seq,
                recorded_at: entry.recorded_at.clone(),
                zh,
                en,
            })
        };
        let next = state.seq + 1;
        if entry.seq != next {
            state.broken = Some(Break {
                chain: entry.chain.clone(),
                seq: next,
                recorded_at: String::new(),
                zh: format!("缺少第 {next} 条（其后是第 {} 条）", entry.seq),
                en: format!("entry {next} is missing (entry {} follows)", entry.seq),
            });
            return;
        }
        if entry.prev_hash != state.hash {
            state.broken = fail(
                "前一条的哈希值不符：前一条被改写过".into(),
                "prev_hash is not the hash of the entry before".into(),
            );
            return;
        }
        let hash = entry_hash(&state.hash, entry.seq, &entry.chain, &entry.body);
        if entry.hash != hash {
            state.broken = fail(
                "内容与哈希值不符：记录被改写过".into(),
                "the body does not have the stored hash: it was changed".into(),
            );
            return;
        }
        if self.expected.get(&entry.chain).is_some_and(|h| h.seq == entry.seq && h.hash != hash) {
            state.broken = fail(
                "与已签名的检查点不符：整条链被重写过".into(),
                "differs from the signed checkpoint: the chain was rewritten".into(),
            );
            return;
        }
        state.seq = entry.seq;
        state.hash = hash;
    }

    /// Holds the chains against their heads and the checkpoint.
    ///
    /// # Errors
    /// The first break of each broken chain, in order of chain.
    pub fn finish(mut self, heads: impl IntoIterator<Item = Head>) -> Result<Summary, Vec<Break>> {
        let heads: BTreeMap<String, Head> = heads.into_iter().map(|h| (h.chain.clone(), h)).collect();
        for chain in heads.keys().chain(self.expected.keys()) {
            self.chains.entry(chain.clone()).or_insert_with(|| ChainState {
                seq: 0,
                hash: genesis(chain),
                broken: None,
            });
        }
        let mut breaks = Vec::new();
        for (chain, state) in &mut self.chains {
            let found = state.broken.take().or_else(|| {
                let at = |seq: i64, zh: String, en: String| {
                    Some(Break { chain: chain.clone(), seq, recorded_at: String::new(), zh, en })
                };
                let lost = |until: i64, zh: &str, en: &str| {
                    at(
                        state.seq + 1,
                        format!("缺少第 {} 至 {until} 条：{zh}", state.seq + 1),
                        format!("entries {} to {until} are missing: {en}", state.seq + 1),
                    )
                };
                if let Some(signed) = self.expected.get(chain).filter(|h| h.seq > state.seq) {
                    return lost(signed.seq, "检查点签名时尚在", "the signed checkpoint had them");
                }
                match heads.get(chain) {
                    None => at(state.seq, "链头记录缺失".into(), "the chain's head is missing".into()),
                    Some(head) if head.seq > state.seq => {
                        lost(head.seq, "链尾被截断", "the tail was cut off")
                    }
                    Some(head) if head.seq < state.seq || head.hash != state.hash => {
                        at(state.seq, "链头与最后一条不符".into(), "the head is not the last entry".into())
                    }
                    Some(_) => None,
                }
            });
            breaks.extend(found);
        }
        if breaks.is_empty() {
            Ok(Summary { chains: self.chains.len(), entries: self.entries })
        } else {
            Err(breaks)
        }
    }
}

/// What was found whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Number of chains.
    pub chains: usize,
    /// Number of entries.
    pub entries: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(name: &str, bodies: &[&str]) -> (Vec<Entry>, Head) {
        let mut prev = genesis(name);
        let mut entries = Vec::new();
        for (i, body) in bodies.iter().enumerate() {
            let seq = i as i64 + 1;
            let hash = entry_hash(&prev, seq, name, body);
            entries.push(Entry {
                chain: name.into(),
                seq,
                recorded_at: format!("t{seq}"),
                body: (*body).into(),
                prev_hash: prev.to_vec(),
                hash: hash.to_vec(),
            });
            prev = hash;
        }
        (entries, Head { chain: name.into(), seq: bodies.len() as i64, hash: prev.to_vec() })
    }

    fn verify(entries: &[Entry], heads: Vec<Head>, signed: Vec<Head>) -> Result<Summary, Vec<Break>> {
        let mut verifier = Verifier::new(signed);
        for entry in entries {
            verifier.entry(entry);
        }
        verifier.finish(heads)
    }

    fn first(result: Result<Summary, Vec<Break>>) -> (String, i64) {
        let breaks = result.unwrap_err();
        (breaks[0].chain.clone(), breaks[0].seq)
    }

    #[test]
    fn whole_chains_pass_and_every_change_is_found_where_it_is() {
        let (entries, head) = chain("441424", &["a", "b", "c", "d"]);
        assert_eq!(verify(&entries, vec![head.clone()], vec![]), Ok(Summary { chains: 1, entries: 4 }));

        let mut changed = entries.clone();
        changed[1].body = "B".into();
        assert_eq!(first(verify(&changed, vec![head.clone()], vec![])), ("441424".into(), 2));

        // Changed together with its own hash: the next one gives it away.
        changed[1].hash = entry_hash(&changed[1].prev_hash, 2, "441424", "B").to_vec();
        assert_eq!(first(verify(&changed, vec![head.clone()], vec![])), ("441424".into(), 3));

        let mut gap = entries.clone();
        gap.remove(2);
        assert_eq!(first(verify(&gap, vec![head.clone()], vec![])), ("441424".into(), 3));

        assert_eq!(first(verify(&entries[..3], vec![head.clone()], vec![])), ("441424".into(), 4));
        assert_eq!(first(verify(&[], vec![head], vec![])), ("441424".into(), 1));
        assert_eq!(first(verify(&entries, vec![], vec![])), ("441424".into(), 4));
    }

    #[test]
    fn a_chain_rewritten_from_end_to_end_differs_from_the_checkpoint() {
        let (_, signed) = chain("441424", &["a", "b"]);
        let (entries, head) = chain("441424", &["a", "X", "c"]);
        assert!(verify(&entries, vec![head.clone()], vec![]).is_ok(), "the chain alone cannot know");
        assert_eq!(first(verify(&entries, vec![head], vec![signed.clone()])), ("441424".into(), 2));
        let (short, short_head) = chain("441424", &["a"]);
        assert_eq!(first(verify(&short, vec![short_head], vec![signed.clone()])), ("441424".into(), 2));
        assert_eq!(first(verify(&[], vec![], vec![signed])), ("441424".into(), 1));
    }
}
