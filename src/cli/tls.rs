//! `cuntong tls`: certificates for an intranet without a public authority.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// `cuntong tls …`
#[derive(Debug, Subcommand)]
pub enum Tls {
    /// 建立本地证书颁发机构，并签发服务器证书。 Make a local authority and a server certificate
    MakeLocal(MakeLocal),
}

/// 为内网建立证书：ca.crt 装到各台电脑，server.crt 和 server.key 交给 serve。
///
/// Makes a local authority (kept if it is there) and a certificate for this server. Install ca.crt
/// on the computers of the intranet, give server.crt and server.key to `cuntong serve`, and keep
/// ca.key away from the server. See docs/operators/tls.md.
#[derive(Debug, Args)]
pub struct MakeLocal {
    /// 服务器的域名或 IP，可重复。 Name or address that browsers use; may be repeated
    #[arg(long, value_name = "NAME", required = true)]
    host: Vec<String>,
    /// 输出目录。 Where the files go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Browsers refuse server certificates that live longer than 825 days.
const SERVER_DAYS: i64 = 825;
const AUTHORITY_DAYS: i64 = 3650;

impl Tls {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::MakeLocal(command) => command.run(),
        }
    }
}

impl MakeLocal {
    fn run(self) -> anyhow::Result<()> {
        fs::create_dir_all(&self.out).with_context(|| format!("{}", self.out.display()))?;
        let place = |name: &str| self.out.join(name);
        let made = !place("ca.key").exists();
        let (ca_params, ca_key) = if made {
            let key = KeyPair::generate()?;
            let params = authority()?;
            write_private(&place("ca.key"), &key.serialize_pem())?;
            fs::write(place("ca.crt"), params.self_signed(&key)?.pem())?;
            (params, key)
        } else {
            if !place("ca.crt").exists() {
                bail!("{0} 中有 ca.key 却没有 ca.crt。\n{0} holds ca.key but no ca.crt", self.out.display());
            }
            // The name is what links a certificate to its authority, and ours is always the same.
            (authority()?, KeyPair::from_pem(&fs::read_to_string(place("ca.key"))?)?)
        };
        let issuer = Issuer::new(ca_params, ca_key);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.host.clone())
            .context("域名或 IP 写错了。\nThe host is not a name or an address")?;
        params.distinguished_name.push(DnType::CommonName, self.host[0].clone());
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        validity(&mut params, SERVER_DAYS)?;
        let certificate = params.signed_by(&key, &issuer)?;
        write_private(&place("server.key"), &key.serialize_pem())?;
        fs::write(place("server.crt"), certificate.pem())?;
        let out = self.out.display();
        println!(
            "{}\n  {out}/server.crt  {out}/server.key\n\n\
             启动 Serve:  cuntong serve --listen 0.0.0.0:443 --tls-cert {out}/server.crt --tls-key {out}/server.key\n\
             把 ca.crt 装到各台电脑的“受信任的根证书颁发机构”；ca.key 请离线保存。\n\
             Install ca.crt as a trusted root on the computers; keep ca.key away from the server.",
            if made {
                format!("已建立本地颁发机构 Made a local authority: {out}/ca.crt  {out}/ca.key")
            } else {
                format!("沿用本地颁发机构 Using the local authority: {out}/ca.crt")
            }
        );
        Ok(())
    }
}

fn authority() -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name.push(DnType::CommonName, "Cuntong local authority");
    params.distinguished_name.push(DnType::OrganizationName, "Cuntong");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params, AUTHORITY_DAYS)?;
    Ok(params)
}

/// Valid from a day ago, for clocks that are late, for so many days.
fn validity(params: &mut CertificateParams, days: i64) -> anyhow::Result<()> {
    use chrono::Datelike;
    let today = crate::clock::Clock::default().now().date_naive();
    let date = |offset: i64| -> anyhow::Result<_> {
        let day = today
            .checked_add_signed(chrono::TimeDelta::days(offset))
            .context("the clock of this machine is out of range")?;
        Ok(rcgen::date_time_ymd(day.year(), day.month() as u8, day.day() as u8))
    };
    params.not_before = date(-1)?;
    params.not_after = date(days)?;
    Ok(())
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(())
}
