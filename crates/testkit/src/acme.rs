//! An authority of certificates for tests, over HTTPS (RFC 8555): looks whether names are shown to
//! be the client's as a real one does, over HTTP or TLS, and signs by openssl. It checks that
//! every request is for its address and under a nonce that was given out; not the signatures of
//! accounts, which pebble does.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificate::{Authority, Term};
use crate::door::Door;

const WITHIN: Duration = Duration::from_secs(10);

/// What becomes of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// What is shown is looked at.
    Looks,
    /// Nothing is believed.
    Refuses,
}

/// An authority. It ends with this value.
#[derive(Debug)]
pub struct AcmeServer {
    door: Door,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    authority: Authority,
    config: Arc<ServerConfig>,
    state: Mutex<State>,
    /// Somebody said where the names are.
    told: Condvar,
}

#[derive(Debug)]
struct State {
    address: String,
    manner: Manner,
    term: Term,
    /// Where every name is looked for, over HTTP and over TLS.
    places: Option<(SocketAddr, SocketAddr)>,
    nonces: BTreeSet<String>,
    given: u64,
    /// The thumbprints of accounts.
    accounts: Vec<String>,
    orders: Vec<Order>,
    /// How many times something was looked at.
    looks: usize,
}

#[derive(Debug, Default)]
struct Order {
    account: usize,
    names: Vec<String>,
    /// By name; what was seen wrongly.
    shown: BTreeMap<String, Result<(), String>>,
    certificate: Option<String>,
}

/// A request, its signature taken off.
struct Asked {
    path: String,
    account: Option<usize>,
    thumbprint: Option<String>,
    payload: Value,
}

