//! Entity tags (RFC 9110): an answer that a program has already is not sent again, and what
//! has changed since it was read is not overwritten. Pure.

use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::Fault;

/// What stands for one state of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag(String);

impl Tag {
    /// Of what is answered, byte for byte.
    pub(crate) fn of(content: &[u8]) -> Self {
        let mut hash = blake3::hash(content).to_hex().to_string();
        hash.truncate(32);
        Self(format!("\"{hash}\""))
    }

    /// Of a version that grows with each change.
    pub(crate) fn of_version(version: i32) -> Self {
        Self(format!("\"v{version}\""))
    }

    pub(crate) fn header(&self) -> (HeaderName, HeaderValue) {
        let value = HeaderValue::from_str(&self.0);
        (ETAG, value.expect("a tag of letters and digits"))
    }

    /// Whether who asks has it already.
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        self.is_in(headers, &IF_NONE_MATCH, true)
    }

    /// Goes on only where who asks has seen it as it is, or does not say.
    pub(crate) fn must_be_seen(&self, headers: &HeaderMap) -> Result<(), Fault> {
        if !headers.contains_key(IF_MATCH) || self.is_in(headers, &IF_MATCH, false) {
            Ok(())
        } else {
            Err(Fault::Changed)
        }
    }

    fn is_in(&self, headers: &HeaderMap, name: &HeaderName, takes_weak: bool) -> bool {
        headers
            .get_all(name)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(str::trim)
            .map(|tag| tag.strip_prefix("W/").filter(|_| takes_weak).unwrap_or(tag))
            .any(|tag| tag == "*" || tag == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_tag_is_found_in_lists_and_weak_ones_do_not_allow_a_change() {
        let tag = Tag::of_version(3);
        for (value, is_known, is_seen) in [
            ("\"v3\"", true, true),
            ("\"v1\", \"v3\"", true, true),
            ("*", true, true),
            ("W/\"v3\"", true, false),
            ("\"v4\"", false, false),
            ("v3", false, false),
        ] {
            assert_eq!(
                tag.is_known(&with(IF_NONE_MATCH, value)),
                is_known,
                "{value}"
            );
            let seen = tag.must_be_seen(&with(IF_MATCH, value));
            assert_eq!(seen.is_ok(), is_seen, "{value}");
        }
        assert!(!tag.is_known(&HeaderMap::new()));
        assert!(tag.must_be_seen(&HeaderMap::new()).is_ok());
    }
}
