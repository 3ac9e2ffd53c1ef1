//! Counts of a whole layer by the value of a column, kept until the layer changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::rules::Rules;
use crate::grid::Rect;
use crate::intern::QuickMap;
use crate::schema::Scope;
use crate::store::LayerSnapshot;

/// One group: how many, and how many of each value of the second column. Values are encoded;
/// `None` is an absent one.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub count: u64,
    pub by: BTreeMap<Option<Vec<u8>>, u64>,
}

/// Groups by value.
pub(crate) type Groups = BTreeMap<Option<Vec<u8>>, Group>;

/// Whom, when and under which rules a count was made.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct CountKey {
    pub rule: usize,
    pub active: Vec<usize>,
    pub day: i32,
    pub scope: Scope,
}

/// The counts of one state of a layer. It belongs to that state, so it never grows stale.
#[derive(Debug, Default)]
pub(crate) struct AggregateCache(Mutex<Vec<(CountKey, Arc<Groups>)>>);

/// Dates that a reader may jump between before counts are made anew.
const KEPT: usize = 32;

impl AggregateCache {
    pub fn get(&self, key: &CountKey, count: impl FnOnce() -> Groups) -> Arc<Groups> {
        let find =
            |list: &Vec<(CountKey, Arc<Groups>)>| list.iter().find(|e| e.0 == *key).map(|e| Arc::clone(&e.1));
        // The lock is never held while counting: two may count the same, nobody waits for long.
        if let Some(g) = find(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return g;
        }
        let groups = Arc::new(count());
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if find(&list).is_none() {
            if list.len() >= KEPT {
                list.remove(0);
            }
            list.push((key.clone(), Arc::clone(&groups)));
        }
        groups
    }
}

/// Counts all features that follow rule number `mine` of `rules`, by the two columns (`None`: not
/// told apart).
pub(crate) fn count(
    layer: &LayerSnapshot,
    rules: &Rules<'_>,
    mine: usize,
    columns: [Option<usize>; 2],
    day: i32,
    scope: Scope,
) -> Groups {
    let mut counts: QuickMap<[Option<&[u8]>; 2], u64> = QuickMap::default();
    let mut last: ([Option<&[u8]>; 2], u64) = ([None; 2], 0);
    layer.visit(&Rect::WORLD, day, scope, &mut |a| {
        if rules.of(a) != Some(mine) {
            return;
        }
        let key = columns.map(|c| c.and_then(|c| a.bytes(c)));
        // Neighbours on the curve mostly lie in the same area: count runs, not features.
        if key == last.0 {
            last.1 += 1;
        } else {
            if last.1 > 0 {
                *counts.entry(last.0).or_default() += last.1;
            }
            last = (key, 1);
        }
    });
    if last.1 > 0 {
        *counts.entry(last.0).or_default() += last.1;
    }
    let mut groups = Groups::new();
    for ([group, by], n) in counts {
        let g = groups.entry(group.map(<[u8]>::to_vec)).or_default();
        g.count += n;
        *g.by.entry(by.map(<[u8]>::to_vec)).or_default() += n;
    }
    groups
}
