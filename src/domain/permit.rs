//! Who may do what, where: accounts, their grants, and permits that only an authorisation makes.
//!
//! A write takes a [`Permit`] of its operation. There is no other way to make one than
//! [`authorise`], so a handler that forgets to ask does not compile. PostgreSQL's policies say the
//! same a second time (migration "guard writes").

use std::marker::PhantomData;

use uuid::Uuid;

use super::sector::Sector;

/// What a role can do: the words of the table `role_capabilities`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Report progress on a project.
    ReportProgress,
    /// Approve or return a report.
    ReviewReport,
    /// Change a project's plan.
    EditProject,
    /// Load a layer.
    ImportLayer,
    /// Read the audit chain.
    ReadAudit,
    /// Add, change and disable accounts.
    ManageAccounts,
    /// Take figures out in a superior's form (套表).
    ExportFigures,
}

impl Capability {
    /// All capabilities.
    pub const ALL: [Self; 7] = [
        Self::ReportProgress,
        Self::ReviewReport,
        Self::EditProject,
        Self::ImportLayer,
        Self::ReadAudit,
        Self::ManageAccounts,
        Self::ExportFigures,
    ];

    /// The word of the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReportProgress => "report_progress",
            Self::ReviewReport => "review_report",
            Self::EditProject => "edit_project",
            Self::ImportLayer => "import_layer",
            Self::ReadAudit => "read_audit",
            Self::ManageAccounts => "manage_accounts",
            Self::ExportFigures => "export_figures",
        }
    }

    /// The capability of a word of the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == word)
    }

    /// What it lets one do, for reasons shown to people.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::ReportProgress => "填报进度",
            Self::ReviewReport => "审核填报",
            Self::EditProject => "修改项目",
            Self::ImportLayer => "导入图层",
            Self::ReadAudit => "查看审计记录",
            Self::ManageAccounts => "管理账号",
            Self::ExportFigures => "填套表",
        }
    }

    /// The same in English.
    pub fn name_en(self) -> &'static str {
        match self {
            Self::ReportProgress => "report progress",
            Self::ReviewReport => "review reports",
            Self::EditProject => "edit projects",
            Self::ImportLayer => "import layers",
            Self::ReadAudit => "read the audit chain",
            Self::ManageAccounts => "manage accounts",
            Self::ExportFigures => "fill forms with figures",
        }
    }
}

/// An area as a grant or a place names it. `path` is the chain of feature ids from the top,
/// '/1/17/203/': an area lies in another when its path begins with the other's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Official code.
    pub code: String,
    /// Name.
    pub name: String,
    /// province, city, county, town or village.
    pub level: String,
    /// Chain of feature ids from the top.
    pub path: String,
}

impl Place {
    /// Is `other` this area or one below it?
    pub fn holds(&self, other: &Self) -> bool {
        other.path.starts_with(&self.path)
    }
}

/// A role in an area and everything below it, for some sectors (all when `None`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// clerk, reviewer, town, …
    pub role: String,
    /// Where.
    pub area: Place,
    /// For which sectors; all when `None`.
    pub sectors: Option<Vec<Sector>>,
    /// What the role can do.
    pub capabilities: Vec<Capability>,
}

/// A person who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Identity.
    pub id: Uuid,
    /// Name to sign in with.
    pub login: String,
    /// Name to show.
    pub display_name: String,
    /// Unit (单位) that he or she works for.
    pub unit_name: String,
    /// zh or en.
    pub locale: String,
    /// Grants that stand.
    pub grants: Vec<Grant>,
}

/// An operation that needs a permit.
pub trait Operation {
    /// The capability that it needs.
    const CAPABILITY: Capability;
}

/// 填报进度
#[derive(Debug, Clone, Copy)]
pub struct ReportProgress;
impl Operation for ReportProgress {
    const CAPABILITY: Capability = Capability::ReportProgress;
}

/// 审核填报
#[derive(Debug, Clone, Copy)]
pub struct ReviewReport;
impl Operation for ReviewReport {
    const CAPABILITY: Capability = Capability::ReviewReport;
}

/// 填套表
#[derive(Debug, Clone, Copy)]
pub struct ExportFigures;
impl Operation for ExportFigures {
    const CAPABILITY: Capability = Capability::ExportFigures;
}

