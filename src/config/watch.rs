//! One watch: from what is written to what is meant.

use super::{
    canary, commands, duration,
    environment::Environment,
    known_issues,
    proposal::{author, changeset_rule, with_edits},
    raw, raw_dashboard, raw_downstream, raw_upstream, remote,
    resolve::Problems,
    types::{DashboardConfig, Downstream, Upstream, Watch},
};
use crate::domain::{
    CompanionRule, FilePath, IdentityPattern, ImageName, LinePattern, MigrationRule, NpmRule,
    PinSite, Platform, Presence, RetryRule, Rules, SignatureRule, SiteShape, TagRule, Version,
};
use regex::Regex;

pub(super) fn watch(
    index: usize,
    raw: &raw::Watch,
    all: &raw::Config,
    env: &Environment,
    problems: &mut Problems,
) -> Option<Watch> {
    let at = |key: &str| format!("watch[{index}].{key}");
    let name = problems.parse(&at("name"), &raw.name);
    let upstream = &raw.upstream;
    let repository = problems.parse(&at("upstream.repository"), &upstream.repository);
    let image = problems.parse(&at("upstream.image"), &upstream.image);
    if upstream.npm.is_some() && all.npm.is_none() {
        let text = "needs `npm.registry`: what `npm config get registry` prints";
        problems.add(&at("upstream.npm"), text);
    }
    if raw.downstream.contract_mirror.is_some() && upstream.contract.is_none() {
        problems.add(&at("downstream.contract_mirror"), "needs `upstream.contract`");
    }
    let rules = rules(&at, raw, image.as_ref(), problems);
    let companions = rules.iter().flat_map(|rules| &rules.companions);
    let images: Vec<&ImageName> = companions.map(|it| &it.image).chain(&image).collect();
    let downstream = downstream(&at("downstream"), &raw.downstream, &images, problems);
    let downstream = downstream.map(|mut downstream| {
        // What names the watched image itself says nothing new.
        for site in &mut downstream.sites {
            site.companion = site.companion.take().filter(|it| Some(it) != image.as_ref());
        }
        downstream
    });
    let canary = canary::resolve(&at("canary"), &raw.canary, image.as_ref(), env, problems);
    let public_url = all.public_url.as_ref();
    let public_url = public_url.map(|url| problems.url("public_url", url));
    let author = author(&raw.proposal.author);
    if author.is_none() {
        problems.add(&at("proposal.author"), "is not of the form `Name <e-mail>`");
    }
    let changeset = raw.proposal.changeset.as_ref();
    let changeset = changeset.map(|raw| changeset_rule(&at("proposal.changeset"), raw, problems));
    let title = problems.parse(&at("proposal.title"), &raw.proposal.title);
    let rules = rules.zip(downstream.as_ref()).map(|(rules, downstream)| {
        with_edits(rules, &downstream.sites, changeset.as_ref().and_then(Option::as_ref))
    });
    Some(Watch {
        name: name?,
        upstream: Upstream { repository: repository?, image: image? },
        downstream: downstream?,
        rules: rules?,
        canary: canary?,
        public_url: public_url.flatten(),
        title: title?,
        changeset: match changeset {
            Some(rule) => Some(rule?),
            None => None,
        },
        labels: raw.proposal.labels.clone(),
        hands_off_label: Some(raw.proposal.hands_off_label.clone()).filter(|it| !it.is_empty()),
        author: author?,
    })
}

