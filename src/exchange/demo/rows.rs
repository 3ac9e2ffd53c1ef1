//! Rows as text for COPY, and a checksum of everything that was written.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::calendar::{Day, date};

/// SRID of the store: CGCS2000.
const SRID: u32 = 4490;

/// Rows of one table that wait to be copied.
pub struct Sheet {
    /// Table with its columns, as COPY wants them.
    pub target: &'static str,
    /// Text of the rows.
    pub text: String,
    /// Rows since the beginning.
    pub rows: u64,
    hash: Sha256,
    empty: bool,
}

impl Sheet {
    /// An empty sheet of a table.
    pub fn new(target: &'static str) -> Self {
        Self { target, text: String::new(), rows: 0, hash: Sha256::new(), empty: true }
    }

    /// Takes the text out, for COPY, and adds it to the checksum.
    pub fn take(&mut self) -> String {
        self.hash.update(self.text.as_bytes());
        std::mem::take(&mut self.text)
    }

    /// Checksum of all text taken so far.
    pub fn checksum(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }

    fn gap(&mut self) {
        if self.empty {
            self.empty = false;
        } else {
            self.text.push('\t');
        }
    }

    /// NULL.
    pub fn null(&mut self) -> &mut Self {
        self.gap();
        self.text.push_str("\\N");
        self
    }

    /// Anything that prints without tabs, newlines and backslashes.
    pub fn plain(&mut self, value: impl std::fmt::Display) -> &mut Self {
        self.gap();
        let _ = write!(self.text, "{value}");
        self
    }

    /// Text.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.gap();
        for c in value.chars() {
            match c {
                '\\' => self.text.push_str("\\\\"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                c => self.text.push(c),
            }
        }
        self
    }

    /// Text or NULL.
    pub fn text_or_null(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            Some(v) => self.text(v),
            None => self.null(),
        }
    }

    /// A value that prints plainly, or NULL.
    pub fn plain_or_null(&mut self, value: Option<impl std::fmt::Display>) -> &mut Self {
        match value {
            Some(v) => self.plain(v),
            None => self.null(),
        }
    }

    /// UUID.
    pub fn uuid(&mut self, value: Uuid) -> &mut Self {
        self.plain(value.hyphenated())
    }

    /// Date.
    pub fn day(&mut self, value: Day) -> &mut Self {
        self.plain(date(value))
    }

    /// Date or NULL.
    pub fn day_or_null(&mut self, value: Option<Day>) -> &mut Self {
        self.plain_or_null(value.map(date))
    }

    /// Moment in milliseconds since 1970, written in Shanghai time.
    pub fn moment(&mut self, millis: i64) -> &mut Self {
        let seconds = millis.div_euclid(1_000) + 8 * 3_600;
        let (day, rest) = (seconds.div_euclid(86_400) as Day, seconds.rem_euclid(86_400));
        self.gap();
        let _ =
            write!(self.text, "{} {:02}:{:02}:{:02}+08", date(day), rest / 3_600, rest / 60 % 60, rest % 60);
        self
    }

    /// Moment or NULL.
    pub fn moment_or_null(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(v) => self.moment(v),
            None => self.null(),
        }
    }

    /// A number kept in this many decimals: `fixed(1234, 2)` is 12.34.
    pub fn fixed(&mut self, value: i64, decimals: u32) -> &mut Self {
        let unit = 10_i64.pow(decimals);
        self.gap();
        let _ = write!(self.text, "{}.{:0width$}", value / unit, value % unit, width = decimals as usize);
        self
    }

    /// A point in degrees.
    pub fn point(&mut self, at: [f64; 2]) -> &mut Self {
        self.gap();
        header(&mut self.text, 1, true);
        ordinates(&mut self.text, &[at]);
        self
    }

    /// A line in degrees.
    pub fn line(&mut self, line: &[[f64; 2]]) -> &mut Self {
        self.gap();
        header(&mut self.text, 2, true);
        counted(&mut self.text, line);
        self
    }

    /// Several lines in degrees.
    pub fn lines(&mut self, lines: &[Vec<[f64; 2]>]) -> &mut Self {
        self.gap();
        header(&mut self.text, 5, true);
        number(&mut self.text, lines.len());
        for line in lines {
            header(&mut self.text, 2, false);
            counted(&mut self.text, line);
        }
        self
    }

    /// A multipolygon in degrees.
    pub fn polygons(&mut self, polygons: &[Vec<Vec<[f64; 2]>>]) -> &mut Self {
        self.gap();
        header(&mut self.text, 6, true);
        number(&mut self.text, polygons.len());
        for rings in polygons {
            header(&mut self.text, 3, false);
            number(&mut self.text, rings.len());
            for ring in rings {
                counted(&mut self.text, ring);
            }
        }
        self
    }

    /// Ends the row.
    pub fn end(&mut self) {
        self.text.push('\n');
        self.rows += 1;
        self.empty = true;
    }
}

/// EWKB, little-endian, in hexadecimal: byte order, type (with SRID at the top).
fn header(out: &mut String, kind: u32, srid: bool) {
    out.push_str("01");
    let kind = if srid { kind | 0x2000_0000 } else { kind };
    hex_bytes(out, &kind.to_le_bytes());
    if srid {
        hex_bytes(out, &SRID.to_le_bytes());
    }
}

fn number(out: &mut String, n: usize) {
    hex_bytes(out, &(n as u32).to_le_bytes());
}

fn counted(out: &mut String, points: &[[f64; 2]]) {
    number(out, points.len());
    ordinates(out, points);
}

fn ordinates(out: &mut String, points: &[[f64; 2]]) {
    for [x, y] in points {
        hex_bytes(out, &x.to_le_bytes());
        hex_bytes(out, &y.to_le_bytes());
    }
}

fn hex_bytes(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for b in bytes {
        out.push(DIGITS[usize::from(b >> 4)] as char);
        out.push(DIGITS[usize::from(b & 15)] as char);
    }
}
