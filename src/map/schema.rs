//! The layers of the map: their columns, who sees them, and what each zoom shows.

use std::sync::Arc;

use tiles::ColumnType::{Double, Str, UInt};
use tiles::{Anchor, Anchors, LayerSchema, MAX_ZOOM, Mode, Value, ZoomRule, lonlat_to_world};

use super::areas::{AreaTree, Level};
use crate::domain::sector::Sector;

/// Raised whenever columns or rules change, so that no browser keeps a tile of an older shape.
pub const SCHEMA_VERSION: u32 = 1;

/// A layer, in the order in which tiles hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Layer {
    /// Areas with their rates.
    Area,
    /// Administrative villages.
    Village,
    /// Natural villages.
    NaturalVillage,
    /// Road segments.
    Road,
    /// Waterworks. Staff alone.
    WaterScheme,
    /// Projects, by sector.
    RoadProject,
    /// 供水
    WaterProject,
    /// 搬迁
    RelocationProject,
    /// 危房改造
    HousingProject,
    /// 电力与网络
    PowerProject,
    /// 干净整洁村
    CleanVillageProject,
}

impl Layer {
    /// All, in order.
    pub const ALL: [Self; 11] = [
        Self::Area,
        Self::Village,
        Self::NaturalVillage,
        Self::Road,
        Self::WaterScheme,
        Self::RoadProject,
        Self::WaterProject,
        Self::RelocationProject,
        Self::HousingProject,
        Self::PowerProject,
        Self::CleanVillageProject,
    ];

    /// Name in addresses and tiles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Area => "area",
            Self::Village => "village",
            Self::NaturalVillage => "natural_village",
            Self::Road => "road",
            Self::WaterScheme => "water_scheme",
            Self::RoadProject => "road_project",
            Self::WaterProject => "water_project",
            Self::RelocationProject => "relocation_project",
            Self::HousingProject => "housing_project",
            Self::PowerProject => "power_project",
            Self::CleanVillageProject => "clean_village_project",
        }
    }

    /// The layer of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == name)
    }

    /// The layer of a sector's projects.
    pub fn of_sector(sector: Sector) -> Self {
        match sector {
            Sector::Road => Self::RoadProject,
            Sector::Water => Self::WaterProject,
            Sector::Relocation => Self::RelocationProject,
            Sector::Housing => Self::HousingProject,
            Sector::Power => Self::PowerProject,
            Sector::CleanVillage => Self::CleanVillageProject,
        }
    }

    /// Index in the Atlas.
    pub fn index(self) -> u16 {
        self as u16
    }

    /// Shown to people who have not signed in.
    pub fn is_public(self) -> bool {
        self != Self::WaterScheme
    }
}

/// Below this zoom natural villages and projects are counts at the seats of cities.
const CITY_COUNTS: u8 = 5;
/// From there to this zoom, at the seats of counties.
const COUNTY_COUNTS: u8 = 7;

/// The layers, with aggregates standing at the seats of the given areas.
pub fn schemas(areas: &AreaTree) -> Vec<LayerSchema> {
    let cities = anchors(areas, Level::City);
    let counties = anchors(areas, Level::County);
    let mut all = vec![
        area(),
        village(&cities, &counties),
        natural_village(&cities, &counties),
        road(),
        water_scheme(&counties),
    ];
    all.extend(Sector::ALL.iter().map(|&s| project(s, &cities, &counties)));
    all
}

fn anchors(areas: &AreaTree, level: Level) -> Arc<Anchors> {
    let of_level = areas.all().iter().filter(|a| a.level == level);
    let list = of_level.filter_map(|a| {
        let props = vec![("name".into(), Value::Str(Arc::clone(&a.short_name)))];
        Some((Value::Str(Arc::clone(&a.code)), Anchor { at: a.place?, props }))
    });
    let middle = areas.all().first().and_then(|a| a.place).or_else(|| lonlat_to_world(113.0, 23.0));
    Arc::new(Anchors::new(list.collect::<Vec<_>>(), middle.unwrap_or([0, 0])))
}

fn column(schema: &LayerSchema, name: &str) -> usize {
    schema.column_index(name).unwrap_or_else(|| unreachable!("column {name} is declared above"))
}

fn columns<const N: usize>(schema: &LayerSchema, names: [&str; N]) -> [usize; N] {
    names.map(|n| column(schema, n))
}

