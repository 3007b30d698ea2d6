//! The settings of `booking worker`. Read like the others: every mistake at once, and no
//! secret in a message.

use chassis::{Env, ExposeSecret as _, SecretString};

use super::{ConfigError, FormSecret};
use crate::messages::outbound::Reach;

/// What `booking worker` is told by its environment.
#[derive(Debug)]
pub(crate) struct WorkerConfig {
    pub(crate) internal_port: Option<u16>,
    pub(crate) release: String,
    pub(crate) database_url: SecretString,
    pub(crate) database_connections: u32,
    pub(crate) redis_url: Option<SecretString>,
    form_key: FormSecret,
    /// Where visitors reach the application, without a slash at the end.
    pub(crate) public_url: String,
    /// `smtp://`, `smtps://`, or `file://` with a folder.
    pub(crate) smtp_url: SecretString,
    /// The address that mail is sent from.
    pub(crate) mail_from: String,
    /// Deliveries that may be under way at once.
    pub(crate) slots: usize,
    /// Who carries text messages; none means that none are sent.
    pub(crate) sms: Option<SmsConfig>,
    /// What webhooks may reach.
    pub(crate) webhooks: Reach,
    pub(crate) drain_seconds: u64,
}

/// The vendor of text messages.
#[derive(Debug)]
pub(crate) struct SmsConfig {
    pub(crate) url: String,
    pub(crate) token: SecretString,
}

impl WorkerConfig {
    pub(crate) fn read(env: &Env) -> Result<Self, ConfigError> {
        let mut wrong = Vec::new();
        let port = |wrong: &mut _| super::parse(env, "INTERNAL_PORT", 0, wrong);
        let config = Self {
            internal_port: env.get("INTERNAL_PORT").map(|_| port(&mut wrong)),
            release: super::release(env, &mut wrong),
            database_url: super::database_url(env, &mut wrong),
            database_connections: super::connections(env, &mut wrong),
            redis_url: super::redis_url(env, &mut wrong),
            form_key: super::form_key(env, &mut wrong),
            public_url: public_url(env, &mut wrong),
            smtp_url: smtp_url(env, &mut wrong),
            mail_from: mail_from(env, &mut wrong),
            slots: slots(env, &mut wrong),
            sms: sms(env, &mut wrong),
            webhooks: super::webhooks(env, &mut wrong),
            drain_seconds: super::parse(env, "DRAIN_SECONDS", 45, &mut wrong),
        };
        if wrong.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(wrong))
        }
    }

    /// The bytes that the keys of links are derived from; the same as those of `serve`.
    pub(crate) fn form_key_material(&self) -> &str {
        self.form_key.material(&self.database_url)
    }
}

fn slots(env: &Env, wrong: &mut Vec<String>) -> usize {
    let slots = super::parse(env, "WORKER_SLOTS", 32, wrong);
    if !(1..=500).contains(&slots) {
        wrong.push("WORKER_SLOTS must be between 1 and 500".to_owned());
    }
    slots
}

fn sms(env: &Env, wrong: &mut Vec<String>) -> Option<SmsConfig> {
    let url = env.get("SMS_URL")?.to_owned();
    if !url.starts_with("https://") && !url.starts_with("http://") {
        wrong.push("SMS_URL cannot be read: it must begin with https://".to_owned());
    }
    let token = env.require("SMS_TOKEN", "what the vendor behind SMS_URL knows us by");
    let token = token.map_or_else(
        |error| {
            wrong.push(error.to_string());
            SecretString::from("")
        },
        SecretString::from,
    );
    Some(SmsConfig { url, token })
}

fn public_url(env: &Env, wrong: &mut Vec<String>) -> String {
    match env.require(
        "PUBLIC_URL",
        "where visitors reach the application, for links in mail",
    ) {
        Ok(url) => super::public_url(url, wrong),
        Err(error) => {
            wrong.push(error.to_string());
            String::new()
        }
    }
}

/// Whether a password would be sent in the clear.
fn tells_a_password_to_anybody(url: &str) -> bool {
    let rest = url.strip_prefix("smtp://");
    rest.is_some_and(|rest| rest.contains('@') && !rest.ends_with("tls=required"))
}

fn smtp_url(env: &Env, wrong: &mut Vec<String>) -> SecretString {
    let known = ["smtp://", "smtps://", "file://"];
    match env.require("SMTP_URL", "where mail is sent, as smtp://… or smtps://…") {
        Ok(url) if tells_a_password_to_anybody(url) => {
            wrong.push(
                "SMTP_URL holds a password and asks for no TLS: begin it with smtps:// or end it \
                 with ?tls=required"
                    .to_owned(),
            );
            SecretString::from("")
        }
        Ok(url) if known.iter().any(|scheme| url.starts_with(scheme)) => SecretString::from(url),
        Ok(_) => {
            wrong
                .push("SMTP_URL cannot be read: it must begin with smtp:// or smtps://".to_owned());
            SecretString::from("")
        }
        Err(error) => {
            wrong.push(error.to_string());
            SecretString::from("")
        }
    }
}

fn mail_from(env: &Env, wrong: &mut Vec<String>) -> String {
    match env.require("MAIL_FROM", "the address that mail is sent from") {
        Ok(address) if address.parse::<lettre::Address>().is_ok() => address.to_owned(),
        Ok(_) => {
            wrong.push("MAIL_FROM cannot be read as an address".to_owned());
            String::new()
        }
        Err(error) => {
            wrong.push(error.to_string());
            String::new()
        }
    }
}

impl FormSecret {
    /// The bytes that keys are derived from.
    pub(super) fn material<'a>(&'a self, database_url: &'a SecretString) -> &'a str {
        match self {
            Self::Given(key) => key.expose_secret(),
            Self::FromDatabase => database_url.expose_secret(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported_at_once_and_no_value_is_shown() {
        let env = Env::from_pairs([
            ("DATABASE_URL", "postgres://localhost/booking"),
            ("SMTP_URL", "http://me:hunter2@mail"),
            ("MAIL_FROM", "nobody"),
            ("PUBLIC_URL", "booking.example"),
            ("WORKER_SLOTS", "0"),
        ]);
        let message = WorkerConfig::read(&env).unwrap_err().to_string();
        for name in ["SMTP_URL", "MAIL_FROM", "PUBLIC_URL", "WORKER_SLOTS"] {
            assert!(message.contains(name), "{name} is missing in {message}");
        }
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_password_for_the_mail_server_is_never_sent_in_the_clear() {
        let refused = |url: &str| {
            let env = Env::from_pairs([("SMTP_URL", url)]);
            let message = WorkerConfig::read(&env).unwrap_err().to_string();
            assert!(!message.contains("hunter2"), "{message}");
            message.contains("asks for no TLS")
        };
        assert!(refused("smtp://me:hunter2@mail"));
        assert!(refused("smtp://me:hunter2@mail?tls=opportunistic"));
        assert!(!refused("smtp://me:hunter2@mail?tls=required"));
        assert!(!refused("smtps://me:hunter2@mail"));
        assert!(!refused("smtp://localhost"));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let env = Env::from_pairs([
            ("DATABASE_URL", "postgres://app:hunter2@db/booking"),
            ("SMTP_URL", "smtps://me:hunter2@mail"),
            ("MAIL_FROM", "bookings@example.co.za"),
            ("PUBLIC_URL", "https://booking.example/"),
        ]);
        let config = WorkerConfig::read(&env).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(config.public_url, "https://booking.example");
    }
}
