//! One service on the overview: which release is live, the two slots with their
//! instances and traffic, the rollout that runs, and what rolling back would do. Pure.

use std::time::Duration;

use jiff::Timestamp;
use slipway_journal::event::rollout::RolloutState;
use slipway_journal::{ReleaseId, RolloutId, ServiceName, Slot};
use slipway_proxy::{Health, PoolStats, Route};

use crate::console::helm::Plan;
use crate::console::live::Picture;
use crate::console::view::barriers::barriers;
use crate::console::view::chart::{TrafficWords, scale, traffic_words};
use crate::console::view::stepper::{Stepper, stepper};
use crate::console::view::{Mood, ReleaseWords};
use crate::console::words::{Clockface, When, capital, share, short};
use crate::reading::{Reading, Rollout, What};

/// How long an end of the last rollout stays on the overview.
const NEWS: Duration = Duration::from_secs(24 * 3600);

/// One service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ServiceWords {
    pub(crate) name: String,
    pub(crate) badge: String,
    pub(crate) mood: Mood,
    pub(crate) headline: String,
    /// What stops deployments of it now.
    pub(crate) barriers: Vec<String>,
    /// Nothing where nothing was ever brought up.
    pub(crate) slots: Vec<SlotWords>,
    pub(crate) running: Option<Brief>,
    pub(crate) news: Option<Brief>,
    pub(crate) rollback: Option<RollbackWords>,
}

/// One slot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SlotWords {
    pub(crate) slot: Slot,
    pub(crate) role: Role,
    pub(crate) share: Option<String>,
    pub(crate) release: Option<ReleaseWords>,
    pub(crate) since: Option<When>,
    pub(crate) quarantine: Option<String>,
    pub(crate) instances: Vec<InstanceWords>,
    pub(crate) traffic: Option<TrafficWords>,
}

/// What a slot is there for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Live,
    Shifting,
    Candidate,
    Warm,
    Empty,
}

impl Role {
    /// In a word, also the end of a class name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Shifting => "shifting",
            Self::Candidate => "coming up",
            Self::Warm => "warm",
            Self::Empty => "empty",
        }
    }

    pub(crate) fn mood(self) -> Mood {
        match self {
            Self::Live => Mood::Good,
            Self::Shifting | Self::Candidate => Mood::Busy,
            Self::Warm | Self::Empty => Mood::Calm,
        }
    }
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InstanceWords {
    pub(crate) id: String,
    pub(crate) short: String,
    pub(crate) health: String,
    pub(crate) mood: Mood,
    pub(crate) detail: Option<String>,
}

/// One rollout in a line or two.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Brief {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) mood: Mood,
    pub(crate) reason: Option<String>,
    pub(crate) release: ReleaseWords,
    pub(crate) when: When,
    pub(crate) stepper: Stepper,
    pub(crate) has_receipt: bool,
}

/// What rolling back would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RollbackWords {
    pub(crate) words: String,
    pub(crate) can: bool,
    pub(crate) is_slow: bool,
}

/// `service`, as of now.
pub(crate) fn service_words(
    picture: &Picture,
    service: &ServiceName,
    plan: Option<&Plan>,
    closed: Option<&str>,
    face: &Clockface,
) -> ServiceWords {
    let reading = &picture.reading;
    let rollouts = || reading.rollouts.iter().filter(|r| r.service == *service);
    let newest = rollouts().next_back();
    let running = newest.filter(|r| !r.is_settled());
    let live = live_now(picture, service);
    let route = route(picture, service);
    let slots = match (route, live.is_some() || running.is_some()) {
        (Some(_), _) | (None, true) => [Slot::Blue, Slot::Green]
            .map(|slot| slot_words(picture, service, slot, route, face))
            .into(),
        (None, false) => Vec::new(),
    };
    let news = newest
        .filter(|r| r.state.is_end() && r.state != RolloutState::Done)
        .filter(|r| face.since(ended_at(r)) < NEWS);
    let (badge, mood, headline) = headline(running, live.as_ref(), face);
    ServiceWords {
        name: service.to_string(),
        badge,
        mood,
        headline,
        barriers: barriers(reading, service, closed, face),
        slots,
        running: running.map(|r| brief(r, reading, face)),
        news: news.map(|r| brief(r, reading, face)),
        rollback: live
            .as_ref()
            .and_then(|_| rollback_words(reading, service, plan)),
    }
}

