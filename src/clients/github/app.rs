//! A GitHub App: where it is installed, what it may do there, and the tokens that it is given.
//!
//! Each downstream repository has tokens of its own, good for that repository and for what its
//! watches need: one that leaks, or an installation that is suspended, is no other's trouble.

use super::{auth::Auth, error::GithubError, json, jwt::Signer, transport::Transport};
use crate::clients::credential::{Credential, Minted, NoToken};
use crate::clients::wire::{self, Answer, Http};
use crate::clock::Clock;
use crate::domain::{Granted, Need, Permission, RepoName, Timestamp};
use http::{HeaderMap, Method};
use jsonwebtoken::EncodingKey;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A GitHub App. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    id: u64,
    signer: Arc<Signer>,
    transport: Transport,
}

/// An App as it is installed on somebody's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its number.
    pub id: u64,
    /// The App's name in URLs.
    pub app: String,
    /// What the account's owner granted.
    pub granted: Granted,
    /// Where the owner looks after it.
    pub page: String,
    /// Whether the owner stopped it.
    pub suspended: bool,
}

#[derive(Deserialize)]
struct WireInstallation {
    id: u64,
    app_slug: String,
    permissions: Map<String, Value>,
    html_url: String,
    suspended_at: Option<String>,
}

#[derive(Deserialize)]
struct WireApp {
    html_url: String,
}

#[derive(Deserialize)]
struct WireToken {
    token: String,
    expires_at: String,
}

impl App {
    /// The App with this id at the GitHub at `base_url`. Nothing is sent yet. Must be called inside
    /// a tokio runtime.
    ///
    /// # Errors
    /// [`GithubError::Unusable`] if the base URL is not HTTPS and not on this machine.
    pub fn new(
        http: &Http,
        base_url: &str,
        id: u64,
        key: EncodingKey,
        clock: Clock,
    ) -> Result<Self, GithubError> {
        let signer = Arc::new(Signer::new(id, key, clock));
        let transport = Transport::new(http, base_url, Auth::App(signer.clone()))?;
        Ok(Self { id, signer, transport })
    }

    /// Tokens for one repository and what is needed there. `installation` spares looking for it.
    #[must_use]
    pub fn credential(
        &self,
        repo: &RepoName,
        installation: Option<u64>,
        needs: Vec<Need>,
        clock: Clock,
    ) -> Credential {
        let (app, repo) = (self.clone(), repo.clone());
        let told = Credential::default();
        let heard = told.clone();
        let minted = Credential::minted(clock, move || {
            let (app, repo, needs) = (app.clone(), repo.clone(), needs.clone());
            let heard = heard.clone();
            Box::pin(async move { app.mint(&repo, installation, &needs, &heard).await })
        });
        minted.hearing(&told)
    }

    /// Fetches the installation that may act in a repository: the one with the given number, or
    /// the one that GitHub finds.
    ///
    /// # Errors
    /// As [`NoToken`] says: [`NoToken::Refused`] names what a person can do.
    pub async fn fetch_installation(
        &self,
        repo: &RepoName,
        installation: Option<u64>,
    ) -> Result<Installation, NoToken> {
        let path = match installation {
            Some(id) => format!("/app/installations/{id}"),
            None => format!("/repos/{repo}/installation"),
        };
        match self.fetch(&path).await {
            Ok(answer) => parse_installation(&answer.body).map_err(|error| self.refused(&error)),
            Err(GithubError::NotFound { .. }) => Err(self.not_installed(repo, installation).await),
            Err(error) => Err(self.refused(&error)),
        }
    }

    async fn fetch(&self, path: &str) -> Result<Answer, GithubError> {
        let url = self.transport.url(path)?;
        self.transport.get(&url, &HeaderMap::new(), "installation").await
    }

    async fn mint(
        &self,
        repo: &RepoName,
        installation: Option<u64>,
        needs: &[Need],
        heard: &Credential,
    ) -> Result<Minted, NoToken> {
        let there = self.fetch_installation(repo, installation).await?;
        there.judge(repo, needs)?;
        let withheld = there.lacks(needs).any(|it| it.permission == Permission::Workflows);
        heard.told_of_workflows(!withheld);
        let permissions: Map<String, Value> = needs
            .iter()
            .filter_map(|need| need.within(&there.granted))
            .map(|need| (need.permission.name().to_owned(), need.level.name().into()))
            .collect();
        let path = format!("/app/installations/{}/access_tokens", there.id);
        let wish = json!({ "repositories": [repo.name()], "permissions": permissions });
        let answer = self.transport.write(Method::POST, &path, &wish, "installation").await;
        let (token, expires) =
            answer.and_then(|it| parse_token(&it.body)).map_err(|error| self.refused(&error))?;
        Ok(Minted { token, expires: self.signer.to_ours(expires) })
    }

