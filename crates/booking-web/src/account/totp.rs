//! Codes of a code app (RFC 6238: SHA-1, six digits, thirty seconds), the sealing of their
//! secret, and the codes for the day on which the phone is lost. Pure.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use chassis::Random;
use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use totp_rs::{Algorithm, Builder, Totp};
use uuid::Uuid;

const SECRET_BYTES: usize = 20;
const NONCE_BYTES: usize = 24;
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
/// Clocks of phones may be off by one step.
const SKEW: u16 = 1;

/// How many recovery codes there are at a time.
pub(crate) const RECOVERY_CODES: usize = 10;

/// The secret that a code app and we share.
#[derive(Clone)]
pub(crate) struct Secret([u8; SECRET_BYTES]);

impl Secret {
    pub(crate) fn new(random: &Random) -> Self {
        let mut bytes = [0; SECRET_BYTES];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// As it is typed into an app that cannot look at pictures, in groups of four.
    pub(crate) fn in_groups(&self) -> String {
        let text = BASE32_NOPAD.encode(&self.0);
        let chars: Vec<char> = text.chars().collect();
        let groups: Vec<String> = chars.chunks(4).map(|c| c.iter().collect()).collect();
        groups.join(" ")
    }

    /// The address that a picture brings to the app.
    pub(crate) fn address(&self, email: &str) -> String {
        let label: String = email
            .bytes()
            .map(|b| match b {
                b if b.is_ascii_alphanumeric() || b"-_.".contains(&b) => char::from(b).to_string(),
                b => format!("%{b:02X}"),
            })
            .collect();
        let secret = BASE32_NOPAD.encode(&self.0);
        format!("otpauth://totp/Booking:{label}?secret={secret}&issuer=Booking")
    }

    fn totp(&self) -> Totp {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(SKEW)
            .with_step_duration(STEP_SECONDS)
            .with_secret(self.0)
            .build_noncompliant()
    }

    /// The step whose code this is, near `now`; none where it is no code of ours.
    pub(crate) fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let is_code =
            digits.len() == usize::from(DIGITS) && digits.bytes().all(|b| b.is_ascii_digit());
        let seconds = u64::try_from(now.as_second()).ok()?;
        let step = is_code
            .then(|| self.totp().check(&digits, seconds))
            .flatten()?;
        i64::try_from(step).ok()
    }

    /// Encrypted, and bound to its account, so that nobody gives it to another.
    pub(crate) fn seal(&self, key: &[u8; 32], account: Uuid, random: &Random) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let payload = Payload {
            msg: &self.0,
            aad: account.as_bytes(),
        };
        let sealed = XChaCha20Poly1305::new(&(*key).into())
            .encrypt(&XNonce::from(nonce), payload)
            .expect("twenty bytes can be encrypted");
        [nonce.as_slice(), &sealed].concat()
    }

    /// None where it was sealed under another key, or for somebody else.
    pub(crate) fn unseal(sealed: &[u8], key: &[u8; 32], account: Uuid) -> Option<Self> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: sealed,
            aad: account.as_bytes(),
        };
        let secret = XChaCha20Poly1305::new(&(*key).into())
            .decrypt(&XNonce::from(*nonce), payload)
            .ok()?;
        secret.try_into().ok().map(Self)
    }
}

/// New recovery codes, of fifty bits each.
pub(crate) fn recovery_codes(random: &Random) -> Vec<String> {
    (0..RECOVERY_CODES)
        .map(|_| {
            let token = random.token();
            let chars: Vec<char> = token.chars().take(10).collect();
            let (one, two) = chars.split_at(5);
            format!("{}-{}", String::from_iter(one), String::from_iter(two))
        })
        .collect()
}

/// What is stored of a recovery code, however it was typed.
pub(crate) fn recovery_hash(key: &[u8; 32], account: Uuid, code: &str) -> [u8; 32] {
    let code: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let mut text = account.as_bytes().to_vec();
    text.extend_from_slice(code.as_bytes());
    *blake3::keyed_hash(key, &text).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: eight digits there, of which an app shows the last six.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = Secret(*b"12345678901234567890");
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let at = Timestamp::from_second(second).unwrap();
            assert_eq!(secret.step_of(code, at), Some(second / 30), "{second}");
        }
    }

    #[test]
    fn a_phone_may_be_half_a_minute_off_and_no_more() {
        let secret = Secret(*b"12345678901234567890");
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(secret.step_of("287 082", at(30)), Some(1));
        assert_eq!(secret.step_of("287082", at(89)), Some(1));
        assert_eq!(secret.step_of("287082", at(90)), None);
        for other in ["", "28708", "2870820", "abcdef", "٢٨٧٠٨٢"] {
            assert_eq!(secret.step_of(other, at(59)), None, "{other}");
        }
    }

    #[test]
    fn a_sealed_secret_is_opened_by_its_key_for_its_account_only() {
        let (random, ours, other) = (Random::seeded(1), Uuid::from_u128(1), Uuid::from_u128(2));
        let secret = Secret::new(&random);
        let sealed = secret.seal(&[1; 32], ours, &random);
        assert!(!sealed.windows(SECRET_BYTES).any(|part| part == secret.0));
        let open = |sealed: &[u8], key, account| Secret::unseal(sealed, key, account);
        assert!(open(&sealed, &[1; 32], ours).is_some_and(|opened| opened.0 == secret.0));
        assert!(open(&sealed, &[2; 32], ours).is_none());
        assert!(open(&sealed, &[1; 32], other).is_none());
        assert!(open(b"short", &[1; 32], ours).is_none());
    }

    #[test]
    fn a_recovery_code_is_read_however_it_is_typed() {
        let random = Random::seeded(1);
        let codes = recovery_codes(&random);
        assert_eq!(codes.len(), RECOVERY_CODES);
        let hash = |code: &str| recovery_hash(&[1; 32], Uuid::nil(), code);
        let typed = codes[0].replace('-', " ").to_uppercase();
        assert_eq!(hash(&codes[0]), hash(&typed));
        assert_ne!(hash(&codes[0]), hash(&codes[1]));
    }
}
