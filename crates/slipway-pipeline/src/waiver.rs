//! Exceptions from gates that somebody other than the author approved, with a reason and an
//! end. One file for all gates; one that has ended helps nobody any more.

use std::fs;
use std::io;

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::definition::Definition;
use crate::definition::table::{Notes, Table};
use crate::problem::{Problem, Source, suggest};

/// No waiver lasts longer.
const DAYS_MAX: i32 = 90;

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The gate.
    pub gate: String,
    /// The condition, as the gate writes it.
    pub condition: String,
    /// Why the condition need not hold for now.
    pub reason: String,
    /// Who asked for it.
    pub author: String,
    /// Who allowed it; never the author.
    pub approver: String,
    /// The first day on which it helps.
    pub created: Date,
    /// The first day on which it helps no more.
    pub expires: Date,
}

impl Waiver {
    /// Whether it helps at the instant `now`. Days are those of UTC. One that was dated ahead
    /// does not help before its day, or it would help for longer than the most.
    pub(crate) fn is_valid_at(&self, now: Timestamp) -> bool {
        self.has_begun_at(now) && day_of(now) < self.expires
    }

    /// Whether its first day has come.
    pub(crate) fn has_begun_at(&self, now: Timestamp) -> bool {
        self.created <= day_of(now)
    }
}

fn day_of(now: Timestamp) -> Date {
    now.to_zoned_datetime(TimeZone::UTC).date()
}

/// Reads the waivers of a project; none where it names no file, or the file is not there.
pub fn read(definition: &Definition) -> Result<Vec<Waiver>, Vec<Problem>> {
    let Some(name) = &definition.project.waivers else {
        return Ok(Vec::new());
    };
    match fs::read_to_string(definition.root.join(name)) {
        Ok(text) => parse(name, &text, definition),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => {
            let message = format!("cannot be read: {error}");
            Err(vec![Problem::of_file(name, message, "")])
        }
    }
}

fn parse(name: &str, text: &str, definition: &Definition) -> Result<Vec<Waiver>, Vec<Problem>> {
    let source = Source::new(name, text);
    let document = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        vec![source.problem(span, error.message(), "here", "")]
    })?;
    let notes = Notes::new(source);
    let waivers = {
        let file = Table::root(&notes, document.get_ref());
        let waivers: Vec<Option<Waiver>> = file
            .listed("waiver")
            .into_iter()
            .map(|table| one(table, definition))
            .collect();
        file.finish();
        waivers
    };
    let problems = notes.into_problems();
    if problems.is_empty() {
        Ok(waivers.into_iter().flatten().collect())
    } else {
        Err(problems)
    }
}

fn one(table: Table<'_>, definition: &Definition) -> Option<Waiver> {
    let notes = table.notes();
    let gate = table.required_text("gate", "the gate's name");
    let condition = table.required_text("condition", "the condition, as slipway.toml writes it");
    let reason = words(&table, "reason", "why the condition need not hold for now");
    let author = words(&table, "author", "who asked for it");
    let approver = words(
        &table,
        "approver",
        "who allowed it, somebody else than the author",
    );
    let created = date(&table, "created");
    let expires = date(&table, "expires");
    table.finish();
    let (gate, condition) = (gate?, condition?);
    check_condition(notes, &gate, &condition, definition);
    let (author, approver) = (author?, approver?);
    let name = |person: &Spanned<String>| person.get_ref().trim().to_lowercase();
    if name(&author) == name(&approver) {
        notes.add(
            approver.span(),
            "a waiver is approved by its own author",
            "the same person",
            "somebody else has to look at it and put their name here",
        );
    }
    let (created, expires) = (created?, expires?);
    check_days(notes, *created.get_ref(), &expires);
    Some(Waiver {
        gate: gate.into_inner(),
        condition: condition.into_inner(),
        reason: reason?.into_inner(),
        author: author.into_inner(),
        approver: approver.into_inner(),
        created: created.into_inner(),
        expires: expires.into_inner(),
    })
}

