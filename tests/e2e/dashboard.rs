//! The dashboard issue: one, edited in place, found again, and left alone by whoever should.

use crate::boxes::{tick, with_boxes};
use crate::stand::{Stand, run_test};
use digest_bump::{daemon, domain::Memory};
use toml::Value;
use world::{Fault, Service, Ticket};

const BOT: &str = "digest-bump[bot]";
/// Longer than a list may lag behind an issue of which nobody knows whether it was opened.
const LAG_MINUTES: u64 = 3;

/// Runs one story with the dashboard on.
pub async fn run_story(story: impl AsyncFnOnce(&mut Stand)) {
    run_test(async |stand| {
        stand.set("downstream.dashboard.enabled", true);
        story(stand).await;
    })
    .await;
}

/// The only issue, which must be the bot's.
#[track_caller]
pub fn only(stand: &Stand) -> Ticket {
    let mut issues = stand.world.issues();
    assert_eq!(issues.len(), 1, "{issues:#?}");
    let issue = issues.remove(0);
    assert_eq!(issue.author, BOT);
    issue
}

/// What a maintainer reads, above the foot.
#[track_caller]
pub fn text(stand: &Stand) -> String {
    let body = stand.redact(&only(stand).body);
    body.split("\n---\n").next().unwrap().trim_end().to_owned()
}

fn issue_writes(stand: &Stand) -> Vec<String> {
    let writes = stand.world.writes();
    let of_issues = writes.iter().filter(|asked| asked.path.contains("/issues"));
    of_issues.map(|asked| format!("{} {}", asked.method, asked.path)).collect()
}

