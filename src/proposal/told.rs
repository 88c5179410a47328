//! What the reader of a proposal is told beside its evidence.

use super::{draft::Draft, plan::Workshop, withheld::Withheld};
use crate::domain::{ReleaseFacts, Request, TreeId, Version, Wish};
use crate::edit::{self, PinDrift, SiteLine, SiteOutcome};
use crate::policy::{self, Touched};
use crate::render::{NotedRelease, Source};
use anyhow::{Context as _, Result};

impl Workshop<'_> {
    pub(super) fn release(&self, version: &Version) -> Result<&ReleaseFacts> {
        policy::release_of(version, self.memory, &self.watch.rules.tags)
            .with_context(|| format!("release {version} is not known"))
    }

    /// The releases from the pin up to `version`, newest first.
    pub(super) fn releases(&self, version: &Version) -> Vec<NotedRelease<'_>> {
        self.stages
            .iter()
            .map(|(between, _)| between)
            .filter(|between| {
                between.cmp_precedence(&self.pin.version).is_gt()
                    && between.cmp_precedence(version).is_le()
            })
            .filter_map(|between| {
                let release = self.release(between).ok()?;
                Some(NotedRelease { version: between, url: &release.url, notes: &release.notes })
            })
            .collect()
    }

    /// Where a release comes from, as far as it is known.
    pub(super) fn source(&self, version: &Version) -> Source<'_> {
        let Ok(release) = self.release(version) else { return Source::default() };
        let commit = self.memory.tag_commit(&release.tag).and_then(|known| known.at.as_ref());
        Source {
            tag: Some(&release.tag),
            commit: commit.map(|commit| &commit.id),
            published_at: Some(release.published_at),
        }
    }

    /// What the notes up to `version` touch in upstream's contract; `None` if it is not known.
    pub(super) fn touched(&self, version: &Version) -> Option<Touched> {
        self.watch.rules.contract.as_ref()?;
        let tag = |version| self.release(version).ok().map(|release| release.tag.as_str());
        let (pinned, tag) = (tag(&self.pin.version)?, tag(version)?);
        let releases = self.releases(version);
        let notes = releases.iter().map(|it| (it.version, it.notes));
        policy::touched(self.memory, pinned, tag, notes)
    }

    /// The sites that disagree with the pin and that the bot may repair.
    pub(super) fn drift(&self) -> Vec<PinDrift> {
        let facts = self.memory.pin();
        let sites = self.watch.editable_sites(self.memory.may_edit_workflows());
        facts.map(|it| edit::repairable(&sites, &it.sites, self.pin)).unwrap_or_default()
    }

    /// Why what is pinned has to be left, if `version` is the way back.
    pub(super) fn retreat(&self, version: &Version) -> Option<&str> {
        let back = version.cmp_precedence(&self.pin.version).is_lt();
        self.snapshot.retreat.as_deref().filter(|_| back)
    }

    /// What the bot cannot do itself: the other places that spell the pinned digest, and the npm
    /// half where no tool is configured that writes it.
    pub(super) async fn left(&self, tree: &TreeId, prepared: &[String]) -> Result<Vec<String>> {
        let mut left = Vec::new();
        if let (Some(npm), true) = (&self.watch.rules.npm, prepared.is_empty()) {
            left.push(format!(
                "the npm package {} where this repository depends on it, and the lockfile: the bot \
                 has no tool for them (`canary.prepare`)",
                npm.package
            ));
        }
        let digest = self.pin.digest.to_string();
        let found = self.git.mentions(tree, std::slice::from_ref(&digest)).await;
        let found = found.context("the other places that spell the digest")?;
        let digest = self.pin.digest.digest().short();
        let Some(found) = found else {
            left.push(format!(
                "whether anything else here still spells {digest}: the bot, which clones nothing \
                 here, did not look through so many files"
            ));
            return Ok(left);
        };
        for mention in found {
            left.push(format!("{}, where {digest} still stands", mention.told()));
        }
        Ok(left)
    }

    /// Who asked for this version last.
    pub(super) fn actor(&self, version: &Version) -> Option<&str> {
        let bump = |it: &&Request| it.wish == Wish::Bump && it.version == *version;
        let asked = self.memory.requests.iter().rev().find(bump);
        asked.map(|request| request.actor.as_str())
    }
}

/// The sites of a draft that only a person may edit, with what they have to spell.
pub(super) fn by_hand(draft: &Draft, withheld: Option<&Withheld>) -> Vec<String> {
    let elsewhere = |line: &&SiteLine| {
        let mut files = withheld.iter().flat_map(|it| &it.files);
        !files.any(|change| change.path == line.path)
    };
    let by_hand = draft.sites.iter().filter(elsewhere);
    let by_hand = by_hand.filter(|line| matches!(line.outcome, SiteOutcome::ByHand { .. }));
    by_hand.map(ToString::to_string).collect()
}
