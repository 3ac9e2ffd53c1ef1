//! GDAL behind glass. GDAL follows URLs from plain files and reads local files through others, whatever
//! its options say; so it runs in a child process that cannot open a socket or start a program (seccomp),
//! sees only its input (Landlock), and has limits on memory, time and files. Where that sandbox cannot
//! be had, the import is refused.

mod child;
mod sandbox;

pub use child::{ReadArguments, read_layer_in_child};

use std::path::Path;
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::error::{Code, Error, Result};

/// What the child says first: the layer as the file declares it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerHeader {
    /// Name of the layer inside the file.
    pub layer: String,
    /// Attribute fields in file order.
    pub fields: Vec<LayerField>,
    /// The coordinate system as WKT, when the file states one.
    pub srs_wkt: Option<String>,
    /// EPSG code, when the WKT names or implies one.
    pub epsg: Option<i32>,
    /// True for longitude and latitude, false for metres on a plane.
    pub geographic: Option<bool>,
    /// Name of the datum, for example `CGCS_2000` or `Xian 1980`.
    pub datum: Option<String>,
    /// Rows the driver announces.
    pub rows: u64,
}

/// One attribute field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerField {
    /// Name, at most 10 bytes in a DBF.
    pub name: String,
    /// Width in bytes; 0 when the format has none. A text that fills it was probably cut.
    pub width: i32,
}

/// One row of the layer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerRow {
    /// Row number in the file, from 1, as a person counts.
    pub row: u64,
    /// Values in the order of [`LayerHeader::fields`]; `None` is an empty cell.
    pub values: Vec<Option<String>>,
    /// Geometry as hexadecimal WKB; `None` when the row has none.
    pub geometry: Option<String>,
}

/// A layer being read in the sandbox.
pub struct LayerStream {
    /// What the layer declares.
    pub header: LayerHeader,
    lines: Lines<BufReader<ChildStdout>>,
    child: Child,
    name: String,
}

impl LayerStream {
    /// Starts the sandboxed reader on a zipped Shapefile.
    ///
    /// # Errors
    /// The sandbox cannot be had, the file is not of an allowed format, or it holds no such layer.
    pub async fn open(arguments: &ReadArguments) -> Result<Self> {
        let program = std::env::current_exe().map_err(anyhow::Error::from)?;
        Self::open_with(&program, arguments).await
    }

    /// As [`Self::open`], with the program that holds the hidden command; tests name it.
    pub async fn open_with(program: &Path, arguments: &ReadArguments) -> Result<Self> {
        let name = arguments.file.display().to_string();
        let json = serde_json::to_string(arguments).map_err(anyhow::Error::from)?;
        let mut child = Command::new(program)
            .arg("read-layer")
            .arg(json)
            .env_clear()
            .env("LC_ALL", "C.UTF-8")
            // No plug-in from disk, no auxiliary files, nothing from the network.
            .env("GDAL_DRIVER_PATH", "disable")
            .env("GDAL_PAM_ENABLED", "NO")
            .env("PROJ_NETWORK", "OFF")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(anyhow::Error::from)?;
        let Some(stdout) = child.stdout.take() else {
            return Err(anyhow::anyhow!("the reader has no output").into());
        };
        let mut lines = BufReader::with_capacity(1 << 20, stdout).lines();
        let Some(first) = lines.next_line().await.map_err(anyhow::Error::from)? else {
            return Err(Self::failure(child, &name).await);
        };
        let header = serde_json::from_str(&first).map_err(anyhow::Error::from)?;
        Ok(Self { header, lines, child, name })
    }

    /// The next row, or `None` at the end.
    ///
    /// # Errors
    /// The reader died: hostile or broken file, or a limit was hit.
    pub async fn next(&mut self) -> Result<Option<LayerRow>> {
        if let Some(line) = self.lines.next_line().await.map_err(anyhow::Error::from)? {
            return Ok(Some(serde_json::from_str(&line).map_err(anyhow::Error::from)?));
        }
        let status = self.child.wait().await.map_err(anyhow::Error::from)?;
        if status.success() { Ok(None) } else { Err(Self::describe(&mut self.child, &self.name).await) }
    }

    async fn failure(mut child: Child, name: &str) -> Error {
        // The exit status matters only for the message, which stderr already holds.
        drop(child.wait().await);
        Self::describe(&mut child, name).await
    }

    async fn describe(child: &mut Child, name: &str) -> Error {
        let mut said = String::new();
        if let Some(stderr) = child.stderr.as_mut() {
            // What cannot be read is simply missing from the message.
            drop(stderr.take(4000).read_to_string(&mut said).await);
        }
        let said = said.trim();
        let reason = if said.is_empty() {
            "读取进程被终止（文件损坏，或超出内存、时间限制）"
        } else {
            said
        };
        let reason_en = if said.is_empty() {
            "the reader was stopped (broken file, or a limit on memory or time)"
        } else {
            said
        };
        Error::problem(
            Code::UnreadableFile,
            format!("文件 {name} 读不出来：{reason}。什么都没有写入。"),
            format!("File {name} cannot be read: {reason_en}. Nothing was written."),
        )
    }
}
