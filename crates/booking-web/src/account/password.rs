//! Passwords: which ones are taken, and how they are kept. A hash is work by design, so it
//! is computed beside the runtime, few at a time: a flood waits, and the machine does not.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use chassis::Random;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Semaphore;

use super::refused;
use crate::error::Fault;
use crate::language::{Message, message};

/// What OWASP's cheat sheet asks of argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

const CHARS_MIN: usize = 12;
const CHARS_MAX: usize = 200;

/// Each takes a processor and 19 MiB while it lasts.
const AT_ONCE: usize = 2;
/// Whoever has waited so long for a turn is told to come again.
const TURN_WITHIN: Duration = Duration::from_secs(5);

/// Whether a password is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Wrong,
    Right,
    /// Right, and to be hashed again: the parameters have changed since.
    RightButWeaklyKept,
}

/// Computes and compares hashes.
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// How long whoever waits for a turn is left waiting.
    turn_within: Duration,
    random: Random,
    /// How many hashes were computed, for whatever reason.
    pub(crate) computed: Counter,
}

impl Passwords {
    pub(crate) fn new(random: Random, computed: Counter) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            turn_within: TURN_WITHIN,
            random,
            computed,
        }
    }

    /// The hash of a new password, in the PHC string format.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Fault> {
        let (password, salt) = (password.to_owned(), self.salt());
        self.in_turn(move || hash(&password, &salt)).await
    }

    /// Compares with `kept`. Where there is none, the same work is done for nothing, so
    /// that nobody learns from the time that there is none.
    pub(crate) async fn verify(
        &self,
        password: &str,
        kept: Option<String>,
    ) -> Result<Verdict, Fault> {
        let (password, salt) = (password.to_owned(), self.salt());
        self.in_turn(move || match kept {
            Some(kept) => verify(&password, &kept),
            None => hash(&password, &salt).map(|_| Verdict::Wrong),
        })
        .await
    }

    fn salt(&self) -> [u8; 16] {
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        salt
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(self.turn_within, turn);
        let turn = turn
            .await
            .map_err(|_| Fault::TooMany(TURN_WITHIN.as_secs()))?;
        self.computed.inc();
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await
            .map_err(anyhow::Error::new)
            .flatten()
            .map_err(Fault::Broken)
    }
}

/// Whether a new password may be taken, for somebody with these names.
pub(crate) fn check(password: &str, names: &[&str]) -> Result<(), Message> {
    let chars = password.chars().count();
    if chars < CHARS_MIN {
        return Err(message("field-password-short").with("min", CHARS_MIN));
    }
    if chars > CHARS_MAX {
        return Err(message("field-password-long").with("max", CHARS_MAX));
    }
    if refused::is_guessable(password, names) {
        return Err(message("field-password-guessable"));
    }
    Ok(())
}

fn argon2() -> anyhow::Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Blocks for as long as the work takes.
pub(crate) fn hash(password: &str, salt: &[u8]) -> anyhow::Result<String> {
    let hash: PasswordHash = argon2()?
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|error| anyhow::anyhow!("hashing a password: {error}"))?;
    Ok(hash.to_string())
}

fn verify(password: &str, kept: &str) -> anyhow::Result<Verdict> {
    let kept = PasswordHash::new(kept).map_err(|_| anyhow::anyhow!("a hash cannot be read"))?;
    let argon2 = argon2()?;
    if argon2.verify_password(password.as_bytes(), &kept).is_err() {
        return Ok(Verdict::Wrong);
    }
    let params = Params::try_from(&kept).map_err(|_| anyhow::anyhow!("a hash without params"))?;
    let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    Ok(if cost(&params) == cost(argon2.params()) {
        Verdict::Right
    } else {
        Verdict::RightButWeaklyKept
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_with_the_parameters_of_owasp() {
        let kept = hash("correct horse battery", &[1; 16]).unwrap();
        assert!(
            kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{kept}"
        );
        assert_eq!(
            verify("correct horse battery", &kept).unwrap(),
            Verdict::Right
        );
        assert_eq!(
            verify("correct horse batterY", &kept).unwrap(),
            Verdict::Wrong
        );
        assert_ne!(kept, hash("correct horse battery", &[2; 16]).unwrap());
    }

    #[test]
    fn the_last_of_two_hundred_characters_counts_like_the_first() {
        let whole = "ü".repeat(CHARS_MAX);
        assert!(check(&whole, &[]).is_ok() || refused::is_guessable(&whole, &[]));
        let kept = hash(&whole, &[1; 16]).unwrap();
        assert_eq!(verify(&whole, &kept).unwrap(), Verdict::Right);
        let rest: String = whole.chars().skip(1).collect();
        for other in [format!("{rest}u"), format!("u{rest}"), rest] {
            assert_eq!(verify(&other, &kept).unwrap(), Verdict::Wrong, "{other}");
        }
    }

    #[test]
    fn a_hash_with_other_parameters_is_right_and_weakly_kept() {
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let older = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let kept: PasswordHash = older
            .hash_password_with_salt(b"correct horse battery", &[1; 16])
            .unwrap();
        let verdict = verify("correct horse battery", &kept.to_string()).unwrap();
        assert_eq!(verdict, Verdict::RightButWeaklyKept);
    }

    #[test]
    fn length_counts_and_composition_does_not() {
        assert!(check("kort maar nie lank", &[]).is_ok());
        assert!(check("ünïcödé wörds", &[]).is_ok());
        assert!(check("elevenchars", &[]).is_err());
        assert!(check(&"long ".repeat(60), &[]).is_err());
        assert!(check("123456789012", &[]).is_err());
    }

    #[tokio::test]
    async fn an_account_that_is_not_there_costs_one_hash_as_well() {
        let passwords = Passwords::new(Random::seeded(1), Counter::default());
        let kept = passwords.hash("correct horse battery").await.unwrap();
        assert_eq!(passwords.computed.get(), 1);
        let known = passwords.verify("wrong horse battery", Some(kept)).await;
        assert_eq!(passwords.computed.get(), 2);
        let unknown = passwords.verify("wrong horse battery", None).await;
        assert_eq!(passwords.computed.get(), 3);
        assert_eq!(
            (known.unwrap(), unknown.unwrap()),
            (Verdict::Wrong, Verdict::Wrong)
        );
    }

    #[tokio::test]
    async fn whoever_gets_no_turn_is_told_to_come_again() {
        let passwords = Passwords {
            turn_within: Duration::ZERO,
            ..Passwords::new(Random::seeded(1), Counter::default())
        };
        let turns = Arc::clone(&passwords.turns).acquire_many_owned(2).await;
        let refused = passwords.hash("correct horse battery").await.unwrap_err();
        assert!(matches!(refused, Fault::TooMany(5)), "{refused}");
        drop(turns);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_is_hashed_two_at_a_time() {
        let passwords = Passwords::new(Random::seeded(1), Counter::default());
        let turns = Arc::clone(&passwords.turns)
            .acquire_many_owned(2)
            .await
            .unwrap();
        let waiting = passwords.hash("correct horse battery");
        tokio::pin!(waiting);
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("it did not wait for its turn"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(
            passwords.computed.get(),
            0,
            "nothing is computed without a turn"
        );
        drop(turns);
        assert!(waiting.await.is_ok());
        assert_eq!(passwords.turns.available_permits(), AT_ONCE);
    }
}