/// An answer: status, further headers, body.
struct Said(u16, Vec<(&'static str, String)>, String);

impl AcmeServer {
    /// Starts one that signs for certificates of such a term.
    pub fn start(term: Term) -> anyhow::Result<Self> {
        let authority = Authority::new()?;
        let own = authority.sign("IP:127.0.0.1")?;
        let chain = CertificateDer::pem_file_iter(&own.chain)?.collect::<Result<Vec<_>, _>>()?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(&own.key)?)?;
        let inner = Arc::new(Inner {
            authority,
            config: Arc::new(config),
            state: Mutex::new(State {
                address: String::new(),
                manner: Manner::Looks,
                term,
                places: None,
                nonces: BTreeSet::new(),
                given: 0,
                accounts: Vec::new(),
                orders: Vec::new(),
                looks: 0,
            }),
            told: Condvar::new(),
        });
        let serving = Arc::clone(&inner);
        let door = Door::open(move |stream| serving.serve(stream))?;
        inner.state().address = format!("https://{}", door.address());
        Ok(Self { door, inner })
    }

    /// Its directory.
    pub fn directory(&self) -> String {
        format!("https://{}/directory", self.door.address())
    }

    /// Who signed its own certificate, and everything else: the file that trusts it.
    pub fn root(&self) -> PathBuf {
        self.inner.authority.file()
    }

    /// The authority, for whoever is to trust what it signs.
    pub fn authority(&self) -> &Authority {
        &self.inner.authority
    }

    /// Where every name is, over HTTP and over TLS.
    pub fn find(&self, plain: SocketAddr, secure: SocketAddr) {
        self.inner.state().places = Some((plain, secure));
        self.inner.told.notify_all();
    }

    /// What becomes of orders from now on.
    pub fn behave(&self, manner: Manner) {
        self.inner.state().manner = manner;
    }

    /// Certificates from now on are of this term.
    pub fn sign_for(&self, term: Term) {
        self.inner.state().term = term;
    }

    /// How many certificates were signed, and how many times something was looked at.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.inner.state();
        let signed = state.orders.iter().filter(|o| o.certificate.is_some());
        (signed.count(), state.looks)
    }

    /// How many accounts were made.
    pub fn accounts(&self) -> usize {
        self.inner.state().accounts.len()
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(WITHIN))?;
        let session = ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)?;
        let mut stream = BufReader::new(StreamOwned::new(session, stream));
        while let Some((method, path, body)) = request(&mut stream)? {
            let Said(status, headers, said) = match (method.as_str(), path.as_str()) {
                ("GET", "/directory") => Said(200, vec![], self.directory().to_string()),
                ("HEAD", "/nonce") => Said(200, vec![], String::new()),
                _ => self
                    .open(&path, &body)
                    .and_then(|asked| self.answer(&asked))
                    .unwrap_or_else(|error| refused("malformed", &format!("{error:#}"))),
            };
            let nonce = self.nonce();
            let mut head = format!(
                "HTTP/1.1 {status} Said\r\nreplay-nonce: {nonce}\r\ncontent-length: {}\r\n",
                said.len()
            );
            for (name, value) in headers {
                head.push_str(name);
                head.push_str(": ");
                head.push_str(&value);
                head.push_str("\r\n");
            }
            let stream = stream.get_mut();
            stream.write_all(format!("{head}\r\n{said}").as_bytes())?;
            stream.flush()?;
        }
        Ok(())
    }

    /// The state once somebody said where the names are.
    fn found(&self) -> MutexGuard<'_, State> {
        let is_missing = |state: &mut State| state.places.is_none();
        let waited = self
            .told
            .wait_timeout_while(self.state(), WITHIN, is_missing);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn nonce(&self) -> String {
        let mut state = self.state();
        state.given += 1;
        let nonce = format!("nonce{}", state.given);
        state.nonces.insert(nonce.clone());
        nonce
    }

    fn directory(&self) -> Value {
        let at = self.state().address.clone();
        json!({
            "newNonce": format!("{at}/nonce"),
            "newAccount": format!("{at}/account"),
            "newOrder": format!("{at}/order"),
        })
    }

    /// Takes a request out of what was signed.
    fn open(&self, path: &str, body: &[u8]) -> anyhow::Result<Asked> {
        let signed: Value = serde_json::from_slice(body).context("it is not signed")?;
        let part = |name: &str| -> anyhow::Result<Vec<u8>> {
            let text = signed[name]
                .as_str()
                .with_context(|| format!("it has no {name}"))?;
            Ok(BASE64URL_NOPAD.decode(text.as_bytes())?)
        };
        let protected: Value = serde_json::from_slice(&part("protected")?)?;
        ensure!(protected["alg"] == "ES256", "an odd kind of signature");
        ensure!(part("signature")?.len() == 64, "an odd signature");
        let mut state = self.state();
        let nonce = protected["nonce"].as_str().unwrap_or_default();
        ensure!(
            state.nonces.remove(nonce),
            "the nonce was not given out, or used"
        );
        let wanted = format!("{}{path}", state.address);
        ensure!(
            protected["url"] == wanted.as_str(),
            "it is for another address"
        );
        let account = protected["kid"].as_str().and_then(|kid| {
            let number: usize = kid.rsplit('/').next()?.parse().ok()?;
            (number < state.accounts.len()).then_some(number)
        });
        let payload = part("payload")?;
        Ok(Asked {
            path: path.to_owned(),
            account,
            thumbprint: thumbprint(&protected["jwk"]),
            payload: serde_json::from_slice(&payload).unwrap_or(Value::Null),
        })
    }

    fn answer(&self, asked: &Asked) -> anyhow::Result<Said> {
        let at = self.state().address.clone();
        let words: Vec<&str> = asked.path.split('/').skip(1).collect();
        if words == ["account"] {
            let thumbprint = asked.thumbprint.clone().context("it has no key")?;
            let mut state = self.state();
            state.accounts.push(thumbprint);
            let place = format!("{at}/account/{}", state.accounts.len() - 1);
            let said = json!({ "status": "valid" }).to_string();
            return Ok(Said(201, vec![("location", place)], said));
        }
        let Some(account) = asked.account else {
            return Ok(refused("accountDoesNotExist", "who asks?"));
        };
        if words == ["order"] {
            let number = self.order(account, &asked.payload)?;
            let place = format!("{at}/order/{number}");
            return Ok(Said(201, vec![("location", place)], self.told(number)?));
        }
        let number: usize = words.get(1).context("which order?")?.parse()?;
        let name = words.get(2).copied().unwrap_or_default();
        match words.first().copied() {
            Some("order") => {}
            Some("authorization") => return Ok(Said(200, vec![], self.shown(number, name)?)),
            Some("http-01" | "tls-alpn-01") => {
                self.look(number, name, words[0] == "http-01")?;
                let said = self.challenge(number, name, words[0])?.to_string();
                return Ok(Said(200, vec![], said));
            }
            Some("finalize") => self.sign(number, &asked.payload)?,
            Some("certificate") => {
                let state = self.state();
                let signed = state.orders.get(number).and_then(|o| o.certificate.clone());
                return Ok(Said(200, vec![], signed.context("it is not signed")?));
            }
            _ => bail!("there is no such thing"),
        }
        Ok(Said(200, vec![], self.told(number)?))
    }

    fn order(&self, account: usize, payload: &Value) -> anyhow::Result<usize> {
        let names = payload["identifiers"]
            .as_array()
            .context("for which names?")?;
        let names = names.iter().filter_map(|name| name["value"].as_str());
        let order = Order {
            account,
            names: names.map(str::to_owned).collect(),
            ..Order::default()
        };
        let mut state = self.state();
        state.orders.push(order);
        Ok(state.orders.len() - 1)
    }

    fn told(&self, number: usize) -> anyhow::Result<String> {
        let state = self.state();
        let (at, order) = (
            &state.address,
            state.orders.get(number).context("no such order")?,
        );
        let status = if order.certificate.is_some() {
            "valid"
        } else if order.shown.values().any(Result::is_err) {
            "invalid"
        } else if order.shown.len() == order.names.len() {
            "ready"
        } else {
            "pending"
        };
        let names = order.names.iter();
        let authorizations = names.map(|name| format!("{at}/authorization/{number}/{name}"));
        let mut told = json!({
            "status": status,
            "identifiers": order.names.iter().map(|n| json!({"type": "dns", "value": n})).collect::<Vec<_>>(),
            "authorizations": authorizations.collect::<Vec<_>>(),
            "finalize": format!("{at}/finalize/{number}"),
        });
        if order.certificate.is_some() {
            told["certificate"] = json!(format!("{at}/certificate/{number}"));
        }
        Ok(told.to_string())
    }

    fn shown(&self, number: usize, name: &str) -> anyhow::Result<String> {
        let kinds = ["http-01", "tls-alpn-01"];
        let challenges = kinds.map(|kind| self.challenge(number, name, kind));
        let challenges = challenges.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        let status = challenges[0]["status"].clone();
        Ok(json!({
            "status": status,
            "identifier": {"type": "dns", "value": name},
            "challenges": challenges,
        })
        .to_string())
    }

    fn challenge(&self, number: usize, name: &str, kind: &str) -> anyhow::Result<Value> {
        let state = self.state();
        let order = state.orders.get(number).context("no such order")?;
        let mut told = json!({
            "type": kind,
            "url": format!("{}/{kind}/{number}/{name}", state.address),
            "token": token(number, name),
            "status": "pending",
        });
        match order.shown.get(name) {
            None => {}
            Some(Ok(())) => told["status"] = json!("valid"),
            Some(Err(seen)) => {
                told["status"] = json!("invalid");
                told["error"] =
                    json!({ "type": "urn:ietf:params:acme:error:unauthorized", "detail": seen });
            }
        }
        Ok(told)
    }

    /// Looks whether a name is shown to be the client's.
    fn look(&self, number: usize, name: &str, is_http: bool) -> anyhow::Result<()> {
        let (places, answer, manner) = {
            let mut state = self.found();
            state.looks += 1;
            let order = state.orders.get(number).context("no such order")?;
            let key = &state.accounts[order.account];
            (
                state.places,
                format!("{}.{key}", token(number, name)),
                state.manner,
            )
        };
        let (plain, secure) = places.context("nobody said where the names are")?;
        let seen = match manner {
            Manner::Refuses => Err("nothing is believed today".to_owned()),
            Manner::Looks if is_http => over_http(plain, name, &token(number, name), &answer)
                .map_err(|error| format!("{error:#}")),
            Manner::Looks => over_tls(secure, name, &answer).map_err(|error| format!("{error:#}")),
        };
        let mut state = self.state();
        let order = state.orders.get_mut(number).context("no such order")?;
        order.shown.insert(name.to_owned(), seen);
        Ok(())
    }

    fn sign(&self, number: usize, payload: &Value) -> anyhow::Result<()> {
        let request = payload["csr"].as_str().context("what is to be signed?")?;
        let request = BASE64URL_NOPAD.decode(request.as_bytes())?;
        let term = self.state().term.clone();
        let signed = self.authority.sign_request(&request, &term)?;
        let mut state = self.state();
        let order = state.orders.get_mut(number).context("no such order")?;
        let is_shown = |name: &String| order.shown.get(name).is_some_and(Result::is_ok);
        ensure!(order.names.iter().all(is_shown), "not every name was shown");
        order.certificate = Some(signed);
        Ok(())
    }
}

