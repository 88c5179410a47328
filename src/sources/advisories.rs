//! The upstream's security advisories → one fact, since one that is withdrawn just leaves the list.

use super::{Gathered, Sources, releases::whole};
use crate::clients::github::Reader;
use crate::config::Watch;
use crate::domain::Fact;
use anyhow::{Context as _, Result, bail};

/// 100 to a page.
const MAX_PAGES: usize = 10;

/// Nothing is asked where nothing depends on it.
pub(super) async fn observe(sources: &Sources, watch: &Watch) -> Result<Gathered> {
    let repo = &watch.upstream.repository;
    let mut gathered = Gathered::default();
    if watch.rules.minimum_release_age.is_zero() {
        return Ok(gathered);
    }
    let mut list = Vec::new();
    let mut page = sources.github.advisories_url(repo)?;
    for _ in 0..MAX_PAGES {
        let cached = sources.cached(&page).await?;
        let asked = sources.github.fetch_advisories_page(repo, cached.as_ref(), &page);
        let what = || format!("the security advisories of {repo}");
        let body = whole(asked.await.with_context(what)?, cached, &mut gathered)?;
        list.extend(Reader::parse_advisories(&body.body).with_context(what)?);
        let Some(next) = body.next else {
            gathered.facts.push(Fact::Advisories { list });
            return Ok(gathered);
        };
        page = next;
    }
    bail!("{repo} has more than {MAX_PAGES} pages of security advisories")
}