    /// What a person can do about an App that acts nowhere near the repository.
    async fn not_installed(&self, repo: &RepoName, installation: Option<u64>) -> NoToken {
        // Its own page, if GitHub knows it; and if it does not know the App, then that is why.
        let app = self.fetch("/app").await.and_then(|it| json::object::<WireApp>(&it.body, "app"));
        let page = match app {
            Ok(app) => wire::excerpt(&app.html_url),
            Err(GithubError::NotFound { .. }) => {
                let why = format!(
                    "GitHub knows no App {}: `github.app.id` is the App ID on the App's page",
                    self.id
                );
                return NoToken::Refused { why };
            }
            Err(error) => return self.refused(&error),
        };
        let why = match installation {
            Some(id) => format!(
                "GitHub App {} has no installation {id}: leave `github.app.installation` out, or \
                 take the number from the URL of the installation's page",
                self.id
            ),
            None => format!(
                "GitHub App {} is not installed on {repo}: install it at {page}/installations/new, \
                 or add the repository to the installation",
                self.id
            ),
        };
        NoToken::Refused { why }
    }

    fn refused(&self, error: &GithubError) -> NoToken {
        let id = self.id;
        let why = match error {
            GithubError::RateLimited { until } => return NoToken::RateLimited { until: *until },
            GithubError::NoToken(why) => return why.clone(),
            GithubError::Denied { status: 401, message } => format!(
                "GitHub does not take the key for App {id}'s: {message}. `github.app.id` and the \
                 key have to be of the same App, and the key has to be on its page still"
            ),
            GithubError::Denied { message, .. } | GithubError::Rejected { message, .. } => {
                format!("GitHub gives App {id} no token: {message}")
            }
            GithubError::NotFound { .. } => {
                format!("GitHub gives App {id} no token: its installation is gone")
            }
            GithubError::Transient { .. }
            | GithubError::Malformed { .. }
            | GithubError::TooLarge { .. }
            | GithubError::Unusable(_) => return NoToken::Unavailable { why: wire::chain(error) },
        };
        NoToken::Refused { why }
    }
}

impl Installation {
    /// The needs that were not granted, or not as much of them.
    pub fn lacks<'a>(&'a self, needs: &'a [Need]) -> impl Iterator<Item = &'a Need> {
        needs.iter().filter(|need| !need.is_met_by(&self.granted))
    }

    /// Whether a token of this installation is worth having.
    ///
    /// # Errors
    /// [`NoToken::Refused`] if it is suspended, or something essential was not granted: the text
    /// says what a person can do.
    pub fn judge(&self, repo: &RepoName, needs: &[Need]) -> Result<(), NoToken> {
        let page = &self.page;
        if self.suspended {
            let why = format!(
                "the installation of the GitHub App on {repo} is suspended: unsuspend it at {page}"
            );
            return Err(NoToken::Refused { why });
        }
        let told = |need: &Need| format!("{need}: {}", need.permission.lost());
        let (essential, other): (Vec<_>, Vec<_>) =
            self.lacks(needs).partition(|need| need.permission.is_essential());
        if essential.is_empty() {
            for need in other {
                tracing::warn!(repository = %repo, "the GitHub App lacks {}", told(need));
            }
            return Ok(());
        }
        let lacks: Vec<String> = essential.into_iter().map(told).collect();
        let why = format!(
            "the GitHub App may not do in {repo} what it has to, it lacks {}. Add it to the App's \
             permissions, then accept them at {page}",
            lacks.join("; ")
        );
        Err(NoToken::Refused { why })
    }
}

fn parse_installation(body: &[u8]) -> Result<Installation, GithubError> {
    let wire: WireInstallation = json::object(body, "installation")?;
    let granted = wire.permissions.into_iter();
    Ok(Installation {
        id: wire.id,
        app: wire::excerpt(&wire.app_slug),
        granted: granted.filter_map(|(name, it)| Some((name, it.as_str()?.to_owned()))).collect(),
        page: wire::excerpt(&wire.html_url),
        suspended: wire.suspended_at.is_some(),
    })
}

fn parse_token(body: &[u8]) -> Result<(SecretString, Timestamp), GithubError> {
    // The parser's error could quote the body, and with it the token: it is not kept.
    let wire: WireToken = serde_json::from_slice(body)
        .map_err(|_| GithubError::malformed("not an installation's token"))?;
    let sound = !wire.token.is_empty() && wire.token.bytes().all(|byte| byte.is_ascii_graphic());
    let expires = wire.expires_at.parse().ok().filter(|_| sound);
    let expires = expires.ok_or_else(|| GithubError::malformed("not an installation's token"))?;
    Ok((wire.token.into(), expires))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_error_does_not_quote_the_token() {
        for body in [
            r#"{"token":["s3cret"]}"#,
            r#"{"token":"s3cret","expires_at":"soon"}"#,
            r#"{"token":"s3\ncret","expires_at":"2026-06-12T09:00:00Z"}"#,
            r#"{"token":"","expires_at":"2026-06-12T09:00:00Z"}"#,
        ] {
            let error = parse_token(body.as_bytes()).unwrap_err();
            assert!(!format!("{error:?}").contains("s3"), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = parse_token(&body);
            let _ = parse_installation(&body);
        }
    }
}
