//! A pin site in a JSON manifest: an object with exactly `name`, `tag` and `digest`.
//!
//! The manifest's own reader is strict at every level, so this one is as well: what it would
//! refuse is a fault here, before anything is proposed.

use super::json;
use super::site::{Part, Spelling, Spot, line_of, quoted};
use crate::domain::{Digest, ImageName, IndexDigest, Pin, Version};
use serde_json::{Map, Value};

/// The `schemaVersion` whose shape is known.
const SCHEMA: u64 = 1;
const KEYS: [&str; 3] = ["name", "tag", "digest"];

/// What the object at `pointer` spells. The error is a sentence fragment for a maintainer.
pub(super) fn look(text: &str, pointer: &str, image: &ImageName) -> Result<Spelling, String> {
    let value = parse(text)?;
    let places = json::scan(text).map_err(|twice| format!("`{}` appears twice", quoted(&twice)))?;
    known_schema(&value)?;
    let entry = value
        .pointer(pointer)
        .ok_or_else(|| format!("`{pointer}` is not there"))?
        .as_object()
        .ok_or_else(|| format!("`{pointer}` is not an object"))?;
    if let Some(key) = entry.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let key = quoted(key);
        return Err(format!("`{pointer}` has an unknown key `{key}`"));
    }
    let name = member(entry, pointer, "name")?;
    if name != image.as_str() {
        let name = quoted(name);
        return Err(format!("`{pointer}/name` is `{name}`, not `{image}`"));
    }
    let version = version(member(entry, pointer, "tag")?, pointer)?;
    let digest = digest(member(entry, pointer, "digest")?, pointer)?;
    let mut spots = Vec::new();
    for (key, part) in [("tag", Part::Version), ("digest", Part::Digest)] {
        match places.at(&format!("{pointer}/{key}")) {
            Some(json::Node::Text(span)) => {
                spots.push(Spot { span: span.clone(), line: line_of(text, span.start), part });
            }
            _ => return Err(format!("`{pointer}/{key}` could not be located")),
        }
    }
    spots.sort_by_key(|spot| spot.span.start);
    Ok(Spelling { version: Some(version), digest: Some(digest), spots })
}

/// Asserts that `after` is `before` with tag and digest of `to` at `pointer`, as JSON values.
pub(super) fn only_the_pin_changed(
    before: &[u8],
    after: &[u8],
    pointer: &str,
    to: &Pin,
) -> Result<(), String> {
    let text = |bytes| {
        std::str::from_utf8(bytes)
            .map(|text: &str| text.strip_prefix('\u{feff}').unwrap_or(text))
            .map_err(|_| "not UTF-8".to_owned())
    };
    let (mut expected, edited) = (parse(text(before)?)?, parse(text(after)?)?);
    for (key, new) in [("tag", to.version.to_string()), ("digest", to.digest.to_string())] {
        if let Some(slot) = expected.pointer_mut(&format!("{pointer}/{key}")) {
            *slot = Value::String(new);
        }
    }
    if edited == expected {
        Ok(())
    } else {
        Err(format!("the edit would change more than the tag and the digest of `{pointer}`"))
    }
}

fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

fn known_schema(manifest: &Value) -> Result<(), String> {
    match manifest.get("schemaVersion") {
        Some(version) if version.as_u64() == Some(SCHEMA) => Ok(()),
        Some(version) => Err(format!(
            "unknown shape: `/schemaVersion` is `{}`, not `{SCHEMA}`",
            quoted(&version.to_string())
        )),
        None => Err("unknown shape: `/schemaVersion` is not there".to_owned()),
    }
}

fn member<'a>(entry: &'a Map<String, Value>, pointer: &str, key: &str) -> Result<&'a str, String> {
    entry
        .get(key)
        .ok_or_else(|| format!("`{pointer}/{key}` is not there"))?
        .as_str()
        .ok_or_else(|| format!("`{pointer}/{key}` is not a string"))
}

fn version(tag: &str, pointer: &str) -> Result<Version, String> {
    tag.parse().map_err(|_| {
        let tag = quoted(tag);
        format!("`{pointer}/tag` is `{tag}`, not a version such as `1.2.3`, without `v`")
    })
}