fn headline(
    running: Option<&Rollout>,
    live: Option<&(ReleaseId, Option<Timestamp>)>,
    face: &Clockface,
) -> (String, Mood, String) {
    match (running, live) {
        (Some(rollout), _) => (
            rollout.state_words(),
            match rollout.waits_for() {
                Some(_) => Mood::Warn,
                None => Mood::of(&rollout.state),
            },
            match &rollout.state {
                _ if rollout.waits_for().is_some() => format!(
                    "Release {} begins when enough people approve it.",
                    rollout.release.short()
                ),
                RolloutState::Holding { reason } => format!("Holding: {reason}."),
                RolloutState::Shifting { .. } => {
                    format!("Traffic moves to release {}.", rollout.release.short())
                }
                _ => format!(
                    "Release {} is on its way; visitors see nothing of it yet.",
                    rollout.release.short()
                ),
            },
        ),
        (None, Some((release, since))) => (
            "live".into(),
            Mood::Good,
            match since.map(|since| face.ago(since)) {
                Some(ago) if ago != "just now" => format!(
                    "Release {} serves every visitor, for {}.",
                    release.short(),
                    ago.trim_end_matches(" ago")
                ),
                _ => format!("Release {} serves every visitor.", release.short()),
            },
        ),
        (None, None) => (
            "nothing live".into(),
            Mood::Calm,
            "Nothing was brought up here yet.".into(),
        ),
    }
}

/// The release that visitors reach: by the proxy's table; where that tells nothing, by the
/// journal, which alone knows since when.
fn live_now(picture: &Picture, service: &ServiceName) -> Option<(ReleaseId, Option<Timestamp>)> {
    let by_journal = live_release(&picture.reading, service);
    let by_table: Option<ReleaseId> = route(picture, service)
        .and_then(|route| route.pools.get(&route.live))
        .and_then(|pool| pool.release.parse().ok());
    match by_table {
        Some(release) => {
            let since = by_journal.filter(|(known, _)| *known == release);
            Some((release, since.map(|(_, at)| at)))
        }
        None => by_journal.map(|(release, at)| (release, Some(at))),
    }
}

/// The release that visitors reach by what the journal says, and since when.
pub(crate) fn live_release(
    reading: &Reading,
    service: &ServiceName,
) -> Option<(ReleaseId, Timestamp)> {
    let rollouts = reading.rollouts.iter().filter(|r| r.service == *service);
    let mut live = None;
    for rollout in rollouts.filter(|r| r.went_live()) {
        for moment in &rollout.timeline {
            match &moment.what {
                What::State {
                    state: RolloutState::Live,
                } => live = Some((rollout.release.clone(), moment.at)),
                What::State {
                    state: RolloutState::RolledBack { .. },
                } => live = rollout.previous.clone().map(|p| (p, moment.at)),
                _ => {}
            }
        }
    }
    live
}

fn route<'a>(picture: &'a Picture, service: &ServiceName) -> Option<&'a Route> {
    picture.proxy.table.as_ref()?.routes.get(service.as_str())
}

/// The newest rollout that meant `slot` for `service`.
fn in_slot<'a>(reading: &'a Reading, service: &ServiceName, slot: Slot) -> Option<&'a Rollout> {
    let mut rollouts = reading.rollouts.iter().rev();
    rollouts.find(|r| r.service == *service && r.slot == slot)
}

fn slot_words(
    picture: &Picture,
    service: &ServiceName,
    slot: Slot,
    route: Option<&Route>,
    face: &Clockface,
) -> SlotWords {
    let reading = &picture.reading;
    let name = slot.to_string();
    let pool = route.and_then(|r| r.pools.get(&name));
    let rollout = in_slot(reading, service, slot);
    // What waits for approval may never come, and has nothing here yet.
    let coming = rollout.filter(|r| !r.is_settled() && r.waits_for().is_none());
    let release: Option<ReleaseId> = match pool {
        Some(pool) => pool.release.parse().ok(),
        None if route.is_some() => coming.map(|r| r.release.clone()),
        None => by_journal(reading, service, slot),
    };
    let (role, weight) = role(
        route,
        &name,
        release.as_ref(),
        coming.is_some(),
        reading,
        service,
    );
    let stats = release
        .as_ref()
        .and_then(|release| pool_stats(picture, service, release));
    let releases = route
        .iter()
        .flat_map(|r| r.pools.values())
        .map(|p| p.release.as_str())
        .collect::<Vec<_>>();
    let scale = scale(&picture.traffic, service.as_str(), releases);
    let is_silent = picture.proxy.silent.is_some();
    SlotWords {
        slot,
        role,
        share: weight.map(share),
        since: release
            .as_ref()
            .and_then(|release| since(picture, service, release, role))
            .map(|since| face.when(since)),
        quarantine: release
            .as_ref()
            .and_then(|r| reading.quarantined.get(r).cloned()),
        instances: instances(pool, stats, coming),
        traffic: release
            .as_ref()
            .filter(|_| !is_silent)
            .and_then(|r| traffic_words(&picture.traffic, service.as_str(), r.as_str(), scale)),
        release: release.as_ref().map(|r| ReleaseWords::of(r, reading)),
    }
}

