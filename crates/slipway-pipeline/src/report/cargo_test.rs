//! What `cargo test` prints. Each test binary opens with how many tests it runs and closes
//! with a line of its counts; they must agree, or something printed over them and is not
//! believed.

use super::{Numbers, Tests, Unreadable};

/// Reads a log. Other lines, colours and the words of cargo itself do not matter.
pub(super) fn read(log: &str) -> Result<Numbers, Unreadable> {
    let mut tests = Tests::default();
    let mut running: Option<u64> = None;
    for line in log.lines() {
        let line = plain(line);
        let line = line.trim_end();
        if let Some(announced) = begun(line) {
            if running.replace(announced).is_some() {
                return Err(cut_off());
            }
        } else if let Some(counts) = line.strip_prefix("test result: ") {
            let announced = running.take().ok_or_else(|| {
                Unreadable(format!(
                    "it has the result of tests that it does not begin: {line:?}"
                ))
            })?;
            close(&mut tests, announced, counts)?;
        } else if let Some(name) = failed(line) {
            tests.fail(name);
        }
    }
    if running.is_some() {
        return Err(cut_off());
    }
    Ok(tests.numbers())
}

/// How many tests a binary says that it runs.
fn begun(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("running ")?;
    let count = rest
        .strip_suffix(" tests")
        .or_else(|| rest.strip_suffix(" test"))?;
    count.parse().ok()
}

/// Takes in the result of a binary that announced so many tests.
fn close(tests: &mut Tests, announced: u64, counts: &str) -> Result<(), Unreadable> {
    let count = |name| {
        count(counts, name)
            .ok_or_else(|| Unreadable(format!("the line {counts:?} counts no {name}")))
    };
    let (passed, failed, ignored) = (count("passed")?, count("failed")?, count("ignored")?);
    // Benchmarks run among the tests; older harnesses do not speak of them.
    let measured = self::count(counts, "measured").unwrap_or(0);
    let sum = [failed, ignored, measured]
        .into_iter()
        .try_fold(passed, u64::checked_add);
    if sum != Some(announced) {
        return Err(Unreadable(format!(
            "a test binary began with {announced} tests, and its result is {counts:?}"
        )));
    }
    tests.passed = tests.passed.saturating_add(passed);
    tests.failed = tests.failed.saturating_add(failed);
    tests.skipped = tests.skipped.saturating_add(ignored);
    Ok(())
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
    fn a_result_that_does_not_add_up_is_not_believed() {
        let log = "running 3 tests\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured";
        let said = read(log).unwrap_err().to_string();
        assert!(
            said.starts_with("a test binary began with 3 tests"),
            "{said}"
        );
        assert!(read(&log.replace("0 measured", "1 measured")).is_ok());
        let most = u64::MAX;
        let log =
            format!("running {most} tests\ntest result: ok. {most} passed; 1 failed; 0 ignored");
        assert!(read(&log).is_err());
    }

    #[test]
    fn a_log_without_tests_examined_nothing() {
        assert_eq!(read("Finished\n").unwrap().population, 0);
    }
}
