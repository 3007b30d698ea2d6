//! What the process is told by its environment, read once and typed.
//! Every mistake is reported in one go; secret values never appear in a message.

pub(crate) mod worker;

use chassis::{Env, ExposeSecret as _, SecretString};

use crate::messages::outbound::Reach;

/// The settings of `booking serve`.
#[derive(Debug)]
pub struct Config {
    /// The port on 127.0.0.1 that visitors reach; 0 lets the system choose.
    pub port: u16,
    /// The port on 127.0.0.1 for `/metrics`; none means that they are not served.
    pub internal_port: Option<u16>,
    /// The release that this process must report.
    pub release: String,
    /// Where PostgreSQL answers.
    pub database_url: SecretString,
    /// The most connections to PostgreSQL at a time.
    pub database_connections: u32,
    /// Where Redis answers; without it availability is computed each time.
    pub redis_url: Option<SecretString>,
    /// The secret behind form tokens and booking links, shared by all instances.
    pub form_key: FormSecret,
    /// The secret before, where it was changed: code apps may rest on it.
    pub form_key_old: Option<SecretString>,
    /// Where visitors reach the application, without a slash at the end; what passkeys
    /// belong to.
    pub public_url: Option<String>,
    /// Whether visitors come over HTTPS, so that cookies may be marked `Secure`.
    pub secure: bool,
    /// What webhooks may reach.
    pub(crate) webhooks: Reach,
    /// How many requests a key of a business may make in a minute.
    pub key_requests: u32,
    /// How long requests in flight may take after the process was asked to end.
    pub drain_seconds: u64,
}

/// Where the secret behind form tokens and booking links comes from.
#[derive(Debug)]
pub enum FormSecret {
    /// `FORM_KEY` was set.
    Given(SecretString),
    /// It follows from `DATABASE_URL`, which all instances share as well.
    FromDatabase,
}

/// Everything that is wrong with the environment.
#[derive(Debug, thiserror::Error)]
#[error("the environment cannot be used:\n  - {}", .0.join("\n  - "))]
pub struct ConfigError(pub Vec<String>);

/// So long requests may go on after the end was asked for, where nobody says otherwise.
pub(crate) const DRAIN_SECONDS: u64 = 25;

const FORM_KEY_CHARS_MIN: usize = 32;

impl Config {
    /// Reads the settings, or says everything that is wrong with them.
    pub fn read(env: &Env) -> Result<Self, ConfigError> {
        let mut wrong = Vec::new();
        let config = Self {
            port: parse(env, "PORT", 3000, &mut wrong),
            internal_port: env
                .get("INTERNAL_PORT")
                .map(|_| parse(env, "INTERNAL_PORT", 0, &mut wrong)),
            release: release(env, &mut wrong),
            database_url: database_url(env, &mut wrong),
            database_connections: connections(env, &mut wrong),
            redis_url: redis_url(env, &mut wrong),
            form_key: form_key(env, &mut wrong),
            form_key_old: env.get("FORM_KEY_OLD").map(SecretString::from),
            public_url: env.get("PUBLIC_URL").map(|url| public_url(url, &mut wrong)),
            secure: parse(env, "SECURE_COOKIES", false, &mut wrong),
            webhooks: webhooks(env, &mut wrong),
            key_requests: key_requests(env, &mut wrong),
            drain_seconds: parse(env, "DRAIN_SECONDS", DRAIN_SECONDS, &mut wrong),
        };
        if config.secure && config.is_form_key_guessable() {
            wrong.push(
                "FORM_KEY is not set, and DATABASE_URL holds no password to derive it from"
                    .to_owned(),
            );
        }
        if wrong.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(wrong))
        }
    }

    /// Whether the key follows from an address in which nothing is secret.
    fn is_form_key_guessable(&self) -> bool {
        let url = self.database_url.expose_secret();
        let authority = url.split_once("://").map_or("", |(_, rest)| rest);
        let login = authority
            .split(['/', '?'])
            .next()
            .and_then(|a| a.rsplit_once('@'));
        let has_password = login.is_some_and(|(login, _)| login.contains(':'));
        matches!(self.form_key, FormSecret::FromDatabase)
            && !has_password
            && !url.contains("password=")
    }

    pub(crate) fn old_form_key(&self) -> Option<&str> {
        self.form_key_old
            .as_ref()
            .map(chassis::ExposeSecret::expose_secret)
    }

    /// The bytes that the keys of form tokens and booking links are derived from.
    pub(crate) fn form_key_material(&self) -> &str {
        self.form_key.material(&self.database_url)
    }
}

/// Reads only `DATABASE_URL`, for the commands that need nothing else.
pub(crate) fn database_url_only(env: &Env) -> Result<SecretString, ConfigError> {
    let mut wrong = Vec::new();
    let url = database_url(env, &mut wrong);
    if wrong.is_empty() {
        Ok(url)
    } else {
        Err(ConfigError(wrong))
    }
}

fn parse<T>(env: &Env, name: &str, default: T, wrong: &mut Vec<String>) -> T
where
    T: std::str::FromStr + Copy,
    T::Err: std::fmt::Display,
{
    env.parse_or(name, default).unwrap_or_else(|error| {
        wrong.push(error.to_string());
        default
    })
}

