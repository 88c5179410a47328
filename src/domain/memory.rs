//! What the store remembers of one watch.

use super::{
    Advisory, CanaryRun, ChecksFacts, CommitId, ContractFound, DashboardFacts, Descent, Digest,
    EffectRecord, Fact, FactKey, Finding, ImageFacts, IndexDigest, Look, MirrorFacts, MirrorHunks,
    NamedBreaks, NpmDrift, NpmFacts, Observation, Order, PinFacts, PinnedFacts, PullFacts,
    ReleaseFacts, Request, TagCommit, TagFacts, Timestamp, TreeId, Version, WorkflowFacts,
};
use std::collections::BTreeMap;

/// Everything that a decision depends on besides the rules: the latest value of each fact, and
/// what the bot itself did.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The latest observation of each fact.
    pub observations: BTreeMap<FactKey, Observation>,
    /// Every finding, oldest first.
    pub findings: Vec<Finding>,
    /// Every canary run, oldest first.
    pub runs: Vec<CanaryRun>,
    /// Every request, oldest first.
    pub requests: Vec<Request>,
    /// Every standing order, oldest first, also those that were taken back.
    pub orders: Vec<Order>,
    /// Every effect, oldest first.
    pub effects: Vec<EffectRecord>,
    /// What the notes of the releases were read to break; derived from them.
    pub named_breaks: NamedBreaks,
}

impl Memory {
    /// Takes in `fact` if it is new or says something else than before, and is no older; returns the
    /// observation that is then to be recorded.
    pub fn observe(&mut self, fact: Fact, at: Timestamp) -> Option<Observation> {
        let key = fact.key();
        if self.observations.get(&key).is_some_and(|known| !fact.is_news_to(&known.fact)) {
            return None;
        }
        if let Fact::Release(release) = &fact {
            self.named_breaks.forget(&release.tag);
        }
        let observation = Observation { fact, at };
        self.observations.insert(key, observation.clone());
        Some(observation)
    }

