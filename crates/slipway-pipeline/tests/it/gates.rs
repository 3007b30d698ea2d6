//! Gates over real runs: what is measured, what is missing, old or too small, and what a
//! waiver can and cannot do.

use crate::ground::{Project, shell};
use slipway_journal::Outcome;
use slipway_pipeline::{Report, Verdict};

const REPORT: &str =
    "[report.tests]\njob = \"test\"\nformat = \"junit\"\npath = \"out/junit.xml\"\nleast = 2\n";
const GATE: &str =
    "[gate.tests]\nconditions = [\"tests.failed == 0\"]\nfixtures = { tests = \"bad.xml\" }\n";
const WAIVERS: &str = "waivers = \"waivers.toml\"\n";

/// A project whose only job runs `script`, with a gate over its report.
fn project(script: &str) -> Project {
    let job = shell("test", script, "inputs = [\"suite.xml\"]");
    let project = Project::new(WAIVERS);
    project.write("suite.xml", &suite(3, 0));
    project.write("bad.xml", &suite(3, 1));
    project.define(&format!("{WAIVERS}{job}{REPORT}{GATE}"));
    project
}

const COPY: &str = "mkdir -p out; cp suite.xml out/junit.xml";

fn suite(count: usize, failed: usize) -> String {
    let case = |number: usize| {
        let failure = if number < failed { "<failure/>" } else { "" };
        format!("<testcase name=\"t{number}\">{failure}</testcase>")
    };
    let cases: Vec<String> = (0..count).map(case).collect();
    let cases = cases.concat();
    format!("<testsuite tests=\"{count}\">{cases}</testsuite>")
}

fn verdict(report: &Report) -> &Verdict {
    report.gates.first().unwrap()
}

#[tokio::test]
async fn a_condition_that_holds_is_met_also_from_the_cache() {
    let project = project(COPY);
    for _ in 0..2 {
        let report = project.run().await;
        assert_eq!(verdict(&report).outcome, Outcome::Met);
        assert_eq!(verdict(&report).findings, ["tests.failed == 0: 0"]);
        assert!(report.passed);
    }
}

#[tokio::test]
async fn a_condition_that_does_not_hold_fails_the_run() {
    let project = project(COPY);
    project.write("suite.xml", &suite(3, 1));
    let report = project.run().await;
    assert_eq!(verdict(&report).outcome, Outcome::NotMet);
    assert_eq!(verdict(&report).findings, ["tests.failed == 0: 1 (t0)"]);
    assert!(!report.passed);
}

#[tokio::test]
async fn a_report_that_is_missing_answers_nothing() {
    let report = project("true").run().await;
    assert_eq!(verdict(&report).outcome, Outcome::NotEvaluated);
    assert!(!report.passed);
    assert_eq!(report.jobs[0].notes, ["not kept: it wrote no report tests"]);
}

