//! The proxy, as the engine sees it: a process edge, so that a simulation can stand in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::BoxFuture;
use slipway_proxy::{Client, ClientError, Generation, Stats, Table, Trust};

use crate::http::{self, Answer, Get};

/// What the engine wants of the data plane.
pub(crate) trait Traffic: std::fmt::Debug + Send + Sync {
    /// The table that is served.
    fn table(&self) -> BoxFuture<'_, Result<Table, ClientError>>;
    /// Serves a table from now on.
    fn publish<'a>(&'a self, table: &'a Table) -> BoxFuture<'a, Result<(), ClientError>>;
    /// Waits until nothing older than a table is in flight; gives what still is.
    fn drained(
        &self,
        generation: Generation,
        within: Duration,
    ) -> BoxFuture<'_, Result<u64, ClientError>>;
    /// Everything that was counted.
    fn stats(&self) -> BoxFuture<'_, Result<Stats, ClientError>>;
    /// Visits a page the way visitors do, as a tester.
    fn visit<'a>(&'a self, visit: Visit<'a>) -> BoxFuture<'a, Result<Answer, String>>;
}

/// A tester's visit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit<'a> {
    /// The host name; the proxy's address where the service has none.
    pub(crate) host: Option<&'a str>,
    /// The page.
    pub(crate) path: &'a str,
    /// What the tester shows.
    pub(crate) token: &'a str,
    /// How long it may take.
    pub(crate) within: Duration,
}

/// The real proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) client: Client,
    /// Where visitors come in.
    pub(crate) public: Vec<SocketAddr>,
    /// Whom the proxy wants to announce who comes.
    pub(crate) announced_by: Trust,
}

impl Traffic for Proxy {
    fn table(&self) -> BoxFuture<'_, Result<Table, ClientError>> {
        Box::pin(self.client.table())
    }

    fn publish<'a>(&'a self, table: &'a Table) -> BoxFuture<'a, Result<(), ClientError>> {
        Box::pin(self.client.publish(table))
    }

    fn drained(
        &self,
        generation: Generation,
        within: Duration,
    ) -> BoxFuture<'_, Result<u64, ClientError>> {
        Box::pin(self.client.drained(generation, within))
    }

    fn stats(&self) -> BoxFuture<'_, Result<Stats, ClientError>> {
        Box::pin(self.client.stats())
    }

    fn visit<'a>(&'a self, visit: Visit<'a>) -> BoxFuture<'a, Result<Answer, String>> {
        Box::pin(async move {
            let Some(public) = self.public.first() else {
                return Err("the proxy listens nowhere".to_owned());
            };
            let address = reachable(*public);
            let own = address.to_string();
            let get = Get {
                address,
                host: visit.host.unwrap_or(&own),
                path: visit.path,
                token: Some(visit.token),
                // A connection within this machine comes from the address that it goes to.
                is_announced: self.announced_by.believes(address.ip()),
            };
            http::get(&get, visit.within).await
        })
    }
}

/// An address that stands for all of the machine's is reached over loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_means_any_is_visited_over_loopback() {
        let any: SocketAddr = "0.0.0.0:8080".parse().unwrap();
        assert_eq!(reachable(any).to_string(), "127.0.0.1:8080");
        let any: SocketAddr = "[::]:8080".parse().unwrap();
        assert_eq!(reachable(any).to_string(), "[::1]:8080");
        let one: SocketAddr = "192.0.2.7:80".parse().unwrap();
        assert_eq!(reachable(one), one);
    }
}
