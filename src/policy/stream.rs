//! Which releases belong to the stream that the pin follows.

use crate::domain::{Memory, NpmFacts, NpmRule, ReleaseFacts, Rules, TagRule, Version};

/// The version that the tag names, or why it names none.
fn version_of(release: &ReleaseFacts, rules: &TagRule) -> Result<Version, String> {
    let Some(text) = rules.pattern.captures(&release.tag).and_then(|found| found.name("version"))
    else {
        return Err(format!("the tag does not match `{}`", rules.pattern.as_str()));
    };
    text.as_str().parse().map_err(|_| "the tag is not strict semver".to_owned())
}

/// Whether it is a draft or a pre-release, of whatever product.
pub(super) fn is_unfinished(release: &ReleaseFacts, rules: &TagRule) -> bool {
    let pre = |version: Version| !Rules::is_stable(&version);
    release.draft || release.prerelease || version_of(release, rules).is_ok_and(pre)
}

/// The version of `release`, or why it is none of ours, for a maintainer to read.
///
/// # Errors
/// The reason for which the release is ignored.
pub fn admit(release: &ReleaseFacts, rules: &TagRule) -> Result<Version, String> {
    let version = version_of(release, rules)?;
    if release.withdrawn {
        return Err("upstream withdrew it".to_owned());
    }
    if release.draft {
        return Err("it is a draft".to_owned());
    }
    if release.prerelease || !Rules::is_stable(&version) {
        return Err("it is a pre-release".to_owned());
    }
    if !version.build.is_empty() {
        // An OCI tag cannot hold a `+`, so such a version can have no image.
        return Err("build metadata cannot be part of an image tag".to_owned());
    }
    Ok(version)
}

/// As [`admit`], and whether npm has the same product at that version.
pub(super) fn admit_product(
    release: &ReleaseFacts,
    memory: &Memory,
    rules: &Rules,
) -> Result<Version, String> {
    let version = admit(release, &rules.tags)?;
    let npm = memory.npm(&version).zip(rules.npm.as_ref());
    match npm.and_then(|(npm, rule)| foreign_product(npm, rule)) {
        Some(why) => Err(why),
        None => Ok(version),
    }
}

/// Why `version` is no release of the stream any more, if it is none: its release is there, but was
/// withdrawn, or is a draft or a pre-release by now. Of one that was never seen nothing is known.
pub(super) fn no_release_any_more(
    version: &Version,
    memory: &Memory,
    rules: &Rules,
) -> Option<String> {
    let named = |release: &&ReleaseFacts| version_of(release, &rules.tags).as_ref() == Ok(version);
    let mut gone = None;
    for release in memory.releases().filter(named) {
        match admit_product(release, memory, rules) {
            Ok(_) => return None,
            Err(why) => gone = Some(why),
        }
    }
    gone
}

/// Whether upstream took the release of `version` back: its list does not show it any more, or it is
/// a draft again.
pub(super) fn is_withdrawn(version: &Version, memory: &Memory, rules: &TagRule) -> bool {
    let mut of_it = memory
        .releases()
        .filter(|release| version_of(release, rules).as_ref() == Ok(version))
        .peekable();
    of_it.peek().is_some() && of_it.all(|release| release.withdrawn || release.draft)
}

/// The release of `version`, if upstream has one.
#[must_use]
pub fn release_of<'a>(
    version: &Version,
    memory: &'a Memory,
    rules: &TagRule,
) -> Option<&'a ReleaseFacts> {
    memory.releases().find(|release| admit(release, rules).as_ref() == Ok(version))
}

/// Why the npm package at this version is another product, if it is: the same package name was
/// once published with something else inside.
fn foreign_product(npm: &NpmFacts, rule: &NpmRule) -> Option<String> {
    let (pointer, pattern) = rule.guard.as_ref()?;
    let found = npm.product.as_deref().unwrap_or("nothing");
    (!pattern.is_match(found)).then(|| {
        format!(
            "npm {}@{} is another product: `{pointer}` says {found}, not `{}`",
            rule.package,
            npm.version,
            pattern.as_str()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use regex::Regex;

    fn release(tag: &str) -> ReleaseFacts {
        ReleaseFacts {
            tag: tag.to_owned(),
            draft: false,
            prerelease: false,
            published_at: Timestamp::from_millis(0),
            url: String::new(),
            notes: String::new(),
            withdrawn: false,
        }
    }

    #[test]
    fn only_strict_stable_semver_is_admitted() {
        let rule = TagRule { pattern: Regex::new("^v(?P<version>.+)$").unwrap() };
        assert_eq!(admit(&release("v3.10.0"), &rule), Ok("3.10.0".parse().unwrap()));
        for (tag, reason) in [
            ("2026.08.21.1", "does not match"),
            ("rust-sha-59e167f", "does not match"),
            ("v2026.08.21", "strict semver"),
            ("v3.10", "strict semver"),
            ("v3.36.3-solchan.0", "pre-release"),
            ("v3.10.0+7", "build metadata"),
        ] {
            let why = admit(&release(tag), &rule).unwrap_err();
            assert!(why.contains(reason), "{tag}: {why}");
        }
        let draft = ReleaseFacts { draft: true, ..release("v3.10.0") };
        assert_eq!(admit(&draft, &rule), Err("it is a draft".to_owned()));
        let marked = ReleaseFacts { prerelease: true, ..release("v3.10.0") };
        assert_eq!(admit(&marked, &rule), Err("it is a pre-release".to_owned()));
    }

    #[test]
    fn the_product_guard_names_what_it_found() {
        let rule = NpmRule {
            package: "@o/p".to_owned(),
            guard: Some(("/repository/url".to_owned(), Regex::new("o/p").unwrap())),
        };
        let mut npm = NpmFacts {
            version: "4.0.0".parse().unwrap(),
            integrity: None,
            git_head: None,
            published_at: None,
            product: Some("git+https://github.com/o/p.git".to_owned()),
        };
        assert_eq!(foreign_product(&npm, &rule), None);
        npm.product = None;
        assert!(foreign_product(&npm, &rule).unwrap().contains("says nothing"));
    }
}
