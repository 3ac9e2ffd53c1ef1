//! The tree of areas as the map holds it: numbers instead of ids, and chains up to the province.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context;
use tiles::{Geometry, Rect, WorldPoint, world_to_lonlat};
use uuid::Uuid;

use super::source::AreaRow;

/// Level of an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// 省
    Province,
    /// 市
    City,
    /// 县
    County,
    /// 镇
    Town,
    /// 村
    Village,
}

impl Level {
    /// The word of API, tiles and database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::City => "city",
            Self::County => "county",
            Self::Town => "town",
            Self::Village => "village",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Province, Self::City, Self::County, Self::Town, Self::Village]
            .into_iter()
            .find(|l| l.as_str() == word)
    }
}

/// An area.
#[derive(Debug, Clone)]
pub struct Area {
    /// Id in the API.
    pub id: Uuid,
    /// Id in tiles.
    pub fid: u64,
    /// Code of the field.
    pub code: Arc<str>,
    /// Full name.
    pub name: Arc<str>,
    /// Name as people say it.
    pub short_name: Arc<str>,
    /// Level.
    pub level: Level,
    /// Number of the area above.
    pub parent: Option<u32>,
    /// Seat, or a point of the outline.
    pub place: Option<WorldPoint>,
    /// Outline, with ranks shared between neighbours.
    pub geometry: Option<Arc<Geometry>>,
    /// 相对贫困村
    pub poor: bool,
}

impl Area {
    /// Where its label stands, as longitude and latitude.
    pub fn center(&self) -> Option<[f64; 2]> {
        self.place.map(|p| {
            let (lon, lat) = world_to_lonlat(p);
            [(lon * 1e6).round() / 1e6, (lat * 1e6).round() / 1e6]
        })
    }

    /// Outline and seat together.
    pub fn bounds(&self) -> Rect {
        let outline = self.geometry.as_ref().map_or(Rect::EMPTY, |g| g.bounds());
        self.place.map_or(outline, |p| outline.union(Rect::point(p)))
    }
}

/// All areas; parents come before their children.
#[derive(Debug, Clone, Default)]
pub struct AreaTree {
    areas: Vec<Area>,
    by_id: HashMap<Uuid, u32>,
    by_code: HashMap<Arc<str>, u32>,
    children: Vec<Vec<u32>>,
}

impl AreaTree {
    /// Builds the tree. Areas that hang on no province are left out, with a warning: one bad row
    /// must not keep the map from starting.
    pub(super) fn new(mut rows: Vec<AreaRow>, poor: &HashSet<Uuid>) -> anyhow::Result<Self> {
        let mut ranked = Vec::new();
        for row in rows.drain(..) {
            let level = Level::parse(&row.level).with_context(|| format!("unknown level {}", row.level))?;
            ranked.push((level, row));
        }
        ranked.sort_by(|a, b| (a.0, &a.1.code).cmp(&(b.0, &b.1.code)));
        let mut tree = Self::default();
        for (level, row) in ranked {
            let parent = match row.parent_id {
                None => None,
                Some(id) => match tree.by_id.get(&id) {
                    Some(&n) => Some(n),
                    None => {
                        tracing::warn!(code = %row.code, "area hangs on no province and is left out of the map");
                        continue;
                    }
                },
            };
            let number = tree.areas.len() as u32;
            tree.by_id.insert(row.id, number);
            tree.by_code.insert(Arc::clone(&row.code), number);
            tree.children.push(Vec::new());
            if let Some(p) = parent {
                tree.children[p as usize].push(number);
            }
            tree.areas.push(Area {
                id: row.id,
                fid: row.fid,
                code: row.code,
                name: row.name,
                short_name: row.short_name,
                level,
                parent,
                place: row.seat.or_else(|| row.geometry.as_ref().map(Geometry::anchor)),
                geometry: row.geometry.map(Arc::new),
                poor: poor.contains(&row.id),
            });
        }
        Ok(tree)
    }

    /// All areas, parents first.
    pub fn all(&self) -> &[Area] {
        &self.areas
    }
    /// An area by its number.
    pub fn get(&self, number: u32) -> &Area {
        &self.areas[number as usize]
    }
    pub(super) fn get_mut(&mut self, number: u32) -> &mut Area {
        &mut self.areas[number as usize]
    }
    /// Number of an area by id.
    pub fn number_of(&self, id: Uuid) -> Option<u32> {
        self.by_id.get(&id).copied()
    }
    /// Number of an area by code.
    pub fn by_code(&self, code: &str) -> Option<u32> {
        self.by_code.get(code).copied()
    }
    /// Numbers of the areas right below.
    pub fn children(&self, number: u32) -> &[u32] {
        &self.children[number as usize]
    }
    /// The area and those above it, from below.
    pub fn chain(&self, number: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(number), |&n| self.areas[n as usize].parent)
    }
    /// The area of a level that holds this one (or is it).
    pub fn above(&self, number: u32, level: Level) -> Option<&Area> {
        self.chain(number).map(|n| self.get(n)).find(|a| a.level == level)
    }
    /// Code of the area of a level that holds this one.
    pub fn code_above(&self, number: u32, level: Level) -> Option<Arc<str>> {
        self.above(number, level).map(|a| Arc::clone(&a.code))
    }
}
