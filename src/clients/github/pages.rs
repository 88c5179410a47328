//! Lists that come in pages.

use super::{error::GithubError, headers, transport::Transport};
use http::HeaderMap;
use reqwest::Url;
use std::ops::ControlFlow;

/// What was read of a list.
#[derive(Debug)]
pub(super) struct Listed<T> {
    /// In the list's order.
    items: Vec<T>,
    /// Whether nothing follows.
    whole: bool,
}

impl<T> Listed<T> {
    /// All that was read, though more may follow: for lists whose end matters to nobody.
    pub(super) fn what_was_read(self) -> Vec<T> {
        self.items
    }

    /// The whole list; an error if it goes on.
    pub(super) fn whole(self, what: &str) -> Result<Vec<T>, GithubError> {
        if self.whole {
            return Ok(self.items);
        }
        let read = self.items.len();
        Err(GithubError::malformed(format!("a list of {what} that goes on after {read} of them")))
    }
}

impl Transport {
    /// Reads at most so many pages of a list, each by `parse`.
    pub(super) async fn list<T>(
        &self,
        url: Url,
        most: usize,
        what: &str,
        parse: impl Fn(&[u8]) -> Result<Vec<T>, GithubError>,
    ) -> Result<Listed<T>, GithubError> {
        let mut items = Vec::new();
        let whole = self.walk(url, most, what, |body| {
            items.extend(parse(body)?);
            Ok(ControlFlow::Continue(()))
        });
        let whole = whole.await?;
        Ok(Listed { items, whole })
    }

    /// Reads at most so many pages of a list, until `visit` breaks off; `what` is what is missing if
    /// GitHub knows no such list. Whether the list's end was reached.
    pub(super) async fn walk(
        &self,
        mut url: Url,
        most: usize,
        what: &str,
        mut visit: impl FnMut(&[u8]) -> Result<ControlFlow<()>, GithubError>,
    ) -> Result<bool, GithubError> {
        for _ in 0..most {
            let answer = self.get(&url, &HeaderMap::new(), what).await?;
            if visit(&answer.body)?.is_break() {
                return Ok(false);
            }
            match headers::next_page(&answer, &url, self.base())? {
                Some(next) => url = next,
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}
