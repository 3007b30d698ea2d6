//! Certificates from files, and which of them a client gets: the first that is valid for the
//! name that it asks for, else the first of all. They are read anew when a file changes; what
//! cannot be read then changes nothing, and no connection notices either.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
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

use crate::challenges::{self, Shown};
use crate::options::CertificateFiles;

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// There is none.
    #[error("no certificate is named")]
    None,
    /// A file cannot be read, or does not hold what it should.
    #[error("the file {} cannot be read: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// It fits no key, or is of a kind that is not spoken here.
    #[error("the certificate {} cannot be used", file.display())]
    Unusable {
        /// The file of the certificate.
        file: PathBuf,
        /// What is wrong.
        #[source]
        source: rustls::Error,
    },
}

impl CertificateError {
    /// The error with its cause, in one line.
    pub fn words(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

/// Whether a proxy could serve these certificates; if not, which file is in the way and why.
/// Blocking.
pub fn check_certificates(files: &[CertificateFiles]) -> Result<(), CertificateError> {
    read_all(files, &rustls::crypto::ring::default_provider()).map(drop)
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
    /// Those that need not be there yet.
    awaited: Vec<CertificateFiles>,
    challenges: Arc<Shown>,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<Vec<Arc<CertifiedKey>>>,
    /// Of the files as they were read last, whatever came of it.
    stamps: Mutex<Vec<Option<Stamp>>>,
    /// Why those that were read last are not served.
    problem: Mutex<Option<String>>,
}

impl Certificates {
    /// Reads all of them. Blocking.
    pub(crate) fn load(
        (files, awaited): (Vec<CertificateFiles>, Vec<CertificateFiles>),
        provider: &Arc<CryptoProvider>,
        challenges: Arc<Shown>,
    ) -> Result<Self, CertificateError> {
        // Before the files are read, so that a change in between is noticed later.
        let stamps = stamps(files.iter().chain(&awaited));
        let mut keys = read_named(&files, &awaited, provider)?;
        let mut problem = None;
        match read_awaited(&awaited, provider) {
            Ok(more) => keys.extend(more),
            // Whoever fetches them will fetch them again: no reason not to begin.
            Err(error) => problem = Some(error.words()),
        }
        Ok(Self {
            files,
            awaited,
            challenges,
            provider: Arc::clone(provider),
            current: ArcSwap::from_pointee(keys),
            stamps: Mutex::new(stamps),
            problem: Mutex::new(problem),
        })
    }

    /// Reads them anew if a file changed; whether that was so. Where one cannot be used, all
    /// stay as they are, and it is tried again when a file changes again. Blocking.
    pub(crate) fn refresh(&self) -> Result<bool, CertificateError> {
        let now = stamps(self.files.iter().chain(&self.awaited));
        let mut before = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == now {
            return Ok(false);
        }
        *before = now;
        drop(before);
        let read = self.read();
        let mut problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        *problem = read.as_ref().err().map(CertificateError::words);
        self.current.store(Arc::new(read?));
        Ok(true)
    }

    /// Whether there is one at all.
    pub(crate) fn is_any(&self) -> bool {
        !self.current.load().is_empty()
    }

    fn read(&self) -> Result<Vec<Arc<CertifiedKey>>, CertificateError> {
        let mut keys = read_named(&self.files, &self.awaited, &self.provider)?;
        keys.extend(read_awaited(&self.awaited, &self.provider)?);
        Ok(keys)
    }

    /// Why those that were read last are not served, but those before.
    pub(crate) fn problem(&self) -> Option<String> {
        let problem = self.problem.lock();
        problem.unwrap_or_else(PoisonError::into_inner).clone()
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
        if challenges::looks(&hello) {
            return self.challenges.certificate(&hello);
        }
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

/// Those that must be there: at least one, where none is awaited.
fn read_named(
    files: &[CertificateFiles],
    awaited: &[CertificateFiles],
    provider: &CryptoProvider,
) -> Result<Vec<Arc<CertifiedKey>>, CertificateError> {
    if files.is_empty() && !awaited.is_empty() {
        return Ok(Vec::new());
    }
    read_all(files, provider)
}

/// Those whose files are both there.
fn read_awaited(
    files: &[CertificateFiles],
    provider: &CryptoProvider,
) -> Result<Vec<Arc<CertifiedKey>>, CertificateError> {
    let is_there = |pair: &&CertificateFiles| pair.chain.exists() && pair.key.exists();
    let there = files.iter().filter(is_there);
    there.map(|pair| read(pair, provider)).collect()
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
            file: pair.chain.clone(),
            source,
        })
}

fn unreadable(file: &Path, reason: &dyn std::fmt::Display) -> CertificateError {
    CertificateError::File {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}

fn stamps<'a>(files: impl Iterator<Item = &'a CertificateFiles>) -> Vec<Option<Stamp>> {
    files
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

    fn load(
        files: Vec<CertificateFiles>,
        awaited: Vec<CertificateFiles>,
    ) -> Result<Certificates, CertificateError> {
        Certificates::load((files, awaited), &ring(), Arc::default())
    }

    /// Two certificates of an authority each, because one authority overwrites its files.
    fn two() -> (Authority, Authority, Certificates) {
        let (first, second) = (Authority::new().unwrap(), Authority::new().unwrap());
        let a = first.sign("DNS:a.test,DNS:*.wild.test").unwrap();
        let b = second.sign("DNS:b.test").unwrap();
        let loaded = load(vec![files(&a), files(&b)], Vec::new()).unwrap();
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
        // The same once more is no news, and still a problem.
        assert!(!certificates.refresh().unwrap());
        let problem = certificates.problem().unwrap();
        assert!(problem.contains("server.pem"), "{problem}");
        first.sign("DNS:newer.test").unwrap();
        assert!(certificates.refresh().unwrap());
        assert_eq!(certificates.problem(), None);
    }

    #[test]
    fn one_that_is_awaited_is_served_when_it_is_there() {
        let authority = Authority::new().unwrap();
        let awaited = files(&authority.sign("DNS:a.test").unwrap());
        let aside = awaited.chain.with_extension("aside");
        fs::rename(&awaited.chain, &aside).unwrap();
        assert!(matches!(
            load(Vec::new(), Vec::new()),
            Err(CertificateError::None)
        ));
        let certificates = load(Vec::new(), vec![awaited.clone()]).unwrap();
        assert!(!certificates.is_any() && certificates.choose(None).is_none());
        assert!(!certificates.refresh().unwrap());
        fs::rename(&aside, &awaited.chain).unwrap();
        assert!(certificates.refresh().unwrap());
        assert_eq!(place(&certificates, Some("a.test")), 0);
        // One that cannot be read is no reason not to begin.
        fs::write(&awaited.chain, "nonsense").unwrap();
        let certificates = load(Vec::new(), vec![awaited]).unwrap();
        assert!(!certificates.is_any() && certificates.problem().is_some());
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
        let said = load(vec![mixed], Vec::new()).unwrap_err();
        assert!(matches!(said, CertificateError::Unusable { .. }), "{said}");
    }
}
