//! Files with mistakes: each is shown where it is, with what to write instead, and all of
//! a file's mistakes are shown at once.

use std::fmt::Write as _;
use std::fs;

use miette::{GraphicalReportHandler, GraphicalTheme};
use slipway_pipeline::{Definition, Problem};

/// A file in which nothing is wrong; each test breaks one thing.
const GOOD: &str = r#"[project]
name = "shop"

[job.test]
run = ["cargo", "test"]
inputs = ["src/**"]
outputs = ["out/test"]

[job.build]
script = "build.sh"
needs = ["test"]
inputs = ["src/**"]
outputs = ["out/build"]
timeout = "10m"

[report.tests]
job = "test"
format = "junit"
path = "out/test/junit.xml"
least = 10

[gate.tests]
conditions = ["tests.failed == 0"]
fixtures = { tests = "bad.xml" }

[service.shop]
needs = ["build"]
start = ["./shop"]
health = "/health"
files = [{ from = "out/build", to = "shop" }]
"#;

/// The mistakes of a file, as a person sees them.
fn seen(text: &str) -> String {
    let problems = problems(text);
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(80)
        .with_links(false);
    let mut seen = String::new();
    for problem in &problems {
        let mut one = String::new();
        handler.render_report(&mut one, problem).unwrap();
        // Editors take spaces at the ends of lines away.
        for line in one.lines() {
            writeln!(seen, "{}", line.trim_end()).unwrap();
        }
    }
    seen
}

fn problems(text: &str) -> Vec<Problem> {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("build.sh"), "#!/bin/sh\n").unwrap();
    fs::write(root.path().join("bad.xml"), "<testsuite/>").unwrap();
    match Definition::parse("slipway.toml", text, root.path()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems,
    }
}

/// The good file with one thing changed.
fn with(before: &str, after: &str) -> String {
    assert_eq!(GOOD.matches(before).count(), 1, "{before}");
    GOOD.replacen(before, after, 1)
}

#[test]
fn the_good_file_is_good() {
    assert_eq!(seen(GOOD), "");
}

/// A test whose name is the mistake, and whose snapshot is what a person sees.
macro_rules! broken {
    ($($name:ident: $text:expr;)*) => {$(
        #[test]
        fn $name() {
            let text: String = $text.into();
            let seen = seen(&text);
            assert!(!seen.is_empty(), "nothing wrong was found");
            insta::assert_snapshot!(seen);
        }
    )*};
}

