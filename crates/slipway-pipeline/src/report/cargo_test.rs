//! What `cargo test` prints. Each test binary closes with a line of its counts; the lines
//! of single tests must add up to it, or something printed over them and is not believed.

use super::{Numbers, Tests, Unreadable};

/// Reads a log. Other lines, colours and the words of cargo itself do not matter.
pub(super) fn read(log: &str) -> Result<Numbers, Unreadable> {
    let mut tests = Tests::default();
    let mut is_running = false;
    for line in log.lines() {
        let line = plain(line);
        let line = line.trim_end();
        if line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test")) {
            if is_running {
                return Err(cut_off());
            }
            is_running = true;
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            if !is_running {
                return Err(Unreadable(format!(
                    "it has the result of tests that it does not begin: {line:?}"
                )));
            }
            is_running = false;
            let count = |name| {
                count(counts, name)
                    .ok_or_else(|| Unreadable(format!("the line {line:?} counts no {name}")))
            };
            tests.passed += count("passed")?;
            tests.failed += count("failed")?;
            tests.skipped += count("ignored")?;
        } else if let Some(name) = failed(line) {
            tests.fail(name);
        }
    }
    if is_running {
        return Err(cut_off());
    }
    Ok(tests.numbers())
}

fn cut_off() -> Unreadable {
    Unreadable("a test binary began and gave no result: it was ended, or crashed".to_owned())
}

/// `13 passed` of `ok. 13 passed; 0 failed; …`.
fn count(counts: &str, name: &str) -> Option<u64> {
    counts
        .split([';', '.'])
        .find_map(|part| part.trim().strip_suffix(name)?.trim().parse().ok())
}

/// The name in `test NAME ... FAILED`.
fn failed(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// The line without the sequences that colour it.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            text.push(letter);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
   Compiling booking v0.1.0
running 2 tests
test a::one ... ok
test a::two ... \u{1b}[31mFAILED\u{1b}[m

test result: \u{1b}[31mFAILED\u{1b}[m. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

running 1 test
test b ... ignored

test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn every_binary_is_counted() {
        let numbers = read(LOG).unwrap();
        assert_eq!(numbers.population, 2);
        assert_eq!(numbers.metric("failed"), Some(1.0));
        assert_eq!(numbers.metric("skipped"), Some(1.0));
        assert_eq!(numbers.metric("total"), Some(3.0));
        assert_eq!(numbers.failures, ["a::two"]);
    }

    #[test]
    fn a_binary_that_crashed_is_not_a_pass() {
        let cut = "running 3 tests\ntest a ... ok\n";
        assert!(
            read(cut)
                .unwrap_err()
                .to_string()
                .contains("gave no result")
        );
        let both = format!("{cut}running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored");
        assert!(read(&both).is_err());
    }

    #[test]
    fn a_log_without_tests_examined_nothing() {
        assert_eq!(read("Finished\n").unwrap().population, 0);
    }
}
