//! Passkeys as the standard has them (`WebAuthn`): what the browser is asked, and whether what it answers was
//! signed for us. The library keeps the rules of the standard; here is where it is used, and
//! what we ask beyond it: the person was verified, at one address, never within a frame. Pure.

use chassis::Random;
use http::Uri;
use passki::{
    AuthenticationCredential, AuthenticationOptions, ClientData, Passki, PasskiError,
    RegistrationCredential, RegistrationOptions, ResidentKeyRequirement, StoredPasskey,
    UserVerificationRequirement,
};

use crate::store::account::Account;
use crate::store::passkey::{Listed, Passkey};

const CHALLENGE_BYTES: usize = 32;
/// What the person may take to find their telephone, in milliseconds.
const WITHIN: u64 = 300_000;
/// How the authenticator calls us.
const NAME: &str = "Booking";

/// Why there are no passkeys here, in words for the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("PUBLIC_URL must be https://, with the name of a host")]
    Address,
    #[error("this processor lacks instructions that the signatures need (AVX2, ADX, BMI, AES)")]
    Processor,
}

/// Why an answer is not taken: a word for the log, in which nothing is of the visitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl Refused {
    /// For the operator, who is told that passkeys do not work.
    pub(crate) fn say(self) {
        tracing::info!(why = self.0, "a passkey was refused");
    }
}

impl From<PasskiError> for Refused {
    fn from(error: PasskiError) -> Self {
        Self(match error {
            PasskiError::OriginMismatch { .. } => "another address",
            PasskiError::CrossOriginNotAllowed => "within a frame of another site",
            PasskiError::RpIdHashMismatch => "signed for another site",
            PasskiError::ChallengeMismatch => "another challenge",
            PasskiError::UserNotPresent | PasskiError::UserVerificationRequired => {
                "the person was not verified"
            }
            PasskiError::SignatureVerificationFailed => "not signed with this passkey",
            _ => "malformed",
        })
    }
}

/// A passkey that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
    pub(crate) algorithm: i32,
    pub(crate) sign_count: u32,
}

/// What a browser answers, read as far as it can be without knowing whose it is.
pub(crate) struct Answer<T> {
    pub(crate) challenge: Vec<u8>,
    pub(crate) credential_id: Vec<u8>,
    said: T,
}

/// An answer with a passkey that was made.
pub(crate) type Making = Answer<RegistrationCredential>;
/// An answer that was signed with a passkey.
pub(crate) type Signing = Answer<AuthenticationCredential>;

impl Making {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let said: RegistrationCredential = serde_json::from_str(text).ok()?;
        Some(Self {
            challenge: challenge(&said.response.client_data_json)?,
            credential_id: Passki::base64_decode(&said.raw_id).ok()?,
            said,
        })
    }
}

impl Signing {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let said: AuthenticationCredential = serde_json::from_str(text).ok()?;
        Some(Self {
            challenge: challenge(&said.response.client_data_json)?,
            credential_id: Passki::base64_decode(&said.raw_id).ok()?,
            said,
        })
    }
}

fn challenge(client_data: &str) -> Option<Vec<u8>> {
    let data = ClientData::from_base64(client_data).ok()?;
    Passki::base64_decode(&data.challenge).ok()
}

/// A challenge that nobody had before.
pub(crate) fn new_challenge(random: &Random) -> Vec<u8> {
    let mut bytes = vec![0; CHALLENGE_BYTES];
    random.fill(&mut bytes);
    bytes
}

/// Whether a passkey that was used `kept` times may say that it is used for the `now`-th time.
/// One that does not count always says zero. Going back, there are two of it.
pub(crate) fn counts_on(kept: i64, now: u32) -> bool {
    i64::from(now) > kept || (kept == 0 && now == 0)
}

/// The one address that passkeys belong to.
pub(crate) struct Passkeys {
    origin: String,
    library: Passki,
}

impl Passkeys {
    /// For the address that visitors come to.
    pub(crate) fn at(url: &str) -> Result<Self, Unfit> {
        if !graviola::util::is_cpu_supported() {
            return Err(Unfit::Processor);
        }
        let (origin, host) = origin(url).ok_or(Unfit::Address)?;
        Ok(Self {
            library: Passki::new(&host, std::slice::from_ref(&origin), NAME),
            origin,
        })
    }

    /// The address at which they can be used, as browsers write it.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// What the browser is asked to make for `account`, which has `kept` already.
    pub(crate) fn to_make(
        &self,
        challenge: &[u8],
        account: &Account,
        kept: &[Listed],
    ) -> anyhow::Result<String> {
        let kept: Vec<StoredPasskey> = kept
            .iter()
            .map(|listed| {
                let mut passkey = StoredPasskey::default();
                passkey.credential_id.clone_from(&listed.credential_id);
                passkey
            })
            .collect();
        let mut options = making();
        options.exclude_credentials = Some(&kept);
        let (mut asked, _) = self.library.start_passkey_registration(
            account.id.as_bytes(),
            &account.email,
            &account.name,
            options,
        )?;
        asked.challenge = Passki::base64_encode(challenge);
        Ok(serde_json::to_string(&asked)?)
    }

