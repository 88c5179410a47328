//! What somebody may do in a repository.

use super::{error::GithubError, json, reader::Reader};
use crate::domain::{RepoName, Role};
use http::HeaderMap;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wire {
    permission: String,
    #[serde(default)]
    role_name: String,
}

#[derive(Deserialize)]
struct Membership {
    state: String,
}

impl Reader {
    /// Fetches what somebody may do in a repository, now. Whoever GitHub does not know may nothing.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_role(&self, repo: &RepoName, login: &str) -> Result<Role, GithubError> {
        let mut url = self.transport.url(&format!("/repos/{repo}/collaborators"))?;
        // Foreign text: one segment, escaped.
        if let Ok(mut path) = url.path_segments_mut() {
            path.push(login).push("permission");
        }
        let answer = match self.transport.get(&url, &HeaderMap::new(), "collaborator").await {
            Err(GithubError::NotFound { .. }) => return Ok(Role::None),
            answer => answer?,
        };
        let wire: Wire = json::object(&answer.body, "permission")?;
        Ok(Role::read(&wire.permission, &wire.role_name))
    }

    /// Whether somebody is in a team of an organisation. A team that the token does not see has
    /// nobody in it.
    ///
    /// # Errors
    /// As [`GithubError`] says.
    pub async fn fetch_is_member(
        &self,
        organisation: &str,
        team: &str,
        login: &str,
    ) -> Result<bool, GithubError> {
        let mut url = self.transport.url(&format!("/orgs/{organisation}/teams/{team}"))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.push("memberships").push(login);
        }
        match self.transport.get(&url, &HeaderMap::new(), "member of the team").await {
            Err(GithubError::NotFound { .. }) => Ok(false),
            answer => {
                let wire: Membership = json::object(&answer?.body, "membership")?;
                Ok(wire.state == "active")
            }
        }
    }
}
