//! Who sits at a browser: somebody to whom the control socket gave a link, as the kernel had
//! said who asked. A link is good once and for a minute; a session ends by itself, by its
//! person, and with control. Nothing is kept but hashes, and nothing on disk.
//!
//! Browsers give a cookie of `127.0.0.1` to every port there, whoever listens. So sessions
//! have a host name of their own, that only whoever was given a link knows.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chassis::{Clock, Random};
use slipway_journal::Actor;

/// How long a link is good.
pub(crate) const LINK: Duration = Duration::from_secs(60);
/// How long nobody may do anything before a session ends.
const IDLE: Duration = Duration::from_secs(2 * 3600);
/// How long a session may last at all.
const LIFE: Duration = Duration::from_secs(12 * 3600);
/// Links and sessions at once; the oldest make room.
const MOST: usize = 64;

/// Links that were given, and sessions that began.
pub(crate) struct Sessions {
    clock: Clock,
    random: Random,
    host: String,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    links: HashMap<blake3::Hash, Link>,
    sessions: HashMap<blake3::Hash, Session>,
}

struct Link {
    actor: Actor,
    given: Duration,
}

struct Session {
    actor: Actor,
    began: Duration,
    seen: Duration,
}

impl Sessions {
    pub(crate) fn new(clock: Clock, random: Random) -> Self {
        Self {
            // Names below `localhost` lead to this machine and nowhere else (RFC 6761, 6.3).
            host: format!("{}.localhost", random.token()),
            clock,
            random,
            kept: Mutex::default(),
        }
    }

    /// The name under which alone somebody is signed in.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// A secret for `actor`, for one link.
    pub(crate) fn invite(&self, actor: Actor) -> String {
        let (code, given) = (self.random.token(), self.clock.monotonic());
        let mut kept = self.kept();
        kept.links
            .retain(|_, link| given.saturating_sub(link.given) < LINK);
        make_room(&mut kept.links, |link| link.given);
        kept.links.insert(hash(&code), Link { actor, given });
        code
    }

    /// Whether a link with this secret would be taken, and for whom.
    pub(crate) fn invited(&self, code: &str) -> Option<Actor> {
        let now = self.clock.monotonic();
        let kept = self.kept();
        let link = kept.links.get(&hash(code))?;
        (now.saturating_sub(link.given) < LINK).then(|| link.actor.clone())
    }

    /// Takes a link: the secret of the session that begins.
    pub(crate) fn begin(&self, code: &str) -> Option<String> {
        let now = self.clock.monotonic();
        let mut kept = self.kept();
        let link = kept.links.remove(&hash(code))?;
        if now.saturating_sub(link.given) >= LINK {
            return None;
        }
        let token = self.random.token();
        make_room(&mut kept.sessions, |session| session.seen);
        let session = Session {
            actor: link.actor,
            began: now,
            seen: now,
        };
        kept.sessions.insert(hash(&token), session);
        Some(token)
    }

    /// Whose session it is; asking keeps it awake.
    pub(crate) fn who(&self, token: &str) -> Option<Actor> {
        let now = self.clock.monotonic();
        let mut kept = self.kept();
        kept.sessions.retain(|_, session| {
            now.saturating_sub(session.seen) < IDLE && now.saturating_sub(session.began) < LIFE
        });
        let session = kept.sessions.get_mut(&hash(token))?;
        session.seen = now;
        Some(session.actor.clone())
    }

    /// Ends a session.
    pub(crate) fn end(&self, token: &str) {
        self.kept().sessions.remove(&hash(token));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}

/// Lets the oldest go where there are too many.
fn make_room<T>(kept: &mut HashMap<blake3::Hash, T>, age: impl Fn(&T) -> Duration) {
    while kept.len() >= MOST {
        let Some(oldest) = kept
            .iter()
            .min_by_key(|(_, t)| age(t))
            .map(|(hash, _)| *hash)
        else {
            return;
        };
        kept.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chassis::ManualClock;
    use jiff::Timestamp;

    fn sessions() -> (Sessions, ManualClock) {
        let (clock, hands) = Clock::manual(Timestamp::UNIX_EPOCH);
        (Sessions::new(clock, Random::seeded(3)), hands)
    }

    fn ana() -> Actor {
        Actor::Person("ana".to_owned())
    }

    #[test]
    fn a_link_is_good_once_and_for_a_minute() {
        let (sessions, hands) = sessions();
        let code = sessions.invite(ana());
        assert_eq!(sessions.invited(&code), Some(ana()));
        let token = sessions.begin(&code).unwrap();
        assert_eq!(sessions.who(&token), Some(ana()));
        assert_eq!(sessions.begin(&code), None);
        let late = sessions.invite(ana());
        hands.advance(LINK);
        assert_eq!(
            (sessions.invited(&late), sessions.begin(&late)),
            (None, None)
        );
        assert_eq!(sessions.who(&code), None, "a link is no session");
    }

    #[test]
    fn a_session_ends_by_its_person_by_idleness_and_by_age() {
        let (sessions, hands) = sessions();
        let begin = || sessions.begin(&sessions.invite(ana())).unwrap();
        let left = begin();
        sessions.end(&left);
        assert_eq!(sessions.who(&left), None);
        let idle = begin();
        hands.advance(IDLE);
        assert_eq!(sessions.who(&idle), None);
        let busy = begin();
        for _ in 0..11 {
            hands.advance(Duration::from_secs(3_600));
            assert!(sessions.who(&busy).is_some());
        }
        hands.advance(Duration::from_secs(3_600));
        assert_eq!(sessions.who(&busy), None);
    }

    #[test]
    fn there_is_always_room_for_one_more() {
        let (sessions, hands) = sessions();
        let first = sessions.begin(&sessions.invite(ana())).unwrap();
        for _ in 0..MOST {
            hands.advance(Duration::from_secs(1));
            sessions.begin(&sessions.invite(ana())).unwrap();
        }
        assert_eq!(sessions.who(&first), None);
        assert_eq!(sessions.kept().sessions.len(), MOST);
    }
}
