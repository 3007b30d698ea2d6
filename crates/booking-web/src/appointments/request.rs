//! What makes two requests the same one: every field, each with its length before it.

/// A hash of all fields together.
pub(super) fn hash(fields: &[&[u8]]) -> Vec<u8> {
    let mut hasher = blake3::Hasher::new();
    for field in fields {
        hasher.update(&(field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn what_moves_from_one_field_to_the_next_makes_another_request() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_eq!(hash(&[b"ab", b"c"]), hash(&[b"ab", b"c"]));
    }
}
