//! What the demo claims: a number, what it must be, and whether it is so.

use std::fmt::{self, Write as _};

/// One line of the demo's verdict.
#[derive(Debug)]
struct Claim {
    what: String,
    seen: String,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Holds,
    Broken,
    /// Told for the reader; nothing is asked of it.
    Noted,
}

/// Every claim so far.
#[derive(Debug, Default)]
pub(super) struct Claims(Vec<Claim>);

impl Claims {
    /// Adds a claim; `seen` is shown to the reader as it is.
    pub(super) fn add(&mut self, what: impl Into<String>, seen: impl Into<String>, holds: bool) {
        let standing = if holds {
            Standing::Holds
        } else {
            Standing::Broken
        };
        self.put(what.into(), seen.into(), standing);
    }

    /// Adds a figure that is only told.
    pub(super) fn note(&mut self, what: impl Into<String>, seen: impl Into<String>) {
        self.put(what.into(), seen.into(), Standing::Noted);
    }

    fn put(&mut self, what: String, seen: String, standing: Standing) {
        let claim = Claim {
            what,
            seen,
            standing,
        };
        eprintln!("  {claim}");
        self.0.push(claim);
    }

    /// Adds the claim that two counts are the same.
    pub(super) fn same(&mut self, what: impl Into<String>, one: u64, other: u64) {
        let seen = if one == other {
            number(one)
        } else {
            format!("{} and {}", number(one), number(other))
        };
        self.add(what, seen, one == other);
    }

    /// Adds the claim that nothing of the kind was seen.
    pub(super) fn none(&mut self, what: impl Into<String>, count: u64) {
        self.add(what, number(count), count == 0);
    }

    /// The claims that do not hold.
    pub(super) fn broken(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter(|c| c.standing == Standing::Broken)
            .map(|c| c.what.as_str())
            .collect()
    }

    /// All of them, a line each.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        for claim in &self.0 {
            writeln!(text, "  {claim}").expect("a String takes every line");
        }
        text
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.standing {
            Standing::Holds => '✓',
            Standing::Broken => '✗',
            Standing::Noted => '·',
        };
        write!(f, "{mark} {:<52} {}", self.what, self.seen)
    }
}

/// A count with a thin gap every three digits.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_does_not_hold_is_named() {
        let mut claims = Claims::default();
        claims.none("failed requests", 0);
        claims.same("client and proxy count the same", 1_200, 1_201);
        claims.note("the slowest answer", "12 ms");
        assert_eq!(claims.broken(), ["client and proxy count the same"]);
        assert!(claims.table().contains("· the slowest answer"));
        assert!(claims.table().contains("✗ client and proxy count the same"));
    }

    #[test]
    fn large_counts_are_grouped() {
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(number(999), "999");
    }
}
