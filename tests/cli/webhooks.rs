//! Webhooks, as GitHub sends them to a real daemon.

use crate::stand::{Daemon, Stand, until};
use digest_bump::domain::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use world::{WEBHOOK_EXAMPLES, published};

const SECRET: &str = "It's a Secret to Everybody";
const MAINTAINER: &str = "maya";
/// A burst of so many, of which so many are accepted when the daemon is killed.
const BURST: usize = 1_000;
const KILLED_AFTER: usize = 400;
/// So many seconds the machine may take for all of them: it may be busy.
const PATIENCE: usize = 240;
/// So many come at once.
const AT_ONCE: usize = 16;

/// GitHub's signature of a body.
fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().fold("sha256=".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One delivery.
#[derive(Debug, Clone)]
struct Delivery {
    id: String,
    event: String,
    body: String,
    signature: String,
}

impl Delivery {
    fn new(id: &str, event: &str, payload: &Json) -> Self {
        let (id, event, body) = (id.to_owned(), event.to_owned(), payload.to_string());
        let signature = signature(SECRET, &body);
        Self { id, event, body, signature }
    }

    /// Sends it; `None` if nobody is there.
    async fn send(&self, client: &reqwest::Client, page: &str) -> Option<(u16, String)> {
        let request = client
            .post(format!("{page}webhook"))
            .header("content-type", "application/json")
            .header("x-github-event", &self.event)
            .header("x-github-delivery", &self.id)
            .header("x-hub-signature-256", &self.signature)
            .body(self.body.clone());
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.text().await.ok()?.trim_end().to_owned()))
    }
}

/// A stand whose daemon takes webhooks, and looks for nothing by itself.
async fn stand() -> Stand {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "0 0 1 1 *");
    stand.set("listen", "127.0.0.1:0");
    stand.set_watch("downstream.commands.enabled", true);
    stand.set_watch("downstream.commands.poll", false);
    stand.world.set_permission(MAINTAINER, "write");
    stand
}

fn listening(stand: &Stand) -> Daemon {
    let mut command = stand.command_with_token(&["serve"]);
    command.env("DIGEST_BUMP_WEBHOOK_SECRET", SECRET);
    Daemon::of(stand, command)
}

/// What the daemon's clock says.
fn now() -> Timestamp {
    digest_bump::clock::Clock::system().now()
}

/// A comment by the maintainer, and the delivery that tells of it.
fn comment(stand: &Stand, number: u64, text: &str) -> (u64, Delivery) {
    let id = stand.world.comment_as(MAINTAINER, number, text);
    let payload = json!({
        "action": "created",
        "issue": {"number": number, "body": ""},
        "comment": {
            "id": id, "body": text, "created_at": now().to_string(),
            "user": {"login": MAINTAINER, "type": "User"},
        },
        "repository": {"full_name": "toon-protocol/town"},
        "sender": {"login": MAINTAINER, "type": "User"},
    });
    (id, Delivery::new(&format!("delivery-{id}"), "issue_comment", &payload))
}

fn client() -> reqwest::Client {
    digest_bump::clients::install_tls_provider();
    reqwest::Client::new()
}

