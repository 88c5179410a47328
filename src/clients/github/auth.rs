//! By what right a request is sent, found out when it is sent.

use super::jwt::Signer;
use crate::clients::credential::{Credential, Grant, NoToken};
use crate::clients::wire::Answer;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

/// The scopes of a classic token, with a comma between any two.
const SCOPES: HeaderName = HeaderName::from_static("x-oauth-scopes");

/// By what right requests are sent.
#[derive(Debug, Clone)]
pub(super) enum Auth {
    /// A token's, or nobody's.
    Credential(Credential),
    /// An App's own, which is good for asking for tokens and little else.
    App(Arc<Signer>),
}

/// What one request is sent with.
pub(super) struct Pass {
    header: HeaderValue,
    /// `None` is an App's own word.
    grant: Option<Grant>,
}

impl Pass {
    fn new(secret: &SecretString, grant: Option<Grant>) -> Result<Self, NoToken> {
        let header = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret()));
        let mut header = header.map_err(|_| NoToken::Refused {
            why: "the token for GitHub holds what no header can carry, such as a line's end"
                .to_owned(),
        })?;
        // Whoever logs headers leaves it out.
        header.set_sensitive(true);
        Ok(Self { header, grant })
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

impl Auth {
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::Credential(credential) if credential.is_none())
    }

    /// Whether workflow files may be edited, as far as GitHub said.
    pub(super) fn may_edit_workflows(&self) -> Option<bool> {
        match self {
            Self::Credential(credential) => credential.may_edit_workflows(),
            Self::App(_) => None,
        }
    }

    /// Takes in that GitHub refused to have a workflow file edited.
    pub(super) fn may_not_edit_workflows(&self) {
        if let Self::Credential(credential) = self {
            credential.told_of_workflows(false);
        }
    }

    /// Takes in what an answer says of the token's scopes. Only those of a classic token have any.
    pub(super) fn told_of(&self, answer: &Answer) {
        let Self::Credential(credential) = self else { return };
        if let Some(scopes) = answer.header(SCOPES) {
            let mut scopes =
                scopes.split(',').map(str::trim).filter(|it| !it.is_empty()).peekable();
            // An App's token has the header, and no scopes.
            if scopes.peek().is_some() {
                credential.told_of_workflows(scopes.any(|scope| scope == "workflow"));
            }
        }
    }

    /// What the next request is sent with; `None` sends it as anybody's.
    pub(super) async fn pass(&self) -> Result<Option<Pass>, NoToken> {
        match self {
            Self::App(signer) => Pass::new(&signer.sign()?, None).map(Some),
            Self::Credential(credential) => {
                let grant = credential.grant().await?;
                grant.map(Self::carrying).transpose()
            }
        }
    }

    /// What the same request may be sent with once more, after it was answered with 401.
    pub(super) async fn instead_of(
        &self,
        refused: &Pass,
        answer: &Answer,
    ) -> Result<Option<Pass>, NoToken> {
        match (self, &refused.grant) {
            (Self::Credential(credential), Some(grant)) => {
                let grant = credential.instead_of(grant).await?;
                grant.map(Self::carrying).transpose()
            }
            (Self::App(signer), _) if signer.learns_from(answer) => {
                Pass::new(&signer.sign()?, None).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn carrying(grant: Grant) -> Result<Pass, NoToken> {
        Pass::new(&grant.token.clone(), Some(grant))
    }
}
