//! Content encodings of tiles: which one a client gets, and how the bytes are made.

use std::io::Write;

use anyhow::Context;

/// How the bytes of a tile travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Encoding {
    /// As they are.
    Identity,
    /// gzip, by libdeflate.
    Gzip,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

impl Encoding {
    /// Value of Content-Encoding; `None` for no header.
    pub fn header(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// A letter for ETags.
    pub fn letter(self) -> char {
        match self {
            Self::Identity => 'i',
            Self::Gzip => 'g',
            Self::Brotli => 'b',
            Self::Zstd => 'z',
        }
    }

    /// The best encoding that an Accept-Encoding header allows: the highest q wins, and of equals
    /// br, then zstd, then gzip. `None` when it refuses even plain bytes.
    pub fn accepted(header: Option<&str>) -> Option<Self> {
        let Some(header) = header else { return Some(Self::Identity) };
        let mut q = [None::<u16>; 4];
        let mut any = None;
        for part in header.split(',') {
            let mut pieces = part.split(';').map(str::trim);
            let name = pieces.next().unwrap_or_default().to_ascii_lowercase();
            let weight = pieces
                .find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")))
                .map_or(1000, |w| {
                    w.parse::<f32>().map_or(0, |w| (w.clamp(0.0, 1.0) * 1000.0).round() as u16)
                });
            match name.as_str() {
                "gzip" | "x-gzip" => q[Self::Gzip as usize] = Some(weight),
                "br" => q[Self::Brotli as usize] = Some(weight),
                "zstd" => q[Self::Zstd as usize] = Some(weight),
                "identity" => q[Self::Identity as usize] = Some(weight),
                "*" => any = Some(weight),
                _ => {}
            }
        }
        // What is not named is refused, except plain bytes, which are fine unless excluded.
        let weight = |e: Self| q[e as usize].or(any).unwrap_or(u16::from(e == Self::Identity));
        let best =
            [Self::Identity, Self::Gzip, Self::Zstd, Self::Brotli].into_iter().max_by_key(|&e| weight(e))?;
        (weight(best) > 0).then_some(best)
    }

    /// Encodes bytes. Blocks for up to some tens of milliseconds for the largest tiles.
    pub fn encode(self, plain: &[u8]) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(plain.to_vec()),
            Self::Gzip => {
                let mut c =
                    libdeflater::Compressor::new(libdeflater::CompressionLvl::new(6).unwrap_or_default());
                let mut out = vec![0; c.gzip_compress_bound(plain.len())];
                let n = c.gzip_compress(plain, &mut out).context("gzip")?;
                out.truncate(n);
                out.shrink_to_fit();
                Ok(out)
            }
            Self::Brotli => {
                let mut out = Vec::with_capacity(plain.len() / 2 + 64);
                // Large tiles would take tens of milliseconds at level 5 for a few percent.
                let quality = if plain.len() > 120_000 { 4 } else { 5 };
                let mut w = brotli::CompressorWriter::new(&mut out, 16 * 1024, quality, 20);
                w.write_all(plain).context("brotli")?;
                drop(w);
                out.shrink_to_fit();
                Ok(out)
            }
            Self::Zstd => zstd::bulk::compress(plain, 3).context("zstd"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn weights_decide_and_zero_excludes() {
        let a = |h| Encoding::accepted(Some(h));
        assert_eq!(Encoding::accepted(None), Some(Encoding::Identity));
        assert_eq!(a("gzip, deflate, br, zstd"), Some(Encoding::Brotli));
        assert_eq!(a("gzip;q=0.9, br;q=0.3"), Some(Encoding::Gzip));
        assert_eq!(a("br;q=0, gzip"), Some(Encoding::Gzip));
        assert_eq!(a("zstd;q=0.5, gzip;q=0.5"), Some(Encoding::Zstd));
        assert_eq!(a("deflate"), Some(Encoding::Identity));
        assert_eq!(a(""), Some(Encoding::Identity));
        assert_eq!(a("*"), Some(Encoding::Brotli));
        assert_eq!(a("*;q=0"), None);
        assert_eq!(a("identity;q=0, gzip;q=0.001"), Some(Encoding::Gzip));
        assert_eq!(a("identity;q=0"), None);
        assert_eq!(a("gzip;q=banana"), Some(Encoding::Identity));
    }

    #[test]
    fn what_is_encoded_decodes() {
        let plain: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let mut out = Vec::new();
        brotli::Decompressor::new(&Encoding::Brotli.encode(&plain).unwrap()[..], 4096)
            .read_to_end(&mut out)
            .unwrap();
        assert_eq!(out, plain);
        assert_eq!(zstd::bulk::decompress(&Encoding::Zstd.encode(&plain).unwrap(), 1 << 20).unwrap(), plain);
        let gz = Encoding::Gzip.encode(&plain).unwrap();
        let mut out = vec![0; plain.len()];
        let n = libdeflater::Decompressor::new().gzip_decompress(&gz, &mut out).unwrap();
        assert_eq!(&out[..n], plain);
    }
}
