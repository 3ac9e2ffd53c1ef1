//! Names of areas and projects as people write them in a form.

use std::collections::HashMap;

use crate::domain::permit::Place;

/// An area that a row may name.
#[derive(Debug, Clone)]
pub struct KnownArea {
    /// Code, full name, level and path.
    pub place: Place,
    /// Name as people say it.
    pub short_name: String,
    /// It was abolished; the codes of those that stand where it stood.
    pub successors: Option<Vec<String>>,
    /// The asker may take its figures out.
    pub own: bool,
}

/// A project that a row may name.
#[derive(Debug, Clone)]
pub struct KnownProject {
    /// Number in the project library.
    pub code: String,
    /// Name.
    pub name: String,
    /// Path of its area.
    pub path: String,
}

/// Everything that rows can name.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// Areas, by code.
    pub areas: Vec<KnownArea>,
    /// Projects of the asker's areas.
    pub projects: Vec<KnownProject>,
    by_name: HashMap<String, Vec<usize>>,
    by_stem: HashMap<String, Vec<usize>>,
    by_code: HashMap<String, usize>,
    project_by: HashMap<String, Vec<usize>>,
}

/// How a name fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// By code or by its name.
    Exact,
    /// Without 市, 县, 区, 镇 and the like, or by an old name.
    Likely,
}

impl Directory {
    /// Makes the tables of names.
    pub fn new(mut areas: Vec<KnownArea>, projects: Vec<KnownProject>) -> Self {
        areas.sort_by(|a, b| a.place.code.cmp(&b.place.code));
        let mut made = Self { areas, projects, ..Self::default() };
        for (i, area) in made.areas.iter().enumerate() {
            let mut names = vec![plain(&area.place.name), plain(&area.short_name)];
            names.dedup();
            for name in names {
                made.by_stem.entry(stem(&name).to_owned()).or_default().push(i);
                made.by_name.entry(name).or_default().push(i);
            }
            if area.successors.is_none() {
                made.by_code.insert(area.place.code.clone(), i);
            }
        }
        for (i, project) in made.projects.iter().enumerate() {
            for name in [plain(&project.code), plain(&project.name)] {
                made.project_by.entry(name).or_default().push(i);
            }
        }
        for list in made.by_stem.values_mut() {
            list.dedup();
        }
        made
    }

    /// An area by its code.
    pub fn area(&self, code: &str) -> Option<&KnownArea> {
        self.by_code.get(code).map(|i| &self.areas[*i])
    }

    /// A project by its code.
    pub fn project(&self, code: &str) -> Option<&KnownProject> {
        self.project_by
            .get(&plain(code))
            .into_iter()
            .flatten()
            .map(|i| &self.projects[*i])
            .find(|p| p.code == code)
    }

    /// Standing areas that a text can mean, by how it fits.
    pub fn areas_named(&self, text: &str) -> Vec<(&KnownArea, Fit)> {
        let name = plain(text);
        if name.is_empty() {
            return Vec::new();
        }
        if name.len() >= 2 && name.bytes().all(|b| b.is_ascii_digit()) {
            return self.area(&name).map(|a| (a, Fit::Exact)).into_iter().collect();
        }
        let exact = self.standing(self.by_name.get(&name), Fit::Exact);
        if !exact.is_empty() {
            return exact;
        }
        let stem = stem(&name);
        if stem.chars().count() < 2 { Vec::new() } else { self.standing(self.by_stem.get(stem), Fit::Likely) }
    }

    fn standing(&self, found: Option<&Vec<usize>>, fit: Fit) -> Vec<(&KnownArea, Fit)> {
        let mut list: Vec<(&KnownArea, Fit)> = Vec::new();
        for area in found.into_iter().flatten().map(|i| &self.areas[*i]) {
            match &area.successors {
                None => list.push((area, fit)),
                Some(codes) => {
                    list.extend(codes.iter().filter_map(|c| self.area(c)).map(|a| (a, Fit::Likely)));
                }
            }
        }
        list.dedup_by(|a, b| a.0.place.code == b.0.place.code);
        list
    }

