//! What browsers are told: a ring of the newest changes and a channel to those who listen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;
use uuid::Uuid;

/// Changes that can be told again to a browser that was away.
const KEPT: usize = 10_000;
/// Changes that a browser may lag behind before it is told to load anew.
const LAG: usize = 2048;

/// A change, as it goes out to people signed in.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// Its place in the feed.
    pub seq: u64,
    /// Kind of the thing that changed.
    pub kind: String,
    /// The project, when it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<Uuid>,
    /// Natural villages that changed or may have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub natural_village_ids: Vec<Uuid>,
    /// Layers whose tiles changed.
    pub layers: Vec<&'static str>,
    /// Codes of the areas concerned, from below.
    pub areas: Vec<String>,
    /// West, south, east, north; null for everywhere.
    pub bbox: Option<[f64; 4]>,
}

/// What the public is told of a change: that something in these layers is new there.
#[derive(Debug, Clone, Serialize)]
struct PublicChange {
    seq: u64,
    /// Always the same word: what kind of thing it was is not for the public.
    kind: &'static str,
    layers: Vec<&'static str>,
    /// Always empty.
    areas: [&'static str; 0],
    bbox: Option<[f64; 4]>,
}

/// A change, written once for all who listen.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its place in the feed.
    pub seq: u64,
    /// For people signed in.
    pub staff: Arc<str>,
    /// For everybody; `None` when the public sees nothing of it.
    pub public: Option<Arc<str>>,
}

impl Told {
    /// Writes a change. `published` is false for what the public may not know of.
    pub fn new(change: &Change, published: bool) -> Self {
        let layers: Vec<_> = change.layers.iter().copied().filter(|l| *l != "water_scheme").collect();
        let public = (published && !layers.is_empty()).then(|| {
            let kind = if change.kind == "bulk" { "bulk" } else { "change" };
            json(&PublicChange { seq: change.seq, kind, layers, areas: [], bbox: change.bbox })
        });
        Self { seq: change.seq, staff: json(change), public }
    }
}

fn json(value: &impl Serialize) -> Arc<str> {
    // Numbers, texts and lists always make JSON.
    serde_json::to_string(value).unwrap_or_default().into()
}

/// What a browser that comes back hears first.
#[derive(Debug)]
pub enum Missed {
    /// These, in order (none when it missed nothing).
    Changes(Vec<Told>),
    /// Too much, or from a feed that is not ours: load anew.
    TooOld,
}

/// The changes that this node has shown.
#[derive(Debug)]
pub struct Events {
    ring: Mutex<Ring>,
    sender: broadcast::Sender<Told>,
}

#[derive(Debug, Default)]
struct Ring {
    /// Everything up to here was told before the oldest that is kept.
    floor: u64,
    newest: u64,
    kept: VecDeque<Told>,
}

impl Default for Events {
    fn default() -> Self {
        Self { ring: Mutex::default(), sender: broadcast::channel(LAG).0 }
    }
}

impl Events {
    /// Starts over: the map shows everything up to `newest`, of which `kept` can be told again.
    pub fn restart(&self, floor: u64, newest: u64, kept: Vec<Told>) {
        let mut ring = self.lock();
        *ring = Ring { floor, newest, kept: kept.into() };
    }

    /// Tells a change to everybody who listens.
    pub fn tell(&self, told: Told) {
        let mut ring = self.lock();
        ring.newest = told.seq;
        ring.kept.push_back(told.clone());
        if ring.kept.len() > KEPT
            && let Some(gone) = ring.kept.pop_front()
        {
            ring.floor = gone.seq;
        }
        // Sent under the lock, so that nobody hears a change both as missed and as new.
        let _ = self.sender.send(told);
    }

    /// Listens from now on, and says what was missed since `after`.
    pub fn listen(&self, after: Option<u64>) -> (Missed, u64, broadcast::Receiver<Told>) {
        let ring = self.lock();
        let receiver = self.sender.subscribe();
        let missed = match after {
            None => Missed::Changes(Vec::new()),
            Some(after) if after < ring.floor || after > ring.newest => Missed::TooOld,
            Some(after) => {
                let from = ring.kept.partition_point(|t| t.seq <= after);
                Missed::Changes(ring.kept.iter().skip(from).cloned().collect())
            }
        };
        (missed, ring.newest, receiver)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seq: u64) -> Told {
        Told { seq, staff: "".into(), public: None }
    }
    fn seqs(m: Missed) -> Option<Vec<u64>> {
        match m {
            Missed::Changes(c) => Some(c.iter().map(|t| t.seq).collect()),
            Missed::TooOld => None,
        }
    }

    #[test]
    fn a_browser_that_was_away_hears_what_it_missed_or_loads_anew() {
        let e = Events::default();
        e.restart(3, 5, vec![told(4), told(5)]);
        e.tell(told(6));
        assert_eq!(seqs(e.listen(Some(4)).0), Some(vec![5, 6]));
        assert_eq!(seqs(e.listen(Some(3)).0), Some(vec![4, 5, 6]));
        assert_eq!(seqs(e.listen(Some(2)).0), None);
        assert_eq!(seqs(e.listen(Some(7)).0), None, "a feed that is not ours");
        assert_eq!(seqs(e.listen(None).0), Some(vec![]));
    }

    #[test]
    fn the_public_hears_no_details_and_nothing_unpublished() {
        let change = Change {
            seq: 1,
            kind: "project".into(),
            project_id: Some(Uuid::nil()),
            natural_village_ids: vec![],
            layers: vec!["water_scheme", "water_project"],
            areas: vec!["441424".into()],
            bbox: None,
        };
        let told = Told::new(&change, true);
        assert_eq!(
            told.public.as_deref(),
            Some(r#"{"seq":1,"kind":"change","layers":["water_project"],"areas":[],"bbox":null}"#)
        );
        assert!(Told::new(&change, false).public.is_none());
    }
}
