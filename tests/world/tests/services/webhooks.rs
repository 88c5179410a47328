//! Webhooks arrive signed, in order, and again when asked.

use crate::client::{Client, TOWN, open, push};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};
use world::World;

pub(crate) const SECRET: &str = "a secret of the test";

/// One delivery as it arrived.
pub(crate) struct Arrived {
    pub(crate) event: String,
    id: String,
    signature: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Arrived {
    /// A header's value, empty if it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.headers.iter().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn is_genuine(&self) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(&self.body);
        let expected = mac.finalize().into_bytes();
        let expected: String =
            expected.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        self.signature == format!("sha256={expected}")
    }
}

/// A listener that takes every delivery.
pub(crate) fn listener() -> (String, Receiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut headers = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                headers.push(line.trim().to_owned());
            }
            let header = |name: &str| {
                let mut lines = headers.iter().filter_map(|line| line.split_once(": "));
                lines
                    .find(|(found, _)| found.eq_ignore_ascii_case(name))
                    .map_or_else(String::new, |(_, value)| value.to_owned())
            };
            let mut body = vec![0; header("content-length").parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).unwrap();
            let arrived = Arrived {
                event: header("x-github-event"),
                id: header("x-github-delivery"),
                signature: header("x-hub-signature-256"),
                headers,
                body,
            };
            if sender.send(arrived).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ref_that_is_moved_is_told_however_it_is_moved() {
    let world = World::start().await;
    let client = Client::of(&world);
    let dir = tempfile::tempdir().unwrap();
    let (url, arrivals) = listener();
    let main = world.branches()["main"].clone();
    world.subscribe_webhook(&url, SECRET, &["push"]);
    let next = || {
        let told = arrivals.recv_timeout(Duration::from_secs(10)).unwrap().json();
        let [created, deleted, forced] =
            ["created", "deleted", "forced"].map(|key| told[key].as_bool().unwrap());
        assert_eq!(told["ref"], "refs/heads/digest-bump/a");
        assert_eq!(told["pusher"]["name"], "digest-bump[bot]");
        let ends = ["before", "after"].map(|key| told[key].as_str().unwrap().to_owned());
        (ends, [created, deleted, forced], told["commits"].as_array().unwrap().len())
    };
    let nowhere = "0".repeat(40);
    let sha = push(&world, dir.path(), "digest-bump/a", world.token()).unwrap();
    assert_eq!(next(), ([nowhere.clone(), sha.clone()], [true, false, false], 1));
    let wish = json!({ "sha": main, "force": true });
    client.send("PATCH", &format!("{TOWN}/git/refs/heads/digest-bump/a"), wish, &[]).await;
    assert_eq!(next(), ([sha, main.clone()], [false, false, true], 0));
    let id = &client.get(TOWN).await.json["node_id"];
    let gone =
        json!({ "name": "refs/heads/digest-bump/a", "beforeOid": main, "afterOid": nowhere });
    let wish = json!({
        "query": "mutation($input: UpdateRefsInput!) {
            updateRefs(input: $input) { clientMutationId }
        }",
        "variables": { "input": { "repositoryId": id, "refUpdates": [gone] } },
    });
    client.post("graphql", wish).await;
    assert_eq!(next(), ([main, nowhere], [false, true, false], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_delivered_signed_and_once() {
    let world = World::start().await;
    let (url, arrivals) = listener();
    let next = || arrivals.recv_timeout(Duration::from_secs(10)).unwrap();
    world.subscribe_webhook(&url, SECRET, &["release", "pull_request", "issue_comment"]);
    world.release("3.10.0").publish().await;
    let release = next();
    assert_eq!(release.json()["action"], "created");
    assert_eq!(next().json()["action"], "published");
    assert_eq!(next().json()["action"], "released");
    assert!(release.is_genuine());
    assert_eq!(release.event, "release");
    assert_eq!(release.json()["release"]["tag_name"], "v3.10.0");
    assert_eq!(release.json()["repository"]["full_name"], "toon-protocol/connector");
    world.commit_to("digest-bump/a", "A.md", b"one\n", "docs: one");
    let client = Client::of(&world);
    open(&client, "digest-bump/a").await;
    assert_eq!(next().json()["action"], "opened");
    world.comment_as("maya", 1, "/bump status");
    let comment = next();
    assert_eq!(comment.json()["comment"]["body"], "/bump status");
    assert_eq!(comment.json()["sender"]["login"], "maya");
    world.redeliver_last();
    let again = next();
    assert_eq!((again.id, again.body), (comment.id.clone(), comment.body.clone()));
    let path = format!("{TOWN}/pulls/1");
    let wish = json!({ "state": "closed" });
    client.send("PATCH", &path, wish, &[]).await;
    let closed = next().json();
    assert_eq!(closed["action"], "closed");
    assert_eq!(closed["pull_request"]["merged"], false);
    let pause = Duration::from_millis(50);
    assert!(arrivals.recv_timeout(pause).is_err());
}
