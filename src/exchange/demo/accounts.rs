//! Accounts of the demo: those that the page offers for signing in, and those that the record names.

use std::collections::BTreeMap;

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use uuid::Uuid;

use super::calendar::{CENSUS, moment};
use super::codes::Place;
use super::dice::Dice;
use super::names;
use crate::error::Result;

/// Password of every demo account. Published: a demo database holds nothing that needs keeping.
pub const PASSWORD: &str = "cuntong-2020";

/// Login, name, unit, role, area, sectors.
type Offer = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// The accounts that the page offers.
pub const OFFERED: [Offer; 12] = [
    ("jiaotong.wuhua", "李敏", "五华县交通运输局", "clerk", "441424", &["road"]),
    ("shuiwu.wuhua", "曾志勇", "五华县水务局", "clerk", "441424", &["water"]),
    ("shenhe.wuhua", "古文华", "五华县扶贫办公室", "reviewer", "441424", &[]),
    ("jiaotong.xingning", "罗伟强", "兴宁市交通运输局", "clerk", "441481", &["road"]),
    ("zhuanshui.town", "张秀兰", "转水镇人民政府", "town", "441424103", &[]),
    ("fupin.meizhou", "温建新", "梅州市扶贫办公室", "poverty_office", "441400", &[]),
    ("guihua.gd", "陈志强", "广东省交通运输厅", "planner", "440000", &[]),
    ("lingdao.gd", "林永健", "广东省扶贫开发领导小组", "leader", "440000", &[]),
    ("lingdao.meizhou", "钟国栋", "梅州市人民政府", "leader", "441400", &[]),
    ("ducha.gd", "何静", "广东省扶贫督查组", "inspector", "440000", &[]),
    ("shenji.gd", "黄晓岚", "广东省审计厅", "auditor", "440000", &[]),
    ("admin", "系统管理员", "广东省扶贫办公室", "administrator", "440000", &[]),
];

/// Sectors in which counties report.
pub const SECTORS: [&str; 6] = ["road", "water", "relocation", "housing", "power", "clean_village"];

/// One account.
pub struct Account {
    /// Id.
    pub id: Uuid,
    /// Login.
    pub login: String,
    /// Person.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Role.
    pub role: &'static str,
    /// Code of the area.
    pub area: String,
    /// Sectors; all when empty.
    pub sectors: &'static [&'static str],
    /// Offered for signing in; the others only stand in the record.
    pub offered: bool,
}

/// All accounts, and who reports and reviews where.
pub struct Book {
    /// In a stable order, those offered first.
    pub accounts: Vec<Account>,
    by_login: BTreeMap<String, Uuid>,
}

impl Book {
    /// Accounts for these counties.
    pub fn new(counties: &[Place], seed: u64) -> Self {
        let mut dice = Dice::new(seed, "440000", "accounts");
        let mut accounts: Vec<Account> = OFFERED
            .iter()
            .map(|(login, name, unit, role, area, sectors)| Account {
                id: dice.uuid(moment(CENSUS, 9 * 60)),
                login: (*login).to_owned(),
                name: (*name).to_owned(),
                unit: (*unit).to_owned(),
                role,
                area: (*area).to_owned(),
                sectors,
                offered: true,
            })
            .collect();
        for county in counties {
            for (s, sector) in SECTORS.iter().enumerate() {
                accounts.push(Account {
                    id: dice.uuid(moment(CENSUS, 9 * 60)),
                    login: format!("{sector}.{}", county.code),
                    name: names::person(&mut dice),
                    unit: format!("{}{}", county.name, names::bureau(sector)),
                    role: "clerk",
                    area: county.code.clone(),
                    sectors: &ONE_SECTOR[s],
                    offered: false,
                });
            }
            accounts.push(Account {
                id: dice.uuid(moment(CENSUS, 9 * 60)),
                login: format!("shenhe.{}", county.code),
                name: names::person(&mut dice),
                unit: format!("{}扶贫办公室", county.name),
                role: "reviewer",
                area: county.code.clone(),
                sectors: &[],
                offered: false,
            });
        }
        let by_login = accounts.iter().map(|a| (a.login.clone(), a.id)).collect();
        Self { accounts, by_login }
    }

    /// Who reports for a county in a sector.
    pub fn clerk(&self, county: &str, sector: &str) -> Uuid {
        let login = match (county, sector) {
            ("441424", "road") => "jiaotong.wuhua".to_owned(),
            ("441424", "water") => "shuiwu.wuhua".to_owned(),
            ("441481", "road") => "jiaotong.xingning".to_owned(),
            _ => format!("{sector}.{county}"),
        };
        self.by_login.get(&login).copied().unwrap_or_default()
    }

    /// Who reviews in a county.
    pub fn reviewer(&self, county: &str) -> Uuid {
        let login = if county == "441424" { "shenhe.wuhua".to_owned() } else { format!("shenhe.{county}") };
        self.by_login.get(&login).copied().unwrap_or_default()
    }
}

const ONE_SECTOR: [[&str; 1]; 6] =
    [["road"], ["water"], ["relocation"], ["housing"], ["power"], ["clean_village"]];

/// Argon2id hash of the demo password, with a salt from the seed. One hash serves all demo
/// accounts: they share their published password anyway.
pub fn password_hash(seed: u64) -> Result<String> {
    let mut dice = Dice::new(seed, "440000", "salt");
    let salt = SaltString::encode_b64(dice.uuid(0).as_bytes()).map_err(|e| anyhow::anyhow!("salt: {e}"))?;
    let params = Params::new(19_456, 2, 1, None).map_err(|e| anyhow::anyhow!("Argon2 parameters: {e}"))?;
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(PASSWORD.as_bytes(), &salt)
        .map_err(|e| anyhow::anyhow!("Argon2: {e}"))?;
    Ok(hash.to_string())
}
