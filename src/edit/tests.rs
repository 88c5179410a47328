use super::*;
use crate::domain::{Digest, LinePattern, Presence, SiteShape};
use proptest::prelude::*;
use std::sync::LazyLock;

const MANIFEST: &str = "packages/townhouse/dist/image-manifest.json";
const CONSTANTS: &str = "packages/townhouse/src/constants.ts";
const WORKFLOW: &str = ".github/workflows/publish.yml";

fn image() -> ImageName {
    "ghcr.io/toon-protocol/connector".parse().unwrap()
}

fn pin(version: &str) -> Pin {
    Pin {
        image: image(),
        version: version.parse().unwrap(),
        digest: IndexDigest::new(Digest::of(version.as_bytes())),
    }
}

fn path(text: &str) -> FilePath {
    text.parse().unwrap()
}

fn line(name: &str, file: &str, pattern: &str) -> PinSite {
    PinSite {
        name: name.to_owned(),
        path: path(file),
        companion: None,
        shape: SiteShape::Line { pattern: LinePattern::new(pattern).unwrap(), count: 1 },
        presence: Presence::Required,
        authority: false,
    }
}

/// Compiling the patterns for every case would take most of the time.
static SITES: LazyLock<Vec<PinSite>> = LazyLock::new(new_sites);

fn sites() -> Vec<PinSite> {
    SITES.clone()
}

/// The manifest, two lines of one file, and a line that may be absent.
fn new_sites() -> Vec<PinSite> {
    let manifest = PinSite {
        name: "image manifest".to_owned(),
        path: path(MANIFEST),
        companion: None,
        shape: SiteShape::Manifest { pointer: "/images/connector".to_owned() },
        presence: Presence::IfPresent,
        authority: true,
    };
    let image = line(
        "DEFAULT_CONNECTOR_IMAGE",
        CONSTANTS,
        r"^ {2}'ghcr\.io/toon-protocol/connector@{{digest}}';$",
    );
    let tag = line(
        "DEFAULT_CONNECTOR_TAG",
        CONSTANTS,
        r"^export const DEFAULT_CONNECTOR_TAG = '{{version}}';$",
    );
    let workflow = line(WORKFLOW, WORKFLOW, r"^ {2}CONNECTOR_VERSION_DEFAULT: '{{version}}'$");
    vec![
        manifest,
        PinSite { authority: true, ..image },
        PinSite { presence: Presence::IfPresent, ..tag },
        PinSite { presence: Presence::IfPresent, ..workflow },
    ]
}

fn manifest(pin: &Pin) -> String {
    let other = Digest::of(b"town");
    let Pin { version, digest, .. } = pin;
    format!(
        r#"{{
  "schemaVersion": 1,
  "townhouseVersion": "{version}",
  "builtAt": "2026-06-10T20:46:30.000Z",
  "images": {{
    "town": {{
      "name": "ghcr.io/toon-protocol/town",
      "tag": "{version}",
      "digest": "{other}"
    }},
    "connector": {{
      "name": "ghcr.io/toon-protocol/connector",
      "tag": "{version}",
      "digest": "{digest}"
    }}
  }}
}}
"#
    )
}

/// Comments name the image as well, on purpose.
fn constants(pin: &Pin) -> String {
    let Pin { version, digest, .. } = pin;
    format!(
        "/**\n * ghcr.io/toon-protocol/connector:{version} was resolved to\n \
             *  'ghcr.io/toon-protocol/connector@{digest}';\n */\n\
             // export const DEFAULT_CONNECTOR_TAG = '{version}';\n\
             export const DEFAULT_CONNECTOR_IMAGE =\n  \
             'ghcr.io/toon-protocol/connector@{digest}';\n\n\
             export const DEFAULT_CONNECTOR_TAG = '{version}';\n\
             export const DEFAULT_TOWN_TAG = '{version}';\n"
    )
}

fn files(pin: &Pin) -> Files {
    Files::from([
        (path(MANIFEST), Some(manifest(pin).into_bytes())),
        (path(CONSTANTS), Some(constants(pin).into_bytes())),
        (path(WORKFLOW), None),
    ])
}

fn edit(files: &Files, to: &Pin) -> Result<Lockstep, Vec<SiteFault>> {
    lockstep(&sites(), &image(), files, to, &[])
}

fn applied(files: &Files, lockstep: &Lockstep) -> Files {
    let mut files = files.clone();
    for change in &lockstep.changes {
        files.insert(change.path.clone(), Some(change.content.clone()));
    }
    files
}

fn text(files: &Files, file: &str) -> String {
    String::from_utf8(files[&path(file)].clone().unwrap()).unwrap()
}