fn check_condition(
    notes: &Notes,
    gate: &Spanned<String>,
    condition: &Spanned<String>,
    definition: &Definition,
) {
    let Some(found) = definition.gates.get(gate.get_ref()) else {
        notes.add(
            gate.span(),
            format!("there is no gate {:?}", gate.get_ref()),
            "no such gate",
            suggest(gate.get_ref(), definition.gates.keys().map(String::as_str)),
        );
        return;
    };
    let known: Vec<String> = found.conditions.iter().map(ToString::to_string).collect();
    if !known.contains(condition.get_ref()) {
        notes.add(
            condition.span(),
            format!("the gate {:?} has no such condition", gate.get_ref()),
            "no such condition",
            suggest(condition.get_ref(), known.iter().map(String::as_str)),
        );
    }
}

fn check_days(notes: &Notes, created: Date, expires: &Spanned<Date>) {
    let days = (*expires.get_ref() - created).get_days();
    if days <= 0 {
        let message = "a waiver expires before it begins";
        notes.add(expires.span(), message, "not after the day of created", "");
    } else if days > DAYS_MAX {
        notes.add(
            expires.span(),
            format!("a waiver lasts {days} days"),
            format!("at most {DAYS_MAX} days after created"),
            "an exception that lasts longer is a rule: change the gate",
        );
    }
}

fn words(table: &Table<'_>, key: &'static str, help: &str) -> Option<Spanned<String>> {
    let text = table.required_text(key, help)?;
    if text.get_ref().trim().is_empty() {
        table
            .notes()
            .add(text.span(), format!("{key} is empty"), "nothing", help);
        return None;
    }
    Some(text)
}

fn date(table: &Table<'_>, key: &'static str) -> Option<Spanned<Date>> {
    let help = "a day such as 2026-03-31, without quotes";
    let Some(value) = table.value(key) else {
        table.missing(key, help);
        return None;
    };
    let parsed = match value.get_ref() {
        DeValue::Datetime(datetime) => datetime.to_string().parse::<Date>().ok(),
        _ => None,
    };
    if parsed.is_none() {
        let message = format!("{key} is no day");
        table.notes().add(value.span(), message, "this", help);
    }
    parsed.map(|day| Spanned::new(value.span(), day))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Definition {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("bad.txt"), "").unwrap();
        let text = "[project]\nname = \"a\"\n[job.test]\nrun = [\"true\"]\ncache = false\n\
            [report.tests]\njob = \"test\"\nformat = \"cargo-test\"\nleast = 1\n\
            [gate.tests]\nconditions = [\"tests.failed == 0\"]\nfixtures = { tests = \"bad.txt\" }\n";
        Definition::parse("slipway.toml", text, root.path()).unwrap()
    }

    const GOOD: &str = "[[waiver]]\ngate = \"tests\"\ncondition = \"tests.failed == 0\"\n\
        reason = \"flaky clock\"\nauthor = \"ann\"\napprover = \"bob\"\n\
        created = 2026-01-01\nexpires = 2026-02-01\n";

    fn messages(text: &str) -> Vec<String> {
        let problems = parse("waivers.toml", text, &definition()).unwrap_err();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_waiver_ends_on_its_day() {
        let waivers = parse("waivers.toml", GOOD, &definition()).unwrap();
        let waiver = waivers.first().unwrap();
        assert!(waiver.is_valid_at("2026-01-31T23:59:59Z".parse().unwrap()));
        assert!(!waiver.is_valid_at("2026-02-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn a_waiver_that_is_dated_ahead_does_not_help_before_its_day() {
        let ahead = GOOD.replace("2026-0", "2099-0");
        let waivers = parse("waivers.toml", &ahead, &definition()).unwrap();
        let waiver = waivers.first().unwrap();
        assert!(!waiver.is_valid_at("2026-01-15T00:00:00Z".parse().unwrap()));
        assert!(waiver.is_valid_at("2099-01-01T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn nobody_approves_their_own_waiver() {
        let own = GOOD.replace("\"bob\"", "\"Ann \"");
        assert_eq!(
            messages(&own),
            ["waivers.toml:6:12: a waiver is approved by its own author"]
        );
    }

    #[test]
    fn a_waiver_that_covers_nothing_or_lasts_for_ever_is_a_mistake() {
        let text = GOOD
            .replace("== 0", "== 1")
            .replace("2026-02-01", "2027-02-01");
        let messages = messages(&text);
        assert_eq!(messages.len(), 2, "{messages:?}");
        assert!(messages[0].contains("no such condition"));
        assert!(messages[1].contains("396 days"));
    }
}