broken! {
    not_toml: with("name = \"shop\"", "name = shop");
    no_project: with("[project]\nname = \"shop\"\n", "");
    no_job: "[project]\nname = \"shop\"\n";
    unknown_key: with("timeout = \"10m\"", "tiemout = \"10m\"");
    unknown_table: with("[gate.tests]", "[gates.tests]");
    wrong_type: with("run = [\"cargo\", \"test\"]", "run = \"cargo test\"");
    bad_name: with("[job.test]", "[job.Test_1]");
    no_command: with("run = [\"cargo\", \"test\"]\n", "");
    empty_command: with("run = [\"cargo\", \"test\"]", "run = []");
    two_commands: with("script = \"build.sh\"", "script = \"build.sh\"\nrun = [\"make\"]");
    missing_script: with("script = \"build.sh\"", "script = \"bild.sh\"");
    absolute_path: with("outputs = [\"out/build\"]", "outputs = [\"/srv/build\"]");
    escaping_path: with("from = \"out/build\"", "from = \"../secrets\"");
    bad_glob: with("run = [\"cargo\", \"test\"]\ninputs = [\"src/**\"]", "run = [\"cargo\", \"test\"]\ninputs = [\"src/[a\"]");
    bad_duration: with("timeout = \"10m\"", "timeout = \"ten minutes\"");
    no_time_at_all: with("timeout = \"10m\"", "timeout = \"0s\"");
    no_inputs: with("run = [\"cargo\", \"test\"]\ninputs = [\"src/**\"]", "run = [\"cargo\", \"test\"]");
    unknown_need: with("needs = [\"test\"]", "needs = [\"tset\"]");
    needs_in_a_circle: with("run = [\"cargo\", \"test\"]", "run = [\"cargo\", \"test\"]\nneeds = [\"build\"]");
    needs_itself: with("needs = [\"test\"]", "needs = [\"build\"]");
    output_claimed_twice: with("outputs = [\"out/build\"]", "outputs = [\"out/test/build\"]");
    output_is_the_project: with("outputs = [\"out/build\"]", "outputs = [\".\"]");
    output_is_the_history: with("outputs = [\"out/build\"]", "outputs = [\".git/hooks\"]");
    output_is_a_pattern: with("outputs = [\"out/build\"]", "outputs = [\"out/*.xml\"]");
    output_holds_an_input: with("outputs = [\"out/build\"]", "outputs = [\"src\"]");
    only_left_out_inputs: with("run = [\"cargo\", \"test\"]\ninputs = [\"src/**\"]", "run = [\"cargo\", \"test\"]\ninputs = [\"!src/**\"]");
    zero_byte: with("run = [\"cargo\", \"test\"]", "run = [\"cargo\", \"te\\u0000st\"]");
    bad_variable: with("timeout = \"10m\"", "env = [\"CI=1\"]");
    no_cores: with("timeout = \"10m\"", "cores = 0");
    unknown_format: with("format = \"junit\"", "format = \"junti\"");
    report_without_path: with("path = \"out/test/junit.xml\"\n", "");
    report_without_floor: with("least = 10\n", "");
    report_about_nothing: with("least = 10", "least = 0");
    report_of_no_job: with("job = \"test\"", "job = \"tests\"");
    condition_that_cannot_be_read: with("\"tests.failed == 0\"", "\"tests.failed = 0\"");
    condition_over_no_report: with("\"tests.failed == 0\"", "\"test.failed == 0\"");
    condition_over_no_metric: with("\"tests.failed == 0\"", "\"tests.failures == 0\"");
    condition_with_the_wrong_unit: with("\"tests.failed == 0\"", "\"tests.failed == 0 %\"");
    condition_twice: with("[\"tests.failed == 0\"]", "[\"tests.failed == 0\", \"tests.failed==0\"]");
    gate_without_condition: with("[\"tests.failed == 0\"]", "[]");
    gate_without_fixture: with("fixtures = { tests = \"bad.xml\" }\n", "");
    gate_with_a_lost_fixture: with("bad.xml", "lost.xml");
    service_without_files: with("files = [{ from = \"out/build\", to = \"shop\" }]\n", "");
    service_with_an_odd_health: with("health = \"/health\"", "health = \"health\"");
    service_of_no_job: with("needs = [\"build\"]", "needs = [\"bild\"]");
    one_place_for_two_files: with(
        "files = [{ from = \"out/build\", to = \"shop\" }]",
        "files = [{ from = \"out/build\", to = \"shop\" }, { from = \"out/test\", to = \"shop\" }]"
    );
    job_twice: with("[job.build]", "[job.test]");
}

#[test]
fn every_mistake_is_shown_at_once_in_the_order_of_the_file() {
    let text = GOOD
        .replace("name = \"shop\"", "name = \"Shop\"")
        .replace("timeout = \"10m\"", "timeout = \"soon\"")
        .replace("format = \"junit\"", "format = \"xunit\"")
        .replace("health = \"/health\"", "helth = \"/health\"");
    let shown: Vec<String> = problems(&text).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_file_that_is_not_there_says_what_to_do() {
    let problems = Definition::read(std::path::Path::new("/nowhere/slipway.toml")).unwrap_err();
    insta::assert_snapshot!(
        format!("{}\n{}", problems[0], problems[0].suggestion().unwrap()),
        @r"
    slipway.toml:1:1: cannot be read: No such file or directory (os error 2)
    a project has a slipway.toml in its topmost folder; --project names another one
    "
    );
}
