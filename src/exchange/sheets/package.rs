//! The package: which parts there are, and what is not opened.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read, Write};

use quick_xml::events::Event;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::grid::SheetName;
use super::xml::{Walker, attribute, local};
use super::{Deadline, Limits, refused, unreadable};
use crate::error::Result;

/// A workbook that passed the gate.
pub struct Workbook<'a> {
    pub(super) limits: Limits,
    pub(super) deadline: Deadline,
    bytes: &'a [u8],
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// Path of the part that lists the sheets.
    main: String,
    sheets: Vec<(SheetName, String)>,
    pub(super) shared_strings: Option<String>,
    pub(super) styles: Option<String>,
    /// Days are counted from 1904.
    pub(super) since_1904: bool,
}

impl std::fmt::Debug for Workbook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workbook").field("sheets", &self.sheets).finish_non_exhaustive()
    }
}

impl<'a> Workbook<'a> {
    /// Opens a workbook.
    ///
    /// # Errors
    /// `file_refused` with the reason and what to do; `unreadable_file`.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self> {
        let deadline = Deadline::new(limits);
        refuse_by_head(bytes, limits)?;
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
        refuse_by_directory(&mut zip, limits)?;
        let mut book = Self {
            limits: *limits,
            deadline,
            bytes,
            zip,
            main: String::new(),
            sheets: Vec::new(),
            shared_strings: None,
            styles: None,
            since_1904: false,
        };
        book.refuse_by_types()?;
        book.read_structure()?;
        Ok(book)
    }

    /// Names of the sheets, in their order.
    pub fn sheets(&self) -> impl Iterator<Item = &SheetName> {
        self.sheets.iter().map(|s| &s.0)
    }

    pub(super) fn path_of(&self, sheet: &str) -> Result<String> {
        let found = self.sheets.iter().find(|s| s.0.name == sheet).map(|s| s.1.clone());
        found.ok_or_else(|| {
            crate::error::Error::not_found(&format!("工作表“{sheet}”"), &format!("sheet '{sheet}'"))
        })
    }

    pub(super) fn sheet_paths(&self) -> Vec<String> {
        self.sheets.iter().map(|s| s.1.clone()).collect()
    }

    pub(super) fn main_path(&self) -> &str {
        &self.main
    }

    /// A part as text, read no further than the limit whatever the directory says.
    pub(super) fn part(&mut self, path: &str) -> Result<String> {
        let limit = self.limits.part;
        let file = self.zip.by_name(path).map_err(|e| unreadable(format!("{path}: {e}")))?;
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > limit {
            return Err(bomb());
        }
        self.deadline.check()?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable(format!("{path}: not UTF-8")))?;
        Ok(text.strip_prefix('\u{FEFF}').map_or(text.clone(), str::to_owned))
    }

    /// The package with some parts replaced; all others are copied as they are packed.
    pub(super) fn with_parts(&self, replaced: &BTreeMap<String, String>) -> Result<Vec<u8>> {
        let mut from = ZipArchive::new(Cursor::new(self.bytes)).map_err(unreadable)?;
        let mut to = ZipWriter::new(Cursor::new(Vec::with_capacity(self.bytes.len())));
        for i in 0..from.len() {
            let part = from.by_index_raw(i).map_err(unreadable)?;
            if let Some(text) = replaced.get(part.name()) {
                let name = part.name().to_owned();
                let mut options =
                    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
                if let Some(time) = part.last_modified() {
                    options = options.last_modified_time(time);
                }
                drop(part);
                to.start_file(name, options).map_err(unreadable)?;
                to.write_all(text.as_bytes()).map_err(unreadable)?;
            } else {
                to.raw_copy_file(part).map_err(unreadable)?;
            }
            self.deadline.check()?;
        }
        Ok(to.finish().map_err(unreadable)?.into_inner())
    }

    /// Macros and other formats are named by the package's own table of types.
    fn refuse_by_types(&mut self) -> Result<()> {
        let types = self.part("[Content_Types].xml")?.to_ascii_lowercase();
        if types.contains("macroenabled") || types.contains("vbaproject") {
            return Err(with_macros());
        }
        if types.contains("sheet.binary") {
            return Err(other_format(".xlsb"));
        }
        if !types.contains("spreadsheetml.sheet.main+xml") {
            return Err(other_format("其他格式"));
        }
        Ok(())
    }

    fn read_structure(&mut self) -> Result<()> {
        let top = self.relations("")?;
        let main = top.values().find(|r| r.kind.ends_with("/officeDocument"));
        self.main.clone_from(&main.ok_or_else(|| unreadable("no workbook part"))?.target);
        let relations = self.relations(&self.main.clone())?;
        let of_kind =
            |kind: &str| relations.values().find(|r| r.kind.ends_with(kind)).map(|r| r.target.clone());
        self.shared_strings = of_kind("/sharedStrings");
        self.styles = of_kind("/styles");
        let text = self.part(&self.main.clone())?;
        let mut walker = Walker::new(&text, &self.limits, self.deadline);
        while let Some((event, _)) = walker.next()? {
            let (Event::Start(e) | Event::Empty(e)) = &event else { continue };
            match local(e) {
                "sheet" => {
                    let name = attribute(e, "name")?.unwrap_or_default();
                    let hidden = attribute(e, "state")?.is_some_and(|s| s != "visible");
                    let id = attribute(e, "id")?.unwrap_or_default();
                    // Chart sheets have no cells.
                    if let Some(r) = relations.get(&id).filter(|r| r.kind.ends_with("/worksheet")) {
                        self.sheets.push((SheetName { name, hidden }, r.target.clone()));
                    }
                }
                "workbookPr" => {
                    self.since_1904 = attribute(e, "date1904")?.is_some_and(|v| v == "1" || v == "true");
                }
                _ => {}
            }
        }
        if self.sheets.is_empty() {
            return Err(unreadable("no sheet"));
        }
        Ok(())
    }

    /// Relations of a part ("" is the package) by id.
    fn relations(&mut self, part: &str) -> Result<HashMap<String, Relation>> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let path = if folder.is_empty() {
            format!("_rels/{file}.rels")
        } else {
            format!("{folder}/_rels/{file}.rels")
        };
        let text = self.part(&path)?;
        let mut found = HashMap::new();
        let mut walker = Walker::new(&text, &self.limits, self.deadline);
        while let Some((event, _)) = walker.next()? {
            let (Event::Start(e) | Event::Empty(e)) = &event else { continue };
            if local(e) != "Relationship" || attribute(e, "TargetMode")?.is_some_and(|m| m == "External") {
                continue;
            }
            let target = attribute(e, "Target")?.unwrap_or_default();
            found.insert(
                attribute(e, "Id")?.unwrap_or_default(),
                Relation {
                    kind: attribute(e, "Type")?.unwrap_or_default(),
                    target: resolve(folder, &target),
                },
            );
        }
        Ok(found)
    }
}

