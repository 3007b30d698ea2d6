//! One rollout, whole: where it stands, why, its timeline, the traffic of the releases
//! that it moves between, its instances. Pure.

use std::time::Duration;

use slipway_journal::event::rollout::RolloutState;
use slipway_journal::{Outcome, ReleaseId};

use crate::console::helm::Helm;
use crate::console::live::Picture;
use crate::console::verdicts::Verdict;
use crate::console::view::chart::{TrafficWords, scale, traffic_words};
use crate::console::view::judge::{JudgeWords, judge_words};
use crate::console::view::service::{InstanceWords, newest, pool_stats};
use crate::console::view::stepper::{Stepper, stepper};
use crate::console::view::timeline::{Line, timeline};
use crate::console::view::{Mood, ReleaseWords};
use crate::console::words::{Clockface, When, between, capital, short, span};
use crate::reading::{Rollout, actor_name, trigger_name};

/// One rollout.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RolloutWords {
    pub(crate) id: String,
    pub(crate) short: String,
    pub(crate) service: String,
    pub(crate) environment: String,
    pub(crate) slot: String,
    pub(crate) release: ReleaseWords,
    pub(crate) previous: Option<ReleaseWords>,
    pub(crate) state: String,
    pub(crate) mood: Mood,
    pub(crate) reason: Option<String>,
    pub(crate) asked: When,
    pub(crate) actor: String,
    pub(crate) took: String,
    pub(crate) is_over: bool,
    pub(crate) stepper: Stepper,
    pub(crate) triggers: Vec<(String, String)>,
    pub(crate) lines: Vec<Line>,
    pub(crate) traffic: Vec<ReleaseTrafficWords>,
    pub(crate) instances: Vec<InstanceWords>,
    pub(crate) has_receipt: bool,
    pub(crate) is_quarantined: bool,
    pub(crate) gates: Vec<GateWords>,
    pub(crate) lever: Lever,
    pub(crate) steers: Vec<Steer>,
    pub(crate) judge: Option<JudgeWords>,
}

/// What a person may say of a share of the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steer {
    /// Its place in the address.
    pub(crate) order: &'static str,
    pub(crate) label: &'static str,
}

/// In the order of the buttons.
pub(crate) const HOLD: Steer = Steer {
    order: "hold",
    label: "Hold…",
};
pub(crate) const RESUME: Steer = Steer {
    order: "resume",
    label: "Resume…",
};
pub(crate) const ADVANCE: Steer = Steer {
    order: "advance",
    label: "Advance…",
};

/// What a release of the rollout serves now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReleaseTrafficWords {
    pub(crate) role: &'static str,
    pub(crate) release: ReleaseWords,
    pub(crate) words: TrafficWords,
}

/// What one gate said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GateWords {
    pub(crate) gate: String,
    pub(crate) outcome: String,
    pub(crate) mood: Mood,
    pub(crate) findings: Vec<String>,
}

/// What a person may do about the rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lever {
    Cancel,
    RollBack,
    Nothing,
}

impl Lever {
    pub(crate) fn is_cancel(self) -> bool {
        self == Self::Cancel
    }

    pub(crate) fn is_roll_back(self) -> bool {
        self == Self::RollBack
    }
}

/// `rollout`, as of now; `helm` where an engine is there to ask.
pub(crate) fn rollout_words(
    picture: &Picture,
    rollout: &Rollout,
    helm: Option<&dyn Helm>,
    face: &Clockface,
) -> RolloutWords {
    let can_act = helm.is_some();
    let reading = &picture.reading;
    RolloutWords {
        id: rollout.rollout.to_string(),
        short: short(rollout.rollout),
        service: rollout.service.to_string(),
        environment: rollout.environment.to_string(),
        slot: rollout.slot.to_string(),
        release: ReleaseWords::of(&rollout.release, reading),
        previous: rollout
            .previous
            .as_ref()
            .map(|p| ReleaseWords::of(p, reading)),
        state: rollout.state_words(),
        mood: Mood::of(&rollout.state),
        reason: reason(rollout),
        asked: face.when(rollout.asked_at),
        actor: actor_name(&rollout.actor).to_owned(),
        took: span(took(rollout, face)),
        is_over: rollout.state.is_end(),
        stepper: stepper(rollout),
        triggers: rollout
            .triggers
            .iter()
            .map(|(trigger, evidence)| (trigger_name(*trigger).to_owned(), evidence.clone()))
            .collect(),
        lines: timeline(rollout, face),
        traffic: traffic(picture, rollout),
        instances: instances(picture, rollout),
        has_receipt: rollout.receipt.is_some(),
        is_quarantined: reading.quarantined.contains_key(&rollout.release),
        gates: gates(picture.verdicts.of(&rollout.release)),
        lever: if can_act {
            lever(
                rollout,
                newest(reading, &rollout.service) == Some(rollout.rollout),
            )
        } else {
            Lever::Nothing
        },
        steers: if can_act { steers(rollout) } else { Vec::new() },
        judge: helm
            .filter(|_| !rollout.state.is_end())
            .and_then(|helm| helm.standing(rollout.rollout))
            .map(|standing| judge_words(&standing)),
    }
}

