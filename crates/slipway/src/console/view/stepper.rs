//! The states of a rollout in their order, with how far it came. Pure.

use slipway_journal::event::rollout::RolloutState;

use crate::console::words::share;
use crate::reading::{Rollout, What, state_name};

/// The states of a good rollout, in order.
const ORDER: [&str; 12] = [
    "queued", "locked", "prepared", "expanded", "started", "ready", "preview", "shifting", "live",
    "baking", "retired", "done",
];

/// How far a rollout came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stepper {
    pub(crate) steps: Vec<StepMark>,
    /// `Step 7 of 12: preview`.
    pub(crate) words: String,
}

/// One state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepMark {
    pub(crate) name: String,
    pub(crate) mark: Mark,
}

/// Where the rollout stands to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Passed,
    Here,
    Waits,
    Stopped,
    Ahead,
}

impl Mark {
    /// The end of a class name.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Here => "here",
            Self::Waits => "waits",
            Self::Stopped => "stopped",
            Self::Ahead => "ahead",
        }
    }

    /// For who does not see the mark.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Here => "now",
            Self::Waits => "waits here",
            Self::Stopped => "stopped here",
            Self::Ahead => "to come",
        }
    }

    pub(crate) fn is_current(self) -> bool {
        matches!(self, Self::Here | Self::Waits | Self::Stopped)
    }
}

/// The stepper of `rollout`.
pub(crate) fn stepper(rollout: &Rollout) -> Stepper {
    let reached = rollout
        .timeline
        .iter()
        .filter_map(|moment| match &moment.what {
            What::State { state } => position(state),
            _ => None,
        })
        .chain(position(&rollout.state))
        .max()
        .unwrap_or(0);
    let here = match &rollout.state {
        RolloutState::Done => Mark::Passed,
        RolloutState::Holding { .. } => Mark::Waits,
        state if state.is_end() => Mark::Stopped,
        _ => Mark::Here,
    };
    let steps = ORDER
        .iter()
        .enumerate()
        .map(|(place, name)| StepMark {
            name: match &rollout.state {
                RolloutState::Shifting { weight } if place == reached => {
                    format!("{name} {}", share(*weight))
                }
                _ => (*name).to_owned(),
            },
            mark: match place.cmp(&reached) {
                std::cmp::Ordering::Less => Mark::Passed,
                std::cmp::Ordering::Equal => here,
                std::cmp::Ordering::Greater => Mark::Ahead,
            },
        })
        .collect();
    let words = format!(
        "Step {} of {}: {}",
        reached + 1,
        ORDER.len(),
        state_name(&rollout.state)
    );
    Stepper { steps, words }
}

/// The place of an ordinary state; a sideways state or another end has none.
fn position(state: &RolloutState) -> Option<usize> {
    let name = match state {
        RolloutState::Shifting { .. } => "shifting".to_owned(),
        state => state_name(state),
    };
    ORDER.iter().position(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::sample;

    fn marks(rollout: &Rollout) -> String {
        stepper(rollout)
            .steps
            .iter()
            .map(|s| match s.mark {
                Mark::Passed => '+',
                Mark::Here => '>',
                Mark::Waits => '?',
                Mark::Stopped => '!',
                Mark::Ahead => '.',
            })
            .collect()
    }

    #[test]
    fn every_state_has_its_mark() {
        let reading = sample::reading();
        let all: Vec<String> = reading.rollouts.iter().map(marks).collect();
        assert_eq!(all, ["+++++++++>..", "++++++++!...", "++++++>....."]);
    }

    #[test]
    fn holding_waits_where_it_was_and_done_has_nothing_ahead() {
        let mut rollout = sample::reading().rollouts.remove(2);
        rollout.state = RolloutState::Holding {
            reason: "no data".into(),
        };
        assert_eq!(marks(&rollout), "++++++?.....");
        rollout.state = RolloutState::Done;
        assert_eq!(marks(&rollout), "++++++++++++");
    }

    #[test]
    fn shifting_says_its_share() {
        let mut rollout = sample::reading().rollouts.remove(2);
        rollout.state = RolloutState::Shifting { weight: 2500 };
        let stepper = stepper(&rollout);
        assert_eq!(stepper.steps[7].name, "shifting 25 %");
        assert_eq!(stepper.words, "Step 8 of 12: shifting 25 %");
    }
}
