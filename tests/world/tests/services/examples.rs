//! Each event that the world tells of has the shape of GitHub's published examples of it.

use crate::client::{Client, TOWN, open};
use crate::webhooks::{Arrived, SECRET, listener};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use world::{EVENTS, WEBHOOK_EXAMPLES, World, published};

/// Where the world's payloads are right to differ from the examples: the end of the place and the
/// difference, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    (".user_view_type is in no example", YOUNGER),
    (".has_discussions is in no example", YOUNGER),
    (".allow_forking is in no example", YOUNGER),
    (".issue.state_reason is in no example", YOUNGER),
    (".release.immutable is in no example", YOUNGER),
    (".release.updated_at is in no example", YOUNGER),
    ("review_comment/created: .pull_request.auto_merge is in no example", YOUNGER),
    ("review_comment/created: .pull_request.draft is in no example", YOUNGER),
    ("review_comment/edited: .pull_request.auto_merge is in no example", YOUNGER),
    ("review_comment/edited: .pull_request.draft is in no example", YOUNGER),
    ("review_comment/created: .pull_request.merge_commit_sha is null, and not {\"string\"}", LATER),
    ("review_comment/edited: .pull_request.merge_commit_sha is null, and not {\"string\"}", LATER),
    (": .issue.timeline_url is in no example", "the examples of `issues` have it"),
    (": .organization is in no example", "releases are shown of a person's repository only"),
    (": .installation is missing", "the hooks of an App have it, those of a repository do not"),
    (": .repository.language is string, and not {\"null\"}", "all shown have no language"),
    (": .release.discussion_url is missing", "only a release with a discussion has it"),
    (": .release.reactions is missing", "only a release that somebody reacted to has them"),
    (": .pull_request.merged_at is string, and not {\"null\"}", "no merge is shown"),
    (": .pull_request.merged_by is object, and not {\"null\"}", "no merge is shown"),
    ("pull_request/edited: .changes is in no example", "no edit of a pull request is shown"),
    ("issues/edited: .changes.title is in no example", "all edits shown changed nothing"),
    ("issues/opened: .changes is missing", "only an issue that was moved here has them"),
    ("release/edited: .changes.name is missing", "only what was changed is told"),
];
const SOON: Duration = Duration::from_millis(300);
const LATE: Duration = Duration::from_secs(20);
/// A reason.
const LATER: &str = "the merge is tried in the background";
/// A reason.
const YOUNGER: &str = "it is younger than the examples; the description of REST has it";

/// What examples of one thing have in common.
#[derive(Debug, Default)]
struct Shape {
    types: BTreeSet<&'static str>,
    /// How often it was seen, and how often as an object.
    seen: u32,
    objects: u32,
    fields: BTreeMap<String, Shape>,
    item: Option<Box<Shape>>,
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl Shape {
    fn learn(&mut self, example: &Value) {
        self.types.insert(type_of(example));
        self.seen += 1;
        match example {
            Value::Object(fields) => {
                self.objects += 1;
                for (key, value) in fields {
                    self.fields.entry(key.clone()).or_default().learn(value);
                }
            }
            Value::Array(items) => {
                for value in items {
                    self.item.get_or_insert_default().learn(value);
                }
            }
            _ => {}
        }
    }

    /// Whether every example has a field.
    fn always(&self, field: &Shape) -> bool {
        field.seen == self.objects
    }
}

/// What a payload is held to: the examples of its event and action, and all of its event. A key of
/// the former has to be there, a type of the latter will do. Where no example of the action is
/// published, what all examples of the event have has to be there.
#[derive(Clone, Copy)]
struct Held<'a> {
    action: Option<&'a Shape>,
    event: &'a Shape,
}

impl<'a> Held<'a> {
    fn below(self, key: &str) -> Option<Self> {
        let action = self.action.and_then(|shape| shape.fields.get(key));
        Some(Self { action, event: self.event.fields.get(key)? })
    }

    fn item(self) -> Option<Self> {
        let action = self.action.and_then(|shape| shape.item.as_deref());
        Some(Self { action, event: self.event.item.as_deref()? })
    }

