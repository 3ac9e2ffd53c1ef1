//! EWKB, as PostGIS sends a geometry in binary, to the world grid of tiles.

use anyhow::{Context, bail};
use tiles::{Geometry, WorldPoint, lonlat_to_world};

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> anyhow::Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().context("geometry ends early")?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn count(&mut self) -> anyhow::Result<usize> {
        Ok(u32::from_le_bytes(self.take()?) as usize)
    }

    /// Kind of the geometry that follows. PostGIS sends little-endian on every machine we run on.
    fn head(&mut self) -> anyhow::Result<u32> {
        let [order] = self.take::<1>()?;
        if order != 1 {
            bail!("geometry is not little-endian");
        }
        let kind = u32::from_le_bytes(self.take()?);
        if kind & 0x2000_0000 != 0 {
            self.take::<4>()?;
        }
        if kind & 0xC000_0000 != 0 {
            bail!("geometry has more than two dimensions");
        }
        Ok(kind & 0xff)
    }

    fn point(&mut self) -> anyhow::Result<WorldPoint> {
        let lon = f64::from_le_bytes(self.take()?);
        let lat = f64::from_le_bytes(self.take()?);
        lonlat_to_world(lon, lat).with_context(|| format!("no place on the map: {lon} {lat}"))
    }

    fn line(&mut self) -> anyhow::Result<Vec<WorldPoint>> {
        let n = self.count()?;
        let mut line = Vec::with_capacity(n.min(self.rest.len() / 16));
        for _ in 0..n {
            line.push(self.point()?);
        }
        Ok(line)
    }

    fn rings(&mut self) -> anyhow::Result<Vec<Vec<WorldPoint>>> {
        (0..self.count()?).map(|_| self.line()).collect()
    }

    fn parts<T>(&mut self, kind: u32, read: fn(&mut Self) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
        (0..self.count()?)
            .map(|_| if self.head()? == kind { read(self) } else { bail!("mixed geometry collection") })
            .collect()
    }
}

/// The place of a point.
pub(super) fn point(ewkb: &[u8]) -> anyhow::Result<WorldPoint> {
    let mut r = Reader { rest: ewkb };
    if r.head()? != 1 {
        bail!("not a point");
    }
    r.point()
}

/// A geometry with its vertices ranked. Degenerate shapes (a line of one place) become points, so
/// that nothing that is recorded is missing from the map.
pub(super) fn geometry(ewkb: &[u8]) -> anyhow::Result<Geometry> {
    let mut r = Reader { rest: ewkb };
    Ok(match r.head()? {
        1 => Geometry::point(r.point()?),
        2 => lines(&[r.line()?])?,
        3 => Geometry::polygons(&[r.rings()?])?,
        4 => Geometry::points(r.parts(1, Reader::point)?)?,
        5 => lines(&r.parts(2, Reader::line)?)?,
        6 => Geometry::polygons(&r.parts(3, Reader::rings)?)?,
        other => bail!("geometry kind {other} has no place on the map"),
    })
}

fn lines(lines: &[Vec<WorldPoint>]) -> anyhow::Result<Geometry> {
    Geometry::lines(lines).or_else(|_| {
        let first = lines.iter().flatten().next().context("empty line")?;
        Ok(Geometry::point(*first))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    #[test]
    fn reads_what_postgis_sends() {
        // SELECT ST_GeomFromEWKT('SRID=4490;POINT(113 23)')
        let p = hex("01010000208A1100000000000000405C400000000000003740");
        assert_eq!(point(&p).unwrap(), lonlat_to_world(113.0, 23.0).unwrap());
        assert!(point(&p[..20]).is_err());
        let line =
            hex("01020000208A110000020000000000000000405C4000000000000037400000000000405C400000000000003740");
        assert!(geometry(&line).is_ok());
        assert!(geometry(&line[..line.len() - 8]).is_err(), "cut off");
    }
}
