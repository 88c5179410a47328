//! Reading a packument entry by entry, so that never more than one entry is in memory as JSON.

use crate::domain::{NpmFacts, Timestamp, Version};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::{collections::BTreeMap, fmt};

/// What a packument says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packument {
    /// The versions, in the document's order.
    pub versions: Vec<NpmFacts>,
    /// The versions that were published once, and are there no longer: npm forgets what a version
    /// was, but never when. One that the document does not name at all may be too young for it.
    pub withdrawn: Vec<Version>,
}

/// Reads a whole document; `None` if it has no versions.
pub(super) fn parse(
    body: &[u8],
    guard_pointer: Option<&str>,
) -> serde_json::Result<Option<Packument>> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let Parts { versions, times } = Document { guard_pointer }.deserialize(&mut json)?;
    json.end()?;
    let Some(mut versions) = versions else {
        return Ok(None);
    };
    let mut withdrawn = times;
    for facts in &mut versions {
        facts.published_at = withdrawn.remove(&facts.version);
    }
    Ok(Some(Packument { versions, withdrawn: withdrawn.into_keys().collect() }))
}

/// The parts of a document that are read, which stand in any order.
#[derive(Default)]
struct Parts {
    versions: Option<Vec<NpmFacts>>,
    times: BTreeMap<Version, Timestamp>,
}

struct Document<'a> {
    guard_pointer: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = Parts;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Parts;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a packument")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parts = Parts::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "versions" => {
                    let seed = Versions { guard_pointer: self.guard_pointer };
                    parts.versions = Some(map.next_value_seed(seed)?);
                }
                "time" => parts.times = map.next_value_seed(Times)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(parts)
    }
}

struct Versions<'a> {
    guard_pointer: Option<&'a str>,
}

impl<'de> DeserializeSeed<'de> for Versions<'_> {
    type Value = Vec<NpmFacts>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Versions<'_> {
    type Value = Vec<NpmFacts>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the versions of a packument")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match Version::parse(&key) {
                Ok(version) => all.push(facts(version, &map.next_value()?, self.guard_pointer)),
                Err(_) => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(all)
    }
}

/// When each version was published. A registry may leave that out, and what is no time is none.
struct Times;

impl<'de> DeserializeSeed<'de> for Times {
    type Value = BTreeMap<Version, Timestamp>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Times {
    type Value = BTreeMap<Version, Timestamp>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the times of a packument")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut times = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            let value: Value = map.next_value()?;
            let time = value.as_str().and_then(|text| text.parse().ok());
            times.extend(Version::parse(&key).ok().zip(time));
        }
        Ok(times)
    }
}

fn facts(version: Version, entry: &Value, guard_pointer: Option<&str>) -> NpmFacts {
    let text = |pointer: &str| entry.pointer(pointer)?.as_str().map(str::to_owned);
    NpmFacts {
        version,
        integrity: text("/dist/integrity"),
        git_head: text("/gitHead"),
        product: guard_pointer.and_then(text),
        published_at: None,
    }
}

#[cfg(test)]
mod tests {
    use crate::clients::npm::{Npm, NpmError};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn versions_become_facts_and_odd_ones_are_skipped() {
        let packument = json!({
            "name": "@o/p",
            "dist-tags": {"latest": "1.2.0"},
            "versions": {
                "1.2.0": {"gitHead": "abc", "dist": {"integrity": "sha512-x"}, "repository": {"url": "git+https://github.com/o/p"}},
                "v1.3.0": {},
                "1.2": {"dist": 7},
                "1.3.0-rc.1": {"dist": {}, "repository": {"url": 7}},
            },
            "time": {"1.2.0": "2026-01-01T00:00:00Z"},
        })
        .to_string();
        let read = Npm::parse_packument(packument.as_bytes(), Some("/repository/url")).unwrap();
        let facts = read.versions;
        let versions: Vec<String> = facts.iter().map(|fact| fact.version.to_string()).collect();
        assert_eq!(versions, ["1.2.0", "1.3.0-rc.1"]);
        assert_eq!(facts[0].integrity.as_deref(), Some("sha512-x"));
        assert_eq!(facts[0].git_head.as_deref(), Some("abc"));
        assert_eq!(facts[0].product.as_deref(), Some("git+https://github.com/o/p"));
        assert_eq!((&facts[1].integrity, &facts[1].product), (&None, &None));
        let unguarded = Npm::parse_packument(packument.as_bytes(), None).unwrap();
        assert_eq!(unguarded.versions[0].product, None);
    }

    #[test]
    fn what_is_no_packument_is_said_to_be_none() {
        for body in [
            "",
            "[]",
            "<html>",
            r#"{"versions":[]}"#,
            r#"{"versions":{}"#,
            r#"{"error":"x"}"#,
            r#"{"versions":{}} x"#,
        ] {
            let error = Npm::parse_packument(body.as_bytes(), None).unwrap_err();
            assert!(matches!(error, NpmError::Malformed { .. }), "{body}");
        }
    }

    #[test]
    fn when_a_version_was_published_is_told_also_of_those_that_are_gone() {
        let read = |time: serde_json::Value| {
            let packument = json!({ "time": time, "versions": { "1.2.0": {}, "1.3.0": {} } });
            let read = Npm::parse_packument(packument.to_string().as_bytes(), None).unwrap();
            let times = read.versions.iter().map(|facts| facts.published_at);
            let times: Vec<_> = times.map(|at| at.map(|at| at.to_string())).collect();
            let withdrawn: Vec<_> = read.withdrawn.iter().map(ToString::to_string).collect();
            (times, withdrawn)
        };
        let at = "2026-01-01T00:00:00Z";
        let time = json!({
            "created": at, "modified": at, "1.1.0": at, "1.2.0": at, "1.3.0": 7, "1.0": at,
            "unpublished": { "time": at },
        });
        assert_eq!(read(time), (vec![Some(at.to_owned()), None], vec!["1.1.0".to_owned()]));
        assert_eq!(read(json!(null)), (vec![None, None], vec![]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>, pointer: String) {
            let _ = Npm::parse_packument(&body, Some(&pointer));
        }
    }
}
