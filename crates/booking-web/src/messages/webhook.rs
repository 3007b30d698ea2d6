//! Calls of the webhooks that businesses set up: signed in the way of Standard Webhooks, so
//! that the receiver knows whose they are, when they were sent, and which came before.

use bytes::Bytes;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http_body_util::Full;
use jiff::Timestamp;
use sha2::Sha256;

use super::outbound::{self, Outbound};
use super::outcome::Outcome;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) url: String,
    pub(crate) secret: Vec<u8>,
    /// Signs too, while the receiver changes over.
    pub(crate) old_secret: Option<Vec<u8>>,
    /// The same in every repeat, so that the receiver can drop it.
    pub(crate) id: String,
    pub(crate) body: String,
}

/// Calls, and says what came of it.
pub(crate) async fn send(outbound: &Outbound, call: &Call, now: Timestamp) -> Outcome {
    let timestamp = now.as_second();
    let request = Request::post(&call.url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, "Booking-Webhooks/1")
        .header("webhook-id", &call.id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature(call, timestamp))
        .body(Full::new(Bytes::from(call.body.clone())));
    match request {
        Ok(request) => outbound::outcome(&outbound.send(request).await),
        Err(_) => Outcome::Refused("the address cannot be read".to_owned()),
    }
}

/// For each secret `v1,` and the HMAC-SHA-256 of id, timestamp and body, with full stops
/// between.
fn signature(call: &Call, timestamp: i64) -> String {
    let signed = |secret: &Vec<u8>| {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        mac.update(format!("{}.{timestamp}.{}", call.id, call.body).as_bytes());
        format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
    };
    let secrets = std::iter::once(&call.secret).chain(&call.old_secret);
    secrets.map(signed).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_id_time_and_body() {
        let call = Call {
            url: "https://example.com/".to_owned(),
            secret: b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_vec(),
            old_secret: None,
            id: "evt_1".to_owned(),
            body: r#"{"a":1}"#.to_owned(),
        };
        let whole = signature(&call, 1_800_000_000);
        assert!(whole.starts_with("v1,") && whole.len() == 47, "{whole}");
        assert_eq!(whole, signature(&call, 1_800_000_000));
        let other = |change: fn(&mut Call)| {
            let mut call = call.clone();
            change(&mut call);
            signature(&call, 1_800_000_000)
        };
        assert_ne!(whole, other(|call| call.id.push('1')));
        assert_ne!(whole, other(|call| call.body.push(' ')));
        assert_ne!(whole, other(|call| call.secret.push(1)));
        assert_ne!(whole, signature(&call, 1_800_000_001));
        // While a receiver changes over, either secret finds its own.
        let both = other(|call| call.old_secret = Some(std::mem::take(&mut call.secret)));
        assert!(
            both.ends_with(&format!(" {whole}")) && both.len() == 95,
            "{both}"
        );
    }
}
