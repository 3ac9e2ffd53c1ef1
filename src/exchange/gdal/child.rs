//! The inside of the glass: reads one layer and writes it to standard output, a line of JSON a row.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use gdal::vector::{FieldValue, LayerAccess};
use gdal::{Dataset, DatasetOptions, DriverManager, GdalOpenFlags};
use serde::{Deserialize, Serialize};

use super::{LayerField, LayerHeader, LayerRow, sandbox};

/// What to read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadArguments {
    /// The zipped Shapefile, absolute.
    pub file: PathBuf,
    /// Layer inside it; the only one when absent.
    pub layer: Option<String>,
    /// Character set of its texts, as iconv names it.
    pub encoding: String,
}

/// Body of the hidden command `read-layer`. Meant for a child process: it gives up rights for good.
///
/// # Errors
/// The sandbox cannot be had, or the file is not a readable Shapefile.
pub fn read_layer_in_child(arguments: &ReadArguments) -> Result<()> {
    // The driver registers itself before the walls close; it opens nothing by that.
    DriverManager::register_all();
    load_character_set(&arguments.encoding)?;
    sandbox::enter(&arguments.file)
        .context("沙箱不可用，导入被拒绝 (the sandbox cannot be had; import refused)")?;

    let path = format!("/vsizip/{}", arguments.file.display());
    let encoding = format!("ENCODING={}", arguments.encoding);
    let dataset = Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_VECTOR,
            allowed_drivers: Some(&["ESRI Shapefile"]),
            open_options: Some(&[&encoding]),
            sibling_files: None,
        },
    )
    .context("不是压缩的 Shapefile (not a zipped Shapefile)")?;
    let mut layer = match &arguments.layer {
        Some(name) => {
            dataset.layer_by_name(name).with_context(|| format!("没有图层 {name} (no such layer)"))?
        }
        None if dataset.layer_count() == 1 => dataset.layer(0)?,
        None => anyhow::bail!(
            "文件里有 {} 个图层，请在映射中指明 layer (several layers: name one)",
            dataset.layer_count()
        ),
    };

    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let srs = layer.spatial_ref();
    let header = LayerHeader {
        layer: layer.name(),
        fields: layer.defn().fields().map(|f| LayerField { name: f.name(), width: f.width() }).collect(),
        srs_wkt: srs.as_ref().and_then(|s| s.to_wkt().ok()),
        epsg: srs.as_ref().and_then(|s| {
            let mut known = s.clone();
            // A .prj of ESRI names no EPSG code; GDAL finds it by comparing.
            drop(known.auto_identify_epsg());
            known.auth_code().ok()
        }),
        geographic: srs.as_ref().map(gdal::spatial_ref::SpatialRef::is_geographic),
        datum: srs.as_ref().and_then(|s| s.get_attr_value("DATUM", 0).ok().flatten()),
        rows: layer.feature_count(),
    };
    serde_json::to_writer(&mut out, &header)?;
    out.write_all(b"\n")?;

    let columns = header.fields.len();
    for (index, feature) in layer.features().enumerate() {
        let values = (0..columns).map(|i| Ok(text_of(feature.field(i)?))).collect::<Result<Vec<_>>>()?;
        // A row without geometry is an error to this call, and a finding to us.
        let geometry = feature.geometry_by_index(0).ok().map(|g| g.wkb().map(hex::encode)).transpose()?;
        let row = LayerRow { row: index as u64 + 1, values, geometry };
        serde_json::to_writer(&mut out, &row)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}

/// Lets the C library load its table of a character set while it still may open files: inside the
/// walls the conversion would fail without a word, and every Chinese name would arrive as rubbish.
fn load_character_set(name: &str) -> Result<()> {
    let from = std::ffi::CString::new(name)?;
    // SAFETY: both names are valid C strings. The descriptor is kept open on purpose, so that the
    // table stays loaded as long as this process lives.
    let descriptor = unsafe { libc::iconv_open(c"UTF-8".as_ptr(), from.as_ptr()) };
    // iconv_open answers -1 cast to a pointer when it does not know the set.
    if descriptor as isize == -1 {
        anyhow::bail!("不认识的字符集 {name} (unknown character set)");
    }
    Ok(())
}

/// A cell as text; blanks around are no content. Numbers keep all their digits.
fn text_of(value: Option<FieldValue>) -> Option<String> {
    let text = match value? {
        FieldValue::IntegerValue(v) => v.to_string(),
        FieldValue::Integer64Value(v) => v.to_string(),
        FieldValue::RealValue(v) => v.to_string(),
        FieldValue::StringValue(v) => v.trim().to_owned(),
        FieldValue::DateValue(v) => v.to_string(),
        FieldValue::DateTimeValue(v) => v.to_rfc3339(),
        // A Shapefile has no lists.
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}
