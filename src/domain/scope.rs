//! Leave for a list: which projects an account may do an operation on. What [`authorise`] decides
//! for one project, this decides for a page of them.
//!
//! [`authorise`]: super::permit::authorise

use std::marker::PhantomData;

use super::permit::{Account, Denial, DenialKind, Grant, Operation, Place, names, role_missing};
use super::sector::Sector;

/// The areas and sectors in which an account may do `Op`, narrowed to what a list asks for.
#[derive(Debug, Clone)]
pub struct Scope<Op> {
    grants: Vec<(String, Option<Vec<Sector>>)>,
    within: Option<String>,
    sector: Option<Sector>,
    operation: PhantomData<Op>,
}

impl<Op> Scope<Op> {
    /// Does it hold a project whose area has this path?
    pub fn holds(&self, path: &str, sector: Sector) -> bool {
        self.within.as_ref().is_none_or(|within| path.starts_with(within))
            && self.sector.is_none_or(|only| only == sector)
            && self.grants.iter().any(|(area, sectors)| {
                path.starts_with(area) && sectors.as_ref().is_none_or(|s| s.contains(&sector))
            })
    }
}

/// The scope of an account for `Op`, narrowed to an area and a sector where the list asks for one.
///
/// # Errors
/// [`Denial`] naming the first rule that no grant passes: role, then area, then sector.
pub fn scope<Op: Operation>(
    account: &Account,
    within: Option<&Place>,
    sector: Option<Sector>,
) -> Result<Scope<Op>, Denial> {
    let capability = Op::CAPABILITY;
    let able: Vec<&Grant> = account.grants.iter().filter(|g| g.capabilities.contains(&capability)).collect();
    if able.is_empty() {
        return Err(role_missing(capability));
    }
    let here: Vec<&Grant> = able
        .iter()
        .copied()
        .filter(|g| within.is_none_or(|place| g.area.holds(place) || place.holds(&g.area)))
        .collect();
    if let Some(place) = within.filter(|_| here.is_empty()) {
        let own = names(able.iter().map(|g| g.area.name.as_str()));
        return Err(Denial {
            kind: DenialKind::OutsideArea,
            zh: format!("您可以在{own}{}，{}不在其内。", capability.name_zh(), place.name),
            en: format!("You may {} in {own}; {} is outside.", capability.name_en(), place.name),
        });
    }
    let fits = |g: &&Grant| sector.is_none_or(|s| g.sectors.as_ref().is_none_or(|own| own.contains(&s)));
    if let Some(sector) = sector.filter(|_| !here.iter().any(fits)) {
        let own: Vec<Sector> = here.iter().flat_map(|g| g.sectors.iter().flatten().copied()).collect();
        return Err(Denial {
            kind: DenialKind::OutsideSector,
            zh: format!("您负责{}，不负责{}。", names(own.iter().map(|s| s.name_zh())), sector.name_zh()),
            en: format!(
                "Your sector is {}, not {}.",
                names(own.iter().map(|s| s.name_en())),
                sector.name_en()
            ),
        });
    }
    Ok(Scope {
        grants: here.into_iter().map(|g| (g.area.path.clone(), g.sectors.clone())).collect(),
        within: within.map(|place| place.path.clone()),
        sector,
        operation: PhantomData,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::permit::{Capability, ReportProgress, ReviewReport};
    use super::*;

    fn place(name: &str, path: &str) -> Place {
        Place { code: path.into(), name: name.into(), level: "county".into(), path: path.into() }
    }

    fn clerk() -> Account {
        let grant = |area, sectors| Grant {
            role: "clerk".into(),
            area,
            sectors,
            capabilities: vec![Capability::ReportProgress],
        };
        Account {
            id: Uuid::nil(),
            login: "a".into(),
            display_name: "甲".into(),
            unit_name: "县交通运输局".into(),
            locale: "zh".into(),
            grants: vec![
                grant(place("五华县", "/1/2/3/"), Some(vec![Sector::Road])),
                grant(place("转水镇", "/1/2/4/9/"), None),
            ],
        }
    }

    #[test]
    fn a_list_holds_what_a_permit_would_allow() {
        let all = scope::<ReportProgress>(&clerk(), None, None).unwrap();
        assert!(all.holds("/1/2/3/7/", Sector::Road) && all.holds("/1/2/4/9/1/", Sector::Water));
        assert!(!all.holds("/1/2/3/7/", Sector::Water) && !all.holds("/1/2/4/8/", Sector::Road));
        assert!(!all.holds("/1/2/33/", Sector::Road), "a path is not a prefix of text");
        let city = scope::<ReportProgress>(&clerk(), Some(&place("梅州市", "/1/2/")), None).unwrap();
        assert!(city.holds("/1/2/3/7/", Sector::Road) && !city.holds("/1/2/5/", Sector::Road));
        let water = scope::<ReportProgress>(&clerk(), None, Some(Sector::Water)).unwrap();
        assert!(water.holds("/1/2/4/9/1/", Sector::Water) && !water.holds("/1/2/4/9/1/", Sector::Road));
    }

    #[test]
    fn what_is_not_given_is_said_with_its_reason() {
        let kind = |d: Result<Scope<ReportProgress>, Denial>| d.err().map(|d| d.kind);
        let other = place("兴宁市", "/1/2/8/");
        assert_eq!(kind(scope(&clerk(), Some(&other), None)), Some(DenialKind::OutsideArea));
        let own = place("五华县", "/1/2/3/");
        assert_eq!(kind(scope(&clerk(), Some(&own), Some(Sector::Water))), Some(DenialKind::OutsideSector));
        let role = scope::<ReviewReport>(&clerk(), None, None).err().map(|d| d.kind);
        assert_eq!(role, Some(DenialKind::RoleMissing));
    }
}
