//! The overview in one line: what matters most among all services. Pure.

use slipway_journal::ServiceName;
use slipway_journal::event::rollout::RolloutState;

use crate::console::live::Picture;
use crate::console::view::Mood;
use crate::console::view::service::{Role, ServiceWords, SlotWords};
use crate::console::words::{counted, number};
use crate::reading::{Reading, state_name};

/// What stands above the services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SummaryWords {
    pub(crate) title: String,
    pub(crate) entries: String,
    pub(crate) generation: Option<String>,
    pub(crate) silent: Option<String>,
}

/// The services of the environment's file, and those that only the journal knows.
pub(crate) fn services(configured: &[ServiceName], reading: &Reading) -> Vec<ServiceName> {
    let mut services = configured.to_vec();
    for rollout in &reading.rollouts {
        if !services.contains(&rollout.service) {
            services.push(rollout.service.clone());
        }
    }
    services
}

/// The line above `services`.
pub(crate) fn summary_words(picture: &Picture, services: &[ServiceWords]) -> SummaryWords {
    let table = picture.proxy.table.as_ref();
    SummaryWords {
        title: title(picture.proxy.silent.is_some(), services),
        entries: counted(
            u64::try_from(picture.reading.seq.0).unwrap_or(0),
            "journal entry",
            "journal entries",
        ),
        generation: table.map(|t| number(t.generation.0)),
        silent: picture.proxy.silent.clone(),
    }
}

/// Worst first: what needs a person, then what moves, then what rests.
fn title(is_silent: bool, services: &[ServiceWords]) -> String {
    let reason = String::new;
    let halted = state_name(&RolloutState::Halted { reason: reason() });
    let rolled_back = state_name(&RolloutState::RolledBack { reason: reason() });
    let is_halted = |s: &&ServiceWords| s.news.as_ref().is_some_and(|n| n.state == halted);
    if is_silent {
        return "The proxy does not answer".into();
    }
    if let Some(service) = services.iter().find(is_halted) {
        return format!("{} needs a person", service.name);
    }
    if let Some(service) = services.iter().find(|s| live(s).any(is_troubled)) {
        return format!("{} is live, with trouble", service.name);
    }
    match services.iter().filter(|s| s.running.is_some()).count() {
        0 => {}
        1 => return "A rollout is under way".into(),
        n => return format!("{n} rollouts are under way"),
    }
    if services.iter().all(|s| live(s).next().is_none()) {
        return "Nothing is live yet".into();
    }
    let bad = |s: &ServiceWords| {
        let news = s.news.as_ref().filter(|n| n.mood == Mood::Bad)?;
        Some(if news.state == rolled_back {
            format!("{} was rolled back", s.name)
        } else {
            format!("A rollout of {} failed", s.name)
        })
    };
    services
        .iter()
        .find_map(bad)
        .unwrap_or_else(|| "Live and quiet".into())
}

fn live(service: &ServiceWords) -> impl Iterator<Item = &SlotWords> {
    let slots = service.slots.iter();
    slots.filter(|s| matches!(s.role, Role::Live | Role::Shifting))
}

/// Requests failed within the last minute, or an instance is down.
fn is_troubled(slot: &SlotWords) -> bool {
    slot.traffic.as_ref().is_some_and(|t| t.has_failures)
        || slot.instances.iter().any(|i| i.mood == Mood::Bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::sample;
    use crate::console::view::service::service_words;

    fn title_of(picture: &Picture) -> String {
        let words = service_words(picture, &sample::service(), None, None, &sample::face());
        summary_words(picture, &[words]).title
    }

    #[test]
    fn the_title_says_what_matters_most() {
        assert_eq!(title_of(&Picture::default()), "Nothing is live yet");
        assert_eq!(title_of(&sample::picture(1)), "Live and quiet");
        assert_eq!(title_of(&sample::picture(2)), "booking was rolled back");
        assert_eq!(title_of(&sample::picture(3)), "A rollout is under way");
        let mut picture = sample::picture(3);
        let stats = picture.proxy.stats.as_mut().unwrap();
        stats.pools[0].targets[0].health = slipway_proxy::Health::Down;
        assert_eq!(title_of(&picture), "booking is live, with trouble");
        let last = picture.reading.rollouts.last_mut().unwrap();
        last.state = RolloutState::Halted {
            reason: "shared cause".into(),
        };
        assert_eq!(title_of(&picture), "booking needs a person");
        picture.proxy.silent = Some("nobody answers".into());
        assert_eq!(title_of(&picture), "The proxy does not answer");
    }

    #[test]
    fn a_service_that_left_the_file_is_shown_while_the_journal_knows_it() {
        let other: ServiceName = "mail".parse().unwrap();
        let names = services(std::slice::from_ref(&other), &sample::reading());
        assert_eq!(names, [other, sample::service()]);
    }
}
