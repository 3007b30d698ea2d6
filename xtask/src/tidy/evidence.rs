//! A page that names a test names one that exists: a claim's evidence cannot be renamed
//! away. A test's name is a snake-case name of four words or more between backticks.

use std::collections::HashSet;
use std::path::Path;

use super::Finding;

const WORDS_MIN: usize = 4;

/// The names of the functions in a Rust file.
pub(super) fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.split("fn ").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
        rest.get(..end).filter(|name| !name.is_empty())
    })
}

/// Checks the tests that one page names against the functions that there are.
pub(super) fn check(file: &Path, text: &str, functions: &HashSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let between_backticks = line.split('`').skip(1).step_by(2);
        for name in between_backticks.map(last_part).filter(|n| is_test_name(n)) {
            if !functions.contains(name) {
                findings.push(Finding {
                    file: file.to_owned(),
                    line: index + 1,
                    rule: "evidence",
                    advice: format!("{name}: there is no such test"),
                });
            }
        }
    }
    findings
}

/// A test may be named with its module: `claims::one_of_many_wins_the_time`.
fn last_part(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

fn is_test_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    name.bytes().all(is_plain)
        && name.split('_').filter(|word| !word.is_empty()).count() >= WORDS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_does_not_exist_is_refused() {
        let source = "#[test]\nfn one_of_many_wins() {}\nasync fn the_other_ones_lose<T>() {}";
        let functions = functions(source).map(str::to_owned).collect();
        let page = "| 31 | `claims::one_of_many_wins` |\n| 32 | `nobody_ever_loses_it` |\n\
                    `cargo_xtask` and `the_other_ones_lose`, but one_of_none_that_is";
        let found = check(Path::new("page.md"), page, &functions);
        let places: Vec<_> = found.iter().map(|f| (f.line, f.advice.as_str())).collect();
        assert_eq!(places, [(2, "nobody_ever_loses_it: there is no such test")]);
    }
}
