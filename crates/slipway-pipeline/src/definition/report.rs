//! The tables `[report.NAME]`: what a job says about itself, in which format, and how
//! much it must have looked at to count at all.

use std::collections::BTreeMap;

use toml::Spanned;

use super::job::Read;
use super::path;
use super::table::Table;
use crate::problem::suggest;

/// One report of one job.
#[derive(Debug, Clone)]
pub struct ReportSpec {
    /// The job that makes it.
    pub job: String,
    /// How it is written.
    pub format: Format,
    /// The file; none where the job's log is the report.
    pub path: Option<String>,
    /// The least that it must have examined: tests that ran, or lines.
    pub least: u64,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `JUnit` XML.
    Junit,
    /// LCOV tracefile.
    Lcov,
    /// What `cargo test` prints, read from the job's log.
    CargoTest,
}

const FORMATS: [(&str, Format); 3] = [
    ("cargo-test", Format::CargoTest),
    ("junit", Format::Junit),
    ("lcov", Format::Lcov),
];

/// A metric: its name, and whether it is a percentage.
pub(crate) type Metric = (&'static str, bool);

const TEST_METRICS: &[Metric] = &[
    ("failed", false),
    ("passed", false),
    ("skipped", false),
    ("total", false),
];
const COVERAGE_METRICS: &[Metric] = &[
    ("branches", true),
    ("files", false),
    ("functions", true),
    ("lines", true),
    ("lines-hit", false),
    ("lines-total", false),
];

impl Format {
    /// What conditions can ask of a report in this format.
    pub(crate) fn metrics(self) -> &'static [Metric] {
        match self {
            Self::Junit | Self::CargoTest => TEST_METRICS,
            Self::Lcov => COVERAGE_METRICS,
        }
    }

    /// What its population is counted in.
    pub(crate) fn population(self) -> &'static str {
        match self {
            Self::Junit | Self::CargoTest => "tests that ran",
            Self::Lcov => "lines",
        }
    }
}

/// The reports by name; none for one that has mistakes.
pub(super) fn read(
    file: &Table<'_>,
    jobs: &BTreeMap<String, Read>,
) -> BTreeMap<String, Option<ReportSpec>> {
    let mut reports = BTreeMap::new();
    for (name, table) in file.named("report") {
        path::check_name(table.notes(), "report", &name);
        let report = one(&table, jobs);
        table.finish();
        reports.insert(name.into_inner(), report);
    }
    reports
}

fn one(table: &Table<'_>, jobs: &BTreeMap<String, Read>) -> Option<ReportSpec> {
    let notes = table.notes();
    let job = table.required_text("job", "the job that makes it: job = \"test\"");
    if let Some(job) = &job
        && !jobs.contains_key(job.get_ref())
    {
        notes.add(
            job.span(),
            format!("{}.job: there is no job {:?}", table.name, job.get_ref()),
            "no such job",
            suggest(job.get_ref(), jobs.keys().map(String::as_str)),
        );
    }
    let format = table
        .required_text("format", "format = \"junit\", \"lcov\" or \"cargo-test\"")
        .and_then(|text| format(table, &text));
    let written = table.text("path");
    let path = written
        .as_ref()
        .and_then(|text| path::inside(notes, &format!("{}.path", table.name), text));
    match (format, &written) {
        (Some(Format::CargoTest), Some(written)) => notes.add(
            written.span(),
            format!("{} is read from the job's log and has no path", table.name),
            "not used",
            "leave it out",
        ),
        (Some(Format::Junit | Format::Lcov), None) if table.value("path").is_none() => {
            table.missing(
                "path",
                "the file that the job writes: path = \"target/report.xml\"",
            );
        }
        _ => {}
    }
    let least = least(table, format);
    Some(ReportSpec {
        job: job?.into_inner(),
        format: format?,
        path,
        least: least?,
    })
}

fn format(table: &Table<'_>, text: &Spanned<String>) -> Option<Format> {
    let found = FORMATS.iter().find(|(name, _)| name == text.get_ref());
    if found.is_none() {
        table.notes().add(
            text.span(),
            format!("{}.format is not known", table.name),
            "no such format",
            suggest(text.get_ref(), FORMATS.map(|(name, _)| name)),
        );
    }
    found.map(|(_, format)| *format)
}

fn least(table: &Table<'_>, format: Option<Format>) -> Option<u64> {
    let unit = format.map_or("tests or lines", Format::population);
    let help = format!(
        "least = 1 or more {unit}: with fewer the report proves nothing and its gates are not met"
    );
    if table.value("least").is_none() {
        table.missing("least", &help);
        return None;
    }
    let least = table.count("least")?;
    if *least.get_ref() == 0 {
        table.notes().add(
            least.span(),
            format!("{}.least must be 1 or more", table.name),
            "a report about nothing would pass",
            help,
        );
    }
    Some(least.into_inner())
}