struct Relation {
    kind: String,
    target: String,
}

/// A target as a path of the package.
fn resolve(folder: &str, target: &str) -> String {
    let joined = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut path: Vec<&str> = Vec::new();
    for step in joined.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.join("/")
}

fn refuse_by_head(bytes: &[u8], limits: &Limits) -> Result<()> {
    if bytes.len() > limits.file {
        return Err(refused(
            "too_large",
            format!("文件超过 {} KB。套表请上传不含图片和历史数据的空表。", limits.file / 1000),
            format!("The file is larger than {} KB. Send the empty form.", limits.file / 1000),
        ));
    }
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        let sealed: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        if bytes.windows(sealed.len()).any(|w| w == sealed) {
            return Err(encrypted());
        }
        return Err(other_format(".xls"));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Ok(());
    }
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]).to_ascii_lowercase();
    if head.contains("<html") || head.contains("<table") || head.contains("<?xml") {
        return Err(other_format("网页或 XML（只是改了扩展名）"));
    }
    Err(other_format("其他格式"))
}

fn refuse_by_directory(zip: &mut ZipArchive<Cursor<&[u8]>>, limits: &Limits) -> Result<()> {
    if zip.len() > limits.parts {
        return Err(bomb());
    }
    if zip.has_overlapping_files().map_err(unreadable)? {
        return Err(bomb());
    }
    let mut unpacked = 0_u64;
    for i in 0..zip.len() {
        let part = zip.by_index_raw(i).map_err(unreadable)?;
        if part.encrypted() {
            return Err(encrypted());
        }
        if !matches!(part.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            return Err(unreadable("compression"));
        }
        let size = part.size();
        unpacked = unpacked.saturating_add(size);
        let swollen = size > 1 << 20 && size / part.compressed_size().max(1) > limits.ratio;
        if size > limits.part || unpacked > limits.unpacked || swollen {
            return Err(bomb());
        }
        let name = part.name().to_ascii_lowercase();
        for (beginning, reason, zh, en) in FORBIDDEN {
            if name.contains(beginning) {
                return Err(refused(reason, *zh, *en));
            }
        }
    }
    Ok(())
}

