//! What an authority of certificates asks to see before it believes that a name is ours: an
//! answer over plain HTTP (RFC 8555 §8.3), or a certificate for one protocol of TLS (RFC 8737).
//! Kept in memory alone: they are worth something for minutes, and whoever asked for them gives
//! them again.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;

/// Where the authority looks, before the token.
const PLACE: &str = "/.well-known/acme-challenge/";
/// The protocol in which it looks for a certificate.
pub(crate) const PROTOCOL: &[u8] = b"acme-tls/1";

/// What is shown to an authority. A new value takes the place of the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenges {
    /// Answers over plain HTTP, by token.
    #[serde(default)]
    pub http: BTreeMap<String, String>,
    /// Certificates, by name in lower case.
    #[serde(default)]
    pub tls: BTreeMap<String, TlsChallenge>,
}

/// A certificate that shows that a name is ours, PEM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsChallenge {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl fmt::Debug for TlsChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsChallenge").finish_non_exhaustive()
    }
}

/// What is shown now.
#[derive(Debug, Default)]
pub(crate) struct Shown(ArcSwap<Ready>);

#[derive(Debug, Default)]
struct Ready {
    http: HashMap<String, Bytes>,
    tls: HashMap<String, Arc<CertifiedKey>>,
}

impl Shown {
    /// Shows these, and no others; why not, where one cannot be shown.
    pub(crate) fn show(&self, challenges: Challenges) -> Result<(), String> {
        let mut ready = Ready::default();
        for (token, answer) in challenges.http {
            ready.http.insert(token, Bytes::from(answer));
        }
        for (name, challenge) in challenges.tls {
            let key = certified(&challenge).map_err(|reason| format!("{name}: {reason}"))?;
            ready.tls.insert(name, Arc::new(key));
        }
        self.0.store(Arc::new(ready));
        Ok(())
    }

    /// The answer at a path, where it is that of a challenge.
    pub(crate) fn answer(&self, path: &str) -> Option<Bytes> {
        let token = path.strip_prefix(PLACE)?;
        self.0.load().http.get(token).cloned()
    }

    /// The certificate for whoever looks for one.
    pub(crate) fn certificate(&self, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        self.0.load().tls.get(&name).cloned()
    }
}

/// Whether somebody shakes hands only to look for such a certificate.
pub(crate) fn looks(hello: &ClientHello<'_>) -> bool {
    let Some(mut protocols) = hello.alpn() else {
        return false;
    };
    protocols.next() == Some(PROTOCOL) && protocols.next().is_none()
}

fn certified(challenge: &TlsChallenge) -> Result<CertifiedKey, String> {
    let certificate = CertificateDer::from_pem_slice(challenge.certificate.as_bytes())
        .map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(challenge.key.as_bytes())
        .map_err(|error| error.to_string())?;
    let provider = ring::default_provider();
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|error| error.to_string())?;
    Ok(CertifiedKey::new(vec![certificate], key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_at_its_token_and_nowhere_else() {
        let shown = Shown::default();
        let http = BTreeMap::from([("abc".to_owned(), "abc.key".to_owned())]);
        let tls = BTreeMap::new();
        shown.show(Challenges { http, tls }).unwrap();
        for (path, expected) in [
            ("/.well-known/acme-challenge/abc", Some("abc.key")),
            ("/.well-known/acme-challenge/abcd", None),
            ("/.well-known/acme-challenge/", None),
            ("/abc", None),
        ] {
            let found = shown.answer(path);
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{path}");
        }
        shown.show(Challenges::default()).unwrap();
        assert_eq!(shown.answer("/.well-known/acme-challenge/abc"), None);
    }

    #[test]
    fn what_is_no_certificate_changes_nothing() {
        let shown = Shown::default();
        let http = BTreeMap::from([("abc".to_owned(), "abc.key".to_owned())]);
        shown
            .show(Challenges {
                http,
                ..Challenges::default()
            })
            .unwrap();
        let odd = TlsChallenge {
            certificate: "none".to_owned(),
            key: "none".to_owned(),
        };
        let tls = BTreeMap::from([("a.test".to_owned(), odd)]);
        let refused = shown.show(Challenges {
            tls,
            ..Challenges::default()
        });
        assert!(refused.unwrap_err().starts_with("a.test: "));
        assert!(shown.answer("/.well-known/acme-challenge/abc").is_some());
    }
}
