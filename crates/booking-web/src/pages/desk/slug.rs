//! Addresses out of names: plain letters, digits and hyphens, as the schema wants them. Pure.

const CHARS_MAX: usize = 40;

/// An address out of a name; `service` where nothing of it can be in one.
pub(crate) fn of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.to_lowercase().chars().map(plain) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let starts = slug.find(|c: char| c.is_ascii_lowercase());
    let slug = starts.map_or("", |at| slug.split_at(at).1);
    let slug: String = slug.chars().take(CHARS_MAX).collect();
    let slug = slug.trim_end_matches('-');
    if slug.len() < 2 {
        return "service".to_owned();
    }
    slug.to_owned()
}

/// The same with a number, where it is taken.
pub(crate) fn numbered(slug: &str, number: u32) -> String {
    let end = format!("-{number}");
    let kept: String = slug.chars().take(CHARS_MAX - end.len()).collect();
    format!("{}{end}", kept.trim_end_matches('-'))
}

/// A letter without its marks, as far as our languages have them.
fn plain(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ä' | 'ã' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_an_address_that_the_schema_takes() {
        for (name, expected) in [
            ("Haircut & beard", "haircut-beard"),
            ("Sny én kleur!", "sny-en-kleur"),
            ("30 minutes", "minutes"),
            ("X", "service"),
            ("…", "service"),
            (
                "A very long name of a service that goes on",
                "a-very-long-name-of-a-service-that-goes",
            ),
        ] {
            assert_eq!(of(name), expected);
        }
        assert_eq!(numbered("haircut", 2), "haircut-2");
        assert!(numbered(&"a".repeat(40), 12).len() <= CHARS_MAX);
    }
}