/// Leave for one account to do one operation in some areas, in all sectors.
#[derive(Debug)]
pub struct AreaPermit<Op> {
    account: Uuid,
    operation: PhantomData<Op>,
}

impl<Op> AreaPermit<Op> {
    /// The account it was given to.
    pub fn account(&self) -> Uuid {
        self.account
    }
}

/// The places in which an account may do something, whatever the sector.
pub fn places_for<Op: Operation>(account: &Account) -> impl Iterator<Item = &Place> {
    account.grants.iter().filter(|g| g.capabilities.contains(&Op::CAPABILITY)).map(|g| &g.area)
}

/// Gives a permit for `Op` in every one of some areas. What is read there is not divided by sector:
/// everybody who is signed in reads every sector.
///
/// # Errors
/// [`Denial`] naming the areas that no grant of the account holds.
pub fn authorise_areas<'a, Op: Operation>(
    account: &Account,
    places: impl IntoIterator<Item = &'a Place>,
) -> Result<AreaPermit<Op>, Denial> {
    let capability = Op::CAPABILITY;
    if places_for::<Op>(account).next().is_none() {
        return Err(Denial {
            kind: DenialKind::RoleMissing,
            zh: format!("您的角色没有“{}”的权限。", capability.name_zh()),
            en: format!("Your role may not {}.", capability.name_en()),
        });
    }
    let outside: Vec<&str> = places
        .into_iter()
        .filter(|place| !places_for::<Op>(account).any(|own| own.holds(place)))
        .map(|place| place.name.as_str())
        .collect();
    if outside.is_empty() {
        return Ok(AreaPermit { account: account.id, operation: PhantomData });
    }
    let own = names(places_for::<Op>(account).map(|p| p.name.as_str()));
    let outside = names(outside.into_iter());
    Err(Denial {
        kind: DenialKind::OutsideArea,
        zh: format!("您可以在{own}{}，{outside}不在其中。", capability.name_zh()),
        en: format!("You may {} in {own}; {outside} lies outside.", capability.name_en()),
    })
}

/// Leave for one account to do one operation on one project.
#[derive(Debug)]
pub struct Permit<Op> {
    account: Uuid,
    project: Uuid,
    operation: PhantomData<Op>,
}

impl<Op> Permit<Op> {
    /// The account it was given to.
    pub fn account(&self) -> Uuid {
        self.account
    }
    /// The project it is for.
    pub fn project(&self) -> Uuid {
        self.project
    }
}

/// Which rule denied it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialKind {
    /// No role of the account may do this anywhere.
    RoleMissing,
    /// Not in this place.
    OutsideArea,
    /// Not in this sector.
    OutsideSector,
}

/// Why a permit was not given, in words that name the account's own area and the project's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The rule.
    pub kind: DenialKind,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Gives a permit for `Op` on a project at `place` in `sector`, if a grant of the account holds it.
///
/// # Errors
/// [`Denial`] naming the first rule that no grant passes: role, then area, then sector.
pub fn authorise<Op: Operation>(
    account: &Account,
    project: Uuid,
    place: &Place,
    sector: Sector,
) -> Result<Permit<Op>, Denial> {
    let capability = Op::CAPABILITY;
    let able: Vec<&Grant> = account.grants.iter().filter(|g| g.capabilities.contains(&capability)).collect();
    if able.is_empty() {
        return Err(role_missing(capability));
    }
    let here: Vec<&Grant> = able.iter().copied().filter(|g| g.area.holds(place)).collect();
    if here.is_empty() {
        let own = names(able.iter().map(|g| g.area.name.as_str()));
        return Err(Denial {
            kind: DenialKind::OutsideArea,
            zh: format!("您可以在{own}{}，该项目在{}。", capability.name_zh(), place.name),
            en: format!("You may {} in {own}; this project is in {}.", capability.name_en(), place.name),
        });
    }
    if here.iter().any(|g| g.sectors.as_ref().is_none_or(|s| s.contains(&sector))) {
        return Ok(Permit { account: account.id, project, operation: PhantomData });
    }
    let own: Vec<Sector> = here.iter().flat_map(|g| g.sectors.iter().flatten().copied()).collect();
    Err(Denial {
        kind: DenialKind::OutsideSector,
        zh: format!(
            "您在{}负责{}，该项目属于{}。",
            place.name,
            names(own.iter().map(|s| s.name_zh())),
            sector.name_zh()
        ),
        en: format!(
            "Your sector in {} is {}; this project belongs to {}.",
            place.name,
            names(own.iter().map(|s| s.name_en())),
            sector.name_en()
        ),
    })
}

