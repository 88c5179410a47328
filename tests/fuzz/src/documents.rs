//! What GitHub and npm send. `serde_json`'s own tree is the second opinion, where it has one: it
//! refuses a few things in fields that nobody reads, and it has no names for what stands in a list
//! where an object should, which serde reads in the order of the fields.

use digest_bump::clients::{github::Reader, npm::Npm};
use digest_bump::domain::{NpmFacts, TagRule, Timestamp, Version};
use digest_bump::policy;
use regex::Regex;
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};

/// The rule of the shipped config.
static TAGS: LazyLock<TagRule> = LazyLock::new(|| TagRule {
    pattern: Regex::new("^v(?P<version>.+)$").expect("a regular expression"),
});

/// A page of releases.
pub fn releases(bytes: &[u8]) {
    let Ok(releases) = Reader::parse_releases(bytes) else { return };
    for release in &releases {
        same_time(release.published_at);
        if let Ok(version) = policy::admit(release, &TAGS) {
            assert_eq!(release.tag, format!("v{version}"));
            assert!(version.pre.is_empty() && version.build.is_empty());
            assert!(!release.draft && !release.prerelease);
        }
    }
    let Ok(Value::Array(page)) = serde_json::from_slice(bytes) else { return };
    assert_eq!(releases.len(), page.len());
    for (release, json) in releases.iter().zip(&page).filter(|(_, json)| json.is_object()) {
        assert_eq!(json["tag_name"], *release.tag);
        assert_eq!(json["draft"], release.draft);
        assert_eq!(json["prerelease"], release.prerelease);
        assert_eq!(json["html_url"], *release.url);
        assert_eq!(json["body"].as_str().unwrap_or_default(), release.notes);
    }
}

/// What is said of a time has to be read as the same one, to the second. Before the year 0 and
/// after 9999 RFC 3339 has no form.
fn same_time(time: Timestamp) {
    let [first, end] = ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
        .map(|text| text.parse::<Timestamp>().expect("a time"));
    if time < first || time > end {
        return;
    }
    let again: Timestamp = time.to_string().parse().expect("a time that was written");
    assert_eq!(again.seconds(), time.seconds());
}

/// A list of pull requests.
pub fn pulls(bytes: &[u8]) {
    let Ok(pulls) = Reader::parse_pulls(bytes) else { return };
    let page: Option<Vec<Value>> = serde_json::from_slice(bytes).ok();
    assert!(page.is_none_or(|page| pulls.len() <= page.len()));
    for pull in pulls {
        assert_eq!(pull.branch.as_str().parse(), Ok(pull.branch.clone()));
        let (number, title) = (pull.number, pull.title.clone());
        let facts = pull.into_facts();
        assert_eq!((facts.number, facts.title), (number, title));
    }
}

/// All versions of a package.
pub fn packument(bytes: &[u8]) {
    const GUARD: &str = "/repository/url";
    let Ok(read) = Npm::parse_packument(bytes, Some(GUARD)) else { return };
    let json: Option<Value> = serde_json::from_slice(bytes).ok();
    // Of two entries with one name the last one counts, here as there.
    let last: BTreeMap<String, NpmFacts> =
        read.versions.into_iter().map(|fact| (fact.version.to_string(), fact)).collect();
    for (version, fact) in last {
        assert_eq!(version.parse::<Version>().ok().as_ref(), Some(&fact.version));
        let Some(entry) = json.as_ref().map(|json| &json["versions"][&version]) else { continue };
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str);
        assert_eq!(fact.git_head.as_deref(), text("/gitHead"));
        assert_eq!(fact.integrity.as_deref(), text("/dist/integrity"));
        assert_eq!(fact.product.as_deref(), text(GUARD));
    }
}