fn digest(text: &str, pointer: &str) -> Result<IndexDigest, String> {
    let digest: Digest = text.parse().map_err(|_| {
        let text = quoted(text);
        format!("`{pointer}/digest` is `{text}`, not `sha256:` and 64 lower-case hex digits")
    })?;
    if digest.is_placeholder() {
        let short = digest.short();
        return Err(format!(
            "`{pointer}/digest` is the placeholder `sha256:{short}…`, which is no pin"
        ));
    }
    Ok(IndexDigest::new(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    fn seen(text: &str) -> Result<Spelling, String> {
        let image = "ghcr.io/toon-protocol/connector".parse().unwrap();
        look(text, "/images/connector", &image)
    }

    fn manifest(entry: &str) -> String {
        format!(r#"{{"schemaVersion": 1, "images": {{"connector": {entry}}}}}"#)
    }

    fn entry(name: &str, tag: &str, digest: &str) -> String {
        manifest(&format!(
            r#"{{"name": "ghcr.io/toon-protocol/{name}", "tag": "{tag}", "digest": "{digest}"}}"#
        ))
    }

    #[test]
    fn a_sound_entry_is_read_in_any_order_of_its_keys() {
        let text = manifest(&format!(
            "{{\n\"digest\": \"{DIGEST}\",\n\"tag\": \"3.10.3\",\n\
             \"name\": \"ghcr.io/toon-protocol/connector\"}}"
        ));
        let spelling = seen(&text).unwrap();
        assert_eq!(spelling.version, Some(Version::new(3, 10, 3)));
        assert_eq!(spelling.digest.unwrap().as_str(), DIGEST);
        let spots: Vec<_> = spelling
            .spots
            .iter()
            .map(|spot| (spot.part, spot.line, &text[spot.span.clone()]))
            .collect();
        assert_eq!(spots, [(Part::Digest, 2, DIGEST), (Part::Version, 3, "3.10.3")]);
    }

    #[test]
    fn every_other_shape_is_a_fault_that_names_the_place() {
        let placeholder = format!("sha256:dead{}", "0".repeat(60));
        let long = format!("{DIGEST}0");
        let good = entry("connector", "3.10.3", DIGEST);
        let faults: String = [
            "{\n  \"a\": 1,\n  x".to_owned(),
            good.replace("\"schemaVersion\": 1", "\"schemaVersion\": 2"),
            good.replace("\"schemaVersion\": 1", "\"x\": 1"),
            good.replace("images", "pictures"),
            good.replace("\"connector\": {", "\"connector\": {}, \"connector\": {"),
            manifest("[]"),
            manifest("{}"),
            good.replace("\"tag\"", "\"foo\": 1, \"tag\""),
            entry("town", "3.10.3", DIGEST),
            entry("connector", "v3.10.3", DIGEST),
            entry("connector", "3.10", DIGEST),
            good.replace("\"3.10.3\"", "3"),
            entry("connector", "3.10.3", "latest`\\n"),
            entry("connector", "3.10.3", &long),
            entry("connector", "3.10.3", &placeholder),
        ]
        .iter()
        .map(|text| seen(text).unwrap_err() + "\n")
        .collect();
        insta::assert_snapshot!(faults, @"
        not JSON: key must be a string at line 3 column 3
        unknown shape: `/schemaVersion` is `2`, not `1`
        unknown shape: `/schemaVersion` is not there
        `/images/connector` is not there
        `/images/connector` appears twice
        `/images/connector` is not an object
        `/images/connector/name` is not there
        `/images/connector` has an unknown key `foo`
        `/images/connector/name` is `ghcr.io/toon-protocol/town`, not `ghcr.io/toon-protocol/connector`
        `/images/connector/tag` is `v3.10.3`, not a version such as `1.2.3`, without `v`
        `/images/connector/tag` is `3.10`, not a version such as `1.2.3`, without `v`
        `/images/connector/tag` is not a string
        `/images/connector/digest` is `latest  `, not `sha256:` and 64 lower-case hex digits
        `/images/connector/digest` is `sha256:11111111111111111111111111111111111111111111111111111111111111110`, not `sha256:` and 64 lower-case hex digits
        `/images/connector/digest` is the placeholder `sha256:dead00000000…`, which is no pin
        ");
    }

    #[test]
    fn a_change_elsewhere_does_not_pass_for_an_edit() {
        let pin = Pin {
            image: "ghcr.io/toon-protocol/connector".parse().unwrap(),
            version: Version::new(4, 0, 0),
            digest: IndexDigest::new(Digest::of(b"4")),
        };
        let before = entry("connector", "3.10.3", DIGEST);
        let after = entry("connector", "4.0.0", pin.digest.as_str());
        let other = after.replace("{\"schemaVersion\": 1", "{\"schemaVersion\": 1, \"x\": 1");
        let judge = |after: &str| {
            only_the_pin_changed(before.as_bytes(), after.as_bytes(), "/images/connector", &pin)
        };
        assert_eq!(judge(&after), Ok(()));
        assert!(judge(&other).is_err());
        assert!(judge(&before).is_err());
    }
}
