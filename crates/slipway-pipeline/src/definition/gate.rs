//! The tables `[gate.NAME]`: conditions over reports, and fixtures that must turn them red.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::Spanned;

use super::path;
use super::report::ReportSpec;
use super::table::Table;
use crate::condition::Condition;
use crate::problem::suggest;

/// A question about reports.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Whether no release is made without it; an advisory gate is only recorded.
    pub required: bool,
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// Bad reports that the gate must refuse.
    pub fixtures: Vec<Fixture>,
}

/// A bad report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// The report that it stands in for.
    pub report: String,
    /// The file.
    pub path: String,
}

/// A report by its name; none where it is there, but has mistakes of its own.
type Reports = BTreeMap<String, Option<ReportSpec>>;

pub(super) fn read(file: &Table<'_>, reports: &Reports, root: &Path) -> BTreeMap<String, Gate> {
    let mut gates = BTreeMap::new();
    for (name, table) in file.named("gate") {
        path::check_name(table.notes(), "gate", &name);
        let gate = one(&table, reports, root);
        table.finish();
        gates.insert(name.into_inner(), gate);
    }
    gates
}

fn one(table: &Table<'_>, reports: &Reports, root: &Path) -> Gate {
    let required = table.flag("required").unwrap_or(true);
    let (conditions, is_whole) = conditions(table, reports);
    let fixtures = fixtures(table, &conditions, is_whole, root);
    Gate {
        required,
        conditions,
        fixtures,
    }
}

/// The conditions, and whether every one of them could be read.
fn conditions(table: &Table<'_>, reports: &Reports) -> (Vec<Condition>, bool) {
    let help = "conditions = [\"tests.failed == 0\"]";
    let Some(written) = table.texts("conditions") else {
        if table.value("conditions").is_none() {
            table.missing("conditions", help);
        }
        return (Vec::new(), false);
    };
    let span = written.span();
    let written = written.into_inner();
    if written.is_empty() {
        let message = format!("{} has no condition", table.name);
        table
            .notes()
            .add(span, message, "a gate that asks nothing", help);
    }
    let mut conditions: Vec<Condition> = Vec::new();
    for text in &written {
        let Some(condition) = condition(table, text, reports) else {
            continue;
        };
        if conditions.contains(&condition) {
            table.notes().add(
                text.span(),
                format!("{} asks the same twice", table.name),
                "a second time",
                "leave one of them out",
            );
        }
        conditions.push(condition);
    }
    let is_whole = !written.is_empty() && conditions.len() == written.len();
    (conditions, is_whole)
}

fn condition(table: &Table<'_>, text: &Spanned<String>, reports: &Reports) -> Option<Condition> {
    let refuse = |message: String, label: &str, help: String| {
        table.notes().add(text.span(), message, label, help);
    };
    let condition: Condition = match text.get_ref().parse() {
        Ok(condition) => condition,
        Err(error) => {
            let message = format!("{} has a condition that cannot be read", table.name);
            let help =
                "REPORT.METRIC, then one of == != >= <= > <, then a number, % where it is one";
            refuse(message, &error.to_string(), help.to_owned());
            return None;
        }
    };
    let Some(report) = reports.get(&condition.report) else {
        refuse(
            format!("{}: there is no report {:?}", table.name, condition.report),
            "no such report",
            suggest(&condition.report, reports.keys().map(String::as_str)),
        );
        return None;
    };
    let metrics = report.as_ref()?.format.metrics();
    let Some((metric, is_percentage)) = metrics.iter().find(|(name, _)| *name == condition.metric)
    else {
        refuse(
            format!(
                "{}: report {:?} has no metric {:?}",
                table.name, condition.report, condition.metric
            ),
            "no such metric",
            suggest(&condition.metric, metrics.iter().map(|(name, _)| *name)),
        );
        return None;
    };
    if *is_percentage != condition.is_percentage {
        let help = if *is_percentage {
            format!(
                "write {} {} {} %",
                metric, condition.operator, condition.bound
            )
        } else {
            "leave the % out".to_owned()
        };
        let what = if *is_percentage {
            "a percentage"
        } else {
            "a count"
        };
        refuse(
            format!("{}: {metric} is {what}", table.name),
            "the unit is wrong",
            help,
        );
        return None;
    }
    Some(condition)
}

/// A condition that cannot be read may be what a fixture is for.
fn fixtures(
    table: &Table<'_>,
    conditions: &[Condition],
    is_whole: bool,
    root: &Path,
) -> Vec<Fixture> {
    let asked: BTreeSet<&str> = conditions.iter().map(|c| c.report.as_str()).collect();
    let mut fixtures = Vec::new();
    for (report, path) in table.pairs("fixtures") {
        let Some(inside) = path::inside(table.notes(), &format!("{}.fixtures", table.name), &path)
        else {
            continue;
        };
        if is_whole && !asked.contains(report.as_str()) {
            table.notes().add(
                path.span(),
                format!("{} asks nothing of a report {report:?}", table.name),
                "a fixture for it proves nothing",
                suggest(&report, asked.iter().copied()),
            );
        } else if !root.join(&inside).is_file() {
            table.notes().add(
                path.span(),
                format!("{} has a fixture that is not there", table.name),
                "no such file",
                "keep a report that must turn the gate red",
            );
        }
        fixtures.push(Fixture {
            report,
            path: inside,
        });
    }
    for report in asked {
        if !fixtures.iter().any(|f| f.report == report) {
            table.notes().add(
                table.span.clone(),
                format!(
                    "{} has no known-bad fixture for the report {report:?}",
                    table.name
                ),
                "nothing shows that it can turn red",
                format!("fixtures = {{ {report} = \"delivery/fixtures/…\" }}"),
            );
        }
    }
    fixtures
}