/// What a slot holds when the proxy tells nothing: what the journal says.
fn by_journal(reading: &Reading, service: &ServiceName, slot: Slot) -> Option<ReleaseId> {
    let rollout = in_slot(reading, service, slot)?;
    let is_gone = rollout.state.is_end() && rollout.state != RolloutState::Done;
    let is_live = live_release(reading, service).is_some_and(|(live, _)| live == rollout.release);
    (is_live || !is_gone).then(|| rollout.release.clone())
}

fn role(
    route: Option<&Route>,
    name: &str,
    release: Option<&ReleaseId>,
    is_coming: bool,
    reading: &Reading,
    service: &ServiceName,
) -> (Role, Option<u16>) {
    let Some(release) = release else {
        return (Role::Empty, None);
    };
    let Some(route) = route else {
        let live = live_release(reading, service);
        let role = match live {
            Some((live, _)) if live == *release => Role::Live,
            _ if is_coming => Role::Candidate,
            _ => Role::Warm,
        };
        return (role, None);
    };
    let split = route.split.as_ref();
    match split {
        Some(split) if split.pool == name => (Role::Shifting, Some(split.weight)),
        Some(split) if route.live == name => {
            (Role::Live, Some(10_000_u16.saturating_sub(split.weight)))
        }
        _ if route.live == name => (Role::Live, Some(10_000)),
        _ if is_coming => (Role::Candidate, None),
        _ => (Role::Warm, None),
    }
}

pub(crate) fn pool_stats<'a>(
    picture: &'a Picture,
    service: &ServiceName,
    release: &ReleaseId,
) -> Option<&'a PoolStats> {
    let stats = picture.proxy.stats.as_ref()?;
    stats
        .pools
        .iter()
        .find(|p| p.service == service.as_str() && p.release == release.as_str())
}

/// The instances that the table names, with how the proxy finds them; before they are in
/// the table, those that the journal saw start.
fn instances(
    pool: Option<&slipway_proxy::Pool>,
    stats: Option<&PoolStats>,
    coming: Option<&Rollout>,
) -> Vec<InstanceWords> {
    let Some(pool) = pool else {
        let started = coming.into_iter().flat_map(|r| &r.instances);
        return started
            .map(|i| InstanceWords {
                id: i.instance.to_string(),
                short: short(i.instance),
                health: if i.ended.is_some() {
                    "ended"
                } else {
                    "started"
                }
                .into(),
                mood: if i.ended.is_some() {
                    Mood::Bad
                } else {
                    Mood::Busy
                },
                detail: i.ended.clone(),
            })
            .collect();
    };
    pool.targets
        .iter()
        .map(|target| {
            let stats = stats
                .into_iter()
                .flat_map(|s| &s.targets)
                .find(|t| t.instance == target.instance);
            let (health, mood) = match stats.map(|s| s.health) {
                Some(Health::Up) => ("healthy", Mood::Good),
                Some(Health::Down) => ("down", Mood::Bad),
                Some(Health::Unknown) | None => ("not looked at yet", Mood::Calm),
            };
            InstanceWords {
                id: target.instance.clone(),
                short: short(&target.instance),
                health: health.into(),
                mood,
                detail: stats
                    .filter(|s| s.health == Health::Down)
                    .and_then(|s| s.last_failure.clone()),
            }
        })
        .collect()
}

/// Since when a release stands as it does: its last going live, else its being asked for.
fn since(
    picture: &Picture,
    service: &ServiceName,
    release: &ReleaseId,
    role: Role,
) -> Option<Timestamp> {
    if role == Role::Live {
        return live_now(picture, service)?.1;
    }
    let mut rollouts = picture.reading.rollouts.iter().rev();
    let rollout = rollouts.find(|r| r.service == *service && r.release == *release)?;
    let live = rollout.timeline.iter().find(|m| {
        matches!(
            m.what,
            What::State {
                state: RolloutState::Live
            }
        )
    });
    Some(live.map_or(rollout.asked_at, |m| m.at))
}

fn ended_at(rollout: &Rollout) -> Timestamp {
    rollout.timeline.last().map_or(rollout.asked_at, |m| m.at)
}

pub(crate) fn brief(rollout: &Rollout, reading: &Reading, face: &Clockface) -> Brief {
    Brief {
        id: rollout.rollout.to_string(),
        state: rollout.state_words(),
        mood: Mood::of(&rollout.state),
        reason: rollout.reason().map(|r| capital(&r)),
        release: ReleaseWords::of(&rollout.release, reading),
        when: face.when(if rollout.state.is_end() {
            ended_at(rollout)
        } else {
            rollout.asked_at
        }),
        stepper: stepper(rollout),
        has_receipt: rollout.receipt.is_some(),
    }
}