fn smooth(min_length_px: f32) -> Mode {
    Mode::Geometry { min_length_px, min_area_px: 0.2, tolerance_px: 0.4 }
}

fn merged(schema: &LayerSchema, by: &[&str], min_length_px: f32) -> Mode {
    Mode::MergeLines { by: by.iter().map(|n| column(schema, n)).collect(), min_length_px, tolerance_px: 0.5 }
}

fn area() -> LayerSchema {
    let s = LayerSchema::new("area")
        .public()
        .public_column("level", Str)
        .public_column("code", Str)
        .public_column("name", Str)
        .public_column("parent", Str)
        .public_column("city", Str)
        .public_column("county", Str)
        .public_column("status", Str)
        .public_column("rate", Double)
        .public_column("rate_ok", Double)
        .public_column("done", UInt)
        .public_column("done_ok", UInt)
        .public_column("total", UInt)
        .public_column("water", Double)
        .public_column("water_ok", Double)
        .public_column("w_done", UInt)
        .public_column("w_done_ok", UInt);
    let level = column(&s, "level");
    let rules = vec![
        ZoomRule::new(0..=MAX_ZOOM, smooth(0.0)).only(level, ["province", "city"]).with_labels(),
        ZoomRule::new(6..=MAX_ZOOM, smooth(0.0)).only(level, ["county"]).with_labels(),
        ZoomRule::new(8..=MAX_ZOOM, smooth(0.0)).only(level, ["town"]).with_labels(),
        ZoomRule::new(10..=MAX_ZOOM, smooth(0.0)).only(level, ["village"]).with_labels(),
    ];
    s.rules(rules)
}

fn village(cities: &Arc<Anchors>, counties: &Arc<Anchors>) -> LayerSchema {
    let s = LayerSchema::new("village")
        .public()
        .public_column("code", Str)
        .public_column("name", Str)
        .public_column("poor", UInt)
        .public_column("town", Str)
        .public_column("county", Str)
        .public_column("city", Str)
        .public_column("total", UInt)
        .public_column("done", UInt)
        .public_column("done_ok", UInt);
    let [poor, county, city] = columns(&s, ["poor", "county", "city"]);
    let by = |column, anchors: &Arc<Anchors>| Mode::AggregateBy {
        column,
        count_by: Some(poor),
        anchors: Arc::clone(anchors),
    };
    let rules = vec![
        ZoomRule::new(0..=CITY_COUNTS, by(city, cities)),
        ZoomRule::new(CITY_COUNTS + 1..=COUNTY_COUNTS + 1, by(county, counties)),
        ZoomRule::new(COUNTY_COUNTS + 2..=9, Mode::ClusterPoints { cell_px: 8, group: Some(poor) }),
        ZoomRule::new(10..=MAX_ZOOM, Mode::Points),
    ];
    s.rules(rules)
}

fn natural_village(cities: &Arc<Anchors>, counties: &Arc<Anchors>) -> LayerSchema {
    let s = LayerSchema::new("natural_village")
        .public()
        .public_column("code", Str)
        .public_column("name", Str)
        .public_column("village", Str)
        .public_column("county", Str)
        .public_column("city", Str)
        .public_column("counted", UInt)
        .public_column("reached", UInt)
        .public_column("reached_ok", UInt)
        .public_column("status", Str)
        .public_column("status_ok", Str)
        .public_column("water", UInt)
        .public_column("water_ok", UInt)
        .public_column("households", UInt)
        .public_column("people", UInt);
    let [counted, status, county, city] = columns(&s, ["counted", "status", "county", "city"]);
    let by = |column, anchors: &Arc<Anchors>| Mode::AggregateBy {
        column,
        count_by: Some(status),
        anchors: Arc::clone(anchors),
    };
    let few = columns(
        &s,
        ["county", "counted", "reached", "reached_ok", "status", "status_ok", "water", "water_ok"],
    );
    let rules = vec![
        // What is not in the denominator is no figure, and small.
        ZoomRule::new(0..=10, Mode::Hidden).only(counted, [0_u64]),
        ZoomRule::new(0..=CITY_COUNTS, by(city, cities)),
        ZoomRule::new(CITY_COUNTS + 1..=COUNTY_COUNTS, by(county, counties)),
        // One by one: an unreached village is never thinned away.
        ZoomRule::new(COUNTY_COUNTS + 1..=9, Mode::Points).carrying(few),
        ZoomRule::new(10..=MAX_ZOOM, Mode::Points),
    ];
    s.rules(rules)
}

