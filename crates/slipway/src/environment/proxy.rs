//! `[proxy]` of an environment's file: where visitors come in, with TLS and without, and whom
//! the proxy believes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use slipway_proxy::{CertificateFiles, Network, Trust};

use crate::environment::{Span, one_or_more};

/// Where visitors come in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProxySettings {
    /// One address or a list of them.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) listen: Vec<SocketAddr>,
    /// What is offered over TLS, beside them.
    #[serde(default)]
    pub(crate) tls: Option<TlsSettings>,
    /// Worker threads; as many as the machine has cores when it is not set.
    #[serde(default)]
    pub(crate) workers: Option<usize>,
    /// Whether the forwarding headers of peers on this machine are believed, such as those
    /// of an nginx in front.
    #[serde(default)]
    pub(crate) trust_loopback: bool,
    /// Peers whose forwarding headers are believed, as networks or addresses.
    #[serde(default, deserialize_with = "networks")]
    pub(crate) trust: Vec<Network>,
    /// Peers that say by the PROXY protocol whose connection they pass on, and must.
    #[serde(default, deserialize_with = "networks")]
    pub(crate) announced_by: Vec<Network>,
}

/// What is offered over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsSettings {
    /// One address or a list of them.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) listen: Vec<SocketAddr>,
    /// The certificates; the first is for clients that ask for no name that any is valid for.
    #[serde(deserialize_with = "some")]
    pub(crate) certificates: Vec<Certificate>,
    /// Whether requests that come without TLS are sent there.
    #[serde(default)]
    pub(crate) redirect: bool,
    /// The port that they are sent to, where it is not the one of the first address.
    #[serde(default)]
    pub(crate) public_port: Option<u16>,
    /// For how long browsers are to come with TLS only.
    #[serde(default)]
    pub(crate) hsts: Option<Span>,
}

/// A certificate and its key, PEM, from the project's folder on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

impl ProxySettings {
    /// Whose forwarding headers are believed.
    pub(crate) fn trusted(&self) -> Trust {
        match (self.trust_loopback, self.trust.is_empty()) {
            (true, true) => Trust::Loopback,
            (false, true) => Trust::Nobody,
            (false, false) => Trust::Networks(self.trust.clone()),
            (true, false) => {
                let mut all = self.trust.clone();
                all.extend(Network::loopback());
                Trust::Networks(all)
            }
        }
    }

    /// The files of every certificate.
    pub(crate) fn certificates(&self, project: &Path) -> Vec<CertificateFiles> {
        let named = self.tls.iter().flat_map(|tls| &tls.certificates);
        named
            .map(|certificate| CertificateFiles {
                chain: project.join(&certificate.chain),
                key: project.join(&certificate.key),
            })
            .collect()
    }

    /// Every address, those without TLS first.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let secure = self.tls.iter().flat_map(|tls| &tls.listen);
        self.listen.iter().chain(secure).copied().collect()
    }
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom))
        .collect()
}

fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Certificate>, D::Error> {
    let certificates = Vec::deserialize(deserializer)?;
    if certificates.is_empty() {
        return Err(D::Error::custom("the list holds no certificate"));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ProxySettings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_with_tls_stand_beside_those_without() {
        let settings = read(
            r#"
listen = "127.0.0.1:80"
trust = ["10.0.0.0/8"]
tls = { listen = ["127.0.0.1:443"], certificates = [{ chain = "a.pem", key = "/k.pem" }], hsts = "8760h" }
"#,
        )
        .unwrap();
        let ports: Vec<u16> = settings.addresses().iter().map(SocketAddr::port).collect();
        assert_eq!(ports, [80, 443]);
        let files = settings.certificates(Path::new("/project"));
        assert_eq!(files[0].chain, Path::new("/project/a.pem"));
        assert_eq!(files[0].key, Path::new("/k.pem"));
        assert!(settings.trusted().believes([10, 1, 1, 1].into()));
        assert!(!settings.trusted().believes([127, 0, 0, 1].into()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let listen = "listen = \"127.0.0.1:80\"\n";
        for (more, said) in [
            ("trust = [\"10.0.0.1/8\"]", "write 10.0.0.0/8"),
            ("announced_by = [\"everybody\"]", "is no network"),
            (
                "tls = { listen = \"127.0.0.1:443\", certificates = [] }",
                "no certificate",
            ),
            ("tls = { certificates = [] }", "certificate"),
            ("tsl = true", "unknown field `tsl`"),
        ] {
            let error = read(&format!("{listen}{more}")).unwrap_err();
            assert!(error.contains(said), "{more}: {error}");
        }
    }
}
