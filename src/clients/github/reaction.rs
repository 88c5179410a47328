//! Reactions to comments: the quickest answer there is.

use super::{error::GithubError, json, reader::Reader, writer::Writer};
use crate::domain::{CommandSource, Reaction, RepoName};
use http::Method;
use serde::Deserialize;
use serde_json::json;

/// 100 reactions to a page: more of one kind to a command are nobody's worry.
const MAX_PAGES: usize = 10;

#[derive(Deserialize)]
struct Wire {
    id: u64,
    user: Option<WireUser>,
}

#[derive(Deserialize)]
struct WireUser {
    login: String,
}

/// Where a comment is below a repository; `None` for what is no comment.
pub(super) fn place(source: &CommandSource) -> Option<String> {
    match source {
        CommandSource::Comment(id) => Some(format!("issues/comments/{id}")),
        CommandSource::Review(id) => Some(format!("pulls/comments/{id}")),
        CommandSource::Box(_) => None,
    }
}

impl Reader {
    /// Fetches the reactions of one kind to a comment: GitHub's ids of them, and whose they are.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if the comment was deleted.
    pub async fn fetch_reactions(
        &self,
        repo: &RepoName,
        to: &CommandSource,
        reaction: Reaction,
    ) -> Result<Vec<(u64, String)>, GithubError> {
        let place = place(to).ok_or_else(|| GithubError::malformed("no comment to react to"))?;
        let mut url = self.transport.url(&format!("/repos/{repo}/{place}/reactions"))?;
        url.query_pairs_mut()
            .append_pair("content", reaction.name())
            .append_pair("per_page", "100");
        let parse = |body: &[u8]| {
            let reactions = json::list::<Wire>(body, "reaction")?.into_iter();
            Ok(reactions.filter_map(|wire| Some((wire.id, wire.user?.login))).collect())
        };
        Ok(self.transport.list(url, MAX_PAGES, "comment", parse).await?.what_was_read())
    }
}

impl Writer {
    /// Reacts to a comment; gives GitHub's id of the reaction. The same one twice is one.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if the comment was deleted.
    pub async fn react(
        &self,
        repo: &RepoName,
        to: &CommandSource,
        reaction: Reaction,
    ) -> Result<u64, GithubError> {
        let place = place(to).ok_or_else(|| GithubError::malformed("no comment to react to"))?;
        let path = format!("/repos/{repo}/{place}/reactions");
        let text = json!({ "content": reaction.name() });
        let answer = self.transport.write(Method::POST, &path, &text, "comment").await?;
        Ok(json::object::<Wire>(&answer.body, "reaction")?.id)
    }

    /// Takes a reaction to a comment back.
    ///
    /// # Errors
    /// As [`GithubError`] says; [`GithubError::NotFound`] if it is not there.
    pub async fn take_reaction_back(
        &self,
        repo: &RepoName,
        to: &CommandSource,
        id: u64,
    ) -> Result<(), GithubError> {
        let place = place(to).ok_or_else(|| GithubError::malformed("no comment to react to"))?;
        let url = self.transport.url(&format!("/repos/{repo}/{place}/reactions/{id}"))?;
        self.transport.delete(&url, "reaction").await?;
        Ok(())
    }
}