#[tokio::test]
async fn a_report_from_before_the_job_answers_nothing() {
    let project = project("true");
    project.write("out/junit.xml", &suite(3, 0));
    let file = std::fs::File::options()
        .write(true)
        .open(project.path("out/junit.xml"));
    let before = std::time::SystemTime::UNIX_EPOCH;
    file.unwrap().set_modified(before).unwrap();
    let report = project.run().await;
    assert_eq!(verdict(&report).outcome, Outcome::NotEvaluated);
    assert!(
        verdict(&report).findings[0].contains("older than the run"),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_report_about_too_little_answers_nothing() {
    let project = project(COPY);
    project.write("suite.xml", &suite(1, 0));
    let report = project.run().await;
    assert_eq!(verdict(&report).outcome, Outcome::NotEvaluated);
    assert_eq!(
        verdict(&report).findings,
        ["tests: 1 tests that ran, at least 2 are needed for an answer"]
    );
}

#[tokio::test]
async fn a_report_that_cannot_be_read_is_an_error() {
    let project = project(COPY);
    project.write("suite.xml", "<testsuite><testcase name=\"a\">");
    let report = project.run().await;
    assert_eq!(verdict(&report).outcome, Outcome::Error);
    assert!(!report.passed);
}

#[tokio::test]
async fn a_job_that_did_not_come_to_an_end_answers_nothing() {
    let script = format!("{COPY}; kill -9 $$");
    let report = project(&script).run().await;
    assert_eq!(verdict(&report).outcome, Outcome::NotEvaluated);
    assert_eq!(
        verdict(&report).findings,
        ["tests: job test was ended by signal 9"]
    );
}

#[tokio::test]
async fn a_job_that_failed_is_still_looked_at() {
    let script = format!("{COPY}; exit 1");
    let project = project(&script);
    project.write("suite.xml", &suite(3, 1));
    let report = project.run().await;
    assert_eq!(verdict(&report).outcome, Outcome::NotMet);
}

fn waiver(expires: &str) -> String {
    format!(
        "[[waiver]]\ngate = \"tests\"\ncondition = \"tests.failed == 0\"\nreason = \"being mended\"\n\
         author = \"ann\"\napprover = \"bob\"\ncreated = 2026-01-01\nexpires = {expires}\n"
    )
}

/// Days around the real one, because runs are stamped by the system's clock.
fn day(from_now: i64) -> String {
    let now = chassis::Clock::system().now();
    let then = now + jiff::SignedDuration::from_hours(24 * from_now);
    then.to_string().chars().take(10).collect()
}

#[tokio::test]
async fn a_waiver_helps_until_it_ends_and_never_against_blindness() {
    let project = project(COPY);
    project.write("suite.xml", &suite(3, 1));
    let valid = waiver(&day(10)).replace("2026-01-01", &day(-10));
    project.write("waivers.toml", &valid);
    let report = project.run().await;
    assert_eq!(verdict(&report).outcome, Outcome::Waived);
    assert!(report.passed);
    project.write("suite.xml", &suite(1, 1));
    let report = project.run().await;
    assert_eq!(
        verdict(&report).outcome,
        Outcome::NotEvaluated,
        "too little to answer"
    );
    let ended = waiver(&day(-1)).replace("2026-01-01", &day(-10));
    project.write("waivers.toml", &ended);
    project.write("suite.xml", &suite(3, 1));
    let report = project.run().await;
    assert_eq!(verdict(&report).outcome, Outcome::NotMet);
    assert!(
        verdict(&report).findings[0].contains("the waiver of ann ended on"),
        "{report:?}"
    );
}

#[tokio::test]
async fn an_advisory_gate_is_recorded_and_stops_nothing() {
    let project = project(COPY);
    let text = project
        .read("slipway.toml")
        .replace("[gate.tests]", "[gate.tests]\nrequired = false");
    project.write("slipway.toml", &text);
    project.write("suite.xml", &suite(3, 1));
    let report = project.run().await;
    assert_eq!(verdict(&report).outcome, Outcome::NotMet);
    assert!(report.passed);
}

#[tokio::test]
async fn what_cargo_test_prints_is_a_report() {
    let script = "echo 'running 2 tests'; echo 'test a ... ok'; echo 'test b ... FAILED'; \
                  echo 'test result: FAILED. 1 passed; 1 failed; 0 ignored'";
    let job = shell("test", script, "cache = false");
    let report = "[report.tests]\njob = \"test\"\nformat = \"cargo-test\"\nleast = 2\n";
    let project = Project::new("");
    project.write(
        "bad.xml",
        "running 2 tests\ntest result: FAILED. 1 passed; 1 failed; 0 ignored",
    );
    project.define(&format!("{job}{report}{GATE}"));
    let ran = project.run().await;
    assert_eq!(verdict(&ran).findings, ["tests.failed == 0: 1 (b)"]);
}

#[test]
fn a_gate_that_its_fixture_does_not_turn_red_is_found_out() {
    let project = project(COPY);
    let tested = |project: &Project| {
        slipway_pipeline::selftest(&project.definition(), chassis::Clock::system().now())
    };
    assert!(tested(&project)[0].holds(), "{:#?}", tested(&project));
    // Harmless, too small and unreadable fixtures prove nothing.
    for fixture in [suite(3, 0), suite(1, 1), "<html/>".to_owned()] {
        project.write("bad.xml", &fixture);
        assert!(!tested(&project)[0].holds(), "{fixture}");
    }
    // A second condition that the fixture does not break.
    project.write("bad.xml", &suite(3, 1));
    let text = project.read("slipway.toml").replace(
        "\"tests.failed == 0\"",
        "\"tests.failed == 0\", \"tests.total >= 1\"",
    );
    project.write("slipway.toml", &text);
    assert!(!tested(&project)[0].holds());
}
