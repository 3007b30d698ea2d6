//! Text messages: how they are fitted into one, and the vendor that carries them. A vendor knows what was
//! sent by its key, so whoever does not know whether it was sent asks first.

use bytes::Bytes;
use chassis::{ExposeSecret as _, SecretString};
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Builder;
use http::{Request, Uri};
use http_body_util::Full;
use serde::{Deserialize, Serialize};

use super::outbound::{self, Answer, Failure, Outbound, Reach};
use super::outcome::Outcome;

/// What fits into one message.
const CHARS_MAX: usize = 160;
/// Less of a name says nothing.
const NAME_CHARS_MIN: usize = 12;

/// One text message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sms {
    pub(crate) to: String,
    pub(crate) text: String,
}

/// What a vendor knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Taken { provider_id: Option<String> },
    Never,
    Unclear(String),
}

/// Whoever carries text messages.
pub(crate) trait Vendor: Send + Sync {
    /// Sends `sms`; under the same `key` it is sent once, however often it is asked for.
    fn send<'a>(&'a self, key: &'a str, sms: &'a Sms) -> BoxFuture<'a, Outcome>;

    /// Whether something was sent under `key`.
    fn find<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Found>;
}

/// A vendor that is spoken to in JSON: POST sends, GET with the key asks.
pub(crate) struct HttpVendor {
    url: Uri,
    token: SecretString,
    outbound: Outbound,
}

#[derive(Serialize)]
struct Order<'a> {
    to: &'a str,
    text: &'a str,
    reference: &'a str,
}

#[derive(Deserialize)]
struct Receipt {
    id: Option<String>,
}

impl HttpVendor {
    pub(crate) fn new(url: &str, token: SecretString) -> anyhow::Result<Self> {
        let url = url.parse();
        Ok(Self {
            url: url.map_err(|_| anyhow::anyhow!("SMS_URL cannot be read as an address"))?,
            token,
            outbound: Outbound::new(Reach::Anywhere)?,
        })
    }

    async fn ask(&self, request: Builder, body: Bytes) -> Result<Answer, Failure> {
        let token = format!("Bearer {}", self.token.expose_secret());
        let request = request
            .header(AUTHORIZATION, token)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Failure::Forbidden(error.to_string()))?;
        self.outbound.send(request).await
    }
}

impl Vendor for HttpVendor {
    fn send<'a>(&'a self, key: &'a str, sms: &'a Sms) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let order = Order {
                to: &sms.to,
                text: &sms.text,
                reference: key,
            };
            let body = match serde_json::to_vec(&order) {
                Ok(body) => Bytes::from(body),
                Err(error) => return Outcome::Refused(error.to_string()),
            };
            let request = Request::post(self.url.clone()).header("idempotency-key", key);
            let answer = self.ask(request, body).await;
            match (outbound::outcome(&answer), answer) {
                (Outcome::Sent { .. }, Ok(answer)) => Outcome::Sent {
                    provider_id: receipt(&answer),
                },
                (outcome, _) => outcome,
            }
        })
    }

    fn find<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Found> {
        Box::pin(async move {
            let address = format!("{}?reference={}", self.url, escaped(key));
            match self.ask(Request::get(address), Bytes::new()).await {
                Ok(answer) if answer.status == 404 => Found::Never,
                Ok(answer) if (200..300).contains(&answer.status) => Found::Taken {
                    provider_id: receipt(&answer),
                },
                Ok(answer) => Found::Unclear(format!("asked, and answered {}", answer.status)),
                Err(failure) => Found::Unclear(format!("asked, and {failure:?}")),
            }
        })
    }
}

fn receipt(answer: &Answer) -> Option<String> {
    let receipt: Receipt = serde_json::from_slice(&answer.body).ok()?;
    receipt.id.map(|id| id.chars().take(200).collect())
}

/// A key as it may stand in the query of an address.
fn escaped(key: &str) -> String {
    key.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(b).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The text that `say` makes of a name, in letters that fit into one message as far as that
/// can be: the name of a business is shortened, and nothing else.
pub(crate) fn fitted(business: &str, say: impl Fn(&str) -> String) -> String {
    let name = gsm(business);
    let whole = gsm(&say(&name));
    let excess = whole.chars().count().saturating_sub(CHARS_MAX);
    if excess == 0 {
        return whole;
    }
    let kept = name
        .chars()
        .count()
        .saturating_sub(excess)
        .max(NAME_CHARS_MIN);
    let short: String = name.chars().take(kept).collect();
    gsm(&say(short.trim_end()))
}

/// The text in the letters that 160 of fit into one message.
fn gsm(text: &str) -> String {
    text.chars().filter_map(gsm_letter).collect()
}

fn gsm_letter(c: char) -> Option<char> {
    const PLAIN: &str = "@£$¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉÄÖÑÜ§¿äöñüà ¡¤";
    let folded = match c {
        'á' | 'â' | 'ã' | 'ă' => 'a',
        'ê' | 'ë' | 'ě' => 'e',
        'í' | 'î' | 'ï' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' | 'û' | 'ů' => 'u',
        'ç' | 'č' => 'c',
        'š' => 's',
        'ž' => 'z',
        'Ê' | 'Ë' | 'È' => 'E',
        'Á' | 'À' | 'Â' => 'A',
        'Ô' | 'Ó' => 'O',
        'Š' => 'S',
        '‘' | '’' | '`' => '\'',
        '“' | '”' => '"',
        '–' | '—' => '-',
        '\u{a0}' | '\u{202f}' => ' ',
        other => other,
    };
    let is_plain = folded.is_ascii_graphic() && !"[]{}\\^~|`".contains(folded);
    (is_plain || PLAIN.contains(folded)).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_fits_into_one_message_whatever_the_business_is_called() {
        let url = "https://appointmentbooking.co.za/b/opcmc2zciok6s4sp7o27jr3okm";
        let long = "Die Môrester Skoonheidsalon en Spa van Graaff-Reinet en Omstreke";
        let say = |name: &str| format!("{name}: reminder, Wed 24 March, 09:30. {url}");
        for business in ["Karoo Cuts", long, "美容院", "Émile’s {x}"] {
            let text = fitted(business, say);
            assert!(text.chars().count() <= CHARS_MAX, "{text}");
            assert!(text.ends_with(url) && text.contains("09:30"), "{text}");
            assert!(text.chars().all(|c| gsm_letter(c) == Some(c)), "{text}");
        }
        let text = fitted(long, say);
        assert!(text.starts_with("Die Morester Skoonheidsalon"), "{text}");
    }

    #[test]
    fn a_key_stays_whole_in_an_address() {
        assert_eq!(
            escaped("0198-a:1:reminder sms&x"),
            "0198-a%3A1%3Areminder%20sms%26x"
        );
    }
}
