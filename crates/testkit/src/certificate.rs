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

/// From when on and until when a certificate is good, as `20261127160000Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// From when on.
    pub from: String,
    /// Until when.
    pub until: String,
}

/// Every request is signed for, with the names that it has.
const SIGNING: &str = "\
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = optional
";

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

    /// Signs what somebody asked for (PKCS #10, DER); gives the certificate, PEM. Blocking.
    pub fn sign_request(&self, request: &[u8], term: &Term) -> anyhow::Result<String> {
        let (own, folder) = (self.certificate("authority"), self.folder.path());
        let asked = folder.join("request.der");
        std::fs::write(&asked, request).context("writing a request")?;
        std::fs::write(folder.join("index.txt"), "").context("writing an index")?;
        let rules = folder.join("authority.cnf");
        std::fs::write(&rules, SIGNING).context("writing how it is signed")?;
        let signed = Command::new(PROGRAM)
            .args(["ca", "-batch", "-notext", "-inform", "DER"])
            .args(["-startdate", &term.from, "-enddate", &term.until])
            .args(["-config".as_ref(), rules.as_os_str()])
            .args(["-cert".as_ref(), own.chain.as_os_str()])
            .args(["-keyfile".as_ref(), own.key.as_os_str()])
            .args(["-in".as_ref(), asked.as_os_str()])
            .current_dir(folder)
            .output()
            .context("running openssl")?;
        let said = String::from_utf8_lossy(&signed.stderr);
        ensure!(signed.status.success(), "openssl signed nothing: {said}");
        Ok(String::from_utf8(signed.stdout)?)
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
