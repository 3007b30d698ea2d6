//! Sends letters by SMTP, or puts them into a folder where no server is wanted. The
//! Message-ID follows from what is sent, so that a server or reader can drop a repeat.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use chassis::{ExposeSecret as _, SecretString};
use jiff::Timestamp;
use lettre::address::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MessageBuilder, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::letter::Letter;
use super::outcome::Outcome;

/// For each answer of the server.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const CONNECTIONS_MAX: u32 = 8;

/// Where mail goes.
pub(crate) struct Mail {
    way: Way,
    from: Address,
}

enum Way {
    Server(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Folder(PathBuf),
}

impl Mail {
    /// `url` is `smtp://`, `smtps://`, or `file://` with a folder.
    pub(crate) fn new(url: &SecretString, from: &str) -> anyhow::Result<Self> {
        let from = from.parse().context("MAIL_FROM is no address")?;
        let way = match url.expose_secret().strip_prefix("file://") {
            Some(folder) => Way::Folder(PathBuf::from(folder)),
            None => Way::Server(Box::new(
                // The cause could hold the address, and with it the password.
                AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
                    .map_err(|_| anyhow::anyhow!("SMTP_URL cannot be read as an address"))?
                    .timeout(Some(ANSWER_WITHIN))
                    .pool_config(PoolConfig::new().max_size(CONNECTIONS_MAX))
                    .build(),
            )),
        };
        Ok(Self { way, from })
    }

    /// The address that it is sent from.
    pub(crate) fn from(&self) -> &str {
        self.from.as_ref()
    }

    /// Sends `letter` under `key`. Sent twice, it has the same Message-ID both times.
    pub(crate) async fn send(&self, key: &str, letter: &Letter, now: Timestamp) -> Outcome {
        let message = match self.message(key, letter, now) {
            Ok(message) => message,
            Err(error) => return Outcome::Refused(format!("{error:#}")),
        };
        match &self.way {
            Way::Server(server) => outcome(server.send(message).await),
            Way::Folder(folder) => {
                let name = format!("{}.eml", local_part(key));
                match tokio::fs::write(folder.join(name), message.formatted()).await {
                    Ok(()) => Outcome::Sent { provider_id: None },
                    Err(error) => Outcome::Later {
                        reason: error.to_string(),
                        wait: None,
                    },
                }
            }
        }
    }

    fn message(&self, key: &str, letter: &Letter, now: Timestamp) -> anyhow::Result<Message> {
        let to = letter
            .to
            .trim()
            .parse()
            .context("the address cannot be read")?;
        let (text, html) = letter.render().context("writing the letter")?;
        let words = MultiPart::alternative_plain_html(text, html);
        let builder = self.head(key, letter, to, now)?;
        if letter.calendars.is_empty() {
            return builder
                .multipart(words)
                .context("putting the mail together");
        }
        let mut whole = MultiPart::mixed().multipart(words);
        // A file takes out one entry and no more.
        for (place, calendar) in letter.calendars.iter().enumerate() {
            let kind = format!("text/calendar; charset=utf-8; method={}", calendar.method);
            let kind = ContentType::parse(&kind).context("naming the calendar's file")?;
            let name = match place {
                0 => "appointment.ics".to_owned(),
                _ => format!("appointment-{}.ics", place + 1),
            };
            whole = whole.singlepart(Attachment::new(name).body(calendar.text.clone(), kind));
        }
        builder
            .multipart(whole)
            .context("putting the mail together")
    }

    fn head(
        &self,
        key: &str,
        letter: &Letter,
        to: Address,
        now: Timestamp,
    ) -> anyhow::Result<MessageBuilder> {
        let name = |name: &str| Some(plain(name)).filter(|name| !name.is_empty());
        let date = SystemTime::UNIX_EPOCH + Duration::try_from(now.as_duration())?;
        let id = format!("<{}@{}>", local_part(key), self.from.domain());
        let mut builder = Message::builder()
            .message_id(Some(id))
            .date(date)
            .from(Mailbox::new(name(&letter.sender), self.from.clone()))
            .to(Mailbox::new(name(&letter.to_name), to))
            .subject(plain(&letter.subject))
            .raw_header(header("Auto-Submitted", "auto-generated"));
        if let Some(reply_to) = &letter.reply_to
            && let Ok(address) = reply_to.parse()
        {
            builder = builder.reply_to(Mailbox::new(name(&letter.sender), address));
        }
        if let Some(url) = &letter.unsubscribe {
            builder = builder
                .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
                .raw_header(header(
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click",
                ));
        }
        Ok(builder)
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// What may stand in one line of a head.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The part of the Message-ID before the @.
fn local_part(key: &str) -> String {
    key.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '.'
            }
        })
        .collect()
}

fn outcome(
    answer: Result<lettre::transport::smtp::response::Response, lettre::transport::smtp::Error>,
) -> Outcome {
    match answer {
        Ok(response) => Outcome::Sent {
            provider_id: response
                .first_line()
                .map(|line| line.chars().take(200).collect()),
        },
        Err(error) if error.is_permanent() => Outcome::Refused(reason(&error)),
        Err(error) if error.is_transient() => Outcome::Later {
            reason: reason(&error),
            wait: None,
        },
        // A connection that breaks may break after the server has taken the mail.
        Err(error) => Outcome::Unknown(reason(&error)),
    }
}

fn reason(error: &lettre::transport::smtp::Error) -> String {
    error.to_string().chars().take(300).collect()
}
