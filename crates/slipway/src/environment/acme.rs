//! `[proxy.tls.acme]` of an environment's file: which names an authority is to sign for, and how
//! it is shown that they are ours.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// Let's Encrypt.
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Certificates that are fetched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcmeSettings {
    /// The names, without wildcards; one certificate is for all of them.
    #[serde(deserialize_with = "names")]
    pub(crate) names: Vec<String>,
    /// Whom the authority writes to, such as `ops@example.org`.
    #[serde(default)]
    pub(crate) contact: Option<String>,
    /// That somebody has read the authority's terms and agrees to them.
    #[serde(deserialize_with = "agreed")]
    terms_agreed: (),
    /// How it is shown that the names are ours.
    #[serde(default)]
    pub(crate) challenge: Challenge,
    /// The authority's directory; that of Let's Encrypt where nothing is said.
    #[serde(default = "directory")]
    pub(crate) directory: String,
    /// Who signed the directory's own certificate, PEM, from the project's folder on; whomever
    /// the system trusts where nothing is said.
    #[serde(default)]
    pub(crate) authority: Option<PathBuf>,
}

impl AcmeSettings {
    /// All of them in one line, to tell whether they are the same.
    pub(crate) fn told(&self) -> String {
        format!("{self:?}")
    }
}

/// How it is shown that a name is ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Challenge {
    /// By an answer over plain HTTP, for which the authority comes to port 80.
    #[default]
    #[serde(rename = "http-01")]
    Http,
    /// By a certificate over TLS, for which it comes to port 443.
    #[serde(rename = "tls-alpn-01")]
    Tls,
}

fn directory() -> String {
    DIRECTORY.to_owned()
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let mut names = Vec::<String>::deserialize(deserializer)?;
    for name in &mut names {
        name.make_ascii_lowercase();
        if name.starts_with("*.") {
            let words =
                format!("{name:?}: wildcards are signed by way of DNS only; name each host");
            return Err(D::Error::custom(words));
        }
        let is_legal = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
        if !name.bytes().all(is_legal) || !name.contains('.') || name.starts_with('.') {
            return Err(D::Error::custom(format!("{name:?} is no host name")));
        }
    }
    names.sort_unstable();
    names.dedup();
    if names.is_empty() || names.len() > 100 {
        return Err(D::Error::custom("name 1 to 100 hosts"));
    }
    Ok(names)
}

fn agreed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    if bool::deserialize(deserializer)? {
        return Ok(());
    }
    Err(D::Error::custom(
        "nothing is signed without agreeing to the authority's terms; read them, then write `true`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AcmeSettings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_told_apart_without_case_and_the_rest_has_defaults() {
        let settings = read(
            "names = [\"WWW.example.org\", \"example.org\", \"www.example.org\"]\nterms_agreed = true",
        )
        .unwrap();
        assert_eq!(settings.names, ["example.org", "www.example.org"]);
        assert_eq!(settings.challenge, Challenge::Http);
        assert_eq!(settings.directory, DIRECTORY);
    }

    #[test]
    fn what_nobody_signs_is_refused() {
        for (text, said) in [
            (
                "names = [\"*.example.org\"]\nterms_agreed = true",
                "by way of DNS",
            ),
            ("names = []\nterms_agreed = true", "1 to 100"),
            (
                "names = [\"localhost\"]\nterms_agreed = true",
                "no host name",
            ),
            ("names = [\"a b.org\"]\nterms_agreed = true", "no host name"),
            ("names = [\"a.org\"]\nterms_agreed = false", "agreeing"),
            ("names = [\"a.org\"]", "terms_agreed"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
