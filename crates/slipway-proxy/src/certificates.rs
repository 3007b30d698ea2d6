//! Certificates from files, and which of them a client gets: the first that is valid for the
//! name that it asks for, else the first of all. They are read anew when a file changes; what
//! cannot be read then changes nothing, and no connection notices either.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio_rustls::rustls;

use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::options::CertificateFiles;

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("no certificate is named")]
    None,
    #[error("the file {file} cannot be read: {reason}")]
    File { file: String, reason: String },
    #[error("the certificate {file} cannot be used: {source}")]
    Unusable { file: String, source: rustls::Error },
}

/// What tells one content of a file from the next without reading it: a file that is written
/// anew or put in place of another has another of these.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    seconds: i64,
    nanoseconds: i64,
}

/// The certificates that are served.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: Vec<CertificateFiles>,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<Vec<Arc<CertifiedKey>>>,
    /// Of the files as they were read last, whatever came of it.
    stamps: Mutex<Vec<Option<Stamp>>>,
}

impl Certificates {
    /// Reads all of them. Blocking.
    pub(crate) fn load(
        files: Vec<CertificateFiles>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, CertificateError> {
        // Before the files are read, so that a change in between is noticed later.
        let stamps = stamps(&files);
        let keys = read_all(&files, provider)?;
        Ok(Self {
            files,
            provider: Arc::clone(provider),
            current: ArcSwap::from_pointee(keys),
            stamps: Mutex::new(stamps),
        })
    }

    /// Reads them anew if a file changed; whether that was so. Where one cannot be used, all
    /// stay as they are, and it is tried again when a file changes again. Blocking.
    pub(crate) fn refresh(&self) -> Result<bool, CertificateError> {
        let now = stamps(&self.files);
        let mut before = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == now {
            return Ok(false);
        }
        *before = now;
        drop(before);
        let keys = read_all(&self.files, &self.provider)?;
        self.current.store(Arc::new(keys));
        Ok(true)
    }

    /// The certificate for a name.
    fn choose(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.load();
        let name = name.and_then(|name| ServerName::try_from(name).ok());
        let fitting = name.and_then(|name| current.iter().find(|key| is_for(key, &name)));
        fitting.or_else(|| current.first()).map(Arc::clone)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name())
    }
}

fn is_for(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = key.end_entity_cert().and_then(ParsedCertificate::try_from);
    parsed.is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
}

fn read_all(
    files: &[CertificateFiles],
    provider: &CryptoProvider,
) -> Result<Vec<Arc<CertifiedKey>>, CertificateError> {
    if files.is_empty() {
        return Err(CertificateError::None);
    }
    files.iter().map(|pair| read(pair, provider)).collect()
}

fn read(
    pair: &CertificateFiles,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, CertificateError> {
    let chain = CertificateDer::pem_file_iter(&pair.chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(&pair.chain, &error))?;
    if chain.is_empty() {
        return Err(unreadable(&pair.chain, &"it holds no certificate"));
    }
    let key =
        PrivateKeyDer::from_pem_file(&pair.key).map_err(|error| unreadable(&pair.key, &error))?;
    CertifiedKey::from_der(chain, key, provider)
        .map(Arc::new)
        .map_err(|source| CertificateError::Unusable {
            file: pair.chain.display().to_string(),
            source,
        })
}

fn unreadable(file: &Path, reason: &dyn std::fmt::Display) -> CertificateError {
    CertificateError::File {
        file: file.display().to_string(),
        reason: reason.to_string(),
    }
}

fn stamps(files: &[CertificateFiles]) -> Vec<Option<Stamp>> {
    files
        .iter()
        .flat_map(|pair| [stamp(&pair.chain).ok(), stamp(&pair.key).ok()])
        .collect()
}

fn stamp(file: &Path) -> io::Result<Stamp> {
    let found = fs::metadata(file)?;
    Ok(Stamp {
        inode: found.ino(),
        bytes: found.len(),
        seconds: found.mtime(),
        nanoseconds: found.mtime_nsec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::certificate::Authority;

    fn files(certificate: &testkit::certificate::Certificate) -> CertificateFiles {
        CertificateFiles {
            chain: certificate.chain.clone(),
            key: certificate.key.clone(),
        }
    }

    fn ring() -> Arc<CryptoProvider> {
        Arc::new(rustls::crypto::ring::default_provider())
    }

    /// Two certificates of an authority each, because one authority overwrites its files.
    fn two() -> (Authority, Authority, Certificates) {
        let (first, second) = (Authority::new().unwrap(), Authority::new().unwrap());
        let a = first.sign("DNS:a.test,DNS:*.wild.test").unwrap();
        let b = second.sign("DNS:b.test").unwrap();
        let loaded = Certificates::load(vec![files(&a), files(&b)], &ring()).unwrap();
        (first, second, loaded)
    }

    fn place(certificates: &Certificates, name: Option<&str>) -> usize {
        let chosen = certificates.choose(name).unwrap();
        let current = certificates.current.load();
        current
            .iter()
            .position(|k| Arc::ptr_eq(k, &chosen))
            .unwrap()
    }

    #[test]
    fn a_name_gets_the_certificate_that_is_valid_for_it() {
        let (_first, _second, certificates) = two();
        for (name, expected) in [
            (Some("a.test"), 0),
            (Some("x.wild.test"), 0),
            (Some("b.test"), 1),
            (Some("B.TEST"), 1),
            (Some("nobody.test"), 0),
            (Some("not a name"), 0),
            (None, 0),
        ] {
            assert_eq!(place(&certificates, name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_changed_file_is_read_anew_and_a_bad_one_changes_nothing() {
        let (first, _second, certificates) = two();
        assert!(!certificates.refresh().unwrap());
        let before = certificates.choose(None).unwrap();
        let files = files(&first.sign("DNS:new.test").unwrap());
        assert!(certificates.refresh().unwrap());
        assert!(!Arc::ptr_eq(&before, &certificates.choose(None).unwrap()));
        assert_eq!(place(&certificates, Some("new.test")), 0);
        // Half written, as it is between two files of one pair.
        fs::write(&files.chain, b"-----BEGIN CERTIFICATE-----\n").unwrap();
        let said = certificates.refresh().unwrap_err().to_string();
        assert!(said.contains("cannot be"), "{said}");
        assert_eq!(place(&certificates, Some("new.test")), 0);
        // The same once more is no news.
        assert!(!certificates.refresh().unwrap());
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (first, second) = (Authority::new().unwrap(), Authority::new().unwrap());
        let (a, b) = (
            first.sign("DNS:a.test").unwrap(),
            second.sign("DNS:b.test").unwrap(),
        );
        let mixed = CertificateFiles {
            chain: a.chain,
            key: b.key,
        };
        let said = Certificates::load(vec![mixed], &ring()).unwrap_err();
        assert!(matches!(said, CertificateError::Unusable { .. }), "{said}");
    }
}
