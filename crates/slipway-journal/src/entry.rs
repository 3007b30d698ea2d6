//! One entry of the journal, and the hash that chains it to the one before.
//! The encoding that is hashed is fixed for ever; a change needs a new version.

use jiff::Timestamp;
use serde::Serialize;

use crate::event::{Actor, Event};
use crate::ids::Seq;

/// 32 bytes of BLAKE3.
pub(crate) type Hash = [u8; 32];

/// What the first entry has in place of a hash before it.
pub(crate) const ROOT: Hash = [0; 32];

const VERSION: &[u8] = b"slipway-journal/1";

/// One thing that happened, where it stands in the chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its place.
    pub seq: Seq,
    /// When it was written, UTC, microseconds.
    pub at: Timestamp,
    /// Who caused it.
    pub actor: Actor,
    /// What happened.
    pub event: Event,
    /// Its hash, 64 hexadecimal digits.
    pub hash: String,
}

/// The bytes of an entry exactly as they are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) seq: i64,
    pub(crate) at_us: i64,
    pub(crate) actor: &'a str,
    pub(crate) event: &'a str,
}

/// BLAKE3 over the version and, each with its length before it, the hash of the
/// entry before and every stored column.
pub(crate) fn hash(prev: &Hash, stored: Stored<'_>) -> Hash {
    let mut hasher = blake3::Hasher::new();
    let seq = stored.seq.to_be_bytes();
    let at = stored.at_us.to_be_bytes();
    let fields: [&[u8]; 6] = [
        VERSION,
        prev,
        &seq,
        &at,
        stored.actor.as_bytes(),
        stored.event.as_bytes(),
    ];
    for field in fields {
        hasher.update(&(field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_that_is_hashed_never_changes() {
        let stored = Stored {
            seq: 1,
            at_us: 1_700_000_000_000_000,
            actor: "{}",
            event: "{}",
        };
        insta::assert_snapshot!(data_encoding::HEXLOWER.encode(&hash(&ROOT, stored)), @"180ad2c283d26b3f1f17498b87d5f4e82ccff26eb321f8f00a32f19ed608e755");
    }

    #[test]
    fn moving_a_byte_between_fields_changes_the_hash() {
        let one = Stored {
            seq: 1,
            at_us: 0,
            actor: "ab",
            event: "c",
        };
        let two = Stored {
            seq: 1,
            at_us: 0,
            actor: "a",
            event: "bc",
        };
        assert_ne!(hash(&ROOT, one), hash(&ROOT, two));
    }
}