fn rules(
    at: &dyn Fn(&str) -> String,
    raw: &raw::Watch,
    image: Option<&ImageName>,
    problems: &mut Problems,
) -> Option<Rules> {
    let upstream = &raw.upstream;
    let place = at("upstream.tag_pattern");
    let pattern = problems.take(&place, Regex::new(&upstream.tag_pattern));
    if let Some(pattern) = &pattern
        && !pattern.capture_names().flatten().any(|name| name == "version")
    {
        problems.add(&place, "has no group `(?P<version>…)`");
    }
    if upstream.platforms.is_empty() {
        problems.add(&at("upstream.platforms"), "promises no platform");
    }
    let deadline = problems
        .take(&at("upstream.artifact_deadline"), duration::parse(&upstream.artifact_deadline));
    let age = problems
        .take(&at("upstream.minimum_release_age"), duration::parse(&upstream.minimum_release_age));
    let retry: Vec<_> =
        raw.retry.iter().map(|text| problems.take(&at("retry"), duration::parse(text))).collect();
    let npm = upstream.npm.as_ref().map(|npm| npm_rule(at, npm, problems));
    let companions = companions(&at("upstream.companion"), upstream, problems)?;
    let signature = match &upstream.signature {
        Some(raw) => Some(signature_rule(&at("upstream.signature"), raw, problems)?),
        None => None,
    };
    let contract = upstream.contract.as_ref();
    let contract = contract.map(|path| problems.parse::<FilePath>(&at("upstream.contract"), path));
    let known_issues = image.and_then(|image| {
        let read = known_issues::read(&upstream.known_issues, image);
        problems.take(&at("upstream.known_issues"), read)
    });
    let harness = raw.canary.harness.iter();
    let harness = harness.map(|path| problems.parse::<FilePath>(&at("canary.harness"), path));
    let harness = harness.collect::<Option<Vec<_>>>();
    let (checks, workflow) = remote::resolve(&at("canary"), &raw.canary, image, problems);
    let ci = duration::parse(&raw.downstream.ci_starts_within);
    let ci = problems.take(&at("downstream.ci_starts_within"), ci);
    let branches = problems.parse(&at("proposal.branch_prefix"), &raw.proposal.branch_prefix);
    let migration =
        raw.migration.as_ref().map(|m| problems.parse::<FilePath>(&at("migration.path"), &m.path));
    Some(Rules {
        tags: TagRule { pattern: pattern? },
        patches: raw.proposal.patches,
        reversal: raw.proposal.reversal,
        workflow_sites: false,
        npm: npm.flatten(),
        platforms: upstream.platforms.iter().cloned().map(Platform).collect(),
        signature,
        contract: match contract {
            Some(path) => Some(path?),
            None => None,
        },
        companions,
        revision: upstream.revision,
        known_issues: known_issues?,
        artifact_deadline: deadline?,
        minimum_release_age: age?,
        retry: RetryRule { pauses: retry.into_iter().collect::<Option<_>>()? },
        canary: raw.canary.fingerprint(),
        checks,
        workflow,
        harness: harness?,
        branches: branches?,
        migration: match (migration.flatten(), &raw.migration) {
            (Some(path), Some(raw)) => Some(MigrationRule { path, draft: raw.draft }),
            _ => None,
        },
        ci_starts_within: Some(ci?).filter(|within| !within.is_zero()),
    })
}

fn companions(
    place: &str,
    upstream: &raw_upstream::Upstream,
    problems: &mut Problems,
) -> Option<Vec<CompanionRule>> {
    let mut all = Vec::new();
    for (index, raw) in upstream.companion.iter().enumerate() {
        let place = format!("{place}[{index}]");
        let image: Option<ImageName> = problems.parse(&format!("{place}.image"), &raw.image);
        if raw.platforms.is_empty() {
            problems.add(&format!("{place}.platforms"), "promises no platform");
        }
        let signature = match &raw.signature {
            Some(raw) => Some(signature_rule(&format!("{place}.signature"), raw, problems)?),
            None => None,
        };
        let platforms = raw.platforms.iter().cloned().map(Platform).collect();
        let image = image?;
        // What is wrong with the file is told of the watched image's own entry.
        let known_issues = known_issues::read(&upstream.known_issues, &image).unwrap_or_default();
        all.push(CompanionRule { image, platforms, signature, known_issues });
    }
    Some(all)
}

fn signature_rule(
    place: &str,
    raw: &raw_upstream::Signature,
    problems: &mut Problems,
) -> Option<SignatureRule> {
    let identity = problems.take(&format!("{place}.identity"), IdentityPattern::new(&raw.identity));
    let required_from = raw.required_from.as_ref();
    let required_from = required_from
        .map(|text| problems.parse::<Version>(&format!("{place}.required_from"), text));
    let grace = problems.take(&format!("{place}.grace"), duration::parse(&raw.grace));
    Some(SignatureRule {
        identity: identity?,
        issuer: raw.issuer.clone(),
        expected: raw.expected.clone(),
        unexpected: raw.unexpected,
        required_from: match required_from {
            Some(version) => Some(version?),
            None => None,
        },
        grace: grace?,
    })
}

fn npm_rule(
    at: &dyn Fn(&str) -> String,
    raw: &raw_upstream::NpmPackage,
    problems: &mut Problems,
) -> Option<NpmRule> {
    let Some(guard) = &raw.guard else {
        return Some(NpmRule { package: raw.package.clone(), guard: None });
    };
    if !guard.pointer.starts_with('/') {
        problems.add(&at("upstream.npm.guard.pointer"), "does not begin with `/`");
    }
    let pattern = problems.take(&at("upstream.npm.guard.pattern"), Regex::new(&guard.pattern))?;
    Some(NpmRule { package: raw.package.clone(), guard: Some((guard.pointer.clone(), pattern)) })
}