/// Foreign words reach nobody and nothing; the bot's own links and numbers are taken out first.
fn reads_harmlessly(body: &str) {
    let own = regex::Regex::new(r"\[#\d+\]\([^)]*\)").unwrap();
    let seen = crate::harmless::look(&own.replace_all(body, "its own"));
    let foreign = |target: &&String| !target.starts_with("https://github.com/toon-protocol/");
    assert_eq!(seen.targets.iter().find(foreign), None, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_on_a_neglected_repository_is_one_issue_and_one_pull_request() {
    run_story(async |stand| {
        for version in ["3.9.4", "3.10.0", "3.10.1", "3.11.0", "3.12.0"] {
            stand.world.release(version).publish().await;
        }
        stand.settle().await;
        assert_eq!(stand.open(), ["chore(connector): bump 3.9.3 → 3.12.0"]);
        let issue = only(stand);
        assert_eq!(issue.title, "Digest bumps of the connector");
        assert_eq!((issue.open, issue.labels.len()), (true, 0));
        insta::assert_snapshot!(stand.redact(&issue.body), @"
        `toon-protocol/town` pins `ghcr.io/toon-protocol/connector` at **3.9.3**, `sha256:…`.

        ### Proposed

        - [#2](https://github.com/toon-protocol/town/pull/2): chore(connector): bump 3.9.3 → 3.12.0 (contains 3.11.0, 3.10.1, 3.10.0, 3.9.4)

        ---

        As of 2026-06-12T08:00:00Z, when a pass last had something new to say.

        *The bot rewrites this text when it says something else, and what others write into it is lost. Title and labels are yours. Close this issue to silence it: no other one is opened, and reopening it brings it back.*

        <!-- digest-bump:dashboard:1 townhouse -->
        ");

        stand.world.clear_requests();
        let report = stand.settle().await;
        assert_eq!((report.performed, stand.world.writes()), (vec![], vec![]));
        stand.wait(30 * 24);
        stand.settle().await;
        assert_eq!(stand.world.writes(), [], "time alone is no news");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn title_and_labels_are_the_configs_at_first_and_peoples_afterwards() {
    run_story(async |stand| {
        stand.set("downstream.dashboard.title", "Pins of {image}");
        let labels = ["bot", "dependencies"].map(Value::from).to_vec();
        stand.set("downstream.dashboard.labels", Value::Array(labels));
        stand.settle().await;
        let issue = only(stand);
        assert_eq!((issue.title.as_str(), issue.labels.len()), ("Pins of connector", 2));
        stand.world.retitle(issue.number, "What the bot is up to");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        assert_eq!(only(stand).title, "What the bot is up to");
        assert!(text(stand).contains("### Proposed"), "{}", text(stand));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_each_release_stands() {
    run_story(async |stand| {
        stand.world.release("3.9.4").publish().await;
        stand.settle().await;
        insta::assert_snapshot!(text(stand), @"
        `toon-protocol/town` pins `ghcr.io/toon-protocol/connector` at **3.9.3**, `sha256:…`.

        ### Offered

        - **[3.9.4](https://github.com/toon-protocol/connector/releases/tag/v3.9.4)** (patch): every check passed; `digest-bump request bump 3.9.4` proposes it
          - signature: passed, signed by `https://github.com/toon-protocol/connector/.github/workflows/release.yml@refs/heads/main` at 2026-06-12T08:00:00Z
          - platforms: passed, linux/amd64, linux/arm64
          - version label: passed, labelled 3.9.4
          - source commit: passed, built from a651d3ed, the parent of v3.9.4's commit 5ce0e374
          - tag, package and image agree: passed, git tag v3.9.4 at 5ce0e374; npm 3.9.4 and the image are both of a651d3ed
          - no known issue: passed, nothing is known against it
          - tag unmoved: passed, <short> each time
          - pin sites: passed, 9 of 9 sites present, each as expected
          - canary: passed, contract ok: 1 file, 3 tests passed
        ");
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.close(stand.only().number);
        stand.wait(1);
        stand.world.release("3.11.0").breaks_contract("no /admin/peers").publish().await;
        stand.world.release("3.12.0").version_label("3.9.9").publish().await;
        stand.world.release("3.13.0").without_image().publish().await;
        stand.world.release("4.0.0").publish().await;
        stand.world.retag("3.10.0").await;
        stand.settle().await;
        insta::assert_snapshot!(text(stand), @"
        `toon-protocol/town` pins `ghcr.io/toon-protocol/connector` at **3.9.3**, `sha256:…`.

        ### Look at this

        - the tag 3.10.0 moved: sha256:… (first seen 2026-06-12T08:00:00Z) → sha256:… (seen 2026-06-12T09:00:00Z); it is not proposed

        ### Proposed

        - [#3](https://github.com/toon-protocol/town/pull/3): docs(connector): migration stub for 3.9.3 → 4.0.0

        ### Held

        - **[3.12.0](https://github.com/toon-protocol/connector/releases/tag/v3.12.0)** (MINOR): linux/amd64 is labelled `3.9.9`, not 3.12.0
        - **[3.11.0](https://github.com/toon-protocol/connector/releases/tag/v3.11.0)** (MINOR): the canary failed: exit status 1: FAIL no /admin/peers; it passes at the pinned 3.9.3

        ### Waiting

        - **[3.13.0](https://github.com/toon-protocol/connector/releases/tag/v3.13.0)** (MINOR): its image is not there yet; until 2026-06-13T09:00:00Z

        ### Declined

        - **[3.10.0](https://github.com/toon-protocol/connector/releases/tag/v3.10.0)** (MINOR): pull request #&#8203;2 was closed without merging

        ### Not proposed

        - **[3.9.4](https://github.com/toon-protocol/connector/releases/tag/v3.9.4)** (patch): 3.10.0 was declined in #&#8203;2
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_by_a_person_is_overwritten_and_a_comment_is_nothing() {
    run_story(async |stand| {
        stand.settle().await;
        let before = only(stand);
        stand.world.comment_as("maya", before.number, "Nice.");
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.world.writes(), []);
        stand.world.edit_body(before.number, &before.body.replace("3.9.3", "9.9.9"));
        stand.settle().await;
        assert_eq!(issue_writes(stand), ["PATCH /repos/toon-protocol/town/issues/1"]);
        assert_eq!(only(stand).body, before.body);
        // Even where nothing of it is left, it is known by its number.
        stand.world.edit_body(before.number, "");
        stand.settle().await;
        assert_eq!(only(stand).body, before.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_finds_it_again_and_writes_nothing() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.world.release("4.0.0").publish().await;
        stand.settle().await;
        let before = stand.world.issues();
        stand.lose_memory().await;
        stand.world.clear_requests();
        stand.settle().await;
        assert_eq!(stand.world.issues().len(), 1);
        assert_eq!(stand.world.issues()[0].number, before[0].number);
        stand.wait(1);
        stand.world.release("3.11.0").publish().await;
        stand.settle().await;
        assert_eq!(only(stand).number, before[0].number);
        assert!(text(stand).contains("3.11.0"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_by_somebody_else_is_not_taken_for_it() {
    run_story(async |stand| {
        let marker = "<!-- digest-bump:dashboard:1 townhouse -->";
        let forged = stand.world.open_issue_as("mallory", "Digest bumps", marker);
        stand.settle().await;
        let own = stand.world.issues().remove(1);
        assert_eq!(own.author, BOT);
        let copied = stand.world.open_issue_as("mallory", &own.title, &own.body);
        stand.lose_memory().await;
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let issues = stand.world.issues();
        assert_eq!(issues.len(), 3);
        for issue in issues {
            let says = issue.body.contains("3.10.0");
            assert_eq!(says, issue.number == own.number, "{issue:?}");
        }
        assert_ne!(forged, copied);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_by_the_bot_itself_the_oldest_counts() {
    run_story(async |stand| {
        stand.settle().await;
        let own = only(stand);
        // Its own words under another number: somebody may have the bot's token, too.
        let copied = stand.world.open_issue_as(BOT, &own.title, &own.body);
        stand.lose_memory().await;
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let says: Vec<(u64, bool)> =
            stand.world.issues().iter().map(|it| (it.number, it.body.contains("3.10.0"))).collect();
        assert_eq!(says, [(own.number, true), (copied, false)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_a_person_closed_is_left_alone_until_it_is_reopened() {
    run_story(async |stand| {
        stand.settle().await;
        let before = only(stand);
        stand.world.close(before.number);
        for lost in [false, true] {
            if lost {
                stand.lose_memory().await;
            }
            stand.wait(1);
            stand.world.release(if lost { "3.11.0" } else { "3.10.0" }).publish().await;
            stand.world.clear_requests();
            stand.settle().await;
            assert_eq!(issue_writes(stand), [""; 0]);
            assert_eq!(only(stand), Ticket { open: false, ..before.clone() });
        }
        stand.world.reopen(before.number).unwrap();
        stand.settle().await;
        assert!(only(stand).open && text(stand).contains("3.11.0"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_deleted_is_opened_anew() {
    run_story(async |stand| {
        for number in 1..4 {
            stand.settle().await;
            assert_eq!(only(stand).number, number);
            stand.world.delete_issue(number);
        }
        stand.settle().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_without_issues_is_told_of_once_and_loses_nothing_else() {
    run_story(async |stand| {
        stand.world.disable_issues(true);
        stand.world.release("3.10.0").publish().await;
        let report = stand.once().await;
        insta::assert_snapshot!(report.troubles.join("\n"), @"opening the dashboard issue: github knows no place for issues: issues have to be enabled in toon-protocol/town, or `watch.downstream.dashboard` to be turned off");
        stand.only();
        stand.world.clear_requests();
        stand.settle().await;
        let asked = stand.world.requests();
        assert!(!asked.iter().any(|asked| asked.path.contains("/issues")), "{asked:#?}");
        insta::assert_snapshot!(stand.view().await.troubles.join("\n"), @"opening the dashboard issue: github knows no place for issues: issues have to be enabled in toon-protocol/town, or `watch.downstream.dashboard` to be turned off; tried again at 2026-06-13T08:00:00Z");

        stand.world.disable_issues(false);
        stand.settle().await;
        assert_eq!(stand.world.issues(), []);
        stand.wait(25);
        stand.settle().await;
        only(stand);
        // Disabled again, it is there and out of reach.
        stand.world.disable_issues(true);
        let report = stand.once().await;
        assert_eq!(report.troubles.len(), 1, "{report:?}");
        stand.world.disable_issues(false);
        stand.wait(25);
        stand.settle().await;
        only(stand);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_permission_is_told_of_once_with_the_remedy() {
    for method in ["POST", "GET"] {
        run_story(async |stand| {
            let fault = Fault::on(Service::GitHub).method(method).path_contains("/town/issues");
            stand.world.fault(fault.status(403).always());
            stand.world.release("3.10.0").publish().await;
            let report = stand.once().await;
            insta::allow_duplicates! {
                let told = report.troubles.join("\n").replace("opening ", "");
                insta::assert_snapshot!(told, @"the dashboard issue: github denies it (403): Forbidden: the token needs the permission to write issues, or `watch.downstream.dashboard` to be turned off");
            }
            stand.only();
            stand.settle().await;
            stand.world.clear_faults();
            stand.wait(25);
            stand.settle().await;
            only(stand);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dashboard_that_cannot_be_read_stops_nothing() {
    run_story(async |stand| {
        stand.settle().await;
        let fault = Fault::on(Service::GitHub).path_contains("/issues/1");
        stand.world.fault(fault.status(502).always());
        stand.world.release("3.10.0").publish().await;
        let report = stand.once().await;
        insta::assert_snapshot!(report.troubles.join("\n"), @"the dashboard issue: github is out of reach: status 502");
        stand.only();
        stand.world.clear_faults();
        stand.settle().await;
        assert!(text(stand).contains("3.10.0"));
    })
    .await;
}

/// What can become of a write and of the answer to it.
fn kinds() -> [fn(Fault) -> Fault; 4] {
    [
        |fault| fault.after_commit(502),
        |fault| fault.status(502),
        |fault| fault.cut_body(),
        |fault| fault.close_connection(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_opening_there_is_one_issue() {
    for kind in kinds() {
        run_story(async |stand| {
            let fault = Fault::on(Service::GitHub).method("POST").path_contains("/town/issues");
            stand.world.fault(kind(fault));
            let report = stand.once().await;
            assert_eq!(report.troubles.len(), 1, "{report:?}");
            // A list that lags does not show what may be there.
            stand.world.list_lag(4);
            stand.settle().await;
            stand.world.list_lag(0);
            stand.wait_minutes(LAG_MINUTES);
            stand.settle().await;
            only(stand);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_rewriting_it_says_what_is_so_in_the_end() {
    for kind in kinds() {
        run_story(async |stand| {
            stand.settle().await;
            let fault = Fault::on(Service::GitHub).method("PATCH").path_contains("/issues/1");
            stand.world.fault(kind(fault));
            stand.world.release("3.10.0").publish().await;
            stand.once().await;
            stand.settle().await;
            assert!(text(stand).contains("### Proposed"), "{}", text(stand));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_pass_costs_one_conditional_request_more() {
    run_story(async |stand| {
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.settle().await;
        let app = stand.app().await;
        stand.world.clear_requests();
        stand.pass(&app).await;
        app.store.close().await;
        let mut of_issues = stand.world.requests();
        of_issues.retain(|it| it.path.contains("/issues") || it.path.contains("graphql"));
        assert_eq!(of_issues.len(), 1, "{of_issues:#?}");
        let asked = &of_issues[0];
        assert_eq!((asked.status, asked.if_none_match), (304, true), "{asked:?}");
        assert_eq!(asked.path, "/repos/toon-protocol/town/issues/1");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_becomes_of_it() {
    run_story(async |stand| {
        with_boxes(stand);
        let planned = async |stand: &Stand| {
            let config = stand.parsed();
            let store = daemon::read_store(&config).await.unwrap();
            let watch = &config.watches[0];
            let memory = match &store {
                Some(store) => store.load_memory(&watch.name).await.unwrap(),
                None => Memory::default(),
            };
            let preview = daemon::preview_of(&config, watch, store, &stand.clock).unwrap();
            let (actions, ..) = preview.run(memory).await.unwrap();
            let told = actions.iter().map(|it| serde_json::to_value(it).unwrap());
            let words = told.map(|it| format!("{} {}", it["action"], it["over"]));
            words.collect::<Vec<_>>().join("; ").replace('"', "")
        };
        stand.world.release("3.9.4").publish().await;
        // At the release, and at the pin.
        assert_eq!(planned(stand).await, "run_canary null; run_canary null; dashboard null");
        stand.settle().await;
        assert_eq!(planned(stand).await, "");
        tick(stand, "3.9.4");
        assert_eq!(planned(stand).await, "propose null; dashboard 1");
        assert_eq!(stand.memory().await.requests.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_words_on_it_reach_nobody() {
    run_story(async |stand| {
        let hostile = "@someone fixes #1 <img src=x> [a](https://evil.test) | `";
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        stand.world.retitle(stand.only().number, hostile);
        stand.wait(1);
        stand.world.release("3.11.0").version_label(hostile).publish().await;
        stand.world.release("3.12.0").breaks_contract(hostile).publish().await;
        stand.settle().await;
        insta::assert_snapshot!(text(stand), @r"
        `toon-protocol/town` pins `ghcr.io/toon-protocol/connector` at **3.9.3**, `sha256:…`.

        ### Proposed

        - [#2](https://github.com/toon-protocol/town/pull/2): @&#8203;someone fixes #&#8203;1 &lt;img src=x&gt; a &#124; \`

        ### Held

        - **[3.12.0](https://github.com/toon-protocol/connector/releases/tag/v3.12.0)** (MINOR): the canary failed: exit status 1: FAIL @&#8203;someone fixes #&#8203;1 &lt;img src=x&gt; a &#124; \`; it passes at the pinned 3.9.3
        - **[3.11.0](https://github.com/toon-protocol/connector/releases/tag/v3.11.0)** (MINOR): linux/amd64 is labelled \`@&#8203;someone fixes #&#8203;1 &lt;img src=x&gt; a &#124; \`\`, not 3.11.0
        ");
        reads_harmlessly(&only(stand).body);
    })
    .await;
}
