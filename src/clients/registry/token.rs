//! Anonymous tokens: one for each repository, kept until they expire.

use super::{answer, challenge::Bearer, error::RegistryError};
use crate::clients::wire;
use crate::clients::wire::Http;
use crate::domain::Timestamp;
use http::HeaderMap;
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// A token server's answer is a token and a few numbers.
const BODY_CAP: usize = 64 * 1024;

/// How long a token lives that does not say so (distribution specification, "Token response").
const DEFAULT_LIFE: Duration = Duration::from_mins(1);

/// No token is used for longer, whatever it says of itself.
const LONGEST_LIFE: Duration = Duration::from_hours(1);

/// A token is renewed so long before its end, lest it ends on the way.
const MARGIN: Duration = Duration::from_secs(10);

/// A token, and which of its repository's tokens it is.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) token: SecretString,
    number: u64,
    expires: Timestamp,
}

/// What is known about one repository's tokens.
#[derive(Debug, Default)]
struct Slot {
    bearer: Option<Bearer>,
    grant: Option<Grant>,
    issued: u64,
}

/// The tokens of all repositories. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens {
    slots: Arc<Mutex<HashMap<String, Arc<Mutex<Slot>>>>>,
}

/// Whose token it is to be.
pub(super) struct Holder<'a> {
    /// The registry, as the client speaks to it.
    pub(super) origin: &'a Url,
    /// The repository inside it.
    pub(super) path: &'a str,
}

impl Tokens {
    /// A token that still holds. An expired one is renewed where it was had before; `None` if this
    /// repository never asked for one.
    pub(super) async fn current(
        &self,
        http: &Http,
        holder: &Holder<'_>,
    ) -> Result<Option<Grant>, RegistryError> {
        let slot = self.slot(holder).await;
        let mut slot = slot.lock().await;
        if let Some(grant) = slot.grant.as_ref().filter(|grant| http.now() < grant.expires) {
            return Ok(Some(grant.clone()));
        }
        match slot.bearer.clone() {
            None => Ok(None),
            Some(bearer) => slot.renew(http, holder, bearer).await.map(Some),
        }
    }

    /// A token in place of one that was refused. Whoever comes second gets what the first fetched.
    pub(super) async fn replace(
        &self,
        http: &Http,
        holder: &Holder<'_>,
        refused: Option<&Grant>,
        bearer: Bearer,
    ) -> Result<Grant, RegistryError> {
        let slot = self.slot(holder).await;
        let mut slot = slot.lock().await;
        let refused = refused.map_or(0, |grant| grant.number);
        match &slot.grant {
            Some(grant) if grant.number > refused && http.now() < grant.expires => {
                Ok(grant.clone())
            }
            _ => slot.renew(http, holder, bearer).await,
        }
    }

    async fn slot(&self, holder: &Holder<'_>) -> Arc<Mutex<Slot>> {
        let key = format!("{} {}", holder.origin, holder.path);
        Arc::clone(self.slots.lock().await.entry(key).or_default())
    }
}

impl Slot {
    async fn renew(
        &mut self,
        http: &Http,
        holder: &Holder<'_>,
        bearer: Bearer,
    ) -> Result<Grant, RegistryError> {
        self.grant = None;
        let (token, life) = fetch(http, holder, &bearer).await?;
        self.issued += 1;
        let grant = Grant {
            token,
            number: self.issued,
            expires: http.now() + life.min(LONGEST_LIFE).saturating_sub(MARGIN),
        };
        self.bearer = Some(bearer);
        self.grant = Some(grant.clone());
        Ok(grant)
    }
}

#[derive(Deserialize)]
struct WireToken {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Number>,
}

/// Asks the token server for the right to pull, and for how long it lasts.
async fn fetch(
    http: &Http,
    holder: &Holder<'_>,
    bearer: &Bearer,
) -> Result<(SecretString, Duration), RegistryError> {
    let mut url = holder
        .origin
        .join(&bearer.realm)
        .ok()
        .filter(|realm| wire::may_go(holder.origin, realm))
        .ok_or_else(|| RegistryError::malformed("a token server where we may not go"))?;
    if let Some(service) = &bearer.service {
        url.query_pairs_mut().append_pair("service", service);
    }
    let scope = format!("repository:{}:pull", holder.path);
    url.query_pairs_mut().append_pair("scope", &scope);
    let what = format!("a token for {}", holder.path);
    let answer = http.get(url, HeaderMap::new(), BODY_CAP).await?;
    match answer::judge(answer, &what, http.now()) {
        Ok(answer) => parse(&answer.body),
        // Taken for the registry's word, it would turn an outage into "there is no image".
        Err(RegistryError::NotFound { .. }) => {
            Err(RegistryError::malformed("the token server is not where the registry says"))
        }
        Err(error) => Err(error),
    }
}

fn parse(body: &[u8]) -> Result<(SecretString, Duration), RegistryError> {
    // The parser's error could quote the body, and with it the token: it is not kept.
    let wire: WireToken =
        serde_json::from_slice(body).map_err(|_| RegistryError::malformed("not a token"))?;
    let token = wire
        .token
        .or(wire.access_token)
        .filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(|| RegistryError::malformed("no token in the token server's answer"))?;
    let life = wire
        .expires_in
        .and_then(|seconds| Duration::try_from_secs_f64(seconds.as_f64()?).ok())
        .unwrap_or(DEFAULT_LIFE);
    Ok((token.into(), life))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    #[test]
    fn both_names_of_the_token_are_known() {
        for (body, token, seconds) in [
            (r#"{"token":"a"}"#, "a", 60),
            (r#"{"access_token":"b","expires_in":300}"#, "b", 300),
            (r#"{"token":"a","access_token":"b","expires_in":-1}"#, "a", 60),
        ] {
            let (read, life) = parse(body.as_bytes()).unwrap();
            assert_eq!((read.expose_secret(), life.as_secs()), (token, seconds), "{body}");
        }
    }

    #[test]
    fn what_could_not_be_sent_is_no_token() {
        for body in
            ["", "{}", r#"{"token":""}"#, r#"{"token":"a\nb"}"#, r#"{"token":"a b"}"#, "<html>"]
        {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn an_error_does_not_quote_the_answer() {
        let error = parse(br#"{"token":["s3cret"]}"#).unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = parse(&body);
        }
    }
}
