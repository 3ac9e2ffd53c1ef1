//! What must be known of a file before its first row: character set and coordinate system.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::mapping::Layer;
use crate::error::{Code, Error, Result};
use crate::exchange::gdal::LayerHeader;

/// SRID that everything is stored in: CGCS2000, degrees.
pub const STORED_SRID: i32 = 4490;

/// The character set of a zipped Shapefile: the mapping's word, then `.cpg`, then the DBF's language
/// byte, then strict UTF-8, else GB18030, which holds every Chinese character that GB2312 lacks.
///
/// # Errors
/// The file is not a zip or has no `.dbf`.
pub fn encoding_of(path: &Path, layer: &Layer) -> Result<String> {
    if let Some(stated) = &layer.encoding {
        return Ok(stated.clone());
    }
    let unreadable = |e: &dyn std::fmt::Display| {
        Error::problem(
            Code::UnreadableFile,
            format!("{} 不是可读的 zip：{e}", path.display()),
            format!("{} is not a readable zip: {e}", path.display()),
        )
    };
    let file = File::open(path).map_err(|e| unreadable(&e))?;
    let mut zip = zip::ZipArchive::new(file).map_err(|e| unreadable(&e))?;
    let names: Vec<String> = zip.file_names().map(str::to_owned).collect();
    let wanted = |suffix: &str| {
        names
            .iter()
            .find(|n| {
                let lower = n.to_ascii_lowercase();
                lower.ends_with(suffix)
                    && layer
                        .layer
                        .as_ref()
                        .is_none_or(|l| lower.trim_end_matches(suffix).ends_with(&l.to_ascii_lowercase()))
            })
            .cloned()
    };
    // No part is read further than its beginning, so a bomb does no harm here.
    let mut head = |name: &str, limit: u64| -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        zip.by_name(name)
            .map_err(|e| unreadable(&e))?
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|e| unreadable(&e))?;
        Ok(bytes)
    };
    if let Some(cpg) = wanted(".cpg") {
        let text = String::from_utf8_lossy(&head(&cpg, 64)?).trim().to_ascii_uppercase();
        return Ok(match text.as_str() {
            "936" | "GBK" | "GB2312" | "CP936" => "GB18030".to_owned(),
            "65001" => "UTF-8".to_owned(),
            _ => text,
        });
    }
    let dbf = wanted(".dbf").ok_or_else(|| unreadable(&"no .dbf inside"))?;
    let sample = head(&dbf, 4 << 20)?;
    // 0x4D is "GBK" in the language driver byte of a DBF.
    if sample.get(29) == Some(&0x4D) {
        return Ok("GB18030".to_owned());
    }
    let texts = sample.get(32..).unwrap_or_default();
    let utf8 = match std::str::from_utf8(texts) {
        Ok(_) => true,
        // Only the cut at the end of the sample is forgiven.
        Err(e) => e.error_len().is_none(),
    };
    Ok(if utf8 { "UTF-8" } else { "GB18030" }.to_owned())
}

/// The SRID to read the file's coordinates in.
///
/// # Errors
/// [`Code::UnreadableFile`]: no system is stated, or one whose shift to CGCS2000 is not known
/// (Xian 1980 and Beijing 1954: PROJ would shift them by zero without a word).
pub fn srid_of(header: &LayerHeader, layer: &Layer) -> Result<i32> {
    let refuse = |zh: String, en: String| {
        Err(Error::problem(
            Code::UnreadableFile,
            format!("{}：{zh}", layer.file),
            format!("{}: {en}", layer.file),
        ))
    };
    let datum = header.datum.clone().unwrap_or_default().to_ascii_lowercase().replace([' ', '-'], "_");
    if datum.contains("xian") || datum.contains("beijing") {
        return refuse(
            format!(
                "坐标系是 {datum}。西安80、北京54 与 CGCS2000 相差数十米，须先用本地七参数转换后再导入。"
            ),
            format!("its datum is {datum}; convert it to CGCS2000 with local parameters first."),
        );
    }
    let known = |epsg: i32| matches!(epsg, 4490 | 4326 | 4513..=4533 | 4534..=4554 | 3857 | 32643..=32652);
    match (header.epsg, header.geographic, layer.epsg) {
        (Some(epsg), _, _) if known(epsg) => Ok(epsg),
        (_, Some(true), _) if datum.contains("wgs_1984") || datum.contains("cgcs") || datum.contains("china_2000") => {
            Ok(STORED_SRID)
        }
        (None, None, Some(epsg)) if known(epsg) => Ok(epsg),
        (None, None, _) => refuse(
            "没有说明坐标系（缺 .prj）。请在映射里写 epsg，例如 4490；投影坐标还须知道中央子午线。".into(),
            "no coordinate system is stated (.prj is missing). Name it in the mapping as epsg, for example 4490.".into(),
        ),
        (epsg, _, _) => refuse(
            format!("坐标系 {} 暂不能导入。请转换为 CGCS2000（EPSG:4490）。", epsg.map_or(datum, |e| format!("EPSG:{e}"))),
            "this coordinate system cannot be imported; convert it to CGCS2000 (EPSG:4490).".into(),
        ),
    }
}
