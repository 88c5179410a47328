//! Debian's `docker-registry` in a process of its own, and pushes to it.

use super::content::{Content, Document};
use reqwest::{
    Client, RequestBuilder, StatusCode, Url,
    header::{CONTENT_TYPE, LOCATION},
};
use serde_json::json;
use std::{
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    sync::{Once, mpsc},
    time::Duration,
};
use tempfile::TempDir;

/// Where the binary is.
const VARIABLE: &str = "DIGEST_BUMP_DOCKER_REGISTRY";
/// Far more than it needs: the machine may be busy.
const START_LIMIT: Duration = Duration::from_mins(1);

/// What cannot be tested is said once.
static SKIPPED: Once = Once::new();

/// Who guards a registry: where tokens are to be had, and whose signature they bear.
pub(super) struct Guard {
    pub(super) realm: String,
    pub(super) service: &'static str,
    pub(super) issuer: &'static str,
    pub(super) certificate_pem: String,
}

/// A registry at work. It dies with the test.
pub(super) struct Docker {
    pub(super) url: String,
    process: Child,
    _folder: TempDir,
}

impl Drop for Docker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Docker {
    /// Starts an empty registry on a free port; `None`, said aloud, if there is none to start.
    pub(super) fn start(guard: Option<&Guard>) -> Option<Self> {
        let Some(binary) = binary() else {
            SKIPPED.call_once(|| {
                // Not through `eprintln!`, whose words a passing test swallows.
                let said = format!("SKIPPED: no docker-registry (set {VARIABLE})\n");
                let _ = std::io::stderr().write_all(said.as_bytes());
            });
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yml");
        fs::write(&config, configured(folder.path(), guard)).unwrap();
        let mut process = Command::new(&binary)
            .arg("serve")
            .arg(&config)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let log = process.stderr.take().unwrap();
        let mut docker = Self { url: String::new(), process, _folder: folder };
        docker.url = format!("http://{}", address_in(log));
        Some(docker)
    }

    /// Pushes an image the way that every client does, document by document.
    pub(super) async fn push(&self, repository: &str, content: &Content, token: Option<&str>) {
        let client = Client::new();
        let authorised = |request: RequestBuilder| match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let root = format!("{}/v2/{repository}", self.url);
        for document in &content.documents {
            let Document { digest, bytes, media_type, tags } = document;
            let Some(kind) = media_type else {
                let begun = authorised(client.post(format!("{root}/blobs/uploads/")));
                let begun = begun.send().await.unwrap();
                assert_eq!(begun.status(), StatusCode::ACCEPTED);
                let place = begun.headers()[LOCATION].to_str().unwrap();
                let mut place = Url::parse(&root).unwrap().join(place).unwrap();
                place.query_pairs_mut().append_pair("digest", digest.as_str());
                put(authorised(client.put(place)), "application/octet-stream", bytes).await;
                continue;
            };
            for reference in std::iter::once(digest.as_str()).chain(tags.iter().copied()) {
                let place = format!("{root}/manifests/{reference}");
                put(authorised(client.put(place)), kind, bytes).await;
            }
        }
    }
}

async fn put(request: RequestBuilder, kind: &str, bytes: &[u8]) {
    let request = request.header(CONTENT_TYPE, kind).body(bytes.to_vec());
    let answer = request.send().await.unwrap();
    let status = answer.status();
    assert_eq!(status, StatusCode::CREATED, "{}", answer.text().await.unwrap());
}

#[expect(clippy::disallowed_methods, reason = "how a test learns what is on this machine")]
fn binary() -> Option<std::path::PathBuf> {
    let named: Option<OsString> = std::env::var_os(VARIABLE);
    named.filter(|path| !path.is_empty()).map(Into::into)
}

/// The config: YAML, of which JSON is a part.
fn configured(folder: &Path, guard: Option<&Guard>) -> String {
    let mut config = json!({
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": true}},
        "storage": {"filesystem": {"rootdirectory": folder.join("data")}},
        "http": {"addr": "127.0.0.1:0", "secret": "of one test"},
    });
    if let Some(Guard { realm, service, issuer, certificate_pem }) = guard {
        let bundle = folder.join("issuer.pem");
        fs::write(&bundle, certificate_pem).unwrap();
        config["auth"] = json!({"token": {
            "realm": realm, "service": service, "issuer": issuer, "rootcertbundle": bundle,
        }});
    }
    config.to_string()
}

/// Waits until the registry's log says where it listens, and reads on so that it never blocks.
fn address_in(log: ChildStderr) -> String {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    let mut seen = Vec::new();
    while let Ok(line) = told.recv_timeout(START_LIMIT) {
        if let Some((_, rest)) = line.split_once("listening on ") {
            let end = rest.find(|c: char| c == '"' || c == ',' || c.is_whitespace());
            return rest[..end.unwrap_or(rest.len())].to_owned();
        }
        seen.push(line);
    }
    panic!("docker-registry does not listen:\n{}", seen.join("\n"))
}
