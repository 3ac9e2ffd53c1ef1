//! Writes small zipped Shapefiles, as a county bureau would hand them in, defects included.

use std::io::Write;
use std::path::{Path, PathBuf};

/// WKT of WGS 84, as ESRI writes it.
pub const WGS84: &str = r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["Degree",0.017453292519943295]]"#;
/// WKT of Xian 1980 in degrees, as ESRI writes it.
pub const XIAN80: &str = r#"GEOGCS["GCS_Xian_1980",DATUM["D_Xian_1980",SPHEROID["Xian_1980",6378140,298.257]],PRIMEM["Greenwich",0],UNIT["Degree",0.017453292519943295]]"#;

/// Geometry of one row.
pub enum Shape {
    /// No geometry at all.
    Null,
    /// A point.
    Point(f64, f64),
    /// One ring, closed.
    Polygon(Vec<[f64; 2]>),
}

/// A Shapefile to be.
pub struct Shapefile<'a> {
    /// 1 point, 5 polygon.
    pub kind: i32,
    /// Contents of the `.prj`.
    pub prj: Option<&'a str>,
    /// Contents of the `.cpg`.
    pub cpg: Option<&'a str>,
    /// Field names; all are texts of 60 bytes.
    pub fields: &'a [&'a str],
    /// Rows: texts as bytes in whatever character set, and the geometry.
    pub rows: Vec<(Vec<Vec<u8>>, Shape)>,
}

const WIDTH: usize = 60;

impl Shapefile<'_> {
    /// Writes `folder/name.zip`.
    pub fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(format!("{name}.zip"));
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        let (shp, shx) = self.shapes();
        let parts = [("shp", Some(shp)), ("shx", Some(shx)), ("dbf", Some(self.dbf()))].into_iter().chain([
            ("prj", self.prj.map(|t| t.as_bytes().to_vec())),
            ("cpg", self.cpg.map(|t| t.as_bytes().to_vec())),
        ]);
        for (suffix, bytes) in parts {
            if let Some(bytes) = bytes {
                zip.start_file(format!("{name}.{suffix}"), options).unwrap();
                zip.write_all(&bytes).unwrap();
            }
        }
        zip.finish().unwrap();
        path
    }

    fn shapes(&self) -> (Vec<u8>, Vec<u8>) {
        let mut records = Vec::new();
        let mut index = Vec::new();
        for (number, (_, shape)) in self.rows.iter().enumerate() {
            let content = content(shape);
            index.extend(((100 + records.len()) as i32 / 2).to_be_bytes());
            index.extend((content.len() as i32 / 2).to_be_bytes());
            records.extend((number as i32 + 1).to_be_bytes());
            records.extend((content.len() as i32 / 2).to_be_bytes());
            records.extend(content);
        }
        (self.header(&records), self.header(&index))
    }

    fn header(&self, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(9994_i32.to_be_bytes());
        out.extend([0; 20]);
        out.extend(((100 + body.len()) as i32 / 2).to_be_bytes());
        out.extend(1000_i32.to_le_bytes());
        out.extend(self.kind.to_le_bytes());
        for bound in [-180.0_f64, -90.0, 180.0, 90.0, 0.0, 0.0, 0.0, 0.0] {
            out.extend(bound.to_le_bytes());
        }
        out.extend(body);
        out
    }

    fn dbf(&self) -> Vec<u8> {
        let mut out = vec![3, 120, 1, 1];
        out.extend((self.rows.len() as u32).to_le_bytes());
        out.extend(((33 + 32 * self.fields.len()) as u16).to_le_bytes());
        out.extend(((1 + WIDTH * self.fields.len()) as u16).to_le_bytes());
        out.extend([0; 20]);
        for field in self.fields {
            let mut descriptor = [0_u8; 32];
            descriptor[..field.len()].copy_from_slice(field.as_bytes());
            descriptor[11] = b'C';
            descriptor[16] = WIDTH as u8;
            out.extend(descriptor);
        }
        out.push(0x0D);
        for (values, _) in &self.rows {
            out.push(b' ');
            for value in values {
                let mut cell = value.clone();
                cell.resize(WIDTH, b' ');
                out.extend(cell);
            }
        }
        out.push(0x1A);
        out
    }
}

fn content(shape: &Shape) -> Vec<u8> {
    let mut out = Vec::new();
    match shape {
        Shape::Null => out.extend(0_i32.to_le_bytes()),
        Shape::Point(x, y) => {
            out.extend(1_i32.to_le_bytes());
            out.extend(x.to_le_bytes());
            out.extend(y.to_le_bytes());
        }
        Shape::Polygon(points) => {
            out.extend(5_i32.to_le_bytes());
            let over = |i: usize, f: fn(f64, f64) -> f64| points.iter().map(|p| p[i]).reduce(f).unwrap();
            for bound in [over(0, f64::min), over(1, f64::min), over(0, f64::max), over(1, f64::max)] {
                out.extend(bound.to_le_bytes());
            }
            out.extend(1_i32.to_le_bytes());
            out.extend((points.len() as i32).to_le_bytes());
            out.extend(0_i32.to_le_bytes());
            for [x, y] in points {
                out.extend(x.to_le_bytes());
                out.extend(y.to_le_bytes());
            }
        }
    }
    out
}
