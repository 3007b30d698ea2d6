//! What is kept about certificates that are fetched: the account at the authority, the certificate
//! with its key in one file, so that neither is ever seen without the other, and what came of the
//! last attempts. Every file has mode 0600.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use instant_acme::{Account, AccountCredentials, NewAccount};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use slipway_proxy::CertificateFiles;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use crate::acme::due::Validity;
use crate::acme::https::Https;
use crate::environment::AcmeSettings;

const MODE: u32 = 0o600;
/// More than a chain of certificates, its key and an account take, bytes.
const ROOM: usize = 64 * 1024;

/// The folder of it.
#[derive(Debug, Clone)]
pub(crate) struct Shelf(pub(crate) PathBuf);

/// What came of the last attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The names that the certificate is for.
    #[serde(default)]
    pub(crate) names: Vec<String>,
    /// The authority that signed it.
    #[serde(default)]
    pub(crate) directory: String,
    /// Failures in a row.
    #[serde(default)]
    pub(crate) failures: u32,
    /// Nothing is asked for before.
    #[serde(default)]
    pub(crate) not_before: Option<Timestamp>,
    /// By which settings the last attempt was made.
    #[serde(default)]
    pub(crate) tried: String,
    /// Why the last attempt failed.
    #[serde(default)]
    pub(crate) problem: Option<String>,
}

/// An account, and whose it is.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    credentials: AccountCredentials,
}

/// A certificate as it was signed, PEM.
pub(crate) struct Signed {
    pub(crate) chain: String,
    pub(crate) key: String,
}

impl Record {
    /// Before when nothing is asked for by these settings. Who corrected them does not wait for
    /// what was wrong with others.
    pub(crate) fn rests(&self, settings: &str) -> Option<Timestamp> {
        self.not_before.filter(|_| self.tried == settings)
    }
}

impl Shelf {
    /// The files that the proxy is to serve, once they are there.
    pub(crate) fn files(&self) -> CertificateFiles {
        CertificateFiles {
            chain: self.certificate(),
            key: self.certificate(),
        }
    }

    fn certificate(&self) -> PathBuf {
        self.0.join("certificate.pem")
    }

    /// What came of the last attempts; nothing where it cannot be read.
    pub(crate) fn record(&self) -> Record {
        let read = fs::read(self.0.join("record.json")).ok();
        read.and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    pub(crate) async fn remember(&self, record: Record) -> anyhow::Result<()> {
        self.write("record.json", serde_json::to_vec(&record)?)
            .await
    }

    /// From when on and until when the certificate is good; none where there is none.
    pub(crate) fn validity(&self) -> Option<Validity> {
        let certificate = CertificateDer::from_pem_file(self.certificate()).ok()?;
        let certificate = Certificate::from_der(&certificate).ok()?;
        let validity = certificate.tbs_certificate().validity();
        let at = |since: Duration| Timestamp::new(i64::try_from(since.as_secs()).ok()?, 0).ok();
        Some(Validity {
            not_before: at(validity.not_before.to_unix_duration())?,
            not_after: at(validity.not_after.to_unix_duration())?,
        })
    }

    /// Whether a certificate could be kept, and an account: fails where not.
    pub(crate) async fn probe(&self) -> anyhow::Result<()> {
        for path in [self.certificate(), self.0.join("account.json")] {
            let is_in_the_way = path.is_dir();
            anyhow::ensure!(!is_in_the_way, "{} is a folder", path.display());
        }
        self.write("room", vec![0; ROOM]).await?;
        let room = self.0.join("room");
        let gone = tokio::fs::remove_file(&room).await;
        gone.with_context(|| format!("removing {}", room.display()))
    }

    pub(crate) async fn keep(&self, signed: Signed) -> anyhow::Result<()> {
        let both = format!("{}\n{}\n", signed.chain.trim_end(), signed.key.trim_end());
        self.write("certificate.pem", both.into_bytes()).await
    }

    /// The account at the authority; a new one where there is none yet.
    pub(crate) async fn account(
        &self,
        settings: &AcmeSettings,
        https: Https,
    ) -> anyhow::Result<Account> {
        let builder = Account::builder_with_http(Box::new(https));
        if let Some(kept) = self.kept_account()?
            && kept.directory == settings.directory
        {
            let account = builder.from_credentials(kept.credentials).await;
            return account.context("asking the authority what it offers");
        }
        let contact = settings.contact.as_ref().map(|to| format!("mailto:{to}"));
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let (account, credentials) = builder
            .create(&new, settings.directory.clone(), None)
            .await
            .context("making an account at the authority")?;
        let directory = settings.directory.clone();
        let kept = Kept {
            directory,
            credentials,
        };
        self.write("account.json", serde_json::to_vec(&kept)?)
            .await?;
        Ok(account)
    }

    fn kept_account(&self) -> anyhow::Result<Option<Kept>> {
        let path = self.0.join("account.json");
        let context = || format!("reading {}", path.display());
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(context)
                .map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(context),
        }
    }

    /// The authority does not know it any more.
    pub(crate) async fn forget_account(&self) -> anyhow::Result<()> {
        let path = self.0.join("account.json");
        match tokio::fs::remove_file(&path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    async fn write(&self, name: &str, content: Vec<u8>) -> anyhow::Result<()> {
        let (folder, path) = (self.0.clone(), self.0.join(name));
        let shown = path.display().to_string();
        let write = move || {
            fs::create_dir_all(folder)?;
            chassis::durable::replace(&path, &content, MODE)
        };
        tokio::task::spawn_blocking(write)
            .await?
            .with_context(|| format!("writing {shown}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_corrected_the_settings_waits_for_nothing() {
        let record = Record {
            not_before: Some(Timestamp::UNIX_EPOCH),
            tried: "these".to_owned(),
            ..Record::default()
        };
        assert_eq!(record.rests("these"), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(record.rests("others"), None);
    }
}
