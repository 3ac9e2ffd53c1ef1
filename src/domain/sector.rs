//! Sectors (行业) of the programme and their names.

/// One sector of the programme: who may report on a project depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sector {
    /// 农村公路
    Road,
    /// 农村供水
    Water,
    /// 易地搬迁
    Relocation,
    /// 危房改造
    Housing,
    /// 电网与通信
    Power,
    /// 干净整洁村
    CleanVillage,
}

impl Sector {
    /// All sectors, in the order in which screens show them.
    pub const ALL: [Self; 6] =
        [Self::Road, Self::Water, Self::Relocation, Self::Housing, Self::Power, Self::CleanVillage];

    /// The word of the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Road => "road",
            Self::Water => "water",
            Self::Relocation => "relocation",
            Self::Housing => "housing",
            Self::Power => "power",
            Self::CleanVillage => "clean_village",
        }
    }

    /// The sector of a word of the API or the database.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Name as officials say it.
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Road => "农村公路",
            Self::Water => "农村供水",
            Self::Relocation => "搬迁",
            Self::Housing => "危房改造",
            Self::Power => "电网与通信",
            Self::CleanVillage => "干净整洁村",
        }
    }

    /// The same in English.
    pub fn name_en(self) -> &'static str {
        match self {
            Self::Road => "rural roads",
            Self::Water => "rural water",
            Self::Relocation => "relocation",
            Self::Housing => "housing",
            Self::Power => "power and network",
            Self::CleanVillage => "clean village",
        }
    }

    /// The service that natural villages have once a project of this sector is complete, if any:
    /// the word of `service_states.service`.
    pub fn service(self) -> Option<&'static str> {
        match self {
            Self::Road => Some("road"),
            Self::Water => Some("water"),
            Self::Power => Some("power"),
            Self::CleanVillage => Some("clean_village"),
            Self::Relocation | Self::Housing => None,
        }
    }
}