fn downstream(
    place: &str,
    raw: &raw_downstream::Downstream,
    images: &[&ImageName],
    problems: &mut Problems,
) -> Option<Downstream> {
    let repository = problems.parse(&format!("{place}.repository"), &raw.repository);
    let branch = problems.parse(&format!("{place}.branch"), &raw.branch);
    let sites: Result<Vec<Option<PinSite>>, ()> = raw
        .site
        .iter()
        .enumerate()
        .map(|(i, raw)| site(&format!("{place}.site[{i}]"), raw, images, problems))
        // Not collected at once: every site's problems are wanted.
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    if !raw
        .site
        .iter()
        .any(|site| site.authority && !matches!(site.when, raw_downstream::When::Off))
    {
        problems.add(&format!("{place}.site"), "none is an authority, so the pin cannot be read");
    }
    let sites = sites.ok()?.into_iter().flatten().collect();
    let mirror = raw.contract_mirror.as_ref();
    let mirror = mirror.map(|path| problems.parse(&format!("{place}.contract_mirror"), path));
    let dashboard = dashboard(&format!("{place}.dashboard"), &raw.dashboard, problems);
    let commands = commands::resolve(&format!("{place}.commands"), &raw.commands, problems);
    let mirror = match mirror {
        Some(path) => Some(path?),
        None => None,
    };
    let (repository, branch, writer) = (repository?, branch?, raw.writer);
    Some(Downstream { repository, branch, writer, sites, mirror, dashboard, commands })
}

fn dashboard(
    place: &str,
    raw: &raw_dashboard::Dashboard,
    problems: &mut Problems,
) -> Option<DashboardConfig> {
    if raw.title.trim().is_empty() {
        problems.add(&format!("{place}.title"), "is empty");
    }
    let raw_dashboard::Dashboard { enabled, title, labels, checkboxes, anonymous } = raw;
    let (title, labels) = (title.clone(), labels.clone());
    let (boxes, anonymous) = (*checkboxes, *anonymous);
    enabled.then_some(DashboardConfig { title, labels, boxes, anonymous })
}

/// `Ok(None)` is a site that is off; `Err` one with problems, which were added.
fn site(
    place: &str,
    raw: &raw_downstream::Site,
    images: &[&ImageName],
    problems: &mut Problems,
) -> Result<Option<PinSite>, ()> {
    let presence = match raw.when {
        raw_downstream::When::Required => Presence::Required,
        raw_downstream::When::IfPresent => Presence::IfPresent,
        raw_downstream::When::ByHand => Presence::ByHand,
        raw_downstream::When::Off => return Ok(None),
    };
    let path = problems.parse::<FilePath>(&format!("{place}.path"), &raw.path);
    let shape = match (&raw.json, &raw.line, raw.count) {
        (Some(pointer), None, None) if pointer.starts_with('/') => {
            Some(SiteShape::Manifest { pointer: pointer.clone() })
        }
        (None, Some(line), count) if count != Some(0) => problems
            .take(&format!("{place}.line"), LinePattern::new(line))
            .map(|pattern| SiteShape::Line { pattern, count: count.unwrap_or(1) }),
        _ => {
            let text = "needs either `json` (a pointer, which begins with `/`) or `line` (with a `count` of 1 or more, if any)";
            problems.add(place, text);
            None
        }
    };
    let companion = match &raw.image {
        None => None,
        Some(text) => {
            let image = problems.parse::<ImageName>(&format!("{place}.image"), text).ok_or(())?;
            if !images.contains(&&image) {
                problems
                    .add(&format!("{place}.image"), format!("`{image}` is no image of this watch"));
            }
            if raw.authority {
                problems.add(place, "the pin is read from the watched image's own sites");
            }
            Some(image)
        }
    };
    let (Some(path), Some(shape)) = (path, shape) else {
        return Err(());
    };
    if raw.authority && presence == Presence::ByHand {
        problems.add(place, "an authority that the bot may not edit would never move");
        return Err(());
    }
    let name = raw.name.clone().unwrap_or_else(|| raw.path.clone());
    Ok(Some(PinSite { name, path, companion, shape, presence, authority: raw.authority }))
}
