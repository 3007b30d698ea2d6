//! Certificates for servers in tests, made by openssl: an authority that nobody knows, and
//! what it signs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

const PROGRAM: &str = "/usr/bin/openssl";

/// An authority of its own, which is gone with the value.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

/// A certificate with its key, as files.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub chain: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// Makes one. Blocking.
    pub fn new() -> anyhow::Result<Self> {
        ensure!(
            Path::new(PROGRAM).exists(),
            "no openssl is installed: apt-get install openssl"
        );
        let folder = tempfile::tempdir().context("making a folder for certificates")?;
        let authority = Self { folder };
        let own = authority.certificate("authority");
        openssl(
            &own,
            "Test authority",
            &["-addext", "basicConstraints=critical,CA:TRUE"],
        )?;
        Ok(authority)
    }

    /// The file that whoever is to trust it needs.
    pub fn file(&self) -> PathBuf {
        self.certificate("authority").chain
    }

    /// Signs a certificate for these names, such as `DNS:mail.example` or `IP:127.0.0.1`.
    pub fn sign(&self, names: &str) -> anyhow::Result<Certificate> {
        let (own, new) = (self.certificate("authority"), self.certificate("server"));
        let names = format!("subjectAltName={names}");
        let (chain, key) = (
            own.chain.display().to_string(),
            own.key.display().to_string(),
        );
        let signed = [
            "-CA",
            &chain,
            "-CAkey",
            &key,
            "-addext",
            &names,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ];
        openssl(&new, "Test server", &signed)?;
        Ok(new)
    }

    fn certificate(&self, name: &str) -> Certificate {
        Certificate {
            chain: self.folder.path().join(format!("{name}.pem")),
            key: self.folder.path().join(format!("{name}.key")),
        }
    }
}

fn openssl(made: &Certificate, name: &str, more: &[&str]) -> anyhow::Result<()> {
    let made = Command::new(PROGRAM)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-noenc", "-days", "2", "-subj", &format!("/CN={name}")])
        .arg("-keyout")
        .arg(&made.key)
        .arg("-out")
        .arg(&made.chain)
        .args(more)
        .output()
        .context("running openssl")?;
    let said = String::from_utf8_lossy(&made.stderr);
    ensure!(made.status.success(), "openssl made no certificate: {said}");
    Ok(())
}
