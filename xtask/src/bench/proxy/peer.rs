//! The proxies that are measured, each with the same work: connections to the upstream are
//! kept, forwarding headers and a request id set, bodies passed on as they come, TLS 1.2 and
//! 1.3 with the same certificate. One worker each, without an access log.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, ensure};
use chassis::Env;
use testkit::certificate::{Authority, Certificate};

use super::running::{Running, await_listening, free_address, pinned};
use super::{Other, kamal};

const NGINX: &str = "/usr/sbin/nginx";
const HAPROXY: &str = "/usr/sbin/haproxy";

/// What all of them stand on: the upstream, a certificate, a folder.
pub(super) struct Ground {
    pub(super) folder: tempfile::TempDir,
    pub(super) upstream: SocketAddr,
    pub(super) certificate: Certificate,
    _authority: Authority,
    _upstream: Running,
}

/// A proxy that runs.
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) process: Running,
    pub(super) plain: SocketAddr,
    pub(super) secure: SocketAddr,
}

impl Ground {
    pub(super) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("making a folder")?;
        let upstream = free_address()?;
        let large = folder.path().join("large");
        std::fs::write(&large, vec![b'x'; 64 * 1024]).context("writing a large answer")?;
        let authority = Authority::new()?;
        let certificate = authority.sign("DNS:localhost,IP:127.0.0.1")?;
        let site = upstream_site(upstream, folder.path());
        let running = nginx(folder.path(), "upstream", 1, &site)?;
        await_listening(upstream)?;
        Ok(Self {
            folder,
            upstream,
            certificate,
            _authority: authority,
            _upstream: running,
        })
    }
}

/// Starts ours.
pub(super) fn slipway(program: &Path, ground: &Ground) -> anyhow::Result<Peer> {
    let (plain, secure) = (free_address()?, free_address()?);
    let process = Running::start(
        pinned(0, program)
            .args([plain, ground.upstream].map(|address| address.to_string()))
            .arg("1")
            .args(["--tls", &secure.to_string()])
            .args([&ground.certificate.chain, &ground.certificate.key]),
    )?;
    listening("slipway", process, plain, secure)
}

/// Starts one that is not ours, or says why it cannot be.
pub(super) fn start(other: Other, env: &Env, ground: &Ground) -> anyhow::Result<Peer> {
    let (plain, secure) = (free_address()?, free_address()?);
    match other {
        Other::Kamal => kamal::start(env, ground),
        Other::Haproxy => {
            let process = haproxy(ground, plain, secure)?;
            listening("HAProxy", process, plain, secure)
        }
        Other::Nginx => {
            let site = peer_site(plain, secure, ground);
            let process = nginx(ground.folder.path(), "peer", 0, &site)?;
            listening("nginx", process, plain, secure)
        }
    }
}

/// A peer whose process listens on both of its addresses.
pub(super) fn listening(
    name: &str,
    process: Running,
    plain: SocketAddr,
    secure: SocketAddr,
) -> anyhow::Result<Peer> {
    await_listening(plain)?;
    await_listening(secure)?;
    Ok(Peer {
        name: name.to_owned(),
        process,
        plain,
        secure,
    })
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::File::create(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("writing {}", path.display()))
}

fn nginx(folder: &Path, name: &str, core: u32, site: &str) -> anyhow::Result<Running> {
    let path = folder.join(format!("{name}.conf"));
    let home = folder.display();
    let text = format!(
        "daemon off;\nmaster_process off;\nworker_processes 1;\npid {home}/{name}.pid;\n\
         error_log {home}/{name}.log warn;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000000;\n  keepalive_timeout 75s;\n\
         \x20 client_max_body_size 1m;\n\
         \x20 client_body_temp_path {home}/{name}-body;\n  proxy_temp_path {home}/{name}-proxy;\n\
         \x20 fastcgi_temp_path {home}/{name}-f;\n  uwsgi_temp_path {home}/{name}-u;\n\
         \x20 scgi_temp_path {home}/{name}-s;\n{site}}}\n"
    );
    write(&path, &text)?;
    Running::start(
        pinned(core, Path::new(NGINX))
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(&path),
    )
}

fn upstream_site(at: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "  server {{ listen {at} backlog=4096; sendfile on; tcp_nopush on; \
         location / {{ default_type text/plain; add_header x-release bench; \
         return 200 \"an answer of thirty-two octets..\"; }} \
         location = /large {{ root {folder}; default_type text/plain; \
         open_file_cache max=4; }} }}\n"
    )
}

fn peer_site(plain: SocketAddr, secure: SocketAddr, ground: &Ground) -> String {
    let (upstream, certificate) = (ground.upstream, &ground.certificate);
    let (chain, key) = (certificate.chain.display(), certificate.key.display());
    format!(
        "  upstream origin {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}\n\
         \x20 server {{ listen {plain} backlog=4096; listen {secure} ssl http2 backlog=4096; \
         ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3; \
         http2_max_concurrent_streams 128; \
         location / {{ proxy_pass http://origin; \
         proxy_http_version 1.1; proxy_set_header Connection \"\"; \
         proxy_request_buffering off; proxy_buffers 16 8k; \
         proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; \
         proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host; \
         proxy_set_header X-Request-Id $request_id; }} }}\n"
    )
}

fn haproxy(ground: &Ground, plain: SocketAddr, secure: SocketAddr) -> anyhow::Result<Running> {
    ensure!(
        Path::new(HAPROXY).exists(),
        "it is not installed: apt-get install haproxy"
    );
    let folder = ground.folder.path();
    let both = folder.join("both.pem");
    let mut pem = std::fs::read(&ground.certificate.chain).context("reading a certificate")?;
    pem.extend(std::fs::read(&ground.certificate.key).context("reading a key")?);
    std::fs::write(&both, pem).context("writing a certificate with its key")?;
    let path = folder.join("haproxy.cfg");
    let (both, upstream) = (both.display(), ground.upstream);
    write(
        &path,
        &format!(
            "global\n  nbthread 1\n  maxconn 4096\n  ssl-default-bind-options ssl-min-ver TLSv1.2\n\
             defaults\n  mode http\n  timeout connect 5s\n  timeout client 75s\n  timeout server 60s\n\
             \x20 timeout http-keep-alive 75s\n  http-reuse always\n  option forwardfor\n\
             frontend visitors\n  bind {plain} backlog 4096\n\
             \x20 bind {secure} backlog 4096 ssl crt {both} alpn h2,http/1.1\n\
             \x20 http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]\n\
             \x20 http-request set-header X-Forwarded-Host %[req.hdr(host)]\n\
             \x20 unique-id-format %[uuid()]\n  unique-id-header X-Request-Id\n\
             \x20 default_backend origin\n\
             backend origin\n  server upstream {upstream} pool-max-conn 256\n"
        ),
    )?;
    Running::start(
        pinned(0, Path::new(HAPROXY))
            .args(["-db", "-q", "-f"])
            .arg(&path),
    )
}