/// No grant of the account has the capability.
pub(super) fn role_missing(capability: Capability) -> Denial {
    Denial {
        kind: DenialKind::RoleMissing,
        zh: format!("您的角色没有“{}”的权限。", capability.name_zh()),
        en: format!("Your role may not {}.", capability.name_en()),
    }
}

/// Distinct names in their order, joined as Chinese lists are.
pub(super) fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in all {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.join("、")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, path: &str) -> Place {
        Place { code: path.into(), name: name.into(), level: "county".into(), path: path.into() }
    }

    fn clerk(area: Place, sectors: Option<Vec<Sector>>) -> Account {
        Account {
            id: Uuid::nil(),
            login: "a".into(),
            display_name: "甲".into(),
            unit_name: "县交通运输局".into(),
            locale: "zh".into(),
            grants: vec![Grant {
                role: "clerk".into(),
                area,
                sectors,
                capabilities: vec![Capability::ReportProgress],
            }],
        }
    }

    fn kind<Op: Operation>(account: &Account, at: &Place, sector: Sector) -> Option<DenialKind> {
        authorise::<Op>(account, Uuid::nil(), at, sector).err().map(|d| d.kind)
    }

    #[test]
    fn a_grant_holds_its_area_and_everything_below_it_and_nothing_else() {
        let account = clerk(place("五华县", "/1/2/3/"), Some(vec![Sector::Road]));
        assert_eq!(kind::<ReportProgress>(&account, &place("五华县", "/1/2/3/"), Sector::Road), None);
        assert_eq!(kind::<ReportProgress>(&account, &place("转水镇", "/1/2/3/9/"), Sector::Road), None);
        for (name, path) in [("兴宁市", "/1/2/4/"), ("梅州市", "/1/2/"), ("他县", "/1/2/33/")] {
            assert_eq!(
                kind::<ReportProgress>(&account, &place(name, path), Sector::Road),
                Some(DenialKind::OutsideArea),
                "{name}"
            );
        }
    }

    #[test]
    fn reasons_name_both_sides() {
        let account = clerk(place("五华县", "/1/2/3/"), Some(vec![Sector::Road]));
        let area =
            authorise::<ReportProgress>(&account, Uuid::nil(), &place("兴宁市", "/1/2/4/"), Sector::Road);
        assert!(area.is_err_and(|d| d.zh.contains("五华县") && d.zh.contains("兴宁市")));
        let sector =
            authorise::<ReportProgress>(&account, Uuid::nil(), &place("五华县", "/1/2/3/"), Sector::Water);
        assert!(sector.is_err_and(|d| d.kind == DenialKind::OutsideSector
            && d.zh.contains("农村公路")
            && d.zh.contains("农村供水")));
    }

    #[test]
    fn figures_leave_by_area_and_not_by_sector() {
        let mut account = clerk(place("五华县", "/1/2/3/"), Some(vec![Sector::Road]));
        let (own, other) = (place("转水镇", "/1/2/3/9/"), place("兴宁市", "/1/2/4/"));
        let kind = |a: &Account, p: &[&Place]| {
            authorise_areas::<ExportFigures>(a, p.iter().copied()).err().map(|d| d.kind)
        };
        assert_eq!(kind(&account, &[&own]), Some(DenialKind::RoleMissing));
        account.grants[0].capabilities.push(Capability::ExportFigures);
        assert_eq!(kind(&account, &[&own]), None);
        assert_eq!(kind(&account, &[&own, &other]), Some(DenialKind::OutsideArea));
        let said = authorise_areas::<ExportFigures>(&account, [&other]).unwrap_err().zh;
        assert!(said.contains("兴宁市") && said.contains("五华县"), "{said}");
    }

    #[test]
    fn another_capability_gives_no_permit() {
        let account = clerk(place("广东省", "/1/"), None);
        let at = place("五华县", "/1/2/3/");
        assert_eq!(kind::<ReportProgress>(&account, &at, Sector::Housing), None);
        assert_eq!(kind::<ReviewReport>(&account, &at, Sector::Housing), Some(DenialKind::RoleMissing));
    }
}
