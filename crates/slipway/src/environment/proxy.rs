//! `[proxy]` of an environment's file: where visitors come in, with TLS and without, and whom
//! the proxy believes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use slipway_proxy::{AccessLog, CertificateFiles, Network, Trust};

use crate::cli::failure::Failure;
use crate::environment::{AcmeSettings, Span, one_or_more};

/// Where visitors come in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProxySettings {
    /// One address or a list of them.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) listen: Vec<SocketAddr>,
    /// What is offered over TLS, beside them.
    #[serde(default, deserialize_with = "with_certificates")]
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
    /// Requests are written down where this stands, in `logs/access.log` of the state folder.
    #[serde(default)]
    pub(crate) access_log: Option<AccessLogSettings>,
}

/// How requests are written down; what is not set has the proxy's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccessLogSettings {
    /// The share of good and quick requests, in hundredths of a per cent.
    #[serde(default, deserialize_with = "share")]
    pub(crate) share: Option<u16>,
    /// From which time on a request is slow, and always written down.
    #[serde(default)]
    pub(crate) slow: Option<Span>,
    /// The largest file, bytes.
    #[serde(default)]
    pub(crate) bytes_max: Option<u64>,
    /// How many older files are kept.
    #[serde(default)]
    pub(crate) kept: Option<u32>,
}

impl AccessLogSettings {
    /// The log in this file.
    pub(crate) fn log(&self, file: PathBuf) -> AccessLog {
        let standard = AccessLog::new(file);
        AccessLog {
            share: self.share.unwrap_or(standard.share),
            slow: self.slow.map_or(standard.slow, |span| span.0),
            bytes_max: self.bytes_max.unwrap_or(standard.bytes_max),
            kept: self.kept.unwrap_or(standard.kept),
            ..standard
        }
    }
}

/// What is offered over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsSettings {
    /// One address or a list of them.
    #[serde(deserialize_with = "one_or_more")]
    pub(crate) listen: Vec<SocketAddr>,
    /// The certificates; the first is for clients that ask for no name that any is valid for.
    #[serde(default)]
    pub(crate) certificates: Vec<Certificate>,
    /// One more, that is fetched.
    #[serde(default)]
    pub(crate) acme: Option<AcmeSettings>,
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

    /// Whether the certificates can be served as they are now. Blocking.
    pub(crate) fn check_certificates(&self, project: &Path) -> Result<(), Failure> {
        let Some(tls) = &self.tls else {
            return Ok(());
        };
        if tls.certificates.is_empty() && tls.acme.is_some() {
            return Ok(());
        }
        slipway_proxy::check_certificates(&self.certificates(project)).map_err(|error| {
            Failure::usage(format!("TLS cannot be offered: {}", error.words()))
                .hint("name files that this account can read, PEM, the certificate before those that signed it, under [proxy.tls] in delivery/environments/")
        })
    }

    /// Every address, those without TLS first.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let secure = self.tls.iter().flat_map(|tls| &tls.listen);
        self.listen.iter().chain(secure).copied().collect()
    }
}

fn with_certificates<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<TlsSettings>, D::Error> {
    let tls = TlsSettings::deserialize(deserializer)?;
    if tls.certificates.is_empty() && tls.acme.is_none() {
        return Err(D::Error::custom(
            "no certificate: name `certificates`, or have one fetched by [proxy.tls.acme]",
        ));
    }
    Ok(Some(tls))
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom))
        .collect()
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let share = u16::deserialize(deserializer)?;
    if share <= 10_000 {
        Ok(Some(share))
    } else {
        Err(D::Error::custom(format!(
            "a share of {share}: write 0 to 10000, in hundredths of a per cent"
        )))
    }
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
            ("tls = { listen = \"127.0.0.1:443\" }", "no certificate"),
            ("tsl = true", "unknown field `tsl`"),
            ("access_log = { share = 10001 }", "write 0 to 10000"),
        ] {
            let error = read(&format!("{listen}{more}")).unwrap_err();
            assert!(error.contains(said), "{more}: {error}");
        }
    }
}
