//! TLS of the server: a certificate of one's own, or one from a local authority for an intranet.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// Reads certificate and key, and offers HTTP/2 before HTTP/1.1.
pub fn acceptor(files: &TlsFiles) -> anyhow::Result<TlsAcceptor> {
    Ok(TlsAcceptor::from(Arc::new(server_config(files)?)))
}

/// The rustls configuration of these files. Fails with the file's name when one cannot be read,
/// is empty, or key and certificate do not belong together.
pub fn server_config(files: &TlsFiles) -> anyhow::Result<ServerConfig> {
    let chain = read(&files.cert, |pem| {
        CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(anyhow::Error::from)
    })?;
    if chain.is_empty() {
        bail!("{0} 中没有证书。\n{0} holds no certificate", files.cert.display());
    }
    let key = read(&files.key, |pem| PrivateKeyDer::from_pem_slice(pem).map_err(anyhow::Error::from))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| {
            format!(
                "证书 {} 和私钥 {} 不配套。\nCertificate and key do not belong together",
                files.cert.display(),
                files.key.display()
            )
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn read<T>(path: &Path, parse: impl Fn(&[u8]) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let place = || format!("读不了 {0}。\nCannot read {0}", path.display());
    let pem = std::fs::read(path).with_context(place)?;
    parse(&pem).with_context(place)
}
