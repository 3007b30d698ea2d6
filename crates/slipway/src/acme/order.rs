//! One order at the authority: each name is shown to be ours, then a key is made and signed for.

use std::time::Duration;

use anyhow::{Context as _, bail};
use instant_acme::{
    Account, AuthorizationHandle, AuthorizationStatus, ChallengeType, Error, Identifier, NewOrder,
    Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use slipway_proxy::{Challenges, Client, TlsChallenge};

use crate::acme::shelf::Signed;
use crate::environment::{AcmeSettings, Challenge};

/// How long the authority may take to look, and to sign.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));
const UNKNOWN_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// A certificate for all names, or why there is none.
pub(crate) async fn obtain(
    account: &Account,
    settings: &AcmeSettings,
    proxy: &Client,
) -> anyhow::Result<Signed> {
    let names: Vec<_> = settings
        .names
        .iter()
        .cloned()
        .map(Identifier::Dns)
        .collect();
    let ordered = account.new_order(&NewOrder::new(&names)).await;
    let mut order = ordered.context("ordering a certificate")?;
    prove(&mut order, settings.challenge, proxy).await?;
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => {}
        Ok(_) => bail!(
            "the authority does not believe it: {}",
            refusal(&mut order).await
        ),
        Err(error) => return Err(error).context("waiting until the authority has looked"),
    }
    let key = order.finalize().await.context("asking for a signature")?;
    let chain = order.poll_certificate(&PATIENCE).await;
    let chain = chain.context("waiting for the signature")?;
    Ok(Signed { chain, key })
}

/// Shows everything that is asked for at once, then says that it can be looked at.
async fn prove(order: &mut Order, kind: Challenge, proxy: &Client) -> anyhow::Result<()> {
    let mut shown = Challenges::default();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.context("asking what is to be shown")?;
        if authorization.status == AuthorizationStatus::Pending {
            add(&mut shown, &mut authorization, kind)?;
        }
    }
    proxy
        .show(&shown)
        .await
        .context("showing it by the proxy")?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization.context("asking what is to be shown")?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        if let Some(mut challenge) = authorization.challenge(kind_of(kind)) {
            let told = challenge.set_ready().await;
            told.context("saying that it can be looked at")?;
        }
    }
    Ok(())
}

fn kind_of(kind: Challenge) -> ChallengeType {
    match kind {
        Challenge::Http => ChallengeType::Http01,
        Challenge::Tls => ChallengeType::TlsAlpn01,
    }
}

fn add<'a>(
    shown: &mut Challenges,
    authorization: &'a mut AuthorizationHandle<'a>,
    kind: Challenge,
) -> anyhow::Result<()> {
    let name = authorization.identifier().to_string();
    let challenge = authorization
        .challenge(kind_of(kind))
        .with_context(|| format!("the authority does not look for {name} in this way"))?;
    let answer = challenge.key_authorization();
    match kind {
        Challenge::Http => {
            let token = challenge.token.clone();
            shown.http.insert(token, answer.as_str().to_owned());
        }
        Challenge::Tls => {
            let certificate = certificate(&name, answer.digest().as_ref())?;
            shown.tls.insert(name, certificate);
        }
    }
    Ok(())
}

/// RFC 8737 §3: signed by itself, for one name, with the digest in it.
fn certificate(name: &str, digest: &[u8]) -> anyhow::Result<TlsChallenge> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(TlsChallenge {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// What the authority says it saw.
async fn refusal(order: &mut Order) -> String {
    let mut words = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        let Ok(state) = authorization.refresh().await else {
            continue;
        };
        let problems = state.challenges.iter().filter_map(|c| c.error.as_ref());
        words.extend(problems.map(|problem| format!("{name}: {problem}")));
    }
    if words.is_empty() {
        return "it does not say why".to_owned();
    }
    words.join("; ")
}

/// Whether the authority does not know who asks.
pub(crate) fn is_about_the_account(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        matches!(
            cause.downcast_ref::<Error>(),
            Some(Error::Api(problem)) if problem.r#type.as_deref() == Some(UNKNOWN_ACCOUNT)
        )
    })
}
