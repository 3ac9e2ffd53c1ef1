//! Rows of `COPY … TO STDOUT (FORMAT binary)`: the fastest way out of PostgreSQL, read field by
//! field without a row object in between.

use anyhow::Context;
use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;

use super::timeline::Day;
use crate::error::Result;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// The fields of one row, taken from left to right.
pub(super) struct Row<'a> {
    rest: &'a [u8],
}

impl<'a> Row<'a> {
    /// The bytes of the next field, `None` for NULL.
    pub fn bytes(&mut self) -> anyhow::Result<Option<&'a [u8]>> {
        let (len, rest) = self.rest.split_first_chunk::<4>().context("row ends early")?;
        let len = i32::from_be_bytes(*len);
        if len < 0 {
            self.rest = rest;
            return Ok(None);
        }
        let (field, rest) = rest.split_at_checked(len as usize).context("field ends early")?;
        self.rest = rest;
        Ok(Some(field))
    }

    fn fixed<const N: usize>(&mut self) -> anyhow::Result<Option<[u8; N]>> {
        self.bytes()?.map(|b| b.try_into().context("field of unexpected width")).transpose()
    }

    pub fn uuid(&mut self) -> anyhow::Result<Uuid> {
        self.uuid_or_null()?.context("id is null")
    }
    pub fn uuid_or_null(&mut self) -> anyhow::Result<Option<Uuid>> {
        Ok(self.fixed()?.map(Uuid::from_bytes))
    }
    pub fn i64(&mut self) -> anyhow::Result<i64> {
        Ok(i64::from_be_bytes(self.fixed()?.context("bigint is null")?))
    }
    pub fn i32(&mut self) -> anyhow::Result<i32> {
        self.i32_or_null()?.context("integer is null")
    }
    pub fn i32_or_null(&mut self) -> anyhow::Result<Option<i32>> {
        Ok(self.fixed()?.map(i32::from_be_bytes))
    }
    pub fn f64_or_null(&mut self) -> anyhow::Result<Option<f64>> {
        Ok(self.fixed()?.map(f64::from_be_bytes))
    }
    pub fn bool(&mut self) -> anyhow::Result<bool> {
        Ok(self.fixed::<1>()?.context("boolean is null")?[0] != 0)
    }
    /// A date, as PostgreSQL counts days: from 2000-01-01.
    pub fn day(&mut self) -> anyhow::Result<Day> {
        self.i32()
    }
    pub fn day_or_null(&mut self) -> anyhow::Result<Option<Day>> {
        self.i32_or_null()
    }
    pub fn text(&mut self) -> anyhow::Result<&'a str> {
        self.text_or_null()?.context("text is null")
    }
    pub fn text_or_null(&mut self) -> anyhow::Result<Option<&'a str>> {
        self.bytes()?.map(|b| std::str::from_utf8(b).context("text is not UTF-8")).transpose()
    }
}

/// Length of the first complete tuple of `data`; `None` when it is cut off.
fn tuple_len(data: &[u8]) -> Option<usize> {
    let fields = i16::from_be_bytes(*data.first_chunk::<2>()?);
    let mut at = 2;
    for _ in 0..fields.max(0) {
        let len = i32::from_be_bytes(*data.get(at..)?.first_chunk::<4>()?);
        at += 4 + len.max(0) as usize;
    }
    (at <= data.len()).then_some(at)
}

/// Runs the query and hands every row to `each`. Returns how many there were.
pub(super) async fn for_each_row(
    connection: &mut PgConnection,
    query: &str,
    mut each: impl FnMut(&mut Row<'_>) -> anyhow::Result<()>,
) -> Result<u64> {
    let statement = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
    let mut stream = connection.copy_out_raw(&statement).await?;
    let mut pending: Vec<u8> = Vec::new();
    let mut header_seen = false;
    let mut count = 0;
    while let Some(chunk) = stream.try_next().await? {
        // Nearly always a chunk is one row; only a row across chunks is copied together.
        let joined;
        let mut data: &[u8] = if pending.is_empty() {
            &chunk
        } else {
            pending.extend_from_slice(&chunk);
            joined = std::mem::take(&mut pending);
            &joined
        };
        if !header_seen {
            if data.len() < SIGNATURE.len() + 8 {
                pending = data.to_vec();
                continue;
            }
            if !data.starts_with(SIGNATURE) {
                return Err(anyhow::anyhow!("COPY did not begin with its signature").into());
            }
            let extension = &data[SIGNATURE.len() + 4..SIGNATURE.len() + 8];
            let extension =
                u32::from_be_bytes([extension[0], extension[1], extension[2], extension[3]]) as usize;
            data = data.get(SIGNATURE.len() + 8 + extension..).unwrap_or_default();
            header_seen = true;
        }
        while !data.is_empty() {
            if data.starts_with(&[0xff, 0xff]) {
                data = &[];
                break;
            }
            let Some(len) = tuple_len(data) else { break };
            each(&mut Row { rest: &data[2..len] })?;
            count += 1;
            data = &data[len..];
        }
        if !data.is_empty() {
            pending = data.to_vec();
        }
    }
    if !pending.is_empty() {
        return Err(anyhow::anyhow!("COPY ended within a row").into());
    }
    Ok(count)
}
