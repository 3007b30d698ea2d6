//! The journal: its last entries, a search through them, and the check of the chain.

use std::sync::Arc;

use anyhow::Context as _;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use slipway_journal::{Seq, Verification};

use crate::console::Desk;
use crate::console::fault::Fault;
use crate::console::pages::{Section, Site, render};
use crate::console::view::ledger::{EntryWords, Search, entry_words};
use crate::console::words::number;

/// Entries on one page.
const FOUND_MAX: usize = 50;
/// Entries that are read at once, and that one search looks through at most.
const READ: i64 = 1000;
const LOOKED_MAX: i64 = 20_000;

#[derive(Template)]
#[template(path = "journal.html")]
struct JournalPage {
    site: Site,
    search: Search,
    entries: Vec<EntryWords>,
    /// Where the search goes on: entries before this one.
    older: Option<i64>,
    total: String,
    head: String,
    check: Option<Check>,
}

/// What the check of the whole chain found.
struct Check {
    is_whole: bool,
    words: String,
}

impl JournalPage {
    /// The query of the next page.
    fn older_query(&self) -> Option<String> {
        let before = self.older?;
        Some(format!(
            "area={}&kind={}&rollout={}&before={before}",
            letters(&self.search.area),
            letters(&self.search.kind),
            letters(&self.search.rollout)
        ))
    }
}

/// What an area, a kind or an id is made of; anything else finds nothing anyway.
fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect()
}

/// Answers `/journal`.
pub(crate) async fn get(
    State(desk): State<Arc<Desk>>,
    Query(search): Query<Search>,
) -> Result<Response, Fault> {
    let (last, head) = {
        let picture = desk.live.picture();
        (picture.reading.seq, picture.head.clone())
    };
    let (entries, older) = find(&desk, &search, last).await?;
    let check = if search.check == "yes" {
        Some(check(&desk).await?)
    } else {
        None
    };
    render(&JournalPage {
        site: Site::of(&desk, Section::Journal),
        search,
        entries,
        older,
        total: number(u64::try_from(last.0).unwrap_or(0)),
        head,
        check,
    })
}

/// Newest first, page by page backwards, until enough is found or enough was looked at.
async fn find(
    desk: &Desk,
    search: &Search,
    last: Seq,
) -> Result<(Vec<EntryWords>, Option<i64>), Fault> {
    let face = desk.face();
    let from = search
        .before
        .unwrap_or(i64::MAX)
        .min(last.0.saturating_add(1));
    let mut end = from;
    let mut found = Vec::new();
    while end > 1 && from - end < LOOKED_MAX {
        let after = (end - 1 - READ).max(0);
        let limit = u32::try_from(end - 1 - after).unwrap_or(0);
        let entries = desk
            .ground
            .journal
            .read(Seq(after), limit)
            .await
            .context("reading the journal")?;
        for entry in entries.iter().rev() {
            let words = entry_words(entry, &face);
            end = words.seq;
            if search.finds(&words) {
                found.push(words);
            }
            if found.len() == FOUND_MAX {
                return Ok((found, (end > 1).then_some(end)));
            }
        }
        // The file may hold less than it should; the check says so, and this goes on.
        end = end.min(after + 1);
    }
    Ok((found, (end > 1).then_some(end)))
}

async fn check(desk: &Desk) -> Result<Check, Fault> {
    let verification = desk
        .ground
        .journal
        .verify()
        .await
        .context("checking the journal")?;
    Ok(match verification {
        Verification::Whole { entries, .. } => Check {
            is_whole: true,
            words: format!(
                "Whole: each of the {} entries follows from the one before.",
                number(u64::try_from(entries).unwrap_or(0))
            ),
        },
        Verification::Broken { seq, reason } => Check {
            is_whole: false,
            words: format!("Broken at entry {seq}: {reason}."),
        },
    })
}
