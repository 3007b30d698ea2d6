//! The timeline of a rollout in words: states, the steps that led to them with how long
//! each took, triggers and deaths. Pure.

use jiff::Timestamp;
use slipway_journal::event::rollout::Step;

use crate::console::view::Mood;
use crate::console::words::{Clockface, between, capital, coarse, short, span};
use crate::reading::{
    Moment, Rollout, What, state_name, state_reason, steering_words, step_name, trigger_name,
};

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) kind: Kind,
    pub(crate) iso: String,
    /// Time since the rollout was asked for, `+1.2 s`.
    pub(crate) offset: String,
    pub(crate) title: String,
    pub(crate) detail: Option<String>,
    pub(crate) took: Option<String>,
    pub(crate) mood: Mood,
}

/// What sort of line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    State,
    Step,
    Alarm,
}

impl Kind {
    /// The end of a class name.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Step => "step",
            Self::Alarm => "alarm",
        }
    }
}

/// The lines of `rollout`, oldest first.
pub(crate) fn timeline(rollout: &Rollout, face: &Clockface) -> Vec<Line> {
    rollout
        .timeline
        .iter()
        .map(|moment| line(moment, rollout.asked_at, rollout.state.is_end(), face))
        .collect()
}

fn line(moment: &Moment, asked_at: Timestamp, is_over: bool, face: &Clockface) -> Line {
    let (kind, title, detail, took, mood) = match &moment.what {
        What::State { state } => (
            Kind::State,
            capital(&state_name(state)),
            state_reason(state),
            None,
            Mood::of(state),
        ),
        What::Step { step, done } => {
            let (detail, took, mood) = match done {
                Some((took, seen)) => (
                    Some(seen.clone()).filter(|s| !s.is_empty()),
                    span(*took),
                    Mood::Calm,
                ),
                None if is_over => (None, "not finished".to_owned(), Mood::Warn),
                None => (
                    None,
                    format!("for {} now", coarse(face.since(moment.at))),
                    Mood::Busy,
                ),
            };
            (Kind::Step, step_title(step), detail, Some(took), mood)
        }
        What::Trigger { trigger, evidence } => (
            Kind::Alarm,
            format!("Trigger: {}", trigger_name(*trigger)),
            Some(evidence.clone()),
            None,
            Mood::Bad,
        ),
        What::Steered { order, reason } => (
            Kind::State,
            capital(steering_words(*order)),
            Some(reason.clone()),
            None,
            Mood::Calm,
        ),
        What::Death { instance, how } => (
            Kind::Alarm,
            format!("Instance {} ended", short(instance)),
            Some(how.clone()),
            None,
            Mood::Bad,
        ),
    };
    Line {
        kind,
        iso: moment.at.to_string(),
        offset: format!("+{}", span(between(asked_at, moment.at))),
        title,
        detail,
        took,
        mood,
    }
}

fn step_title(step: &Step) -> String {
    match step {
        Step::Start { instance } => format!("Start instance {}", short(instance)),
        Step::Stop { instance } => format!("Stop instance {}", short(instance)),
        step => capital(&step_name(step)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::sample;

    fn texts(place: usize) -> Vec<String> {
        timeline(&sample::reading().rollouts[place], &sample::face())
            .into_iter()
            .map(|l| {
                let title = format!("{} {}", l.offset, l.title);
                let parts: Vec<String> = [Some(title), l.took, l.detail]
                    .into_iter()
                    .flatten()
                    .collect();
                parts.join(" | ")
            })
            .collect()
    }

    #[test]
    fn a_step_says_what_was_seen_and_how_long_it_took() {
        let lines = texts(0);
        assert!(
            lines.contains(&"+10 ms Check the release and prepare | 120 ms | 41 files as the manifest says, 9.1 GB free".to_owned()),
            "{lines:#?}"
        );
    }

    #[test]
    fn a_trigger_stands_with_its_evidence() {
        let lines = texts(1);
        let trigger = lines.iter().find(|l| l.contains("Trigger")).unwrap();
        assert!(
            trigger.ends_with(
                "Trigger: error burst | 64 of 118 answers failed within 5 s, 31 clients"
            ),
            "{trigger}"
        );
    }

    #[test]
    fn a_step_that_is_not_done_runs_while_the_rollout_does() {
        let lines = texts(2);
        let last = lines.last().unwrap();
        assert!(last.ends_with("Preview, table 21 | for 2 s now"), "{last}");
    }
}