fn release(env: &Env, wrong: &mut Vec<String>) -> String {
    let release = env.get("RELEASE").unwrap_or("development").to_owned();
    // The id travels in a header, so only what is harmless there may be in it.
    let fits = release.len() <= 128
        && release
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:+".contains(&b));
    if !fits {
        wrong.push(
            "RELEASE cannot be used: at most 128 letters, digits and -_.:+ are allowed".to_owned(),
        );
    }
    release
}

fn database_url(env: &Env, wrong: &mut Vec<String>) -> SecretString {
    match env.require("DATABASE_URL", "where PostgreSQL answers, as postgres://…") {
        Ok(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            SecretString::from(url)
        }
        Ok(_) => {
            wrong.push("DATABASE_URL cannot be read: it must begin with postgres://".to_owned());
            SecretString::from("")
        }
        Err(error) => {
            wrong.push(error.to_string());
            SecretString::from("")
        }
    }
}

/// Where visitors come, without a slash at the end.
fn public_url(url: &str, wrong: &mut Vec<String>) -> String {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        wrong.push("PUBLIC_URL cannot be used: it must begin with https://".to_owned());
    }
    url.trim_end_matches('/').to_owned()
}

fn connections(env: &Env, wrong: &mut Vec<String>) -> u32 {
    let connections = parse(env, "DATABASE_CONNECTIONS", 16, wrong);
    if !(1..=200).contains(&connections) {
        wrong.push("DATABASE_CONNECTIONS must be between 1 and 200".to_owned());
    }
    connections
}

fn webhooks(env: &Env, wrong: &mut Vec<String>) -> Reach {
    if parse(env, "WEBHOOK_PRIVATE_ADDRESSES", false, wrong) {
        Reach::Anywhere
    } else {
        Reach::Public
    }
}

fn key_requests(env: &Env, wrong: &mut Vec<String>) -> u32 {
    let requests = parse(env, "KEY_REQUESTS_PER_MINUTE", 600, wrong);
    if requests == 0 {
        wrong.push("KEY_REQUESTS_PER_MINUTE must be at least 1".to_owned());
    }
    requests
}

fn redis_url(env: &Env, wrong: &mut Vec<String>) -> Option<SecretString> {
    let url = env.get("REDIS_URL")?;
    let known = ["redis://", "rediss://", "redis+unix://", "unix://"];
    if !known.iter().any(|scheme| url.starts_with(scheme)) {
        wrong.push("REDIS_URL cannot be read: it must begin with redis://".to_owned());
    }
    Some(SecretString::from(url))
}

fn form_key(env: &Env, wrong: &mut Vec<String>) -> FormSecret {
    let Some(key) = env.get("FORM_KEY") else {
        return FormSecret::FromDatabase;
    };
    if key.len() < FORM_KEY_CHARS_MIN {
        wrong.push(format!(
            "FORM_KEY is too short: at least {FORM_KEY_CHARS_MIN} characters"
        ));
    }
    FormSecret::Given(SecretString::from(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_reported_at_once_and_no_value_is_shown() {
        let env = Env::from_pairs([
            ("PORT", "http"),
            ("RELEASE", "two words"),
            ("DATABASE_URL", "mysql://root:hunter2@db"),
            ("FORM_KEY", "swordfish"),
        ]);
        let message = Config::read(&env).unwrap_err().to_string();
        for name in ["PORT", "RELEASE", "DATABASE_URL", "FORM_KEY"] {
            assert!(message.contains(name), "{name} is missing in {message}");
        }
        assert!(!message.contains("hunter2") && !message.contains("swordfish"));
    }

    #[test]
    fn a_database_is_all_that_must_be_named() {
        let env = Env::from_pairs([("DATABASE_URL", "postgres://localhost/booking")]);
        let config = Config::read(&env).unwrap();
        assert_eq!((config.port, config.internal_port), (3000, None));
        assert_eq!(config.release, "development");
        assert!(matches!(config.form_key, FormSecret::FromDatabase));
    }

    #[test]
    fn visitors_over_https_are_not_served_with_a_key_that_can_be_guessed() {
        let read = |url: &str, key: &str, secure: &str| {
            let pairs = [
                ("DATABASE_URL", url),
                ("FORM_KEY", key),
                ("SECURE_COOKIES", secure),
            ];
            Config::read(&Env::from_pairs(pairs))
        };
        let (open, secret) = (
            "postgres://app@localhost/booking?host=/run:1",
            "postgres://app:hunter2@db/booking",
        );
        let key = "k".repeat(FORM_KEY_CHARS_MIN);
        let message = read(open, "", "true").unwrap_err().to_string();
        assert!(message.contains("FORM_KEY"), "{message}");
        assert!(read(open, &key, "true").is_ok());
        assert!(read(secret, "", "true").is_ok());
        assert!(read(open, "", "false").is_ok());
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let env = Env::from_pairs([("DATABASE_URL", "postgres://app:hunter2@db/booking")]);
        assert!(!format!("{:?}", Config::read(&env).unwrap()).contains("hunter2"));
    }
}
