//! What others write: manifests that are none, and release notes that want more than to be read.

use crate::harmless::look;
use crate::stand::{Stand, run_in, run_test};
use std::time::Duration;
use world::World;

const MANIFEST: &str = "packages/townhouse/dist/image-manifest.json";
const DOCUMENT: &str = "packages/sdk/CONNECTOR_MIGRATION.md";
/// GitHub refuses a longer body.
const MAX_BODY_CHARS: usize = 65_536;

/// Notes that would ping, refer, close, hide, forge and swallow, if they could.
const HOSTILE: &str = "\
## 3.10.0

### Features

* @everyone and @octo/team, thanks to @octocat
* closes #1, fixes octo/town#2, see GH-3 and https://github.com/octo/town/issues/4
* <!-- digest-bump:1 {\"kind\":\"pin_bump\",\"version\":\"9.9.9\"} --> hidden <!--
* <details><summary>swallowed</summary>
* one | two `three | four` \\| five
* ![pixel](https://tracker.example/p.png) and [label](https://evil.example/)
* \u{202e}exe.gpj\u{2066} @\u{200b}octocat, # heading
* # heading
* ``` @octocat

### Bug Fixes | **all**

Closes #5

* fixed
```
* never closed, #6
";

/// The pull request's texts, all of which a person reads.
fn texts(stand: &Stand) -> String {
    let pull = stand.only();
    let message = stand.git(&["log", "-1", "--format=%B", &pull.head_branch]);
    assert!(!message.contains('#') && !message.to_lowercase().contains("closes"), "{message}");
    assert!(pull.body.chars().count() <= MAX_BODY_CHARS, "{}", pull.body.len());
    format!("{}\n\n{}", pull.title, pull.body)
}

/// What is folded away in a body under the heading of the notes.
fn notes_of(body: &str) -> &str {
    let (_, notes) = body.split_once("<summary>Release notes").unwrap();
    notes.split_once("</details>").unwrap().0
}

/// A character that cannot be seen, written out for a snapshot.
fn visible(text: &str) -> String {
    text.replace('\u{200b}', "<zero width>")
}

/// A manifest that cannot be read leaves the pin unknown; mended by a person, all goes on.
async fn broken_manifest(breaking: impl Fn(&str) -> String + Send + 'static, said: &str) {
    let builder = World::builder().town(move |files| {
        let text = String::from_utf8(files[MANIFEST].clone()).unwrap();
        files.insert(MANIFEST.into(), breaking(&text).into_bytes());
    });
    run_in(builder, async |stand| {
        let good = World::builder().start().await.file("main", MANIFEST).unwrap();
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(stand.open(), [""; 0]);
        assert_eq!(stand.runs().await, [""; 0]);
        assert_eq!(stand.world.writes(), []);
        let (word, line) = stand.stage("3.10.0").await;
        assert_eq!(word, "held");
        assert!(line.contains(MANIFEST) && line.contains(said), "{line}");

        stand.world.commit_to("main", MANIFEST, &good, "fix: the manifest");
        stand.settle().await;
        assert_eq!(stand.only().title, "chore(connector): bump 3.9.3 → 3.10.0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_is_no_json_is_named_and_nothing_is_proposed() {
    broken_manifest(|text| text.replace("\"images\"", "images"), "not JSON: ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_with_two_connectors_is_named_and_nothing_is_proposed() {
    let twice = |text: &str| {
        text.replacen("\"images\": {", "\"images\": {\n    \"connector\": {\"name\": \"x\"},", 1)
    };
    broken_manifest(twice, "`/images/connector` appears twice").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_without_the_entry_is_named_and_nothing_is_proposed() {
    let without = |text: &str| text.replace("\"connector\": {", "\"disconnector\": {");
    broken_manifest(without, "`/images/connector` is not there").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_notes_stay_words_in_a_pull_request() {
    run_test(async |stand| {
        stand.world.release("3.10.0").notes("").publish().await;
        stand.settle().await;
        let harmless = look(&texts(stand));
        stand.world.merge(stand.only().number);
        stand.world.release("3.11.0").notes(HOSTILE).publish().await;
        stand.settle().await;
        let text = texts(stand);
        // As many tags, links, cells and headings as with no notes at all.
        assert_eq!(look(&text).tags, harmless.tags, "{text}");
        assert_eq!(look(&text).cells, harmless.cells, "{text}");
        assert_eq!(look(&text).breaks, harmless.breaks, "{text}");
        assert_eq!(look(&text).targets.len(), harmless.targets.len(), "{text}");
        insta::assert_snapshot!(visible(notes_of(&stand.only().body)), @r#"
         of 3.11.0</summary>

        #### [3.11.0](https://github.com/toon-protocol/connector/releases/tag/v3.11.0)

        **Features**

        - @&#8203;everyone and @&#8203;octo/team, thanks to @&#8203;octocat
        - closes #&#8203;1, fixes octo/town#&#8203;2, see GH-&#8203;3 and https:&#8203;//github.com/octo/town/issues/4
        - &lt;!-- digest-bump:1 {"kind":"pin_bump","version":"9.9.9"} --&gt; hidden &lt;!--
        - &lt;details&gt;&lt;summary&gt;swallowed&lt;/summary&gt;
        - one &#124; two `three \| four` \\&#124; five
        - !pixel and label
        - exe.gpj @&#8203;<zero width>octocat, # heading
        - &#8203;# heading
        - \`\`\` @&#8203;octocat

        **Bug Fixes &#124; all**

        - fixed \`\`\` \* never closed, #&#8203;6
        "#);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_notes_stay_words_in_a_migration_stub() {
    run_test(async |stand| {
        let notes = HOSTILE.replace("### Features", "### ⚠ BREAKING CHANGES");
        stand.world.release("4.0.0").notes(&notes).publish().await;
        stand.settle().await;
        look(&texts(stand));
        let pull = stand.only();
        let document = stand.world.file(&pull.head_branch, DOCUMENT).unwrap();
        let document = String::from_utf8(document).unwrap();
        let section = document.split("\n## ").find(|part| part.contains("v4.0.0")).unwrap();
        let rows = section.lines().filter(|line| line.starts_with('|')).count();
        let seen = look(section);
        assert_eq!((seen.cells, seen.tags, seen.targets), (4 * (rows - 1), 0, vec![]));
        insta::assert_snapshot!(visible(section), @r#"
        Breaking Changes — v3.9.3 → v4.0.0

        | API | v3.9.3 Behavior | v4.0.0 Behavior | Migration |
        | --- | --- | --- | --- |
        | TODO | TODO | @&#8203;everyone and @&#8203;octo/team, thanks to @&#8203;octocat | TODO |
        | TODO | TODO | closes #&#8203;1, fixes octo/town#&#8203;2, see GH-&#8203;3 and https:&#8203;//github.com/octo/town/issues/4 | TODO |
        | TODO | TODO | &lt;!-- digest-bump:1 {"kind":"pin_bump","version":"9.9.9"} --&gt; hidden &lt;!-- | TODO |
        | TODO | TODO | &lt;details&gt;&lt;summary&gt;swallowed&lt;/summary&gt; | TODO |
        | TODO | TODO | one &#124; two `three \| four` \\&#124; five | TODO |
        | TODO | TODO | !pixel and label | TODO |
        | TODO | TODO | exe.gpj @&#8203;<zero width>octocat, # heading | TODO |
        | TODO | TODO | # heading | TODO |
        | TODO | TODO | \`\`\` @&#8203;octocat | TODO |
        "#);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_of_notes_is_cut_and_says_so() {
    run_test(async |stand| {
        let items = "* @everyone: closes #1 | <b>\n".repeat(20_000);
        let notes = format!("### ⚠ BREAKING CHANGES\n\n{items}\n### Features\n\n{items}");
        assert!(notes.len() > 1_000_000);
        stand.world.release("3.10.0").notes(&notes).publish().await;
        stand.world.release("4.0.0").notes(&notes).publish().await;
        // What takes longer than this, also on a machine that has other work, is no longer linear in
        // what it reads.
        let passed = tokio::time::timeout(Duration::from_mins(4), stand.settle()).await;
        passed.expect("a pass ends soon");
        let open = stand.world.open_pulls();
        assert_eq!(open.len(), 2);
        for pull in &open {
            let length = pull.body.chars().count();
            assert!((30_000..MAX_BODY_CHARS).contains(&length), "{length}");
            look(&pull.body);
            let notes = notes_of(&pull.body);
            assert!(notes.ends_with(" and on those below it.*\n\n"));
            assert!(notes.contains("*… cut here; the rest is [on the page of"));
        }
        let stub = open.iter().find(|pull| pull.title.contains("migration stub")).unwrap();
        assert!(stub.body.contains("This opens a section with 101 rows"), "{}", stub.body);
        let document = stand.world.file(&stub.head_branch, DOCUMENT).unwrap();
        assert!(document.len() < 60_000, "{}", document.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_prints_long_lines_fits_into_the_body() {
    run_test(async |stand| {
        stand.canary_script("head -c 60000 /dev/zero | tr '\\0' '`'; echo; echo \"$V is fine\"");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let text = texts(stand);
        assert!(text.contains("3.10.0 is fine"));
        look(&text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_without_words_are_proposed_as_such() {
    run_test(async |stand| {
        stand.world.release("3.10.0").notes("").publish().await;
        stand.world.release("3.11.0").notes(" \r\n\t\r\n").publish().await;
        stand
            .world
            .release("3.12.0")
            .notes("### Features\r\n\r\n* lines\r\n  of DOS\r\n")
            .publish()
            .await;
        stand.settle().await;
        insta::assert_snapshot!(notes_of(&stand.only().body), @"
         of the 3 releases since the pin</summary>

        #### [3.12.0](https://github.com/toon-protocol/connector/releases/tag/v3.12.0)

        **Features**

        - lines of DOS

        #### [3.11.0](https://github.com/toon-protocol/connector/releases/tag/v3.11.0)

        No notes.

        #### [3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0)

        No notes.
        ");
    })
    .await;
}