    /// Projects of this code or name.
    pub fn projects_named(&self, text: &str) -> Vec<&KnownProject> {
        let name = plain(text);
        if name.is_empty() {
            return Vec::new();
        }
        self.project_by.get(&name).into_iter().flatten().map(|i| &self.projects[*i]).collect()
    }

    /// Areas of one's own whose names look like a text, the most alike first.
    pub fn suggestions(&self, text: &str, most: usize) -> Vec<&KnownArea> {
        let name = plain(text);
        let wanted: Vec<char> = stem(&name).chars().collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(usize, &KnownArea)> = self
            .areas
            .iter()
            .filter(|a| a.own && a.successors.is_none())
            .filter_map(|a| {
                let short = plain(&a.short_name);
                let has: Vec<char> = stem(&short).chars().collect();
                let common = wanted.iter().filter(|c| has.contains(c)).count();
                let far = wanted.len().max(has.len()) - common;
                (common > 0 && far <= wanted.len().max(has.len()) / 2).then_some((far, a))
            })
            .collect();
        found.sort_by_key(|(far, a)| (*far, a.place.level != "town", a.place.code.clone()));
        found.into_iter().take(most).map(|f| f.1).collect()
    }
}

/// A name without blanks, numbering ("1.", "一、", "（二）") and full-width forms.
pub fn plain(text: &str) -> String {
    let half: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '\u{3000}')
        .map(|c| match c {
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            c => c,
        })
        .collect();
    let numbered = |c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c);
    if let Some((number, rest)) = half.split_once(['.', '、'])
        && !number.is_empty()
        && number.chars().all(numbered)
        && !rest.is_empty()
    {
        return rest.to_owned();
    }
    if let Some((number, rest)) = half.strip_prefix('(').and_then(|h| h.split_once(')'))
        && number.chars().all(numbered)
        && !rest.is_empty()
    {
        return rest.to_owned();
    }
    half
}

/// The name without the word for its level: 五华县 → 五华, 转水镇 → 转水, 梅花村民委员会 → 梅花.
pub fn stem(name: &str) -> &str {
    for end in [
        "村民委员会",
        "社区居民委员会",
        "居民委员会",
        "街道办事处",
        "办事处",
        "村委会",
        "居委会",
        "自治县",
        "街道",
        "社区",
        "省",
        "市",
        "县",
        "区",
        "镇",
        "乡",
        "村",
    ] {
        if let Some(rest) = name.strip_suffix(end)
            && rest.chars().count() >= 2
        {
            return rest;
        }
    }
    name
}

/// 合计, 小计 and the like.
pub fn is_total(text: &str) -> bool {
    let name = plain(text);
    let name = name.trim_end_matches([':', '：']);
    ["合计", "小计", "总计", "共计", "累计", "全县合计", "全市合计", "全省合计", "全镇合计"].contains(&name)
        || name.ends_with("合计")
        || name.ends_with("小计")
        || name.ends_with("总计")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them() {
        for (text, name) in [
            (" 转 水 镇　", "转水镇"),
            ("1.转水镇", "转水镇"),
            ("（一）五华县", "五华县"),
            ("３、河东", "河东"),
            ("2019.5", "5"),
        ] {
            assert_eq!(plain(text), name, "{text}");
        }
        for (name, short) in [
            ("五华县", "五华"),
            ("矮车村民委员会", "矮车"),
            ("连南瑶族自治县", "连南瑶族"),
            ("赤坎区", "赤坎"),
            ("沙县", "沙县"),
        ] {
            assert_eq!(stem(name), short);
        }
        assert!(is_total("合 计") && is_total("全县合计") && is_total("一、小计：") && !is_total("合水镇"));
    }
}