/// Parts of a package that are not opened: something in the part's name, reason, words.
const FORBIDDEN: &[(&str, &str, &str, &str)] = &[
    ("vbaproject", "macros", MACROS_ZH, MACROS_EN),
    ("xl/macrosheets/", "macros", MACROS_ZH, MACROS_EN),
    (
        "xl/externallinks/",
        "external_links",
        "工作簿链接到别的文件。请在 Excel 的“数据—编辑链接”中断开链接，再另存上传。",
        "The workbook links to other files. Break the links (Data, Edit Links) and save it again.",
    ),
    (
        "xl/connections.xml",
        "external_links",
        "工作簿含有外部数据连接。请在“数据—查询和连接”中删除连接，再另存上传。",
        "The workbook has data connections. Remove them (Data, Queries & Connections) and save it again.",
    ),
    ("xl/embeddings/", "embedded", EMBEDDED_ZH, EMBEDDED_EN),
    ("xl/activex/", "embedded", EMBEDDED_ZH, EMBEDDED_EN),
];
const MACROS_ZH: &str = "工作簿含有宏。请在 Excel 或 WPS 中“另存为”Excel 工作簿（.xlsx），再上传。";
const MACROS_EN: &str = "The workbook holds macros. Save it as an Excel workbook (.xlsx) and send that.";
const EMBEDDED_ZH: &str = "工作簿内嵌了别的文件或控件。请删除内嵌对象后另存上传。";
const EMBEDDED_EN: &str = "The workbook embeds other files or controls. Remove them and save it again.";

fn with_macros() -> crate::error::Error {
    refused("macros", MACROS_ZH, MACROS_EN)
}

fn encrypted() -> crate::error::Error {
    refused(
        "encrypted",
        "文件设有打开密码。请在 Excel 或 WPS 中取消打开密码（文件—信息—保护工作簿），另存后再传。",
        "The file is encrypted. Remove its password (File, Info, Protect Workbook), save it and send it again.",
    )
}

fn other_format(what: &str) -> crate::error::Error {
    refused(
        "not_xlsx",
        format!(
            "这不是 .xlsx 工作簿（是 {what}）。请用 Excel 或 WPS 打开，选择“另存为—Excel 工作簿（.xlsx）”，再上传。"
        ),
        "This is not an .xlsx workbook. Open it in Excel or WPS, choose Save As, Excel Workbook (.xlsx), and send that.",
    )
}

fn bomb() -> crate::error::Error {
    refused(
        "too_large",
        "文件解压后过大或内部结构异常，已拒绝。请只保留要填的工作表，另存后再传。",
        "The file becomes too large when unpacked. Keep only the sheet to be filled, save it and send it again.",
    )
}
