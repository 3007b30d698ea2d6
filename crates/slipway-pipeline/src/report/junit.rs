//! JUnit XML, as the many tools write it. Cases are counted one by one; where a suite also
//! states its counts, they must agree, so that a report that was cut off is not believed.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{Numbers, Tests, Unreadable};

/// A suite states a count that its cases do not have.
#[derive(Debug, Default)]
struct Suite {
    stated: Option<u64>,
    cases: u64,
}

pub(super) fn read(text: &str) -> Result<Numbers, Unreadable> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut state = State::default();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => state.open(&tag)?,
            Ok(Event::Empty(tag)) => {
                let name = tag.name().as_ref().to_owned();
                state.open(&tag)?;
                state.close(&name)?;
            }
            Ok(Event::End(tag)) => state.close(tag.name().as_ref())?,
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                let at = reader.error_position();
                return Err(Unreadable(format!("it is not XML at byte {at}: {error}")));
            }
        }
    }
    state.finish()
}

#[derive(Debug, Default)]
struct State {
    depth: usize,
    is_report: bool,
    suites: Vec<Suite>,
    case: Option<Case>,
    tests: Tests,
}

#[derive(Debug)]
struct Case {
    name: String,
    is_failed: bool,
    is_skipped: bool,
}

impl State {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Unreadable> {
        self.depth += 1;
        match tag.name().as_ref() {
            "testsuites" => self.is_report = true,
            "testsuite" => {
                self.is_report = true;
                let stated = attribute(tag, "tests")?.map(|text| {
                    text.parse().map_err(|_| {
                        Unreadable(format!("a suite states {text:?} as its count of tests"))
                    })
                });
                self.suites.push(Suite {
                    stated: stated.transpose()?,
                    cases: 0,
                });
            }
            "testcase" => {
                let name = attribute(tag, "name")?.unwrap_or_default();
                let class = attribute(tag, "classname")?.filter(|c| !c.is_empty());
                self.case = Some(Case {
                    name: class.map_or(name.clone(), |class| format!("{class}::{name}")),
                    is_failed: false,
                    is_skipped: false,
                });
            }
            "failure" | "error" => {
                if let Some(case) = &mut self.case {
                    case.is_failed = true;
                } else {
                    // An error of a whole suite, such as one that could not be loaded.
                    self.tests.failed += 1;
                    self.tests.fail("a whole suite");
                }
            }
            "skipped" => {
                if let Some(case) = &mut self.case {
                    case.is_skipped = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), Unreadable> {
        self.depth = self.depth.saturating_sub(1);
        match name {
            "testcase" => {
                if let Some(case) = self.case.take() {
                    self.count(&case);
                }
            }
            "testsuite" => {
                if let Some(suite) = self.suites.pop() {
                    self.leave(&suite)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, case: &Case) {
        if let Some(suite) = self.suites.last_mut() {
            suite.cases += 1;
        }
        if case.is_failed {
            self.tests.failed += 1;
            self.tests.fail(&case.name);
        } else if case.is_skipped {
            self.tests.skipped += 1;
        } else {
            self.tests.passed += 1;
        }
    }

    fn leave(&mut self, suite: &Suite) -> Result<(), Unreadable> {
        if let Some(outer) = self.suites.last_mut() {
            outer.cases += suite.cases;
        }
        match suite.stated {
            Some(stated) if stated != suite.cases => Err(Unreadable(format!(
                "a suite states {stated} tests and has {}",
                suite.cases
            ))),
            _ => Ok(()),
        }
    }

    fn finish(self) -> Result<Numbers, Unreadable> {
        if self.depth > 0 {
            return Err(Unreadable("it ends in the middle".to_owned()));
        }
        if !self.is_report {
            return Err(Unreadable("it has no <testsuite>".to_owned()));
        }
        Ok(self.tests.numbers())
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, Unreadable> {
    let broken = |error: &dyn std::fmt::Display| {
        Unreadable(format!("an attribute {name:?} cannot be read: {error}"))
    };
    let Some(attribute) = tag.try_get_attribute(name).map_err(|e| broken(&e))? else {
        return Ok(None);
    };
    let value = attribute
        .normalized_value(XmlVersion::Implicit1_0)
        .map_err(|e| broken(&e))?;
    Ok(Some(value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<?xml version="1.0"?>
<testsuites tests="4">
  <testsuite name="a" tests="3">
    <testcase name="one" classname="a"/>
    <testcase name="two" classname="a"><failure message="&lt;no&gt;">x</failure></testcase>
    <testcase name="three"><skipped/></testcase>
  </testsuite>
  <testsuite name="b"><testcase name="four"><error/></testcase></testsuite>
</testsuites>"#;

    #[test]
    fn cases_are_counted_one_by_one() {
        let numbers = read(REPORT).unwrap();
        assert_eq!(numbers.population, 3);
        assert_eq!(numbers.metric("failed"), Some(2.0));
        assert_eq!(numbers.metric("skipped"), Some(1.0));
        assert_eq!(numbers.failures, ["a::two", "four"]);
    }

    #[test]
    fn a_suite_in_a_suite_counts_once() {
        let nested = r#"<testsuite tests="1"><testsuite tests="1"><testcase name="a"/></testsuite></testsuite>"#;
        assert_eq!(read(nested).unwrap().population, 1);
    }

    #[test]
    fn what_is_not_a_whole_report_is_not_believed() {
        for (text, reason) in [
            (
                "<testsuite tests=\"2\"><testcase name=\"a\"/></testsuite>",
                "states 2 tests and has 1",
            ),
            ("<testsuite><testcase name=\"a\"/>", "ends in the middle"),
            ("<html></html>", "no <testsuite>"),
            ("<testsuite></wrong>", "not XML"),
            ("", "no <testsuite>"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
