//! GitHub releases → facts. The facts are read from the remembered body also when nothing changed,
//! so that a crash between remembering a body and recording its facts loses nothing.

use super::{Gathered, Sources};
use crate::clients::github::Reader;
use crate::config::Watch;
use crate::domain::{Cached, Fact, Fetched};
use anyhow::{Context as _, Result, bail};

/// 100 releases to a page: a stream with more than this is not one that is watched.
const MAX_PAGES: usize = 50;

pub(super) async fn observe(sources: &Sources, watch: &Watch) -> Result<Gathered> {
    let repo = &watch.upstream.repository;
    let mut gathered = Gathered::default();
    let mut page = Some(sources.github.releases_url(repo)?);
    for _ in 0..MAX_PAGES {
        let Some(url) = page else { return Ok(gathered) };
        let cached = sources.cached(&url).await?;
        let fetched = sources
            .github
            .fetch_releases_page(repo, cached.as_ref(), Some(&url))
            .await
            .with_context(|| format!("the releases of {repo}"))?;
        let body = whole(fetched, cached, &mut gathered)?;
        let releases = Reader::parse_releases(&body.body)
            .with_context(|| format!("the releases of {repo}"))?;
        gathered.facts.extend(releases.into_iter().map(Fact::Release));
        page = body.next;
    }
    bail!("{repo} has more than {MAX_PAGES} pages of releases")
}

/// The body that holds now: the fresh one, which is kept for remembering, or the remembered one.
pub(super) fn whole(
    fetched: Fetched,
    cached: Option<Cached>,
    gathered: &mut Gathered,
) -> Result<Cached> {
    match (fetched, cached) {
        (Fetched::Fresh(fresh), _) => {
            gathered.fresh.push(fresh.clone());
            Ok(fresh)
        }
        (Fetched::NotModified, Some(cached)) => Ok(cached),
        (Fetched::NotModified, None) => bail!("a 304 to a request that was not conditional"),
    }
}