fn road() -> LayerSchema {
    let s = LayerSchema::new("road")
        .public()
        .public_column("class", Str)
        .public_column("route", Str)
        .public_column("name", Str)
        .public_column("surface", Str)
        .public_column("width", Double)
        .public_column("status", Str)
        .public_column("km", Double)
        .public_column("county", Str);
    let class = column(&s, "class");
    let through = ["G", "S", "X", "Y"];
    let rules = vec![
        ZoomRule::new(0..=7, Mode::Hidden),
        // The county is always carried: the page draws the roads of other counties paler.
        ZoomRule::new(8..=8, merged(&s, &["class", "status", "county"], 4.0))
            .only(class, through)
            .carrying(columns(&s, ["class", "status", "county"])),
        ZoomRule::new(8..=8, Mode::Hidden),
        ZoomRule::new(9..=10, merged(&s, &["class", "status", "route", "county"], 1.5))
            .only(class, through)
            .carrying(columns(&s, ["class", "status", "route", "county"])),
        ZoomRule::new(9..=9, merged(&s, &["class", "status", "county"], 6.0))
            .carrying(columns(&s, ["class", "status", "county"])),
        ZoomRule::new(10..=10, merged(&s, &["class", "status", "county"], 2.0))
            .carrying(columns(&s, ["class", "status", "county"])),
        ZoomRule::new(11..=12, smooth(0.5))
            .carrying(columns(&s, ["class", "route", "status", "surface", "county"])),
        ZoomRule::new(13..=MAX_ZOOM, smooth(0.0)),
    ];
    s.rules(rules)
}

fn water_scheme(counties: &Arc<Anchors>) -> LayerSchema {
    let s = LayerSchema::new("water_scheme")
        .column("name", Str)
        .column("type", Str)
        .column("people", UInt)
        .column("status", Str)
        .column("county", Str);
    let [status, county] = columns(&s, ["status", "county"]);
    let rules = vec![
        ZoomRule::new(0..=7, Mode::Hidden),
        ZoomRule::new(
            8..=9,
            Mode::AggregateBy { column: county, count_by: Some(status), anchors: Arc::clone(counties) },
        ),
        ZoomRule::new(10..=MAX_ZOOM, Mode::Points),
    ];
    s.rules(rules)
}

fn project(sector: Sector, cities: &Arc<Anchors>, counties: &Arc<Anchors>) -> LayerSchema {
    let s = LayerSchema::new(Layer::of_sector(sector).name())
        .public()
        .public_column("code", Str)
        .public_column("name", Str)
        .public_column("status", Str)
        .column("light", Str)
        .public_column("percent", Double)
        .public_column("kind", Str)
        .public_column("county", Str)
        .public_column("city", Str);
    let [light, county, city] = columns(&s, ["light", "county", "city"]);
    let by = |column, anchors: &Arc<Anchors>| Mode::AggregateBy {
        column,
        count_by: Some(light),
        anchors: Arc::clone(anchors),
    };
    let few = columns(&s, ["status", "light", "percent"]);
    let rules = vec![
        ZoomRule::new(0..=CITY_COUNTS, by(city, cities)),
        ZoomRule::new(CITY_COUNTS + 1..=COUNTY_COUNTS, by(county, counties)),
        ZoomRule::new(COUNTY_COUNTS + 1..=10, smooth(1.0)).carrying(few),
        ZoomRule::new(11..=MAX_ZOOM, smooth(0.0)),
    ];
    s.rules(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_sees_an_allow_list() {
        let schemas = schemas(&AreaTree::default());
        assert_eq!(schemas.len(), Layer::ALL.len());
        for (layer, schema) in Layer::ALL.into_iter().zip(&schemas) {
            assert_eq!(&*schema.name, layer.name());
            assert_eq!(schema.scope.meets(tiles::Scope::PUBLIC), layer.is_public());
            assert!(
                schema.columns.iter().all(|c| &*c.name != "light" || !c.scope.meets(tiles::Scope::PUBLIC))
            );
        }
    }
}
