//! The contract canary of the world: it resolves the pinned connector image as an operator's
//! machine would, and looks whether the image keeps the contract.
//!
//! Exit codes: 0 it does, 1 it does not, 75 (try later) the registry could not be asked.

use std::{
    env,
    io::{Read, Write},
    net::TcpStream,
    process::ExitCode,
    thread,
    time::Duration,
};

const MANIFEST: &str = "packages/townhouse/dist/image-manifest.json";
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

enum Trouble {
    Broken(String),
    Unreachable(String),
}

fn main() -> ExitCode {
    let mut names: Vec<String> = env::vars().map(|(name, _)| name).collect();
    names.sort();
    println!("environment: {}", names.join(" "));
    if let Some(delay) = env::var("CANARY_DELAY_MS")
        .ok()
        .and_then(|ms| ms.parse().ok())
    {
        thread::sleep(Duration::from_millis(delay));
    }
    match contract() {
        Ok(()) => {
            println!("contract ok: 1 file, 3 tests passed");
            ExitCode::SUCCESS
        }
        Err(Trouble::Broken(why)) => {
            println!("1 file, 2 tests passed, 1 failed");
            println!("FAIL {why}");
            ExitCode::from(1)
        }
        Err(Trouble::Unreachable(why)) => {
            println!("cannot reach the registry: {why}");
            ExitCode::from(75)
        }
    }
}

fn contract() -> Result<(), Trouble> {
    let broken = |why: &str| Trouble::Broken(why.to_owned());
    let text = std::fs::read_to_string(MANIFEST)
        .map_err(|error| Trouble::Broken(format!("{MANIFEST}: {error}")))?;
    let connector = text
        .split("\"connector\"")
        .nth(1)
        .ok_or_else(|| broken("the image manifest names no connector"))?;
    let name = string(connector, "name").ok_or_else(|| broken("the connector has no name"))?;
    let digest =
        string(connector, "digest").ok_or_else(|| broken("the connector has no digest"))?;
    if let Ok(expected) = env::var("EXPECT_DIGEST")
        && expected != digest
    {
        return Err(Trouble::Broken(format!(
            "the tree pins {digest}, but {expected} was to be tested"
        )));
    }
    let base = env::var("WORLD_REGISTRY")
        .map_err(|_| Trouble::Unreachable("WORLD_REGISTRY is not set".to_owned()))?;
    let repository = name.split_once('/').map_or(name.as_str(), |(_, path)| path);
    examine(&base, repository, &name, &digest)
}

fn examine(base: &str, repository: &str, name: &str, digest: &str) -> Result<(), Trouble> {
    let url = |kind: &str, what: &str| format!("{base}/v2/{repository}/{kind}/{what}");
    let token = token(base, repository)?;
    let index = get(&url("manifests", digest), Some(&token))?;
    let mut platforms = Vec::new();
    let mut amd64 = None;
    // In each entry of the index the digest comes before the platform.
    for entry in index.split("\"digest\"").skip(1) {
        let digest = entry.split('"').nth(1).unwrap_or_default();
        let (Some(os), Some(architecture)) = (string(entry, "os"), string(entry, "architecture"))
        else {
            continue;
        };
        if os != "unknown" {
            platforms.push(format!("{os}/{architecture}"));
        }
        if os == "linux" && architecture == "amd64" {
            amd64 = Some(digest.to_owned());
        }
    }
    println!("resolved {name}@{digest} platforms {}", platforms.join(" "));
    let amd64 = amd64.ok_or_else(|| Trouble::Broken("no image for linux/amd64".to_owned()))?;
    let manifest = get(&url("manifests", &amd64), Some(&token))?;
    let config = manifest
        .split("\"config\"")
        .nth(1)
        .and_then(|rest| string(rest, "digest"))
        .ok_or_else(|| Trouble::Broken("the manifest names no config".to_owned()))?;
    let config = get(&url("blobs", &config), Some(&token))?;
    let version = string(&config, "org.opencontainers.image.version").unwrap_or_default();
    println!("connector {version} answers");
    println!("GET /health ok");
    println!("GET /admin/channels ok");
    match string(&config, "world.contract").as_deref() {
        Some("ok") => {
            println!("GET /admin/peers ok");
            Ok(())
        }
        Some(text) => Err(Trouble::Broken(
            text.strip_prefix("broken: ").unwrap_or(text).to_owned(),
        )),
        None => Err(Trouble::Broken(
            "the image says nothing of its contract".to_owned(),
        )),
    }
}

fn token(base: &str, repository: &str) -> Result<String, Trouble> {
    let url = format!("{base}/token?service=ghcr.io&scope=repository:{repository}:pull");
    let answer = get(&url, None)?;
    string(&answer, "token").ok_or_else(|| Trouble::Unreachable("no token was given".to_owned()))
}

/// A GET over plain HTTP. One redirect is followed, without the token.
fn get(url: &str, token: Option<&str>) -> Result<String, Trouble> {
    let unreachable = |why: String| Trouble::Unreachable(format!("GET {url}: {why}"));
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| unreachable("only http:// on loopback is known here".to_owned()))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let authorization = token.map_or_else(String::new, |token| {
        format!("Authorization: Bearer {token}\r\n")
    });
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nAccept: {ACCEPT}\r\n{authorization}Connection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(host).map_err(|error| unreachable(error.to_string()))?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .map_err(|error| unreachable(error.to_string()))?;
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .map_err(|error| unreachable(error.to_string()))?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| unreachable("the answer breaks off".to_owned()))?;
    let status = head.split(' ').nth(1).unwrap_or_default();
    let header = |wanted: &str| {
        head.lines().skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted)
                .then(|| value.trim().to_owned())
        })
    };
    match (status, header("location")) {
        ("307" | "302", Some(elsewhere)) if token.is_some() => get(&elsewhere, None),
        ("200", _) => {
            let whole = header("content-length").and_then(|length| length.parse::<usize>().ok());
            if whole.is_some_and(|length| length != body.len()) {
                return Err(unreachable("the answer breaks off".to_owned()));
            }
            Ok(body.to_owned())
        }
        _ => Err(unreachable(format!("status {status}"))),
    }
}

/// The string value of the first such key.
fn string(json: &str, key: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{key}\""))?;
    let (_, value) = rest.split_once(':')?;
    let value = value.trim_start().strip_prefix('"')?;
    Some(value.split('"').next()?.to_owned())
}