fn lines<T: ToString>(of: &[T]) -> String {
    of.iter().map(|it| it.to_string() + "\n").collect()
}

#[test]
fn every_site_moves_and_says_how() {
    let (old, new) = (pin("3.9.3"), pin("3.10.0"));
    let done = edit(&files(&old), &new).unwrap();
    insta::assert_snapshot!(lines(&done.lines), @"
        packages/townhouse/dist/image-manifest.json:13 (image manifest): 3.9.3 (127e19f7b2b7) → 3.10.0 (9998bdb5d4bb)
        packages/townhouse/src/constants.ts:7 (DEFAULT_CONNECTOR_IMAGE): 127e19f7b2b7 → 9998bdb5d4bb
        packages/townhouse/src/constants.ts:9 (DEFAULT_CONNECTOR_TAG): 3.9.3 → 3.10.0
        .github/workflows/publish.yml: absent, skipped
        ");
    let notes: Vec<_> = done.changes.iter().map(|it| lines(&it.notes)).collect();
    insta::assert_snapshot!(notes.join("---\n"), @"
        image manifest: 3.9.3 (127e19f7b2b7) → 3.10.0 (9998bdb5d4bb)
        ---
        DEFAULT_CONNECTOR_IMAGE: 127e19f7b2b7 → 9998bdb5d4bb
        DEFAULT_CONNECTOR_TAG: 3.9.3 → 3.10.0
        ");

    let after = applied(&files(&old), &done);
    let mut expected = manifest(&old);
    let at = expected.rfind("\"tag\"").unwrap();
    let entry = expected
        .split_off(at)
        .replace("3.9.3", "3.10.0")
        .replace(old.digest.as_str(), new.digest.as_str());
    assert_eq!(text(&after, MANIFEST), expected + &entry);
    let constants = text(&after, CONSTANTS);
    assert_eq!(constants.matches(new.digest.as_str()).count(), 1);
    assert_eq!(constants.matches("3.10.0").count(), 1);
    assert!(constants.contains("\nexport const DEFAULT_CONNECTOR_TAG = '3.10.0';\n"));
    assert!(disagreements(&read(&sites(), &image(), &after), &new).is_empty());
}

#[test]
fn a_second_edit_finds_nothing_to_do() {
    let pin = pin("3.9.3");
    let done = edit(&files(&pin), &pin).unwrap();
    assert_eq!(done.changes, []);
    insta::assert_snapshot!(lines(&done.lines), @"
        packages/townhouse/dist/image-manifest.json:13 (image manifest): already there
        packages/townhouse/src/constants.ts:7 (DEFAULT_CONNECTOR_IMAGE): already there
        packages/townhouse/src/constants.ts:9 (DEFAULT_CONNECTOR_TAG): already there
        .github/workflows/publish.yml: absent, skipped
        ");
}

#[test]
fn readings_come_in_the_order_of_the_config() {
    let mut files = files(&pin("3.9.3"));
    files.insert(path(CONSTANTS), None);
    let read = read(&sites(), &image(), &files);
    let states: Vec<_> = read.iter().map(|it| (it.site.as_str(), &it.state)).collect();
    let [(_, SiteState::Spelled { version, line, .. }), image, tag, workflow] = &states[..] else {
        panic!("{states:?}");
    };
    assert_eq!((version, *line), (&Some(Version::new(3, 9, 3)), 13));
    assert_eq!(image.0, "DEFAULT_CONNECTOR_IMAGE");
    assert!(matches!(image.1, SiteState::Faulty { why } if why == "the file is not there"));
    assert_eq!((tag.1, workflow.1), (&SiteState::Absent, &SiteState::Absent));
    assert_eq!(paths(&sites()).len(), 3);
}

#[test]
fn drift_is_told_per_site() {
    let mut files = files(&pin("3.9.3"));
    let workflow = "env:\n  CONNECTOR_VERSION_DEFAULT: '3.9.2'\n";
    files.insert(path(WORKFLOW), Some(workflow.into()));
    let readings = read(&sites(), &image(), &files);
    assert_eq!(disagreements(&readings, &pin("3.9.3")).len(), 1);
    insta::assert_snapshot!(lines(&disagreements(&readings, &pin("3.9.2"))), @"
        packages/townhouse/dist/image-manifest.json:13 (image manifest) spells 3.9.3 (127e19f7b2b7), the pin is 3.9.2 (3bb442ce069f)
        packages/townhouse/src/constants.ts:7 (DEFAULT_CONNECTOR_IMAGE) spells 127e19f7b2b7, the pin is 3.9.2 (3bb442ce069f)
        packages/townhouse/src/constants.ts:9 (DEFAULT_CONNECTOR_TAG) spells 3.9.3, the pin is 3.9.2 (3bb442ce069f)
        ");
}

#[test]
fn one_fault_stops_every_site_and_all_are_told() {
    let new = pin("3.10.0");
    let mut files = files(&pin("3.9.3"));
    let twice = constants(&pin("3.9.3")).repeat(2);
    files.insert(path(CONSTANTS), Some(twice.into_bytes()));
    files.insert(path(MANIFEST), Some(b"{".to_vec()));
    files.insert(path(WORKFLOW), Some(b"\xff".to_vec()));
    insta::assert_snapshot!(lines(&edit(&files, &new).unwrap_err()), @"
        packages/townhouse/dist/image-manifest.json (image manifest): not JSON: EOF while parsing an object at line 1 column 1
        packages/townhouse/src/constants.ts (DEFAULT_CONNECTOR_IMAGE): expected 1 match, found 2 (lines 7, 17)
        packages/townhouse/src/constants.ts (DEFAULT_CONNECTOR_TAG): expected 1 match, found 2 (lines 9, 19)
        .github/workflows/publish.yml: not UTF-8 from byte 0 on
        ");
    insta::assert_snapshot!(lines(&edit(&Files::new(), &new).unwrap_err()), @"
        packages/townhouse/dist/image-manifest.json (image manifest): the file was not read
        packages/townhouse/src/constants.ts (DEFAULT_CONNECTOR_IMAGE): the file was not read
        packages/townhouse/src/constants.ts (DEFAULT_CONNECTOR_TAG): the file was not read
        .github/workflows/publish.yml: the file was not read
        ");
}

#[test]
fn some_authority_must_be_there() {
    let mut sites = sites();
    sites[1].presence = Presence::IfPresent;
    let none = sites.iter().map(|site| (site.path.clone(), None)).collect();
    let faults = lockstep(&sites, &image(), &none, &pin("3.10.0"), &[]).unwrap_err();
    insta::assert_snapshot!(faults[0].to_string(), @"packages/townhouse/dist/image-manifest.json (image manifest): no authority among the sites is present");
    assert_eq!(faults.len(), 1);
}

#[test]
fn what_can_be_no_pin_is_never_written() {
    let good = pin("3.10.0");
    let placeholder = format!("sha256:dead{}", "0".repeat(60)).parse().unwrap();
    let bad = [
        Pin { digest: placeholder, ..good.clone() },
        Pin { image: "ghcr.io/toon-protocol/town".parse().unwrap(), ..good.clone() },
        Pin { version: "3.10.0+x".parse().unwrap(), ..good.clone() },
        // The line's pattern would not find this one again.
        Pin { version: "3.10.0-rc.1".parse().unwrap(), ..good },
    ];
    let files = files(&pin("3.9.3"));
    let faults = bad.map(|to| edit(&files, &to).unwrap_err()[0].to_string());
    insta::assert_snapshot!(lines(&faults), @"
        packages/townhouse/dist/image-manifest.json (image manifest): the placeholder digest is never written
        packages/townhouse/dist/image-manifest.json (image manifest): the new pin is of `ghcr.io/toon-protocol/town`, not of `ghcr.io/toon-protocol/connector`
        packages/townhouse/dist/image-manifest.json (image manifest): `3.10.0+x` cannot be an image tag
        packages/townhouse/src/constants.ts (DEFAULT_CONNECTOR_TAG): after the edit it would not spell 3.10.0-rc.1
        ");
}

#[test]
fn two_sites_may_share_a_span_but_not_cross() {
    let one = PinSite { authority: true, ..line("one", "a", "^x {{version}}$") };
    let same = line("same", "a", "x {{version}}");
    let files = Files::from([(path("a"), Some(b"x 3.9.3".to_vec()))]);
    let done = lockstep(&[one.clone(), same], &image(), &files, &pin("3.10.0"), &[]).unwrap();
    assert_eq!(done.changes[0].content, b"x 3.10.0");
    assert_eq!(done.changes[0].notes.len(), 2);

    let files = Files::from([(path("a"), Some(b"x 3.9.34".to_vec()))]);
    let one = PinSite { authority: true, ..line("one", "a", "^x {{version}}$") };
    let cross = line("cross", "a", "^x {{version}}4$");
    for sites in [[one.clone(), cross.clone()], [cross, one]] {
        let faults = lockstep(&sites, &image(), &files, &pin("3.10.0"), &[]).unwrap_err();
        assert_eq!(faults[0].why, "overlaps with another site");
    }
}

#[test]
fn spans_may_touch() {
    let (old, new) = (pin("3.9.3"), pin("3.10.0"));
    let text = |pin: &Pin| format!("{}{}", pin.version, pin.digest).into_bytes();
    let files = Files::from([(path("a"), Some(text(&old)))]);
    let both = PinSite { authority: true, ..line("both", "a", "^{{version}}{{digest}}$") };
    let second = PinSite { authority: true, ..line("second", "a", "{{digest}}$") };
    for sites in [vec![both], vec![second, line("first", "a", "^{{version}}s")]] {
        let done = lockstep(&sites, &image(), &files, &new, &[]).unwrap();
        assert_eq!(done.changes[0].content, text(&new));
    }
}

#[test]
fn a_site_that_reads_something_else_after_the_edit_stops_it() {
    let new = pin("3.10.0");
    let digest = pin("3.9.3").digest;
    for (text, first, other) in [
        // It finds another place, which spells another version.
        (
            "a 3.9.3 b 2.0.0\nkeep 7.0.0".to_owned(),
            r"^a {{version}} b",
            r"\A(?:a 3\.9\.3 b |(?s:.*)keep ){{version}}",
        ),
        // It spells the version alone, where it spelled the digest too.
        (
            format!("3.9.3 of 3.9.3@{digest}"),
            r"of {{version}}@",
            r"\A{{version}}(?: of 3\.9\.3@{{digest}})?",
        ),
    ] {
        let files = Files::from([(path("a"), Some(text.into_bytes()))]);
        let first = PinSite { authority: true, ..line("first", "a", first) };
        let sites = [first, line("other", "a", other)];
        let faults = lockstep(&sites, &image(), &files, &new, &[]).unwrap_err();
        assert_eq!(lines(&faults), "a (other): after the edit it would not spell 3.10.0\n");
    }
}

#[test]
fn no_sites_ask_for_nothing() {
    let done = lockstep(&[], &image(), &Files::new(), &pin("1.0.0"), &[]).unwrap();
    assert_eq!((done.changes.len(), done.lines.len()), (0, 0));
}

fn version() -> impl Strategy<Value = String> {
    (0..40_u64, 0..40_u64, 0..40_u64).prop_map(|(a, b, c)| format!("{a}.{b}.{c}"))
}

proptest! {
    /// Whatever stands around the sites stays, byte for byte; the sites spell the new pin.
    #[test]
    fn an_edit_changes_only_its_own_bytes(
        from in version(), to in version(), before in "[ a-z/'.0-9é\n]{0,80}",
        after in "[ a-z/'.0-9é\n]{0,80}", crlf: bool, mark: bool, last_newline: bool,
    ) {
        let (old, new) = (pin(&from), pin(&to));
        let dress = |text: String| {
            let text = if last_newline { text } else { text.trim_end().to_owned() };
            let text = if crlf { text.replace('\n', "\r\n") } else { text };
            if mark { format!("\u{feff}{text}") } else { text }
        };
        let constants = |pin: &Pin| {
            let Pin { version, digest, .. } = pin;
            dress(format!(
                "{before}\n  'ghcr.io/toon-protocol/connector@{digest}';\n{after}\n\
                     export const DEFAULT_CONNECTOR_TAG = '{version}';\n{after}"
            ))
        };
        let entry = |pin: &Pin| {
            let fixed = manifest(&old);
            let at = fixed.rfind("\"tag\"").unwrap();
            let moved = fixed[at..]
                .replace(old.digest.as_str(), pin.digest.as_str())
                .replace(&format!("\"{from}\""), &format!("\"{}\"", pin.version));
            dress(format!("{}{moved}", &fixed[..at]))
        };
        let files = |pin: &Pin| Files::from([
            (path(CONSTANTS), Some(constants(pin).into_bytes())),
            (path(MANIFEST), Some(entry(pin).into_bytes())),
            (path(WORKFLOW), None),
        ]);
        let done = edit(&files(&old), &new).unwrap();
        let edited = applied(&files(&old), &done);
        prop_assert_eq!(text(&edited, CONSTANTS), constants(&new));
        prop_assert_eq!(text(&edited, MANIFEST), entry(&new));
        for reading in read(&sites(), &image(), &edited) {
            let SiteState::Spelled { version, digest, .. } = reading.state else {
                prop_assert_eq!(reading.state, SiteState::Absent);
                continue;
            };
            prop_assert!(version.is_none_or(|it| it == new.version));
            prop_assert!(digest.is_none_or(|it| it == new.digest));
        }
    }

    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..80), text: String) {
        for content in [bytes, text.into_bytes()] {
            let files = paths(&sites()).into_iter();
            let files = files.map(|path| (path, Some(content.clone()))).collect();
            prop_assert_eq!(read(&sites(), &image(), &files).len(), 4);
        }
    }
}
