//! Rollouts and releases, newest first, a line each. Pure.

use crate::console::live::Picture;
use crate::console::view::rollout::{GateWords, gates, took};
use crate::console::view::service::live_release;
use crate::console::view::{Mood, ReleaseWords, short_commit};
use crate::console::words::{Clockface, When, capital, number, short, span};
use crate::reading::{Release, Rollout, actor_name};

/// Lines on one page.
pub(crate) const PAGE: usize = 50;

/// One rollout.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RolloutLine {
    pub(crate) id: String,
    pub(crate) short: String,
    pub(crate) service: String,
    pub(crate) release: ReleaseWords,
    pub(crate) state: String,
    pub(crate) mood: Mood,
    pub(crate) reason: Option<String>,
    pub(crate) asked: When,
    pub(crate) actor: String,
    pub(crate) took: String,
    /// Failed requests, where there is a receipt.
    pub(crate) failed: Option<String>,
    pub(crate) has_failures: bool,
}

/// One release.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReleaseLine {
    pub(crate) words: ReleaseWords,
    pub(crate) service: String,
    pub(crate) made: When,
    pub(crate) is_live: bool,
    pub(crate) quarantine: Option<String>,
    pub(crate) gates: Vec<GateWords>,
}

/// Words that are looked for; each must be somewhere, in large or small letters.
#[derive(Debug, Default)]
pub(crate) struct Wanted(Vec<String>);

impl Wanted {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_lowercase).collect())
    }

    fn is_in(&self, said: &[&str]) -> bool {
        let said: Vec<String> = said.iter().map(|s| s.to_lowercase()).collect();
        let is_said = |word: &String| said.iter().any(|s| s.contains(word));
        self.0.iter().all(is_said)
    }

    fn is_rollout(&self, rollout: &Rollout, picture: &Picture) -> bool {
        let commit = ReleaseWords::of(&rollout.release, &picture.reading).commit;
        let reason = rollout.reason();
        let triggers = rollout
            .triggers
            .iter()
            .map(|(_, evidence)| evidence.as_str());
        let mut said = vec![rollout.service.as_str(), rollout.release.as_str()];
        let (id, state) = (rollout.rollout.to_string(), rollout.state_words());
        said.extend([id.as_str(), state.as_str(), actor_name(&rollout.actor)]);
        said.extend(commit.as_deref().into_iter().chain(reason.as_deref()));
        said.extend(triggers);
        self.is_in(&said)
    }
}

/// A page of the rollouts that are wanted after the first `skip`, and whether there are more.
pub(crate) fn rollouts(
    picture: &Picture,
    wanted: &Wanted,
    skip: usize,
    face: &Clockface,
) -> (Vec<RolloutLine>, bool) {
    let all = picture.reading.rollouts.iter().rev();
    let mut found = all.filter(|r| wanted.is_rollout(r, picture)).skip(skip);
    let lines = found
        .by_ref()
        .take(PAGE)
        .map(|rollout| line(picture, rollout, face))
        .collect();
    (lines, found.next().is_some())
}

fn line(picture: &Picture, rollout: &Rollout, face: &Clockface) -> RolloutLine {
    let receipt = rollout.receipt.as_ref();
    RolloutLine {
        id: rollout.rollout.to_string(),
        short: short(rollout.rollout),
        service: rollout.service.to_string(),
        release: ReleaseWords::of(&rollout.release, &picture.reading),
        state: rollout.state_words(),
        mood: Mood::of(&rollout.state),
        reason: rollout.reason().map(|r| capital(&r)),
        asked: face.when(rollout.asked_at),
        actor: actor_name(&rollout.actor).to_owned(),
        took: span(took(rollout, face)),
        failed: receipt.map(|r| number(r.failed())),
        has_failures: receipt.is_some_and(|r| r.failed() > 0),
    }
}

/// The newest releases that are wanted.
pub(crate) fn releases(picture: &Picture, wanted: &Wanted, face: &Clockface) -> Vec<ReleaseLine> {
    let reading = &picture.reading;
    let is_wanted = |release: &&Release| {
        let quarantine = reading.quarantined.get(&release.release);
        let mut said = vec![release.service.as_str(), release.release.as_str()];
        said.push(&release.commit);
        said.extend(quarantine.map(String::as_str));
        wanted.is_in(&said)
    };
    reading
        .releases
        .iter()
        .rev()
        .filter(is_wanted)
        .take(PAGE)
        .map(|release| ReleaseLine {
            words: ReleaseWords {
                short: release.release.short().to_owned(),
                full: release.release.as_str().to_owned(),
                commit: Some(short_commit(&release.commit)),
            },
            service: release.service.to_string(),
            made: face.when(release.at),
            is_live: live_release(reading, &release.service)
                .is_some_and(|(live, _)| live == release.release),
            quarantine: reading.quarantined.get(&release.release).cloned(),
            gates: gates(picture.verdicts.of(&release.release)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::sample;

    #[test]
    fn the_newest_rollout_is_first_and_failures_are_counted() {
        let (lines, more) = rollouts(&sample::picture(3), &Wanted::default(), 0, &sample::face());
        let texts: Vec<(&str, Option<&str>)> = lines
            .iter()
            .map(|l| (l.state.as_str(), l.failed.as_deref()))
            .collect();
        assert_eq!(
            texts,
            [
                ("preview", None),
                ("rolled back", Some("64")),
                ("baking", Some("0"))
            ]
        );
        assert!(!more);
    }

    #[test]
    fn what_is_skipped_is_not_shown() {
        let (lines, more) = rollouts(&sample::picture(3), &Wanted::default(), 2, &sample::face());
        assert_eq!((lines.len(), more), (1, false));
    }

    #[test]
    fn words_are_looked_for_in_what_a_line_says() {
        let picture = sample::picture(3);
        let found = |text: &str| {
            let wanted = Wanted::of(text);
            let lines = rollouts(&picture, &wanted, 0, &sample::face()).0;
            let states: Vec<String> = lines.into_iter().map(|l| l.state).collect();
            (
                states.join(", "),
                releases(&picture, &wanted, &sample::face()).len(),
            )
        };
        assert_eq!(
            found("BOOKING"),
            ("preview, rolled back, baking".to_owned(), 3)
        );
        assert_eq!(found("booking 31 clients"), ("rolled back".to_owned(), 0));
        assert_eq!(found("bbbbbbbb"), ("rolled back".to_owned(), 1));
        assert_eq!(found("thandi baking"), ("baking".to_owned(), 0));
        assert_eq!(found("nobody said this"), (String::new(), 0));
    }

    #[test]
    fn releases_carry_their_verdicts_and_their_fate() {
        let lines = releases(&sample::picture(3), &Wanted::default(), &sample::face());
        let texts: Vec<(&str, bool, bool, usize)> = lines
            .iter()
            .map(|l| {
                (
                    l.words.short.as_str(),
                    l.is_live,
                    l.quarantine.is_some(),
                    l.gates.len(),
                )
            })
            .collect();
        assert_eq!(
            texts,
            [
                ("cccccccccccc", false, false, 2),
                ("bbbbbbbbbbbb", false, true, 2),
                ("aaaaaaaaaaaa", true, false, 2)
            ]
        );
    }
}
