//! Rollouts and releases, newest first, a line each. Pure.

use crate::console::live::Picture;
use crate::console::view::receipt::failed;
use crate::console::view::rollout::{GateWords, gates, took};
use crate::console::view::service::live_release;
use crate::console::view::{Mood, ReleaseWords, short_commit};
use crate::console::words::{Clockface, When, capital, number, short, span};
use crate::reading::{Rollout, actor_name, state_name, state_reason};

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

/// A page of rollouts after the first `skip`, and whether there are more.
pub(crate) fn rollouts(
    picture: &Picture,
    skip: usize,
    face: &Clockface,
) -> (Vec<RolloutLine>, bool) {
    let all = &picture.reading.rollouts;
    let lines = all
        .iter()
        .rev()
        .skip(skip)
        .take(PAGE)
        .map(|rollout| line(picture, rollout, face))
        .collect();
    (lines, all.len() > skip.saturating_add(PAGE))
}

fn line(picture: &Picture, rollout: &Rollout, face: &Clockface) -> RolloutLine {
    let receipt = rollout.receipt.as_ref();
    RolloutLine {
        id: rollout.rollout.to_string(),
        short: short(rollout.rollout),
        service: rollout.service.to_string(),
        release: ReleaseWords::of(&rollout.release, &picture.reading),
        state: state_name(&rollout.state),
        mood: Mood::of(&rollout.state),
        reason: state_reason(&rollout.state).map(|r| capital(&r)),
        asked: face.when(rollout.asked_at),
        actor: actor_name(&rollout.actor).to_owned(),
        took: span(took(rollout, face)),
        failed: receipt.map(|r| number(failed(r))),
        has_failures: receipt.is_some_and(|r| failed(r) > 0),
    }
}

/// The newest releases.
pub(crate) fn releases(picture: &Picture, face: &Clockface) -> Vec<ReleaseLine> {
    let reading = &picture.reading;
    reading
        .releases
        .iter()
        .rev()
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
        let (lines, more) = rollouts(&sample::picture(3), 0, &sample::face());
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
        let (lines, more) = rollouts(&sample::picture(3), 2, &sample::face());
        assert_eq!((lines.len(), more), (1, false));
    }

    #[test]
    fn releases_carry_their_verdicts_and_their_fate() {
        let lines = releases(&sample::picture(3), &sample::face());
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