    fn wanted(self) -> Vec<&'a String> {
        let all = |shape: &'a Shape| shape.fields.keys().collect();
        let common = |shape: &'a Shape| {
            let common = shape.fields.iter().filter(|(_, field)| shape.always(field));
            common.map(|(key, _)| key).collect()
        };
        self.action.map_or_else(|| common(self.event), all)
    }

    fn differences(self, place: &str, value: &Value, found: &mut BTreeSet<String>) {
        let is = type_of(value);
        if !self.event.types.contains(is) {
            found.insert(format!("{place} is {is}, and not {:?}", self.event.types));
        }
        match value {
            Value::Object(fields) => {
                let missing = self.wanted().into_iter().filter(|key| !fields.contains_key(*key));
                found.extend(missing.map(|key| format!("{place}.{key} is missing")));
                for (key, value) in fields {
                    let place = format!("{place}.{key}");
                    match self.below(key) {
                        Some(held) => held.differences(&place, value, found),
                        // An object that is empty in all examples is for whatever one likes.
                        None if self.event.fields.is_empty() => {}
                        None => drop(found.insert(format!("{place} is in no example"))),
                    }
                }
            }
            Value::Array(items) => {
                for (value, held) in items.iter().zip(std::iter::repeat(self.item())) {
                    if let Some(held) = held {
                        held.differences(&format!("{place}[]"), value, found);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The published examples by event and action, and by event under the action `any`.
struct Examples(BTreeMap<(String, String), Shape>);

impl Examples {
    fn read(path: &str) -> Self {
        let text = std::fs::read(path).unwrap();
        let events: Vec<Value> = serde_json::from_slice(&text).unwrap();
        let mut shapes: BTreeMap<(String, String), Shape> = BTreeMap::new();
        for event in &events {
            let name = event["name"].as_str().unwrap();
            for example in event["examples"].as_array().unwrap() {
                let action = example["action"].as_str().unwrap_or_default();
                for action in BTreeSet::from([action, "any"]) {
                    let key = (name.to_owned(), action.to_owned());
                    shapes.entry(key).or_default().learn(example);
                }
            }
        }
        Self(shapes)
    }

    fn of(&self, event: &str, action: &str) -> Held<'_> {
        let find = |action: &str| self.0.get(&(event.to_owned(), action.to_owned()));
        Held { action: find(action), event: find("any").unwrap() }
    }
}

/// Makes the world tell of everything that it tells of.
async fn live(world: &World) {
    let client = Client::of(world);
    world.release("3.10.0").publish().await;
    world.edit_notes("3.10.0", "## other notes\n");
    world.release("4.0.0-rc.1").prerelease().publish().await;
    world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    open(&client, "digest-bump/a").await;
    world.commit_to("digest-bump/a", "A.md", b"two\n", "docs: two");
    world.edit_body(1, "other text");
    world.set_draft(1, true);
    world.set_draft(1, false);
    let labels = format!("{TOWN}/issues/1/labels");
    client.post(&labels, json!({ "labels": ["connector"] })).await;
    client.send("DELETE", &labels, Value::Null, &[]).await;
    world.close(1);
    world.reopen(1).unwrap();
    let id = world.remark_as("maya", 1, "README.md", "/bump status");
    let remark = format!("{TOWN}/pulls/comments/{id}");
    client.send("PATCH", &remark, json!({ "body": "/bump 3.10.0" }), &[]).await;
    world.merge(1);
    world.delete_branch("digest-bump/a");
    let number = world.open_issue_as("maya", "which version?", "please");
    let issue = format!("{TOWN}/issues/{number}");
    client.post(&format!("{issue}/labels"), json!({ "labels": ["connector"] })).await;
    client.send("DELETE", &format!("{issue}/labels/connector"), Value::Null, &[]).await;
    client.send("PATCH", &issue, json!({ "title": "which?" }), &[]).await;
    world.close(number);
    world.reopen(number).unwrap();
    let id = world.comment_as("maya", number, "/bump status");
    let comment = format!("{TOWN}/issues/comments/{id}");
    client.send("PATCH", &comment, json!({ "body": "/bump 3.10.0" }), &[]).await;
    client.send("DELETE", &comment, Value::Null, &[]).await;
}

fn is_sent_as_github_sends(arrived: &Arrived) {
    assert!(arrived.is_genuine());
    assert_eq!(arrived.header("content-type"), "application/json");
    assert_eq!(arrived.header("accept"), "*/*");
    let agent = arrived.header("user-agent").strip_prefix("GitHub-Hookshot/").unwrap();
    assert!(agent.bytes().all(|byte| byte.is_ascii_hexdigit()), "{agent}");
    let parts: Vec<usize> = arrived.header("x-github-delivery").split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    assert!(arrived.header("x-github-hook-id").parse::<u64>().is_ok());
    let repository = &arrived.json()["repository"]["id"];
    assert_eq!(arrived.header("x-github-hook-installation-target-id"), repository.to_string());
    assert_eq!(arrived.header("x-github-hook-installation-target-type"), "repository");
}

#[test]
fn a_wrong_payload_is_caught_whatever_is_wrong_with_it() {
    let Some(path) = published(WEBHOOK_EXAMPLES) else {
        return;
    };
    let examples = Examples::read(&path);
    let mut event = Shape::default();
    let right = json!({
        "ref": "refs/heads/main", "before": null, "commits": [{ "id": "1" }], "owner": { "id": 1 },
    });
    event.learn(&right);
    let held = Held { action: Some(&event), event: &event };
    let said = |held: Held<'_>, payload: &Value| {
        let mut found = BTreeSet::new();
        held.differences("", payload, &mut found);
        found.into_iter().collect::<Vec<_>>().join("; ")
    };
    assert_eq!(said(held, &right), "");
    assert!(said(examples.of("push", ""), &right).contains(".pusher is missing"));
    for (key, value, expected) in [
        ("ref", json!(1), ".ref is number, and not {\"string\"}"),
        ("ref", json!(null), ".ref is null, and not {\"string\"}"),
        ("mood", json!("fine"), ".mood is in no example"),
        ("commits", json!([{ "id": 1 }]), ".commits[].id is number, and not {\"string\"}"),
        ("commits", json!([{}]), ".commits[].id is missing"),
        ("owner", json!({}), ".owner.id is missing"),
    ] {
        let mut wrong = right.clone();
        wrong[key] = value;
        assert_eq!(said(held, &wrong), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_has_the_shape_of_its_examples() {
    let Some(path) = published(WEBHOOK_EXAMPLES) else {
        return;
    };
    let examples = Examples::read(&path);
    let world = World::start().await;
    let (url, arrivals) = listener();
    let names: BTreeSet<&str> = EVENTS.iter().map(|(name, _)| *name).collect();
    world.subscribe_webhook(&url, SECRET, &names.into_iter().collect::<Vec<_>>());
    live(&world).await;
    let mut untold: BTreeSet<(&str, &str)> = EVENTS.iter().copied().collect();
    let mut differences = BTreeSet::new();
    let mut count = 0;
    // Everything is on its way by now: what is missing may be slow, what comes then is extra.
    while let Ok(arrived) = arrivals.recv_timeout(if untold.is_empty() { SOON } else { LATE }) {
        is_sent_as_github_sends(&arrived);
        let payload = arrived.json();
        let action = payload["action"].as_str().unwrap_or_default();
        untold.retain(|told| *told != (arrived.event.as_str(), action));
        let place = format!("{}/{action}: ", arrived.event);
        let held = examples.of(&arrived.event, action);
        held.differences(&place, &payload, &mut differences);
        count += 1;
    }
    assert!(untold.is_empty(), "never told: {untold:?}");
    let mut needless: BTreeSet<&str> = EXCEPTIONS.iter().map(|(part, _)| *part).collect();
    differences.retain(|difference| {
        let excepted = EXCEPTIONS.iter().find(|(part, _)| difference.ends_with(part));
        excepted.is_none_or(|(part, _)| {
            needless.remove(part);
            false
        })
    });
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(needless.is_empty(), "these exceptions are not needed: {needless:?}");
    println!("{count} deliveries of {} kinds have the shape of their examples", EVENTS.len());
}
