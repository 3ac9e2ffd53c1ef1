//! 审计: verifying the chain (offline, too), exporting it, and signing where it stands.
//!
//! Whoever owns the database can rewrite a chain and its head together. A checkpoint is signed
//! with a key that the database does not have, and kept elsewhere: from then on the chain up to
//! there cannot be rewritten without showing.

use std::io::{BufRead, Write};

use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier as _, VerifyingKey};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};

use crate::db::audit;
use crate::domain::audit_chain::{Break, Entry, Head, Summary, Verifier};

/// What [`verify`] found: everything whole, or the first break of each broken chain.
pub type Finding = Result<Summary, Vec<Break>>;

/// First line of what a checkpoint's signature covers.
const FORMAT: &str = "cuntong-audit-checkpoint-1";

/// One line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Entry { chain: String, seq: i64, recorded_at: String, body: String, prev_hash: String, hash: String },
    Head { head: String, seq: i64, hash: String },
}

/// Recomputes every chain in the database, all as of one moment.
pub async fn verify(db: &mut PgConnection, signed: Vec<Head>) -> anyhow::Result<Finding> {
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut verifier = Verifier::new(signed);
    {
        let mut entries = std::pin::pin!(audit::entries(&mut tx));
        while let Some(entry) = entries.try_next().await? {
            verifier.entry(&entry);
        }
    }
    let heads = audit::heads(&mut tx).await?;
    tx.rollback().await?;
    Ok(verifier.finish(heads))
}

/// Recomputes every chain in an export, without any database.
pub fn verify_export(export: impl BufRead, signed: Vec<Head>) -> anyhow::Result<Finding> {
    let mut verifier = Verifier::new(signed);
    let mut heads = Vec::new();
    for (number, line) in export.lines().enumerate() {
        let line = line?;
        let read: Line = serde_json::from_str(&line)
            .with_context(|| format!("第 {0} 行无法读取 line {0} cannot be read", number + 1))?;
        match read {
            Line::Entry { chain, seq, recorded_at, body, prev_hash, hash } => verifier.entry(&Entry {
                chain,
                seq,
                recorded_at,
                body,
                // What is not hexadecimal is no hash: it will not fit.
                prev_hash: hex::decode(prev_hash).unwrap_or_default(),
                hash: hex::decode(hash).unwrap_or_default(),
            }),
            Line::Head { head, seq, hash } => {
                heads.push(Head { chain: head, seq, hash: hex::decode(hash).unwrap_or_default() });
            }
        }
    }
    Ok(verifier.finish(heads))
}

/// Writes every chain and then the heads, one JSON object a line. Returns the number of entries.
pub async fn export(db: &mut PgConnection, mut out: impl Write) -> anyhow::Result<u64> {
    let mut tx = db.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut count = 0;
    {
        let mut entries = std::pin::pin!(audit::entries(&mut tx));
        while let Some(entry) = entries.try_next().await? {
            let Entry { chain, seq, recorded_at, body, prev_hash, hash } = entry;
            let (prev_hash, hash) = (hex::encode(prev_hash), hex::encode(hash));
            let line = Line::Entry { chain, seq, recorded_at, body, prev_hash, hash };
            writeln!(out, "{}", serde_json::to_string(&line)?)?;
            count += 1;
        }
    }
    for Head { chain, seq, hash } in audit::heads(&mut tx).await? {
        let line = Line::Head { head: chain, seq, hash: hex::encode(hash) };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    tx.rollback().await?;
    out.flush()?;
    Ok(count)
}

/// Where every chain stood at a moment, signed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    format: String,
    at: String,
    heads: Vec<SignedHead>,
    public_key: String,
    /// Ed25519 over [`FORMAT`], `at`, and `chain seq hash` of every head, each with a line feed.
    signature: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct SignedHead {
    chain: String,
    seq: i64,
    hash: String,
}

impl Checkpoint {
    fn message(&self) -> String {
        let mut text = format!("{}\n{}\n", self.format, self.at);
        for SignedHead { chain, seq, hash } in &self.heads {
            text.push_str(&format!("{chain} {seq} {hash}\n"));
        }
        text
    }

    /// Number of chains.
    pub fn chains(&self) -> usize {
        self.heads.len()
    }

    /// The heads, if the signature is the key's.
    ///
    /// # Errors
    /// When it is not, or the checkpoint is not one of ours.
    pub fn open(&self, key: &VerifyingKey) -> anyhow::Result<Vec<Head>> {
        if self.format != FORMAT {
            bail!("不是审计检查点。 Not an audit checkpoint.");
        }
        let signature = hex::decode(&self.signature)
            .ok()
            .and_then(|bytes| Signature::from_slice(&bytes).ok())
            .filter(|signature| key.verify(self.message().as_bytes(), signature).is_ok());
        if signature.is_none() {
            bail!(
                "检查点的签名不符：文件被改过，或公钥不对。 The checkpoint's signature does not fit: changed, or another key."
            );
        }
        self.heads
            .iter()
            .map(|h| Ok(Head { chain: h.chain.clone(), seq: h.seq, hash: hex::decode(&h.hash)? }))
            .collect()
    }
}

/// Signs where every chain stands, after verifying that all are whole: nobody should sign a
/// broken chain by routine.
///
/// # Errors
/// The first break, as an error.
pub async fn checkpoint(
    db: &mut PgConnection,
    key: &SigningKey,
    now: DateTime<Utc>,
) -> anyhow::Result<Checkpoint> {
    if let Err(breaks) = verify(db, Vec::new()).await? {
        let first = breaks.first().map(|b| format!("{} 第 {} 条：{}", b.chain, b.seq, b.zh));
        bail!(
            "审计链不完整，未签名。 The chain is broken, nothing was signed: {}",
            first.unwrap_or_default()
        );
    }
    let heads = audit::heads(db).await?;
    let mut checkpoint = Checkpoint {
        format: FORMAT.to_owned(),
        at: now.to_rfc3339_opts(SecondsFormat::Secs, true),
        heads: heads
            .into_iter()
            .map(|h| SignedHead { chain: h.chain, seq: h.seq, hash: hex::encode(h.hash) })
            .collect(),
        public_key: hex::encode(key.verifying_key().as_bytes()),
        signature: String::new(),
    };
    checkpoint.signature = hex::encode(key.sign(checkpoint.message().as_bytes()).to_bytes());
    Ok(checkpoint)
}

/// A signing key of 32 random bytes.
pub fn new_key() -> SigningKey {
    let mut seed = [0_u8; 32];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut seed);
    SigningKey::from_bytes(&seed)
}

/// Reads 32 bytes in hexadecimal.
fn key_bytes(text: &str) -> anyhow::Result<[u8; 32]> {
    hex::decode(text.trim())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| anyhow!("密钥须为 64 位十六进制数。 A key is 64 hexadecimal digits."))
}

/// The signing key in a key file's text.
pub fn read_key(text: &str) -> anyhow::Result<SigningKey> {
    Ok(SigningKey::from_bytes(&key_bytes(text)?))
}

/// The public key in hexadecimal.
pub fn read_public_key(text: &str) -> anyhow::Result<VerifyingKey> {
    Ok(VerifyingKey::from_bytes(&key_bytes(text)?)?)
}