fn token(number: usize, name: &str) -> String {
    BASE64URL_NOPAD.encode(format!("{number} {name} of a test").as_bytes())
}

fn refused(kind: &str, detail: &str) -> Said {
    let kind = format!("urn:ietf:params:acme:error:{kind}");
    let said = json!({ "type": kind, "detail": detail, "status": 400 });
    Said(400, vec![], said.to_string())
}

/// RFC 7638, of a key on the curve P-256.
fn thumbprint(key: &Value) -> Option<String> {
    let text = format!(
        r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
        key["x"].as_str()?,
        key["y"].as_str()?
    );
    Some(BASE64URL_NOPAD.encode(&Sha256::digest(text.as_bytes())))
}

/// A request with its method, path and body; none where the client has gone.
fn request(stream: &mut BufReader<impl Read>) -> io::Result<Option<(String, String, Vec<u8>)>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header)?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(said) = header.strip_prefix("content-length:") {
            length = said.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some((method, path, body)))
}

/// RFC 8555 §8.3.
fn over_http(at: SocketAddr, name: &str, token: &str, expected: &str) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(at).context("connecting over HTTP")?;
    stream.set_read_timeout(Some(WITHIN))?;
    let path = format!("/.well-known/acme-challenge/{token}");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"
    )?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    let (head, body) = said.split_once("\r\n\r\n").context("no answer")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "the answer was {head}");
    ensure!(body == expected, "the answer was {body:?}");
    Ok(())
}

/// RFC 8737 §3.
fn over_tls(at: SocketAddr, name: &str, expected: &str) -> anyhow::Result<()> {
    let looked = Command::new("/usr/bin/openssl")
        .args(["s_client", "-connect", &at.to_string(), "-servername", name])
        .args(["-alpn", "acme-tls/1"])
        .stdin(Stdio::null())
        .output()
        .context("looking by openssl")?;
    let said = String::from_utf8_lossy(&looked.stdout);
    ensure!(
        said.contains("ALPN protocol: acme-tls/1"),
        "another protocol was chosen"
    );
    let certificate = CertificateDer::from_pem_slice(said.as_bytes()).context("no certificate")?;
    let digest = Sha256::digest(expected.as_bytes());
    let mut windows = certificate.windows(digest.len());
    ensure!(
        windows.any(|window| window == &digest[..]),
        "the certificate is another one"
    );
    Ok(())
}
