//! The report of an import: counts that add up to the rows read, and every row with its reason.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;
use sqlx::{PgConnection, Row};

use super::mapping::Mapping;
use crate::error::Result;

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct ImportReport {
    /// One entry per layer, in the order of the mapping.
    pub layers: Vec<LayerReport>,
    /// Every finding. Not part of the audit row, which holds the counts.
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

/// What became of the rows of one layer. `read = written + refused + joined`.
#[derive(Debug, Clone, Serialize)]
pub struct LayerReport {
    /// File name.
    pub file: String,
    /// Rows in the file.
    pub read: i64,
    /// Rows that became a record.
    pub written: i64,
    /// Rows refused.
    pub refused: i64,
    /// Rows that became part of another row's record.
    pub joined: i64,
    /// Rows written or joined that something was mended in.
    pub mended: i64,
    /// Rows written that somebody must look at.
    pub flagged: i64,
    /// Number of rows by outcome and reason, as `refused/name_missing`.
    pub reasons: BTreeMap<String, i64>,
}

/// One row and what was wrong with it.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// File name.
    pub file: String,
    /// Row number from 1.
    pub row: i32,
    /// refused, mended or flagged.
    pub outcome: String,
    /// Reason code.
    pub reason: String,
    /// What it means, Chinese and English.
    pub explanation: String,
    /// What the file said.
    pub was: Option<String>,
    /// What it was mended to, or what the program found instead.
    pub became: Option<String>,
}

/// Words for the reasons.
fn explain(reason: &str) -> &'static str {
    match reason {
        "geometry_missing" => "没有图形 no geometry",
        "coordinates_impossible" => "坐标不在地球范围内 coordinates off the Earth",
        "wrong_geometry_type" => "图形类型不符 wrong type of geometry",
        "outline_repaired" => "边界自相交，已修复 outline crossed itself; repaired",
        "code_or_name_missing" => "缺编码或名称 no code or name",
        "code_missing" => "缺编码 no code",
        "name_missing" => "缺名称 no name",
        "code_repeated" => "编码重复且内容不同 code repeated with other content",
        "parent_from_neighbour" => {
            "缺上级，按公共边界最长的邻区补 parent missing; taken from the neighbour with the longest border"
        }
        "parent_missing" => "缺上级，也无邻区可推 no parent, and no neighbour to take it from",
        "area_unknown" => "所属区域不存在 stated area unknown",
        "outside_province" => "在省界之外 outside the province",
        "lies_in_other_area" => {
            "图上位置在另一区域，按所填保留，请核对 lies in another area than stated; kept as stated, please check"
        }
        "outside_all_areas" => "图上位置不在任何区域内，请核对 lies in no area; please check",
        "people_missing" => "缺人口 no population",
        "same_place" => "与另一行位置完全相同 same place as another row",
        "joined_to_row" => "同一项目的另一段，已并入 another part of the same project; joined",
        "length_differs" => "所填里程与图上长度相差超过 10% stated and drawn length differ by more than 10 %",
        "name_cut" => "名称占满字段，可能被截断 the name fills its field and may be cut",
        _ => "",
    }
}

/// Reads the findings and counts of the import under way.
pub async fn collect(connection: &mut PgConnection, mapping: &Mapping) -> Result<ImportReport> {
    let mut findings = Vec::new();
    let rows = sqlx::query("SELECT layer, row_no, outcome, reason, was, became FROM findings ORDER BY layer, row_no, outcome DESC, reason")
        .fetch_all(&mut *connection)
        .await?;
    for row in rows {
        let layer: i32 = row.try_get("layer")?;
        let reason: String = row.try_get("reason")?;
        findings.push(Finding {
            file: mapping.layers[layer as usize].file.clone(),
            row: row.try_get("row_no")?,
            outcome: row.try_get("outcome")?,
            explanation: explain(&reason).to_owned(),
            reason,
            was: row.try_get("was")?,
            became: row.try_get("became")?,
        });
    }
    let mut layers = Vec::new();
    for (index, layer) in mapping.layers.iter().enumerate() {
        let row = sqlx::query(
            "WITH f AS (SELECT row_no, array_agg(outcome) AS outcomes, bool_or(reason = 'joined_to_row') AS joined
                          FROM findings WHERE layer = $1 GROUP BY row_no)
             SELECT count(*) AS read,
                    count(*) FILTER (WHERE NOT s.refused) AS written,
                    count(*) FILTER (WHERE s.refused AND NOT coalesce(f.joined, false)) AS refused,
                    count(*) FILTER (WHERE f.joined) AS joined,
                    count(*) FILTER (WHERE 'mended' = ANY (f.outcomes) AND (f.joined OR NOT s.refused)) AS mended,
                    count(*) FILTER (WHERE 'flagged' = ANY (f.outcomes) AND NOT s.refused) AS flagged
               FROM staged s LEFT JOIN f USING (row_no) WHERE s.layer = $1",
        )
        .bind(i32::try_from(index).map_err(anyhow::Error::from)?)
        .fetch_one(&mut *connection)
        .await?;
        let mut reasons = BTreeMap::new();
        for finding in findings.iter().filter(|f| f.file == layer.file) {
            *reasons.entry(format!("{}/{}", finding.outcome, finding.reason)).or_insert(0) += 1;
        }
        layers.push(LayerReport {
            file: layer.file.clone(),
            read: row.try_get("read")?,
            written: row.try_get("written")?,
            refused: row.try_get("refused")?,
            joined: row.try_get("joined")?,
            mended: row.try_get("mended")?,
            flagged: row.try_get("flagged")?,
            reasons,
        });
    }
    Ok(ImportReport { layers, findings })
}

impl ImportReport {
    /// Writes every finding as CSV with a byte-order mark, so that Excel reads the Chinese.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn write_csv(&self, mut out: impl Write) -> anyhow::Result<()> {
        out.write_all("\u{feff}".as_bytes())?;
        let mut csv = csv::Writer::from_writer(out);
        for finding in &self.findings {
            csv.serialize(finding)?;
        }
        csv.flush()?;
        Ok(())
    }
}
