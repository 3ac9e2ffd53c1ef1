//! Search by name and code over areas, natural villages and projects.

use uuid::Uuid;

use super::{Area, Snapshot};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HitKind {
    /// Province to administrative village.
    Area,
    /// Natural village.
    NaturalVillage,
    /// Project.
    Project,
}

/// One thing found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What it is.
    pub kind: HitKind,
    /// Identity.
    pub id: Uuid,
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Level of an area, `natural_village`, or the sector of a project.
    pub level: String,
    /// Where it is: "梅州市 › 五华县 › 转水镇".
    pub place: String,
}

/// How well it fits; the smaller the better: manner, rank of its kind, not poor, length, code.
type Rank<'a> = (u8, u8, bool, usize, &'a str);

/// What a person types, ready to compare.
struct Needle {
    text: String,
    /// Digits and letters only: it may be a code.
    code_like: bool,
}

impl Needle {
    fn new(typed: &str) -> Option<Self> {
        let text = typed.trim().to_lowercase();
        let code_like = text.len() >= 2 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (!text.is_empty()).then_some(Self { text, code_like })
    }

    /// 0 the same, 1 begins with it, 2 holds it.
    fn manner(&self, name: &str) -> Option<u8> {
        // Chinese has no case: only names with Latin letters pay for folding.
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return self.folded(&name.to_lowercase());
        }
        self.folded(name)
    }

    fn folded(&self, name: &str) -> Option<u8> {
        match name.find(&self.text)? {
            0 if name.len() == self.text.len() => Some(0),
            0 => Some(1),
            _ => Some(2),
        }
    }

    fn code(&self, code: &str) -> Option<u8> {
        if !self.code_like || code.len() < self.text.len() {
            return None;
        }
        let begins = code.as_bytes().get(..self.text.len())?.eq_ignore_ascii_case(self.text.as_bytes());
        begins.then_some(u8::from(code.len() != self.text.len()))
    }
}

/// Official endings that people leave out: 五华县 is found as exact by 五华.
fn bare(name: &str) -> &str {
    const ENDINGS: [&str; 10] =
        ["村民委员会", "居民委员会", "街道办事处", "村委会", "居委会", "自治县", "街道", "市", "县", "镇"];
    ENDINGS.iter().find_map(|e| name.strip_suffix(e)).filter(|rest| rest.chars().count() >= 2).unwrap_or(name)
}

impl Snapshot {
    /// The best `limit` hits for what was typed, and whether there are more. Exact names come
    /// before beginnings before parts; then areas from the top, natural villages, projects; poor
    /// villages before others; shorter names before longer. Names that are equal come in code
    /// order, each with its place. Only `published` projects when asked so.
    pub fn search(&self, typed: &str, limit: usize, published_only: bool) -> (Vec<Hit>, bool) {
        let Some(needle) = Needle::new(typed) else { return (Vec::new(), false) };
        let areas = self.areas.values().filter(|a| a.valid_to.is_none()).filter_map(|a| {
            let manner = best([
                needle.manner(&a.name),
                needle.manner(&a.short_name),
                needle.manner(bare(&a.name)),
                needle.code(&a.code),
            ])?;
            Some(((manner, a.rank(), !a.poor, a.name.len(), a.code.as_str()), Found::Area(a)))
        });
        let villages = self.villages.iter().filter_map(|v| {
            let manner = best([needle.manner(&v.name), needle.code(&v.code)])?;
            let poor = self.area(v.village).is_some_and(|a| a.poor);
            Some(((manner, 5, !poor, v.name.len(), v.code.as_str()), Found::Village(v)))
        });
        let projects = self.projects.iter().filter(|p| p.published || !published_only).filter_map(|p| {
            // A route names the road, not the project: it counts as a part.
            let route = p.routes.iter().any(|r| needle.code(r).is_some()).then_some(2);
            let manner = best([needle.manner(&p.name), needle.code(&p.code), route])?;
            Some(((manner, 6, true, p.name.len(), p.code.as_str()), Found::Project(p)))
        });
        let mut found: Vec<(Rank<'_>, Found<'_>)> = areas.chain(villages).chain(projects).collect();
        let more = found.len() > limit;
        if more {
            found.select_nth_unstable_by(limit, |a, b| a.0.cmp(&b.0));
            found.truncate(limit);
        }
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        (found.into_iter().map(|(_, f)| self.hit(&f)).collect(), more)
    }

    fn hit(&self, found: &Found<'_>) -> Hit {
        match *found {
            Found::Area(a) => Hit {
                kind: HitKind::Area,
                id: a.id,
                code: a.code.clone(),
                name: a.name.clone(),
                level: a.level.clone(),
                place: self.place(parent_path(&a.path)),
            },
            Found::Village(v) => Hit {
                kind: HitKind::NaturalVillage,
                id: v.id,
                code: v.code.clone(),
                name: v.name.clone(),
                level: "natural_village".into(),
                place: self.area(v.village).map(|a| self.place(&a.path)).unwrap_or_default(),
            },
            Found::Project(p) => Hit {
                kind: HitKind::Project,
                id: p.id,
                code: p.code.clone(),
                name: p.name.clone(),
                level: p.sector.as_str().into(),
                place: self.place(&p.path),
            },
        }
    }
}

enum Found<'a> {
    Area(&'a Area),
    Village(&'a super::VillageName),
    Project(&'a super::Project),
}

fn best<const N: usize>(manners: [Option<u8>; N]) -> Option<u8> {
    manners.into_iter().flatten().min()
}

/// '/1/17/203/' → '/1/17/'.
fn parent_path(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    trimmed.rfind('/').map_or("", |i| &trimmed[..=i])
}
