//! Accounts: who somebody is, and how they show it. Never here: what they may do at a
//! business, which is their role's to say. What a person typed is never logged.

pub(crate) mod codes;
pub(crate) mod device;
pub(crate) mod email;
pub(crate) mod mail;
pub(crate) mod member;
pub(crate) mod members;
pub(crate) mod network;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod refused;
pub(crate) mod reset;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod template;
pub(crate) mod throttle;
pub(crate) mod totp;
pub(crate) mod webauthn;

use chassis::{Clock, Random};
use sqlx::PgPool;

use self::password::Passwords;
use self::webauthn::Passkeys;

/// What a process needs to know people.
pub(crate) struct Accounts {
    pub(crate) pool: PgPool,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) passwords: Passwords,
    pub(crate) keys: Keys,
    /// None where no address is known that they could belong to.
    pub(crate) passkeys: Option<Passkeys>,
    /// Whether visitors come over HTTPS.
    pub(crate) secure: bool,
}

/// The keys of accounts; the same in every instance.
pub(crate) struct Keys {
    /// Signs the cookie of a browser in which somebody has signed in before.
    device: [u8; 32],
    /// Hides whom an attempt to sign in was for.
    attempt: [u8; 32],
    /// Hides who asked for what how often.
    count: [u8; 32],
    /// Seals the secrets of code apps.
    seal: [u8; 32],
    /// Sealed them before, where the key was changed.
    seal_old: Option<[u8; 32]>,
}

impl Keys {
    /// `old` is the material from before, where it was changed and codes still rest on it.
    pub(crate) fn derive(material: &str, old: Option<&str>) -> Self {
        const SEAL: &str = "booking 2026 code app secrets";
        let key = |purpose| blake3::derive_key(purpose, material.as_bytes());
        Self {
            device: key("booking 2026 known devices"),
            attempt: key("booking 2026 sign-in attempts"),
            count: key("booking 2026 request counts"),
            seal: key(SEAL),
            seal_old: old.map(|old| blake3::derive_key(SEAL, old.as_bytes())),
        }
    }

    /// Under which a code app may have been sealed, the present one first.
    fn seals(&self) -> impl Iterator<Item = &[u8; 32]> {
        std::iter::once(&self.seal).chain(&self.seal_old)
    }

    /// Under which something is counted.
    pub(crate) fn count_key(&self, text: &str) -> [u8; 32] {
        *blake3::keyed_hash(&self.count, text.as_bytes()).as_bytes()
    }
}

/// What is stored of a secret of 128 bits.
pub(crate) fn token_hash(token: &str) -> [u8; 32] {
    token_hash_of(token.as_bytes())
}

/// The same of one that is no text.
fn token_hash_of(token: &[u8]) -> [u8; 32] {
    *blake3::hash(token).as_bytes()
}
