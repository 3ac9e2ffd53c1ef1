//! Rows on their way: from the sandboxed reader through COPY into a temporary table, so that memory
//! does not grow with the file and every check afterwards is one statement over all rows.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sqlx::PgConnection;

use super::ImportOptions;
use super::mapping::{Layer, Template};
use super::source;
use crate::error::Result;
use crate::exchange::gdal::{LayerStream, ReadArguments};

/// Bytes gathered before they are sent to COPY.
const BATCH_BYTES: usize = 1 << 20;

/// Makes the temporary tables of an import.
pub async fn prepare(connection: &mut PgConnection) -> Result<()> {
    for statement in [
        "CREATE TEMP TABLE staged (
           layer integer NOT NULL, row_no integer NOT NULL, cols jsonb NOT NULL, geom geometry,
           id uuid, area_id uuid, refused boolean NOT NULL DEFAULT false,
           PRIMARY KEY (layer, row_no)) ON COMMIT DROP",
        "CREATE TEMP TABLE findings (
           layer integer NOT NULL, row_no integer NOT NULL,
           outcome text NOT NULL CHECK (outcome IN ('refused', 'mended', 'flagged')),
           reason text NOT NULL, was text, became text) ON COMMIT DROP",
        // Ids that sort by time, as everywhere; this version of PostgreSQL has no function for it.
        "CREATE OR REPLACE FUNCTION pg_temp.uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
           SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
             substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
             52, 1), 53, 1), 'hex')::uuid $$",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Reads one layer into `staged`; notes texts that fill their field as probably cut.
pub async fn read(
    connection: &mut PgConnection,
    number: i32,
    layer: &Layer,
    options: &ImportOptions,
    progress: &mut impl FnMut(&str, u64, u64),
) -> Result<()> {
    let file = options.folder.join(&layer.file);
    let file = file.canonicalize().map_err(|e| {
        crate::error::Error::problem(
            crate::error::Code::UnreadableFile,
            format!("找不到文件 {}：{e}", file.display()),
            format!("No file {}: {e}", file.display()),
        )
    })?;
    let arguments =
        ReadArguments { encoding: source::encoding_of(&file, layer)?, file, layer: layer.layer.clone() };
    let mut stream = match &options.reader {
        Some(program) => LayerStream::open_with(program, &arguments).await?,
        None => LayerStream::open(&arguments).await?,
    };
    let srid = source::srid_of(&stream.header, layer)?;
    let names: Vec<&str> = stream.header.fields.iter().map(|f| f.name.as_str()).collect();
    let templates = layer
        .fields
        .iter()
        .map(|(column, text)| Ok((column.clone(), Template::resolve(text, &names)?)))
        .collect::<Result<Vec<_>>>()?;
    // (column, field, width): a text as long as its field was probably cut there.
    let widths: Vec<(String, usize, usize)> = templates
        .iter()
        .filter(|(column, _)| column == "name")
        .filter_map(|(column, t)| {
            let field = t.single_field()?;
            let width = usize::try_from(stream.header.fields[field].width).ok()?;
            (width > 0).then(|| (column.clone(), field, width))
        })
        .collect();
    let total = stream.header.rows;

    let mut cut: Vec<(i32, String)> = Vec::new();
    let mut copy = connection.copy_in_raw("COPY staged (layer, row_no, cols, geom) FROM STDIN").await?;
    let mut batch = String::with_capacity(BATCH_BYTES + 4096);
    let mut count = 0_u64;
    while let Some(row) = stream.next().await? {
        let mut cols = Map::new();
        for (column, template) in &templates {
            cols.insert(column.clone(), template.fill(&row.values).map_or(Value::Null, Value::String));
        }
        for (_, field, width) in &widths {
            if let Some(Some(text)) = row.values.get(*field)
                && text.len() >= *width
            {
                cut.push((i32::try_from(row.row).unwrap_or(i32::MAX), text.clone()));
            }
        }
        write_row(&mut batch, number, row.row, &Value::Object(cols), row.geometry.as_deref());
        count += 1;
        if batch.len() >= BATCH_BYTES {
            copy.send(batch.as_bytes()).await?;
            batch.clear();
            progress(&layer.file, count, total);
        }
    }
    copy.send(batch.as_bytes()).await?;
    copy.finish().await?;
    progress(&layer.file, count, total.max(count));

    for (row, text) in cut {
        sqlx::query("INSERT INTO findings VALUES ($1, $2, 'flagged', 'name_cut', $3, NULL)")
            .bind(number)
            .bind(row)
            .bind(text)
            .execute(&mut *connection)
            .await?;
    }
    settle_geometry(connection, number, srid).await
}

/// Brings geometry to the stored system and refuses rows whose coordinates cannot be on Earth.
async fn settle_geometry(connection: &mut PgConnection, number: i32, srid: i32) -> Result<()> {
    sqlx::query(
        "WITH bad AS (UPDATE staged SET refused = true
           WHERE layer = $1 AND (geom IS NULL OR ST_IsEmpty(geom)) RETURNING row_no)
         INSERT INTO findings SELECT $1, row_no, 'refused', 'geometry_missing', NULL, NULL FROM bad",
    )
    .bind(number)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE staged SET geom = CASE WHEN $2 = 4490 OR $2 = 4326 THEN ST_SetSRID(ST_Force2D(geom), 4490)
             ELSE ST_Transform(ST_SetSRID(ST_Force2D(geom), $2), 4490) END
         WHERE layer = $1 AND NOT refused",
    )
    .bind(number)
    .bind(srid)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "WITH bad AS (UPDATE staged SET refused = true
           WHERE layer = $1 AND NOT refused
             AND NOT (geom && ST_MakeEnvelope(-180, -85, 180, 85, 4490)) RETURNING row_no, ST_AsText(ST_Centroid(geom), 3) AS place)
         INSERT INTO findings SELECT $1, row_no, 'refused', 'coordinates_impossible', place, NULL FROM bad",
    )
    .bind(number)
    .execute(&mut *connection)
    .await?;
    Ok(())
}

/// One line of COPY's text format.
fn write_row(out: &mut String, layer: i32, row: u64, cols: &Value, geometry: Option<&str>) {
    // Writing to a String cannot fail.
    let _ = write!(out, "{layer}\t{row}\t");
    for c in cols.to_string().chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('\t');
    out.push_str(geometry.unwrap_or("\\N"));
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_lines_escape_what_copy_would_misread() {
        let mut out = String::new();
        write_row(&mut out, 0, 7, &serde_json::json!({"name": "a\tb\\c\n"}), None);
        assert_eq!(out, "0\t7\t{\"name\":\"a\\\\tb\\\\\\\\c\\\\n\"}\t\\N\n");
    }
}