    /// What the browser is asked to sign, with whichever passkey the person chooses.
    pub(crate) fn to_sign(&self, challenge: &[u8]) -> anyhow::Result<String> {
        let (mut asked, _) = self.library.start_passkey_authentication(&[], signing())?;
        asked.challenge = Passki::base64_encode(challenge);
        Ok(serde_json::to_string(&asked)?)
    }

    /// The passkey that was made for `account`, or why it is not taken.
    pub(crate) fn made(&self, account: &Account, answer: &Making) -> Result<Made, Refused> {
        let (asked, mut state) = self.library.start_passkey_registration(
            account.id.as_bytes(),
            &account.email,
            &account.name,
            making(),
        )?;
        state.challenge.clone_from(&answer.challenge);
        let made = self
            .library
            .finish_passkey_registration(&answer.said, &state)?;
        let mut known = asked.pub_key_cred_params.iter();
        if !known.any(|known| known.alg == made.algorithm) {
            return Err(Refused("another algorithm"));
        }
        Ok(Made {
            credential_id: made.credential_id,
            public_key: made.public_key,
            algorithm: made.algorithm,
            sign_count: made.counter,
        })
    }

    /// What the count of `passkey` says after it has signed this, or why it is not taken. The
    /// count is compared where it is kept, so that of two at once one is the second.
    pub(crate) fn signed(&self, passkey: &Passkey, answer: &Signing) -> Result<u32, Refused> {
        let (_, mut state) = self.library.start_passkey_authentication(&[], signing())?;
        state.challenge.clone_from(&answer.challenge);
        let mut stored = StoredPasskey::default();
        stored.credential_id.clone_from(&passkey.credential_id);
        stored.public_key.clone_from(&passkey.public_key);
        stored.algorithm = passkey.algorithm;
        let result = self
            .library
            .finish_passkey_authentication(&answer.said, &state, &stored)?;
        // Whose the authenticator says it is must be whose it is here.
        if result.user_handle.as_deref() != Some(passkey.account.as_bytes().as_slice()) {
            return Err(Refused("of somebody else"));
        }
        Ok(result.counter)
    }
}

fn making() -> RegistrationOptions<'static> {
    let mut options = RegistrationOptions::default();
    options.timeout = WITHIN;
    options.resident_key = ResidentKeyRequirement::Required;
    options.user_verification = UserVerificationRequirement::Required;
    options
}

fn signing() -> AuthenticationOptions {
    let mut options = AuthenticationOptions::default();
    options.timeout = WITHIN;
    options.user_verification = UserVerificationRequirement::Required;
    options
}

/// The origin of an address as browsers write it, and the host that passkeys are bound to.
/// Browsers let only HTTPS and one's own machine have passkeys, and no bare numbers.
fn origin(url: &str) -> Option<(String, String)> {
    let uri: Uri = url.parse().ok()?;
    let host = uri.host()?.to_ascii_lowercase();
    let is_named = host.bytes().any(|b| b.is_ascii_alphabetic()) && !host.contains(':');
    let (scheme, usual) = match uri.scheme_str()? {
        "https" => ("https", 443),
        "http" if host == "localhost" => ("http", 80),
        _ => return None,
    };
    let port = match uri.port_u16() {
        Some(port) if port != usual => format!(":{port}"),
        _ => String::new(),
    };
    is_named.then(|| (format!("{scheme}://{host}{port}"), host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_belong_to_the_host_of_the_public_address() {
        for (url, expected) in [
            (
                "https://Booking.Example/",
                Some(("https://booking.example", "booking.example")),
            ),
            (
                "https://booking.example:443/a",
                Some(("https://booking.example", "booking.example")),
            ),
            (
                "https://booking.example:8443",
                Some(("https://booking.example:8443", "booking.example")),
            ),
            (
                "http://localhost:3000",
                Some(("http://localhost:3000", "localhost")),
            ),
            ("http://booking.example", None),
            ("https://127.0.0.1:3000", None),
            ("https://[::1]:3000", None),
            ("booking.example", None),
            ("", None),
        ] {
            let expected = expected.map(|(origin, host)| (origin.to_owned(), host.to_owned()));
            assert_eq!(origin(url), expected, "{url}");
        }
    }

    #[test]
    fn a_count_goes_on_and_never_back() {
        assert!(counts_on(0, 0), "it does not count");
        assert!(counts_on(0, 1) && counts_on(7, 8) && counts_on(7, 70));
        assert!(!counts_on(7, 7) && !counts_on(7, 6) && !counts_on(7, 0));
    }
}
