//! `pin`: the lockstep edit and its guard, in a plain directory. No network, no database.

use super::{
    args,
    exit::{Exit, Misuse},
    run::print,
};
use crate::config::Watch;
use crate::domain::{Digest, FilePath, IndexDigest, Pin, SiteReading, SiteState, Version};
use crate::edit::{self, Files, SiteFault};
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use std::{collections::BTreeSet, fmt::Write as _, fs, io::Write as _, path::Path};

pub(super) fn run(arguments: &args::Pin, watch: &Watch, json: bool) -> Result<Exit> {
    let files = read(&arguments.tree, &edit::paths(&watch.downstream.sites))?;
    match arguments.to.clone().zip(arguments.digest.clone()) {
        Some((_, digest)) if digest.digest().is_placeholder() => {
            let text = "--digest is the placeholder, which is no pin and is never written";
            bail!(Misuse(text.to_owned()))
        }
        Some((version, digest)) => {
            let to = Pin { image: watch.upstream.image.clone(), version, digest };
            bump(&arguments.tree, watch, &files, &to, json)
        }
        None => check(watch, &files, json),
    }
}

/// What was done, or what was found.
#[derive(Debug, Serialize)]
struct PinView {
    agrees: bool,
    /// The version that the sites are to spell, where one of them does.
    version: Option<Version>,
    /// The digest likewise.
    digest: Option<IndexDigest>,
    /// One line for each site that was edited, or need not be.
    sites: Vec<String>,
    /// The sites that disagree or cannot be read.
    faults: Vec<String>,
}

impl PinView {
    fn lines(&self) -> String {
        let mut out = String::new();
        for line in &self.sites {
            let _ = writeln!(out, "{line}");
        }
        for line in &self.faults {
            let _ = writeln!(out, "✗ {line}");
        }
        out
    }

    fn exit(&self) -> Exit {
        if self.agrees { Exit::Done } else { Exit::No }
    }
}

fn bumped(view: &PinView) -> String {
    let end = if view.agrees { "" } else { "nothing was written\n" };
    view.lines() + end
}

fn checked(view: &PinView) -> String {
    let mut out = view.lines();
    if view.agrees {
        let version = view.version.as_ref().map(ToString::to_string);
        let digest = view.digest.as_ref().map(ToString::to_string);
        let parts: Vec<String> = version.into_iter().chain(digest).collect();
        let _ = writeln!(out, "all sites agree on {}", parts.join(" at "));
    }
    out
}

fn bump(tree: &Path, watch: &Watch, files: &Files, to: &Pin, json: bool) -> Result<Exit> {
    let edited = edit::lockstep(&watch.downstream.sites, &watch.upstream.image, files, to, &[]);
    let mut view = PinView {
        agrees: edited.is_ok(),
        version: Some(to.version.clone()),
        digest: Some(to.digest.clone()),
        sites: Vec::new(),
        faults: Vec::new(),
    };
    match edited {
        Ok(lockstep) => {
            write(tree, &lockstep.changes)?;
            view.sites = lockstep.lines.iter().map(ToString::to_string).collect();
        }
        Err(faults) => view.faults = faults.iter().map(ToString::to_string).collect(),
    }
    print(json, &view, bumped)?;
    Ok(view.exit())
}

fn check(watch: &Watch, files: &Files, json: bool) -> Result<Exit> {
    let readings = edit::read(&watch.downstream.sites, &watch.upstream.image, files);
    let unreadable = readings.iter().filter_map(|it| match &it.state {
        SiteState::Faulty { why } => {
            let (site, path) = (it.site.clone(), it.path.clone());
            Some(SiteFault { site, path, why: why.clone() }.to_string())
        }
        SiteState::Spelled { .. } | SiteState::Absent => None,
    });
    let mut faults: Vec<String> = unreadable.collect();
    let spelled = spelled(watch, &readings);
    let (version, digest) = spelled.unwrap_or_default();
    if version.is_none() && digest.is_none() {
        faults.push("no authority among the sites spells the pin".to_owned());
    } else {
        let pin = Pin {
            image: watch.upstream.image.clone(),
            // Where no site at all spells one of the two, there is nothing to disagree with.
            version: version.clone().unwrap_or(Version::new(0, 0, 0)),
            digest: digest.clone().unwrap_or_else(|| IndexDigest::new(Digest::of(b""))),
        };
        faults.extend(edit::disagreements(&readings, &pin).iter().map(ToString::to_string));
    }
    let view = PinView { agrees: faults.is_empty(), version, digest, sites: Vec::new(), faults };
    print(json, &view, checked)?;
    Ok(view.exit())
}

/// The pin as the sites spell it: from the first authority, and what that leaves out from the
/// first site that spells it.
fn spelled(
    watch: &Watch,
    readings: &[SiteReading],
) -> Option<(Option<Version>, Option<IndexDigest>)> {
    let sites = watch.downstream.sites.iter().zip(readings);
    let parts = |reading: &SiteReading| match &reading.state {
        _ if reading.companion.is_some() => None,
        SiteState::Spelled { version, digest, .. } => Some((version.clone(), digest.clone())),
        SiteState::Absent | SiteState::Faulty { .. } => None,
    };
    let (version, digest) =
        sites.filter(|(site, _)| site.authority).find_map(|(_, reading)| parts(reading))?;
    let all = || readings.iter().filter_map(parts);
    Some((
        version.or_else(|| all().find_map(|(version, _)| version)),
        digest.or_else(|| all().find_map(|(_, digest)| digest)),
    ))
}

fn read(tree: &Path, paths: &BTreeSet<FilePath>) -> Result<Files> {
    if !tree.is_dir() {
        bail!(Misuse(format!("{} is not a directory", tree.display())));
    }
    let mut files = Files::new();
    for path in paths {
        let file = tree.join(path.as_str());
        let content = match fs::symlink_metadata(&file) {
            Ok(found) if found.is_file() => {
                Some(fs::read(&file).with_context(|| format!("reading {path}"))?)
            }
            Ok(_) => bail!("{path} is not a plain file"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => None,
            Err(error) => return Err(error).with_context(|| format!("reading {path}")),
        };
        files.insert(path.clone(), content);
    }
    Ok(files)
}

/// All files are written beside the old ones first, then put in their place: an error on the way
/// leaves none of them changed.
fn write(tree: &Path, changes: &[crate::domain::FileChange]) -> Result<()> {
    let mut ready = Vec::new();
    for change in changes {
        let file = tree.join(change.path.as_str());
        let folder = file.parent().context("a file has a folder")?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(&change.content).with_context(|| format!("writing {}", change.path))?;
        new.as_file().set_permissions(fs::metadata(&file)?.permissions())?;
        ready.push((new, file));
    }
    for (new, file) in ready {
        new.persist(&file).with_context(|| format!("replacing {}", file.display()))?;
    }
    Ok(())
}