/// What may be said of its share now.
fn steers(rollout: &Rollout) -> Vec<Steer> {
    if rollout.share().is_none() || !rollout.triggers.is_empty() {
        return Vec::new();
    }
    let first = if rollout.is_held() { RESUME } else { HOLD };
    vec![ADVANCE, first]
}

/// By its receipt, the moment of the switch or of the way back; without one, until its last
/// word or now.
pub(crate) fn took(rollout: &Rollout, face: &Clockface) -> Duration {
    match &rollout.receipt {
        Some(receipt) => Duration::from_millis(receipt.took_ms),
        None if rollout.is_settled() => {
            let last = rollout.timeline.last();
            between(rollout.asked_at, last.map_or(rollout.asked_at, |m| m.at))
        }
        None => between(rollout.asked_at, face.now),
    }
}

/// Why it stands as it does, unless a trigger says the same in full below.
fn reason(rollout: &Rollout) -> Option<String> {
    let reason = rollout.reason()?;
    let is_said = rollout.triggers.iter().any(|(_, said)| *said == reason);
    (!is_said).then(|| capital(&reason))
}

/// Before it has traffic a rollout is cancelled; with traffic it is rolled back, which
/// only the newest one can be.
fn lever(rollout: &Rollout, is_newest: bool) -> Lever {
    match &rollout.state {
        state if state.is_end() => Lever::Nothing,
        RolloutState::Retired => Lever::Nothing,
        _ if rollout.has_traffic() && is_newest => Lever::RollBack,
        _ if rollout.has_traffic() => Lever::Nothing,
        // A rollout that holds with traffic on it must be rolled back, not cancelled.
        RolloutState::Holding { .. } if rollout.went_live() || rollout.share().is_some() => {
            Lever::RollBack
        }
        _ => Lever::Cancel,
    }
}

