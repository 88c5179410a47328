//! npm's packument → facts, one for each version.

use super::{Gathered, Sources, releases::whole};
use crate::clients::npm::Npm;
use crate::config::Watch;
use crate::domain::Fact;
use anyhow::{Context as _, Result};

pub(super) async fn observe(sources: &Sources, watch: &Watch) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let (Some(npm), Some(rule)) = (&sources.npm, &watch.rules.npm) else {
        return Ok(gathered);
    };
    let cached = sources.cached(&npm.packument_url(&rule.package)?).await?;
    let fetched = npm
        .fetch_packument(&rule.package, cached.as_ref())
        .await
        .with_context(|| format!("the npm package {}", rule.package))?;
    let body = whole(fetched, cached, &mut gathered)?;
    let guard = rule.guard.as_ref().map(|(pointer, _)| pointer.as_str());
    let packument = Npm::parse_packument(&body.body, guard)
        .with_context(|| format!("the npm package {}", rule.package))?;
    gathered.facts.extend(packument.versions.into_iter().map(Fact::Npm));
    let withdrawn = packument.withdrawn.into_iter();
    gathered.facts.extend(withdrawn.map(|version| Fact::NpmWithdrawn { version }));
    Ok(gathered)
}
