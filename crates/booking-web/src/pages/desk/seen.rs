//! What somebody saw when a form was opened: a mark that travels in the form. Where it is
//! another one when the form comes back, somebody changed the same thing meanwhile.

/// The mark of what is seen. Every field counts, each with its length before it.
pub(crate) fn mark<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for field in fields {
        hasher.update(&(field.len() as u64).to_be_bytes());
        hasher.update(field.as_bytes());
    }
    let mut mark = hasher.finalize().to_hex().to_string();
    mark.truncate(16);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_what_stands_in_which_field() {
        assert_eq!(mark(["a", "b"]), mark(["a", "b"]));
        assert_ne!(mark(["ab", ""]), mark(["a", "b"]));
        assert_ne!(mark(["", "a"]), mark(["a", ""]));
    }
}
