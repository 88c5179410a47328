//! The list of what refers to an image (distribution specification 1.1, "Listing Referrers"), page by
//! page.

use super::{MANIFEST_CAP, Registry, RegistryError, answer, content, manifest::ACCEPT_INDEX};
use crate::clients::link;
use crate::clients::wire::Answer;
use crate::domain::{Content, ImageName, IndexDigest};
use reqwest::Url;

/// More pages of a list than these are not read.
const MAX_PAGES: usize = 8;

impl Registry {
    /// The pages of the list, none if the registry has no such endpoint, and why the rest could not
    /// be read, if it could not.
    pub(super) async fn fetch_referrers(
        &self,
        image: &ImageName,
        digest: &IndexDigest,
    ) -> (Vec<Content>, Option<RegistryError>) {
        let mut pages = Vec::new();
        let read = self.read_pages(image, digest, &mut pages).await;
        (pages, read.err())
    }

    async fn read_pages(
        &self,
        image: &ImageName,
        digest: &IndexDigest,
        pages: &mut Vec<Content>,
    ) -> Result<(), RegistryError> {
        let what = format!("the list of what refers to it, of {image}");
        let mut path = format!("referrers/{digest}");
        let Some(mut answer) = self.first_page(image, &path, &what).await? else { return Ok(()) };
        loop {
            let next = link::next(&answer.headers);
            let digest = super::verified_digest(&answer, None, &what)?;
            pages.push(content(digest, answer));
            let Some(target) = next else { return Ok(()) };
            if pages.len() == MAX_PAGES {
                let why = format!("{what}, has more than {MAX_PAGES} pages");
                return Err(RegistryError::malformed(why));
            }
            path = next_path(&self.url(image, "")?, &self.url(image, &path)?, &target)?;
            answer = self.get(image, &path, ACCEPT_INDEX, MANIFEST_CAP, &what).await?;
            if answer.is_page() {
                return Err(RegistryError::malformed(format!("a page instead of {what}")));
            }
        }
    }

    /// The first page, if there is such an endpoint. One that a registry does not have is answered in
    /// many ways, a page for people or a redirect to another service among them. That it could not be
    /// found out is none of them, whether a program says so or a page.
    async fn first_page(
        &self,
        image: &ImageName,
        path: &str,
        what: &str,
    ) -> Result<Option<Answer>, RegistryError> {
        let answer = self.get_authorised(image, path, ACCEPT_INDEX, MANIFEST_CAP, what).await?;
        if answer.status.is_redirection() || (answer.status.is_success() && answer.is_page()) {
            return Ok(None);
        }
        match answer::judge(answer, what, self.http.now()) {
            Ok(answer) => Ok(Some(answer)),
            Err(RegistryError::NotFound { .. } | RegistryError::Malformed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Where the next page is, below the repository at `base`: the token is for nothing else.
fn next_path(base: &Url, asked: &Url, target: &str) -> Result<String, RegistryError> {
    let next = asked.join(target).ok();
    let path = next.as_ref().and_then(|next| next.as_str().strip_prefix(base.as_str()));
    path.map(str::to_owned)
        .ok_or_else(|| RegistryError::malformed("a list that goes on outside of its repository"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_in_its_own_repository_alone() {
        let base: Url = "https://ghcr.io/v2/o/r/".parse().unwrap();
        let asked: Url = "https://ghcr.io/v2/o/r/referrers/sha256:ab".parse().unwrap();
        let go = |target| next_path(&base, &asked, target).ok();
        for inside in [
            "/v2/o/r/referrers/sha256:ab?last=1",
            "?last=1",
            "https://ghcr.io/v2/o/r/referrers/sha256:ab?last=1",
        ] {
            assert_eq!(go(inside).as_deref(), Some("referrers/sha256:ab?last=1"), "{inside}");
        }
        for outside in [
            "https://evil.example/v2/o/r/referrers/sha256:ab",
            "http://ghcr.io/v2/o/r/referrers/sha256:ab",
            "https://ghcr.io:444/v2/o/r/referrers/sha256:ab",
            "//evil.example/v2/o/r/referrers/sha256:ab",
            "/v2/o/other/referrers/sha256:ab",
            "/v2/o/r/../other/referrers/sha256:ab",
            "/token",
        ] {
            assert_eq!(go(outside), None, "{outside}");
        }
    }
}