/// The only open pull request, once there is one.
async fn proposed(stand: &Stand) -> u64 {
    until("the pull request", async || Some(stand.world.open_pulls().first()?.number)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_world_sends_wakes_a_pass_and_is_answered() {
    let stand = stand().await;
    let daemon = listening(&stand);
    let page = daemon.page().await;
    let events = ["release", "issue_comment", "pull_request_review_comment", "push"];
    stand.world.subscribe_webhook(&format!("{page}webhook"), SECRET, &events);
    // Nothing but the webhook tells of the release.
    until("the first pass", async || (stand.word("3.9.3").await == "pinned").then_some(())).await;
    stand.world.release("3.10.0").publish().await;
    let pull = proposed(&stand).await;
    let id = stand.world.comment_as(MAINTAINER, pull, "/bump explain");
    until("the answer", async || {
        let said = stand.world.reactions(id);
        said.iter().any(|(_, content)| content == "rocket").then_some(())
    })
    .await;
    // It comes a second time, and nothing happens.
    stand.world.redeliver_last();
    let remark = stand.world.remark_as(MAINTAINER, pull, "README.md", "/bump explain");
    until("the reply", async || stand.world.replies(remark).pop()).await;
    let answers = stand.world.comments(pull);
    assert_eq!(answers.iter().filter(|it| it.body.contains("answer:1")).count(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_signature_is_looked_at_before_anything_else_and_nobody_poisons_the_ledger() {
    let stand = stand().await;
    stand.world.release("3.10.0").publish().await;
    let daemon = listening(&stand);
    let page = daemon.page().await;
    let pull = proposed(&stand).await;
    let (client, (id, good)) = (client(), comment(&stand, pull, "/bump hold"));
    let refused = Some((401, "the signature does not fit".to_owned()));
    for forged in [String::new(), "sha256=00".to_owned(), signature("another", &good.body)] {
        let bad = Delivery { signature: forged, ..good.clone() };
        assert_eq!(bad.send(&client, &page).await, refused);
        // Not even what is no JSON is looked at.
        let bad = Delivery { body: "{".to_owned(), ..bad };
        assert_eq!(bad.send(&client, &page).await, refused);
    }
    let accepted = Some((202, "accepted".to_owned()));
    assert_eq!(good.send(&client, &page).await, accepted);
    assert_eq!(good.send(&client, &page).await, Some((202, "known already".to_owned())));
    // The same comment by another delivery, as when the hook is there twice.
    let twin = Delivery { id: "twin".to_owned(), ..good.clone() };
    assert_eq!(twin.send(&client, &page).await, accepted);
    until("the answer", async || {
        let said = stand.world.reactions(id);
        said.iter().any(|(_, content)| content == "rocket").then_some(())
    })
    .await;
    let status = stand.json(&["status"]).await;
    assert_eq!(status["orders"].as_array().unwrap().len(), 1, "{status:#}");
    let metrics = client.get(format!("{page}metrics")).send().await.unwrap().text().await.unwrap();
    for (outcome, count) in [("unsigned", 6), ("accepted", 2), ("known", 1)] {
        let line = format!(r#"{{event="issue_comment",outcome="{outcome}"}} {count}"#);
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    for (event, body, said) in [
        ("ping", json!({"zen": "x"}), (200, "here")),
        ("star", json!({}), (202, "nothing to do")),
        ("push", json!({"repository": {"full_name": "some/where"}}), (202, "nothing to do")),
        ("package", json!({"organization": {"login": "some"}}), (202, "nothing to do")),
    ] {
        let sent = Delivery::new(event, event, &body).send(&client, &page).await;
        assert_eq!(sent, Some((said.0, said.1.to_owned())), "{event}");
    }
    let nothing = Delivery::new("x", "push", &json!([])).send(&client, &page).await.unwrap();
    assert_eq!(nothing, (400, "no delivery that can be read".to_owned()));
    let form = client
        .post(format!("{page}webhook"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-github-event", "push")
        .header("x-github-delivery", "form")
        .header("x-hub-signature-256", signature(SECRET, "payload="))
        .body("payload=");
    let form = form.send().await.unwrap();
    assert_eq!(form.status().as_u16(), 400);
    assert_eq!(form.text().await.unwrap(), "its content type has to be application/json\n");
    let large = json!({ "repository": {"full_name": "x/y"}, "x": "y".repeat(5 << 20) });
    let large = Delivery::new("large", "push", &large).send(&client, &page).await;
    assert!(large.is_none_or(|(status, _)| status == 413));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_counts_for_who_ticked_it_if_that_person_may_command() {
    let mut stand = stand().await;
    stand.set_watch("downstream.dashboard.enabled", true);
    stand.set_watch("downstream.dashboard.checkboxes", true);
    stand.world.release("3.9.4").publish().await;
    stand.world.set_permission(MAINTAINER, "triage");
    let daemon = listening(&stand);
    let page = daemon.page().await;
    stand.world.subscribe_webhook(&format!("{page}webhook"), SECRET, &["issues"]);
    let empty = "[ ] <!-- request 3.9.4 -->";
    let offered = async || {
        let issue = stand.world.issues().pop()?;
        issue.body.contains(empty).then_some(issue)
    };
    let issue = until("the box", offered).await;
    let ticked = issue.body.replace(empty, &empty.replace("[ ]", "[x]"));
    stand.world.edit_body(issue.number, &ticked);
    // Heard, not met, and the box is empty again.
    until("the empty box", async || {
        let issue = stand.world.issues().pop()?;
        issue.body.contains(empty).then_some(())
    })
    .await;
    assert_eq!(stand.world.open_pulls().len(), 0);
    stand.world.set_permission(MAINTAINER, "write");
    let issue = stand.world.issues().pop().unwrap();
    let ticked = issue.body.replace(empty, &empty.replace("[ ]", "[x]"));
    stand.world.edit_body(issue.number, &ticked);
    proposed(&stand).await;
    let status = stand.json(&["status"]).await;
    assert_eq!(status["requests"][0]["actor"], MAINTAINER);
    assert_eq!(status["requests"].as_array().unwrap().len(), 1, "{status:#}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_captured_and_comes_again_is_not_carried_out_again() {
    let mut stand = stand().await;
    stand.set_watch("downstream.dashboard.enabled", true);
    stand.set_watch("downstream.dashboard.checkboxes", true);
    stand.world.release("3.9.4").publish().await;
    let daemon = listening(&stand);
    let page = daemon.page().await;
    let empty = "[ ] <!-- request 3.9.4 -->";
    let offered = async || {
        let issue = stand.world.issues().pop()?;
        issue.body.contains(empty).then_some(issue)
    };
    let issue = until("the box", offered).await;
    let tick = |id: &str, hours_ago: u64| {
        let updated_at = now() - Duration::from_hours(hours_ago);
        let payload = json!({
            "action": "edited",
            "issue": {
                "number": issue.number,
                "body": issue.body.replace(empty, &empty.replace("[ ]", "[x]")),
                "updated_at": updated_at.to_string(),
            },
            "changes": {"body": {"from": issue.body}},
            "repository": {"full_name": "toon-protocol/town"},
            "sender": {"login": MAINTAINER, "type": "User"},
        });
        Delivery::new(id, "issues", &payload)
    };
    let (client, accepted) = (client(), Some((202, "accepted".to_owned())));
    let ignored = Some((202, "nothing to do".to_owned()));
    assert_eq!(tick("old", 40 * 24).send(&client, &page).await, ignored);
    let first = tick("first", 0);
    assert_eq!(first.send(&client, &page).await, accepted);
    let pull = proposed(&stand).await;
    // No signature covers the delivery's id.
    for id in ["second", "third"] {
        let again = Delivery { id: id.to_owned(), ..first.clone() };
        assert_eq!(again.send(&client, &page).await, accepted);
    }
    let old = stand.world.comment_as(MAINTAINER, pull, "/bump hold");
    let payload = json!({
        "action": "created",
        "issue": {"number": pull, "body": ""},
        "comment": {
            "id": old, "body": "/bump hold",
            "created_at": (now() - Duration::from_hours(40 * 24)).to_string(),
            "user": {"login": MAINTAINER, "type": "User"},
        },
        "repository": {"full_name": "toon-protocol/town"},
    });
    let replayed = Delivery::new("forty days", "issue_comment", &payload);
    assert_eq!(replayed.send(&client, &page).await, ignored);
    // What comes after all of that is answered after it.
    let (id, last) = comment(&stand, pull, "/bump explain");
    assert_eq!(last.send(&client, &page).await, accepted);
    until("the answer", async || {
        let said = stand.world.reactions(id);
        said.iter().any(|(_, content)| content == "rocket").then_some(())
    })
    .await;
    assert_eq!(stand.world.reactions(old), []);
    daemon.stop().await;
    let status = stand.json(&["status"]).await;
    assert_eq!(status["requests"].as_array().unwrap().len(), 1, "{status:#}");
    assert_eq!(status["orders"].as_array().map_or(0, Vec::len), 0, "{status:#}");
}

#[tokio::test]
async fn without_a_secret_nothing_is_taken() {
    let stand = stand().await;
    let daemon = Daemon::start(&stand);
    let page = daemon.page().await;
    let sent = Delivery::new("1", "ping", &json!({})).send(&client(), &page).await;
    assert_eq!(sent.unwrap().0, 404);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn githubs_own_examples_are_read() {
    let Some(file) = published(WEBHOOK_EXAMPLES) else { return };
    let mut stand = stand().await;
    stand.set_watch("downstream.repository", "Codertocat/Hello-World");
    let daemon = listening(&stand);
    let page = daemon.page().await;
    let all: Json = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let (client, mut accepted) = (client(), BTreeSet::new());
    for event in all.as_array().unwrap() {
        let name = event["name"].as_str().unwrap();
        for (number, example) in event["examples"].as_array().unwrap().iter().enumerate() {
            let delivery = Delivery::new(&format!("{name}-{number}"), name, example);
            let (status, said) = delivery.send(&client, &page).await.unwrap();
            assert!(matches!(status, 200 | 202), "{name} {number}: {status} {said}\n{example:#}");
            if said == "accepted" {
                accepted.insert(name.to_owned());
            }
        }
    }
    for event in [
        "check_run",
        "check_suite",
        "issue_comment",
        "issues",
        "pull_request",
        "pull_request_review_comment",
        "push",
        "release",
        "workflow_run",
    ] {
        assert!(accepted.contains(event), "{event} is not listened to: {accepted:?}");
    }
    daemon.stop().await;
}

/// A signer that is not ours: npm's `@octokit/webhooks-methods`, in node.
#[tokio::test(flavor = "multi_thread")]
async fn what_octokit_signs_is_believed() {
    let Some(folder) = std::env::vars_os().find(|(name, _)| name == "DIGEST_BUMP_WEBHOOKS_JS")
    else {
        eprintln!(
            "SKIPPED: DIGEST_BUMP_WEBHOOKS_JS names no folder with @octokit/webhooks-methods"
        );
        let strict = std::env::vars_os().any(|(name, _)| name == "DIGEST_BUMP_NO_SKIPS");
        assert!(!strict, "it must not be skipped here");
        return;
    };
    let stand = stand().await;
    let daemon = listening(&stand);
    let page = daemon.page().await;
    let client = client();
    for text in ["plain", "Grüße, 世界 🦀", "\u{0}\u{7f}\"\\"] {
        let payload = json!({"repository": {"full_name": "toon-protocol/town"}, "x": text});
        let delivery = Delivery::new(text, "push", &payload);
        let script = "import { sign } from '@octokit/webhooks-methods';\
                      process.stdout.write(await sign(process.env.SECRET, process.env.BODY));";
        let node = Command::new("node")
            .args(["--input-type=module", "-e", script])
            .current_dir(&folder.1)
            .env("SECRET", SECRET)
            .env("BODY", &delivery.body)
            .output()
            .unwrap();
        assert!(node.status.success(), "{node:?}");
        let signature = String::from_utf8(node.stdout).unwrap();
        let id = format!("js-{}", text.len());
        let theirs = Delivery { id, signature, ..delivery };
        assert_eq!(theirs.send(&client, &page).await, Some((202, "accepted".to_owned())));
    }
    daemon.stop().await;
}

/// Sends deliveries side by side; which were accepted. `enough` is called with how many so far.
async fn burst(
    deliveries: &[Delivery],
    page: &str,
    enough: impl Fn(usize) + Sync,
) -> BTreeSet<String> {
    use futures_util::{StreamExt as _, stream};
    let (client, count) = (client(), Arc::new(AtomicUsize::new(0)));
    let sent = stream::iter(deliveries).map(|delivery| {
        let (client, count, enough) = (client.clone(), count.clone(), &enough);
        async move {
            let (status, _) = delivery.send(&client, page).await?;
            assert_eq!(status, 202);
            enough(count.fetch_add(1, Ordering::SeqCst) + 1);
            Some(delivery.id.clone())
        }
    });
    sent.buffer_unordered(AT_ONCE).filter_map(|it| async { it }).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_survives_a_kill_and_each_is_carried_out_once() {
    let stand = stand().await;
    stand.world.release("3.10.0").publish().await;
    let mut daemon = listening(&stand);
    let page = daemon.page().await;
    let pull = proposed(&stand).await;
    let said = (0..BURST).map(|number| comment(&stand, pull, &format!("/bump hold {number}")).1);
    let deliveries: Vec<Delivery> = said.collect();
    let accepted = burst(&deliveries, &page, |count| {
        if count == KILLED_AFTER {
            daemon.signal("KILL");
        }
    })
    .await;
    assert!(accepted.len() >= KILLED_AFTER && accepted.len() < BURST, "{}", accepted.len());
    daemon.ends_within(Duration::from_secs(10)).await;

    // What was not accepted is delivered again, and some that was as well, the last first.
    let mut again: Vec<Delivery> =
        deliveries.iter().filter(|it| !accepted.contains(&it.id)).cloned().collect();
    again.extend(deliveries.iter().filter(|it| accepted.contains(&it.id)).take(50).cloned());
    again.reverse();
    let log = "second.log";
    let mut command = stand.command_with_token(&["serve"]);
    command.env("DIGEST_BUMP_WEBHOOK_SECRET", SECRET);
    let daemon = Daemon::of_logging_to(&stand, command, log);
    let page = daemon.page().await;
    assert_eq!(burst(&again, &page, |_| {}).await.len(), again.len());
    let mut orders = 0;
    for _ in 0..PATIENCE {
        let status = stand.json(&["status"]).await;
        orders = status["orders"].as_array().map_or(0, Vec::len);
        if orders >= BURST {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    daemon.stop().await;
    let status = stand.json(&["status"]).await;
    assert_eq!(status["orders"].as_array().map_or(0, Vec::len), BURST, "each once: {orders}");
}

/// Numbers that are the same in each run; a schedule is told by its seed.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }
}

/// Of these deliveries some are lost, some come up to three times, and all in any order.
fn schedule(deliveries: &[Delivery], dice: &mut Dice) -> Vec<Delivery> {
    let mut sent: Vec<Delivery> = Vec::new();
    for delivery in deliveries {
        for copy in 0..dice.roll(4) {
            // Whoever has two hooks hears of one comment under two ids.
            let other = dice.roll(2) == 0;
            let id = if other { format!("{}-{copy}", delivery.id) } else { delivery.id.clone() };
            sent.insert(dice.roll(sent.len() + 1), Delivery { id, ..delivery.clone() });
        }
    }
    sent
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_repeated_and_shuffled_deliveries_end_the_same() {
    const COMMANDS: usize = 12;
    let mut stand = stand().await;
    // What is lost is found by the next look.
    stand.set_watch("downstream.commands.poll", true);
    stand.world.release("3.10.0").publish().await;
    let daemon = listening(&stand);
    let page = daemon.page().await;
    let pull = proposed(&stand).await;
    let mut said = BTreeSet::new();
    let mut comments = Vec::new();
    for seed in 1..=4 {
        let dice = &mut Dice(seed * 7_919);
        // Lists tell of seconds, and the bot hears from the second on in which it came.
        stand.world.set_now(&(now() + Duration::from_secs(2)).to_string());
        let mut deliveries = Vec::new();
        for number in 0..COMMANDS {
            let reason = format!("{seed}-{number}");
            let (id, delivery) = comment(&stand, pull, &format!("/bump hold {reason}"));
            comments.push(id);
            deliveries.push(delivery);
            said.insert(reason);
        }
        let sent = schedule(&deliveries, dice);
        let lost = deliveries.iter().filter(|it| sent.iter().all(|other| other.body != it.body));
        assert!(lost.count() > 0 && sent.len() > COMMANDS / 2, "seed {seed} is no trial");
        let client = client();
        for delivery in &sent {
            let (status, _) = delivery.send(&client, &page).await.unwrap();
            assert_eq!(status, 202, "seed {seed}");
        }
        // Something else happens, and a pass looks at everything.
        let push =
            json!({"ref": "refs/heads/main", "repository": {"full_name": "toon-protocol/town"}});
        let push = Delivery::new(&format!("push-{seed}"), "push", &push);
        assert_eq!(push.send(&client, &page).await.unwrap().0, 202);
        until("all are answered", async || {
            let done = |id: &&u64| stand.world.reactions(**id).iter().any(|(_, it)| it == "rocket");
            (comments.iter().filter(done).count() == comments.len()).then_some(())
        })
        .await;
    }
    daemon.stop().await;
    let status = stand.json(&["status"]).await;
    assert_eq!(status["orders"].as_array().map_or(0, Vec::len), said.len(), "each once");
    let mut answers = stand.world.comments(pull);
    answers.retain(|it| it.body.contains("<!-- digest-bump:answer:1 "));
    let answered = answers.iter().filter_map(|it| it.body.split('`').nth(1)?.rsplit(' ').next());
    assert_eq!(answers.len(), said.len(), "each has one answer");
    assert_eq!(answered.map(str::to_owned).collect::<BTreeSet<_>>(), said);
}
