//! An authenticator in software: makes a passkey and signs with it as a device does, and as
//! no device would where a test asks for that.

use data_encoding::BASE64URL_NOPAD;
use graviola::hashing::Sha256 as Hash;
use graviola::signing::ecdsa::{P256, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The person touched it, and was verified.
pub(crate) const VERIFIED: u8 = 0b101;
/// The person touched it.
pub(crate) const TOUCHED: u8 = 0b1;
const WITH_KEY: u8 = 0b100_0000;

/// Where and how something is signed.
#[derive(Debug, Clone)]
pub(crate) struct How {
    pub(crate) origin: String,
    pub(crate) site: String,
    pub(crate) flags: u8,
    pub(crate) is_framed: bool,
}

impl How {
    /// As an honest browser at `origin` does on this machine.
    pub(crate) fn at(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            site: "localhost".to_owned(),
            flags: VERIFIED,
            is_framed: false,
        }
    }

    /// What the browser says of itself, and of the page that asked.
    fn client_data(&self, kind: &str, asked: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind,
            "challenge": asked["challenge"],
            "origin": self.origin,
            "crossOrigin": self.is_framed,
        });
        data.to_string().into_bytes()
    }

    /// What the authenticator says of the site and the person.
    fn head(&self, flags: u8, count: u32) -> Vec<u8> {
        let mut head = Sha256::digest(self.site.as_bytes()).to_vec();
        head.push(self.flags | flags);
        head.extend_from_slice(&count.to_be_bytes());
        head
    }
}

/// A device with one passkey.
pub(crate) struct Authenticator {
    key: SigningKey<P256>,
    pub(crate) id: Vec<u8>,
    /// Whose it says it is.
    pub(crate) user: Vec<u8>,
    pub(crate) count: u32,
}

impl Authenticator {
    pub(crate) fn new() -> Self {
        let random = chassis::Random::system();
        let mut id = vec![0; 16];
        random.fill(&mut id);
        Self {
            key: SigningKey::generate().unwrap(),
            id,
            user: Vec::new(),
            count: 0,
        }
    }

    /// Makes the passkey that a page asked for.
    pub(crate) fn make(&mut self, asked: &Value, how: &How) -> String {
        let user = asked["user"]["id"].as_str().unwrap();
        self.user = BASE64URL_NOPAD.decode(user.as_bytes()).unwrap();
        let mut data = how.head(WITH_KEY, self.count);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend_from_slice(&self.id);
        data.extend_from_slice(&self.public_key());
        // CBOR: a map of three, with nothing attested.
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        object.extend_from_slice(&data);
        self.answer(&json!({
            "clientDataJSON": encode(&how.client_data("webauthn.create", asked)),
            "attestationObject": encode(&object),
        }))
    }

    /// Signs what a page asked for.
    pub(crate) fn sign(&mut self, asked: &Value, how: &How) -> String {
        self.count += 1;
        let client_data = how.client_data("webauthn.get", asked);
        let head = how.head(0, self.count);
        let hash = Sha256::digest(&client_data);
        let mut signature = [0; 80];
        let signed = self.key.sign_asn1::<Hash>(&[&head, &hash], &mut signature);
        self.answer(&json!({
            "clientDataJSON": encode(&client_data),
            "authenticatorData": encode(&head),
            "signature": encode(signed.unwrap()),
            "userHandle": encode(&self.user),
        }))
    }

    fn answer(&self, response: &Value) -> String {
        let id = encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response }).to_string()
    }

    /// The public key as COSE has it: P-256 with SHA-256, and where the point lies.
    fn public_key(&self) -> Vec<u8> {
        let mut buffer = [0; 200];
        let spki = self.key.to_spki_der(&mut buffer).unwrap();
        let point = spki.last_chunk::<64>().unwrap();
        let (x, y) = point.split_at(32);
        let parts: [&[u8]; 4] = [
            b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20",
            x,
            b"\x22\x58\x20",
            y,
        ];
        parts.concat()
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