/// By the engine; where none runs here, by the last receipt, and then without a button.
pub(crate) fn rollback_words(
    reading: &Reading,
    service: &ServiceName,
    plan: Option<&Plan>,
) -> Option<RollbackWords> {
    let (words, can, is_slow) = match plan {
        Some(Plan::Warm { words }) => (words.clone(), true, false),
        Some(Plan::Slow { words }) => (words.clone(), true, true),
        Some(Plan::Impossible { why }) => (why.clone(), false, false),
        None => {
            let mut receipts = reading.rollouts.iter().rev();
            let receipt =
                receipts.find_map(|r| r.receipt.as_ref().filter(|r| r.service == *service))?;
            (receipt.rollback_now.clone(), false, false)
        }
    };
    Some(RollbackWords {
        words,
        can,
        is_slow,
    })
}

/// Which rollout would be taken back by rolling `service` back now.
pub(crate) fn newest(reading: &Reading, service: &ServiceName) -> Option<RolloutId> {
    let mut rollouts = reading.rollouts.iter().rev();
    rollouts.find(|r| r.service == *service).map(|r| r.rollout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::view::sample;

    fn words(picture: &Picture, plan: Option<&Plan>) -> ServiceWords {
        service_words(picture, &sample::service(), plan, None, &sample::face())
    }

    #[test]
    fn an_empty_journal_has_nothing_live_and_no_slots() {
        let words = words(&Picture::default(), None);
        assert_eq!(words.badge, "nothing live");
        assert!(words.slots.is_empty() && words.rollback.is_none());
    }

    #[test]
    fn while_a_rollout_runs_the_old_release_is_live_and_the_new_one_coming_up() {
        let picture = sample::picture(3);
        let words = words(&picture, None);
        let roles: Vec<(Slot, Role)> = words.slots.iter().map(|s| (s.slot, s.role)).collect();
        assert_eq!(
            roles,
            [(Slot::Blue, Role::Live), (Slot::Green, Role::Candidate)]
        );
        assert_eq!(words.badge, "preview");
        assert_eq!(words.running.unwrap().state, "preview");
        assert_eq!(words.slots[0].share.as_deref(), Some("100 %"));
    }

    #[test]
    fn a_rollback_leaves_the_release_before_live_and_stays_news() {
        let words = words(&sample::picture(2), None);
        assert_eq!(words.badge, "live");
        assert!(
            words.headline.starts_with("Release aaaaaaaaaaaa "),
            "{}",
            words.headline
        );
        let news = words.news.unwrap();
        assert_eq!((news.state.as_str(), news.mood), ("rolled back", Mood::Bad));
        assert!(words.running.is_none());
    }

    #[test]
    fn news_of_a_rollback_are_gone_after_a_day() {
        let mut face = sample::face();
        face.now += NEWS + Duration::from_secs(3600);
        let words = service_words(&sample::picture(2), &sample::service(), None, None, &face);
        assert!(words.news.is_none());
    }

    #[test]
    fn a_silent_proxy_has_no_figures_and_the_journal_says_what_is_live() {
        let mut picture = sample::picture(1);
        picture.proxy = crate::console::live::Proxy {
            silent: Some("nobody answers".into()),
            ..Default::default()
        };
        let words = words(&picture, None);
        let live = words.slots.iter().find(|s| s.role == Role::Live).unwrap();
        assert_eq!(live.release.as_ref().unwrap().short, "aaaaaaaaaaaa");
        assert!(live.traffic.is_none());
    }

    #[test]
    fn only_an_engine_that_can_roll_back_gives_a_button() {
        let picture = sample::picture(1);
        let rollback = |plan: Option<&Plan>| words(&picture, plan).rollback.unwrap();
        assert!(!rollback(None).can);
        let warm = Plan::Warm {
            words: "routing change".into(),
        };
        assert!(rollback(Some(&warm)).can);
        let never = Plan::Impossible {
            why: "nothing before it".into(),
        };
        assert_eq!(
            rollback(Some(&never)),
            RollbackWords {
                words: "nothing before it".into(),
                can: false,
                is_slow: false
            }
        );
    }

    #[test]
    fn a_target_that_is_down_says_what_was_seen() {
        let mut picture = sample::picture(1);
        let stats = picture.proxy.stats.as_mut().unwrap();
        stats.pools[0].targets[0].health = Health::Down;
        stats.pools[0].targets[0].last_failure = Some("answered 503".into());
        let words = words(&picture, None);
        let instance = &words.slots[0].instances[0];
        assert_eq!(
            (instance.health.as_str(), instance.detail.as_deref()),
            ("down", Some("answered 503"))
        );
    }
}