    /// All releases, in the order of their tags' text.
    pub fn releases(&self) -> impl Iterator<Item = &ReleaseFacts> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::Release(release) => Some(release),
            _ => None,
        })
    }

    /// The image of `version`, if its tag was ever resolved.
    #[must_use]
    pub fn image(&self, version: &Version) -> Option<&ImageFacts> {
        let key = FactKey { aspect: "image", subject: version.to_string() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Image(image)) => Some(image),
            _ => None,
        }
    }

    /// The last look at the tag of `version`, if it gave no image: what it gave, when, and how many
    /// looks in a row had found out nothing by then.
    #[must_use]
    pub fn no_image(&self, version: &Version) -> Option<(&Look, Timestamp, usize)> {
        let key = FactKey { aspect: "image", subject: version.to_string() };
        let seen = self.observations.get(&key)?;
        match &seen.fact {
            Fact::NoImage { look, attempts, .. } => Some((look, seen.at, *attempts)),
            _ => None,
        }
    }

    /// The last rate limit of the registry that was met while tags were resolved again: its end, and
    /// when it was met.
    #[must_use]
    pub fn limit_met(&self) -> Option<(Timestamp, Timestamp)> {
        let key = FactKey { aspect: "registry_limit", subject: String::new() };
        let seen = self.observations.get(&key)?;
        match &seen.fact {
            Fact::RegistryLimit { until } => Some((*until, seen.at)),
            _ => None,
        }
    }

    /// When the last rate limit of the registry that was met ends, or ended.
    #[must_use]
    pub fn registry_limit(&self) -> Option<Timestamp> {
        self.observations.values().filter_map(|seen| seen.fact.registry_limit()).max()
    }

    /// Why npm could not be asked the last time, if it could not.
    #[must_use]
    pub fn npm_trouble(&self) -> Option<&str> {
        let key = FactKey { aspect: "npm", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::NpmTrouble { why }) => why.as_deref(),
            _ => None,
        }
    }

    /// What the last pass could not read or do.
    #[must_use]
    pub fn troubles(&self) -> &[String] {
        let key = FactKey { aspect: "troubles", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Troubles { lines }) => lines,
            _ => &[],
        }
    }

    /// All images that were ever resolved.
    pub fn images(&self) -> impl Iterator<Item = &ImageFacts> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::Image(image) => Some(image),
            _ => None,
        })
    }

    /// What became of the image tag of `version` since it was first resolved; `None` if it never
    /// was.
    #[must_use]
    pub fn image_tag(&self, version: &Version) -> Option<TagFacts> {
        let seen =
            |aspect| self.observations.get(&FactKey { aspect, subject: version.to_string() });
        match seen("image_tag").or_else(|| seen("image")) {
            Some(Observation { fact: Fact::ImageTag(tag), .. }) => Some(tag.clone()),
            Some(Observation { fact: Fact::Image(image), at }) => {
                let first = image.digest.digest().clone();
                Some(TagFacts::new(image.version.clone(), first, *at))
            }
            _ => None,
        }
    }

    /// What was found of upstream's contract document at a git tag, if it was looked for.
    #[must_use]
    pub fn contract(&self, tag: &str) -> Option<&ContractFound> {
        let key = FactKey { aspect: "contract", subject: tag.to_owned() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Contract(contract)) => Some(&contract.found),
            _ => None,
        }
    }

    /// Every version whose image tag was ever resolved; one may come twice.
    pub fn resolved_versions(&self) -> impl Iterator<Item = &Version> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::Image(image) => Some(&image.version),
            Fact::ImageTag(tag) => Some(&tag.version),
            _ => None,
        })
    }

    /// Takes in what the image tag of `version` resolves to now (`None`: it is gone); returns what
    /// is then to be recorded.
    pub fn observe_image_tag(
        &mut self,
        version: &Version,
        to: Option<&Digest>,
        at: Timestamp,
    ) -> Option<Observation> {
        let known = self.image_tag(version);
        let new = || to.map(|first| TagFacts::new(version.clone(), first.clone(), at));
        let tag = known.clone().map(|tag| tag.then(to, at)).or_else(new)?;
        if known.as_ref() == Some(&tag) { None } else { self.observe(Fact::ImageTag(tag), at) }
    }

    /// The npm half of `version`, if the packument ever listed it.
    #[must_use]
    pub fn npm(&self, version: &Version) -> Option<&NpmFacts> {
        let key = FactKey { aspect: "npm", subject: version.to_string() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Npm(npm)) => Some(npm),
            _ => None,
        }
    }

    /// Where a git tag of the upstream was when it was last looked at.
    #[must_use]
    pub fn tag_commit(&self, tag: &str) -> Option<&TagCommit> {
        let key = FactKey { aspect: "tag_commit", subject: tag.to_owned() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::TagCommit(tag)) => Some(tag),
            _ => None,
        }
    }

    /// How `head` stands to `base`, if upstream was asked.
    #[must_use]
    pub fn descent(&self, base: &CommitId, head: &CommitId) -> Option<&Descent> {
        let key = FactKey { aspect: "descent", subject: format!("{base}...{head}") };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Descent(descent)) => Some(descent),
            _ => None,
        }
    }

    /// Whether npm has withdrawn `version`.
    #[must_use]
    pub fn npm_withdrawn(&self, version: &Version) -> bool {
        let key = FactKey { aspect: "npm", subject: version.to_string() };
        let fact = self.observations.get(&key).map(|seen| &seen.fact);
        matches!(fact, Some(Fact::NpmWithdrawn { .. }))
    }

    /// What became of the npm half of `version`, if it is not what it was, and when that was seen.
    #[must_use]
    pub fn npm_drift(&self, version: &Version) -> Option<(&NpmDrift, Timestamp)> {
        let key = FactKey { aspect: "npm_drift", subject: version.to_string() };
        let seen = self.observations.get(&key)?;
        match &seen.fact {
            Fact::NpmDrift(drift) => Some((drift, seen.at)),
            _ => None,
        }
    }

    /// Every version of the npm package that is not what it was.
    pub fn npm_drifts(&self) -> impl Iterator<Item = &NpmDrift> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::NpmDrift(drift) => Some(drift),
            _ => None,
        })
    }

    /// The upstream's published security advisories, as far as they were asked for.
    #[must_use]
    pub fn advisories(&self) -> &[Advisory] {
        let key = FactKey { aspect: "advisories", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Advisories { list }) => list,
            _ => &[],
        }
    }

    /// The pin sites as they were last read.
    #[must_use]
    pub fn pin(&self) -> Option<&PinFacts> {
        let key = FactKey { aspect: "pin", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Pin(pin)) => Some(pin),
            _ => None,
        }
    }

    /// What the registry last served under a digest that is or was pinned; `None` if it was never
    /// asked.
    #[must_use]
    pub fn pinned(&self, digest: &IndexDigest) -> Option<&PinnedFacts> {
        let key = FactKey { aspect: "pinned", subject: digest.to_string() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Pinned(pinned)) => Some(pinned),
            _ => None,
        }
    }

    /// What was last seen of the downstream's own checks of a commit; `None` if nobody looked.
    #[must_use]
    pub fn checks(&self, commit: &CommitId) -> Option<&ChecksFacts> {
        let key = FactKey { aspect: "checks", subject: commit.to_string() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Checks(checks)) => Some(checks),
            _ => None,
        }
    }

    /// Whether CI has started at a head of the bot's; `None` if nobody looked.
    #[must_use]
    pub fn ci_started(&self, head: &CommitId) -> Option<bool> {
        let key = FactKey { aspect: "ci", subject: head.to_string() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Ci(ci)) => Some(ci.started),
            _ => None,
        }
    }

    /// What was last seen of the run that was dispatched with this marker; `None` if nobody looked.
    #[must_use]
    pub fn workflow(&self, marker: &str) -> Option<&WorkflowFacts> {
        let key = FactKey { aspect: "workflow", subject: marker.to_owned() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Workflow(workflow)) => Some(workflow),
            _ => None,
        }
    }

    /// The downstream's copy of upstream's contract document, if it was looked at.
    #[must_use]
    pub fn mirror(&self) -> Option<&MirrorFacts> {
        let key = FactKey { aspect: "mirror", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Mirror(mirror)) => Some(mirror),
            _ => None,
        }
    }

    /// Whether files below `.github/workflows` may be edited, as far as is known. Of some tokens only
    /// a push that is refused tells; so whoever asks for a pull request to be made anew has it tried
    /// once more.
    #[must_use]
    pub fn may_edit_workflows(&self) -> bool {
        let key = FactKey { aspect: "workflow_files", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::WorkflowFiles { may_edit: false, told }) => {
                let anew = |asked: &Request| asked.wish.makes_anew() && asked.outcome.is_none();
                self.requests.iter().any(|asked| anew(asked) && asked.at > *told)
            }
            _ => true,
        }
    }

    /// The tree of a commit at the head of a pull request, if it was asked for.
    #[must_use]
    pub fn head_tree(&self, head: &CommitId) -> Option<&TreeId> {
        let key = FactKey { aspect: "head_tree", subject: head.to_string() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::HeadTree { tree, .. }) => Some(tree),
            _ => None,
        }
    }

    /// Where the copy was last seen to differ from the document.
    #[must_use]
    pub fn mirror_hunks(&self) -> Option<&MirrorHunks> {
        let key = FactKey { aspect: "mirror_hunks", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::MirrorHunks(hunks)) => Some(hunks),
            _ => None,
        }
    }

    /// The commit of the base branch with which this head of a pull request conflicts; `None` if it
    /// was never seen to.
    #[must_use]
    pub fn conflict(&self, head: &CommitId) -> Option<&CommitId> {
        let key = FactKey { aspect: "conflict", subject: head.to_string() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Conflict(conflict)) => Some(&conflict.base),
            _ => None,
        }
    }

    /// What was last seen of the dashboard issue.
    #[must_use]
    pub fn dashboard(&self) -> Option<&DashboardFacts> {
        let key = FactKey { aspect: "dashboard", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Dashboard(dashboard)) => Some(dashboard),
            _ => None,
        }
    }

    /// Since when the downstream's comments are heard, and until when they were read.
    #[must_use]
    pub fn comments_read(&self) -> Option<(Timestamp, Timestamp)> {
        let key = FactKey { aspect: "comments", subject: String::new() };
        match self.observations.get(&key).map(|seen| &seen.fact) {
            Some(Fact::Comments { from, until }) => Some((*from, *until)),
            _ => None,
        }
    }

    /// When this memory began, and whether one before it was lost; `None` until somebody looked.
    #[must_use]
    pub fn recalled(&self) -> Option<(Timestamp, bool)> {
        let key = FactKey { aspect: "recalled", subject: String::new() };
        let seen = self.observations.get(&key)?;
        match seen.fact {
            Fact::Recalled { lost } => Some((seen.at, lost)),
            _ => None,
        }
    }

    /// All pull requests from the bot's branches.
    pub fn pulls(&self) -> impl Iterator<Item = &PullFacts> {
        self.observations.values().filter_map(|seen| match &seen.fact {
            Fact::Pull(pull) => Some(pull),
            _ => None,
        })
    }
}
