//! Secrets never reach a log: every value, and the shapes in which programs print it, is
//! replaced before a byte is stored or shown.

use std::collections::BTreeSet;

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};

/// Shorter ones would be found in every other word.
pub(crate) const SECRET_BYTES_MIN: usize = 6;
const STARS: &[u8] = b"***";

/// What must not be seen. Empty for a job without secrets, and then costs nothing.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    /// Longest first, so that a whole value goes before a part of it.
    patterns: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} patterns)", self.patterns.len())
    }
}

impl Mask {
    /// A mask over `secrets`; each has at least `SECRET_BYTES_MIN` bytes.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut patterns = BTreeSet::new();
        for secret in secrets {
            let lines = secret.lines().map(str::trim).filter(|l| *l != secret);
            for text in std::iter::once(secret).chain(lines) {
                if text.len() >= SECRET_BYTES_MIN {
                    patterns.extend(shapes(text.as_bytes()));
                }
            }
        }
        let mut patterns: Vec<Vec<u8>> = patterns.into_iter().collect();
        patterns.sort_by_key(|p| std::cmp::Reverse(p.len()));
        Self { patterns }
    }

    /// How many bytes of a text have to be seen together with what follows.
    pub(crate) fn overlap(&self) -> usize {
        self.patterns
            .first()
            .map_or(0, |p| p.len().saturating_sub(1))
    }

    /// `bytes` with every secret replaced.
    pub(crate) fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        if self.patterns.is_empty() {
            return bytes.to_vec();
        }
        let mut clean = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if let Some(pattern) = self.patterns.iter().find(|p| rest.starts_with(p)) {
                clean.extend_from_slice(STARS);
                rest = rest.get(pattern.len()..).unwrap_or_default();
            } else {
                clean.push(*first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        clean
    }
}

/// The ways in which a value may be printed.
fn shapes(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut shapes = vec![
        secret.to_vec(),
        HEXLOWER.encode(secret).into_bytes(),
        HEXUPPER.encode(secret).into_bytes(),
        percent(secret),
    ];
    if let Ok(text) = std::str::from_utf8(secret)
        && let Ok(json) = serde_json::to_string(text)
    {
        shapes.push(json.trim_matches('"').as_bytes().to_vec());
    }
    shapes.extend((0..3).map(|offset| base64_inside(secret, offset)));
    shapes.retain(|shape| shape.len() >= SECRET_BYTES_MIN);
    shapes
}

/// The letters that every Base64 text has which holds `secret` after `offset` other bytes.
fn base64_inside(secret: &[u8], offset: usize) -> Vec<u8> {
    let mut padded = vec![0; offset];
    padded.extend_from_slice(secret);
    let encoded = BASE64.encode(&padded);
    // The first letters hold bits of what stands before, the last ones of what follows.
    let from = (offset * 8).div_ceil(6);
    let to = padded.len() * 8 / 6;
    encoded
        .as_bytes()
        .get(from..to)
        .unwrap_or_default()
        .to_vec()
}

fn percent(secret: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in secret {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            text.push(*byte);
        } else {
            text.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "p@ss word/ü\"1";

    fn is_hidden(text: &[u8]) -> bool {
        let clean = Mask::new([SECRET]).apply(text);
        clean.windows(3).any(|w| w == STARS)
    }

    #[test]
    fn a_secret_is_hidden_in_every_shape_that_programs_print() {
        assert!(is_hidden(format!("token={SECRET}!").as_bytes()));
        assert!(is_hidden(HEXLOWER.encode(SECRET.as_bytes()).as_bytes()));
        assert!(is_hidden(&percent(SECRET.as_bytes())));
        assert!(is_hidden(serde_json::to_string(SECRET).unwrap().as_bytes()));
        for before in ["", "a", "ab", "user:"] {
            let encoded = BASE64.encode(format!("{before}{SECRET}zz").as_bytes());
            assert!(is_hidden(encoded.as_bytes()), "{before}");
        }
    }

    #[test]
    fn each_line_of_a_key_is_hidden() {
        let key = "-----BEGIN-----\nabcdefgh\nijklmnop\n";
        let clean = Mask::new([key]).apply(b"got ijklmnop and abcd");
        assert_eq!(clean, b"got *** and abcd");
    }

    #[test]
    fn without_secrets_nothing_changes() {
        assert_eq!(Mask::default().apply(b"abc\xff"), b"abc\xff");
    }
}