/// Live figures say nothing about a rollout that is over.
fn traffic(picture: &Picture, rollout: &Rollout) -> Vec<ReleaseTrafficWords> {
    if picture.proxy.silent.is_some() || (rollout.state.is_end() || !is_current(picture, rollout)) {
        return Vec::new();
    }
    let service = rollout.service.as_str();
    let releases: Vec<(&'static str, &ReleaseId)> = std::iter::once(("new", &rollout.release))
        .chain(rollout.previous.iter().map(|p| ("old", p)))
        .collect();
    let scale = scale(
        &picture.traffic,
        service,
        releases.iter().map(|(_, r)| r.as_str()),
    );
    releases
        .into_iter()
        .filter_map(|(role, release)| {
            Some(ReleaseTrafficWords {
                role,
                words: traffic_words(&picture.traffic, service, release.as_str(), scale)?,
                release: ReleaseWords::of(release, &picture.reading),
            })
        })
        .collect()
}

fn is_current(picture: &Picture, rollout: &Rollout) -> bool {
    newest(&picture.reading, &rollout.service) == Some(rollout.rollout)
}

/// The instances that the rollout started, with how the proxy finds those in its table.
fn instances(picture: &Picture, rollout: &Rollout) -> Vec<InstanceWords> {
    let stats = pool_stats(picture, &rollout.service, &rollout.release);
    rollout
        .instances
        .iter()
        .map(|instance| {
            let id = instance.instance.to_string();
            let target = stats
                .into_iter()
                .flat_map(|s| &s.targets)
                .find(|t| t.instance == id);
            let process = || format!("process {} at {}", instance.pid, instance.address);
            let (health, mood, detail) = match (&instance.ended, target.map(|t| t.health)) {
                (Some(how), _) => (how.clone(), Mood::Calm, None),
                (None, Some(slipway_proxy::Health::Up)) => {
                    ("healthy".to_owned(), Mood::Good, Some(process()))
                }
                (None, Some(slipway_proxy::Health::Down)) => {
                    ("down".to_owned(), Mood::Bad, Some(process()))
                }
                (None, _) => ("started".to_owned(), Mood::Busy, Some(process())),
            };
            InstanceWords {
                short: short(instance.instance),
                health,
                mood,
                detail,
                id,
            }
        })
        .collect()
}

pub(crate) fn gates(verdicts: &[Verdict]) -> Vec<GateWords> {
    verdicts
        .iter()
        .map(|v| GateWords {
            gate: v.gate.clone(),
            outcome: match v.outcome {
                Outcome::NotMet => "not met".to_owned(),
                Outcome::NotEvaluated => "not evaluated".to_owned(),
                outcome => outcome.to_string(),
            },
            mood: Mood::of_outcome(v.outcome),
            findings: v.findings.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::tests::house::Notes;
    use crate::console::view::sample;
    use slipway_journal::event::rollout::Steering;

    fn words(count: usize) -> RolloutWords {
        let picture = sample::picture(count);
        let rollout = &picture.reading.rollouts[count - 1];
        rollout_words(&picture, rollout, Some(&Notes::default()), &sample::face())
    }

    fn of_canary(picture: &Picture) -> RolloutWords {
        let helm = Notes {
            standing: Some(sample::standing()),
            ..Notes::default()
        };
        let rollout = &picture.reading.rollouts[2];
        rollout_words(picture, rollout, Some(&helm), &sample::face())
    }

    #[test]
    fn a_share_of_the_traffic_can_be_made_larger_held_and_taken_back() {
        let mut picture = sample::canary();
        let words = of_canary(&picture);
        assert_eq!(words.steers, [ADVANCE, HOLD]);
        assert_eq!(words.lever, Lever::RollBack);
        assert_eq!(words.judge.unwrap().metrics.len(), 3);
        let reason = "held: the mail goes out at ten".to_owned();
        let held = RolloutState::Holding { reason };
        sample::say(&mut picture, Steering::Hold, held);
        let words = of_canary(&picture);
        assert_eq!(words.steers, [ADVANCE, RESUME]);
        assert_eq!(words.lever, Lever::RollBack);
        assert!(words.lines.iter().any(|l| l.title == "The share stays"));
        let again = RolloutState::Shifting { weight: 1_000 };
        sample::say(&mut picture, Steering::Resume, again);
        assert_eq!(of_canary(&picture).steers, [ADVANCE, HOLD]);
    }

    #[test]
    fn where_there_is_no_share_nothing_can_be_said_of_it() {
        assert!((1..=3).all(|count| words(count).steers.is_empty()));
    }

    #[test]
    fn a_rollout_without_traffic_is_cancelled_and_one_with_traffic_rolled_back() {
        assert_eq!(words(3).lever, Lever::Cancel);
        assert_eq!(words(1).lever, Lever::RollBack);
        assert_eq!(words(2).lever, Lever::Nothing);
    }

    #[test]
    fn without_an_engine_there_is_no_lever() {
        let picture = sample::picture(3);
        let rollout = &picture.reading.rollouts[2];
        let words = rollout_words(&picture, rollout, None, &sample::face());
        assert_eq!(words.lever, Lever::Nothing);
    }

    #[test]
    fn a_rolled_back_rollout_says_why_and_is_quarantined() {
        let words = words(2);
        assert_eq!(words.triggers.len(), 1);
        assert!(words.is_quarantined && words.has_receipt);
        assert_eq!(words.took, "6.2 s", "as the receipt says");
        assert!(words.traffic.is_empty(), "figures of now are not its own");
        assert_eq!(words.instances[0].health, "ended with code 0");
    }

    #[test]
    fn a_running_rollout_shows_old_and_new_side_by_side() {
        let words = words(3);
        let roles: Vec<&str> = words.traffic.iter().map(|t| t.role).collect();
        assert_eq!(roles, ["new", "old"]);
        assert_eq!(words.gates.len(), 2);
    }
}
