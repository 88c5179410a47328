//! The downstream's first tree: every place where the real one spells its pin, in the same form,
//! and beside them the places that only look like it. All text is the world's own.

use crate::upstream::CONTRACT;
use crate::wire::hex_sha256;
use std::collections::BTreeMap;

/// The tree, by path, with this version and index digest of the connector pinned.
pub(crate) fn tree(version: &str, digest: &str) -> BTreeMap<String, Vec<u8>> {
    let fill = |text: &str| {
        text.replace("{version}", version)
            .replace("{digest}", digest)
            .replace("{old}", &format!("sha256:{}", hex_sha256(b"an older image")))
    };
    let mut files = BTreeMap::new();
    let mut add = |path: &str, text: String| files.insert(path.to_owned(), text.into_bytes());
    add("packages/townhouse/dist/image-manifest.json", manifest(version, digest));
    for (path, text) in TEXTS {
        add(path, fill(text));
    }
    add("packages/sdk/CONNECTOR_RELEASE_CONTRACT.md", format!("{MIRROR_HEADER}{CONTRACT}"));
    for (path, name) in [
        ("packages/town/package.json", "@toon-protocol/town"),
        ("packages/mill/package.json", "@toon-protocol/mill"),
        ("packages/sdk/package.json", "@toon-protocol/sdk"),
        ("docker/package.json", "@toon-protocol/docker"),
        ("examples/package.json", "@toon-protocol/examples"),
    ] {
        add(path, fill(&PACKAGE.replace("{name}", name)));
    }
    files
}

fn manifest(version: &str, digest: &str) -> String {
    let image = |key: &str, tag: &str, digest: &str| {
        format!(
            "    \"{key}\": {{\n      \"name\": \"ghcr.io/toon-protocol/{key}\",\n      \"tag\": \"{tag}\",\n      \"digest\": \"{digest}\"\n    }}"
        )
    };
    let mut images: Vec<String> = ["townhouse-api", "town", "mill", "dvm"]
        .iter()
        .map(|key| {
            let digest = format!("sha256:{}", hex_sha256(key.as_bytes()));
            image(key, "0.17.5", &digest)
        })
        .collect();
    images.push(image("connector", version, digest));
    format!(
        "{{\n  \"schemaVersion\": 1,\n  \"townhouseVersion\": \"0.17.5\",\n  \"builtAt\": \"2026-06-10T20:46:30.000Z\",\n  \"images\": {{\n{}\n  }}\n}}\n",
        images.join(",\n")
    )
}

/// What stands above the copy of upstream's contract.
const MIRROR_HEADER: &str = "<!-- A copy of the connector's release contract. -->
<!-- Below these three lines it equals the connector's own, byte for byte. -->
<!-- A difference is repaired in both repositories. -->
";

const PACKAGE: &str = r#"{
  "name": "{name}",
  "version": "0.17.5",
  "private": true,
  "type": "module",
  "dependencies": {
    "@toon-protocol/connector": "^{version}"
  },
  "peerDependencies": {
    "@toon-protocol/connector": ">=3.3.3"
  }
}
"#;

const TEXTS: &[(&str, &str)] = &[
    (
        "package.json",
        "{\n  \"name\": \"town-workspace\",\n  \"private\": true,\n  \"packageManager\": \"pnpm@8.15.9\"\n}\n",
    ),
    (
        "README.md",
        "# town\n\nThe townhouse runs `ghcr.io/toon-protocol/connector` and pins it by digest.\n",
    ),
    (".gitignore", "node_modules/\n*.log\n"),
    ("packages/townhouse/src/constants.ts", CONSTANTS),
    (".github/workflows/publish-townhouse-images.yml", WORKFLOW),
    ("docker-compose-townhouse.yml", COMPOSE),
    ("packages/townhouse/compose/townhouse-dev.yml", DEV_COMPOSE),
    ("scripts/townhouse-e2e-local-hs.sh", E2E),
    ("scripts/check-pin.mjs", CHECK_PIN),
    ("pnpm-lock.yaml", LOCKFILE),
    ("packages/sdk/CONNECTOR_MIGRATION.md", MIGRATION),
    ("packages/townhouse/tests/fixtures/image-manifest.old.json", FIXTURE),
    ("packages/townhouse/tests/constants.test.ts", CONSTANTS_TEST),
];

const CONSTANTS: &str = r"// Defaults that the townhouse starts its containers with.
//
// scripts/check-pin.mjs reads this file line by line: keep the quotes, and keep each image
// reference on a line of its own.

/** Where the townhouse keeps its state. */
export const DEFAULT_STATE_DIR = '~/.townhouse';

/** The port of the townhouse's own interface. */
export const DEFAULT_API_PORT = 28090;

/**
 * The connector image, by digest.
 *
 * A tag such as `ghcr.io/toon-protocol/connector:3.4.2` is not enough: some tags were moved.
 * History, newest first:
 *   - ghcr.io/toon-protocol/connector@sha256:… the one below, resolved from its tag
 *   - 'ghcr.io/toon-protocol/connector@{old}'; the one before
 */
// Formerly: 'ghcr.io/toon-protocol/connector@{old}';
// Do not write ghcr.io/toon-protocol/connector:latest here.
export const DEFAULT_CONNECTOR_IMAGE =
  'ghcr.io/toon-protocol/connector@{digest}';

// Shown to operators, and compared with what the running connector says of itself.
export const DEFAULT_CONNECTOR_TAG = '{version}';

/** The API image is published together with this package. */
export const DEFAULT_API_IMAGE = 'ghcr.io/toon-protocol/townhouse-api:0.17.5';
";

const WORKFLOW: &str = r"name: Publish townhouse images

on:
  push:
    branches: [main]
    paths:
      - 'packages/townhouse/**'
  workflow_dispatch:
    inputs:
      connector_version:
        description: Connector version to record in the image manifest
        required: false

env:
  REGISTRY: ghcr.io
  # Keep in step with packages/townhouse/src/constants.ts; the preflight compares them.
  CONNECTOR_VERSION_DEFAULT: '{version}'

jobs:
  preflight:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: node scripts/check-pin.mjs
";

const COMPOSE: &str = r"# The townhouse as an operator runs it.
services:
  townhouse-api:
    image: ghcr.io/toon-protocol/townhouse-api:0.17.5
    restart: unless-stopped
    depends_on:
      - connector
  connector:
    # By digest, never by tag.
    image: ghcr.io/toon-protocol/connector@{digest}
    restart: unless-stopped
    volumes:
      - connector-data:/data

volumes:
  connector-data: {}
";

const DEV_COMPOSE: &str = r"# The townhouse on a developer's machine.
services:
  connector:
    image: ghcr.io/toon-protocol/connector:{version}
    ports:
      - '127.0.0.1:28080:8080'
  mill:
    image: ghcr.io/toon-protocol/mill:0.17.5
";

const E2E: &str = r#"#!/usr/bin/env bash
# End-to-end test on this machine, with a hidden service in front of the connector.
set -euo pipefail

start_connector() {
  # Another version can be given from outside.
  local CONNECTOR_TAG="${CONNECTOR_TAG:-{version}}"
  docker run --detach --name e2e-connector "ghcr.io/toon-protocol/connector:${CONNECTOR_TAG}"
}

stop_connector() {
  docker rm --force e2e-connector >/dev/null
}

trap stop_connector EXIT
start_connector
"#;

const CHECK_PIN: &str = r"#!/usr/bin/env node
// Fails when the places that spell the connector's pin disagree.
import { readFileSync } from 'node:fs';

const lines = readFileSync('packages/townhouse/src/constants.ts', 'utf8').split('\n');
const at = lines.findIndex((line) => line.startsWith('export const DEFAULT_CONNECTOR_IMAGE'));
const match = /^  'ghcr\.io\/toon-protocol\/connector@(sha256:[0-9a-f]{64})';$/.exec(lines[at + 1]);
if (!match) throw new Error('DEFAULT_CONNECTOR_IMAGE is not on its own line');

const compose = readFileSync('docker-compose-townhouse.yml', 'utf8');
if (!compose.includes(match[1])) throw new Error('docker-compose-townhouse.yml has another digest');
";

const LOCKFILE: &str = r"lockfileVersion: '6.0'

importers:

  packages/sdk:
    dependencies:
      '@toon-protocol/connector':
        specifier: ^{version}
        version: {version}

packages:

  /@toon-protocol/connector@{version}:
    resolution: {integrity: sha512-d29ybGQ=}
    dev: false
";

const MIGRATION: &str = r"# Connector migration guide

> See also: `CONNECTOR_RELEASE_CONTRACT.md` for what a version number promises.

## Current Contract — connector v3.9.x (verified through {version})

The contract canary passes through `{version}`.

> **3.9.0** adds `GET /admin/settlements`. Nothing that the SDK used went away.

> **3.8.0** reports a channel's state in `GET /admin/channels`. The SDK ignores what it does not
> know.

---

## Breaking Changes — v2.3.0 → v3.3.2

| API | v2.3.0 Behavior | v3.3.2 Behavior | Migration |
| --- | --- | --- | --- |
| `POST /admin/peers` | takes one peer | takes a list | wrap the peer in a list |
| `GET /admin/balance` | a number | a string of digits | parse it as a big integer |
| `ConnectorNode.start()` | resolves at once | resolves when it listens | drop the sleep after it |
";

const FIXTURE: &str = r#"{
  "schemaVersion": 1,
  "townhouseVersion": "0.9.0",
  "builtAt": "2026-02-01T00:00:00.000Z",
  "images": {
    "connector": {
      "name": "ghcr.io/toon-protocol/connector",
      "tag": "3.3.3",
      "digest": "sha256:dead000000000000000000000000000000000000000000000000000000000000"
    }
  }
}
"#;

const CONSTANTS_TEST: &str = r"import { describe, expect, it } from 'vitest';
import { DEFAULT_CONNECTOR_IMAGE, DEFAULT_CONNECTOR_TAG } from '../src/constants';

// Old versions below are there on purpose: the parser must still read them.
const OLD = [
  'ghcr.io/toon-protocol/connector:3.3.3',
  'ghcr.io/toon-protocol/connector@{old}',
];

describe('constants', () => {
  it('pins by digest', () => {
    expect(DEFAULT_CONNECTOR_IMAGE).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(DEFAULT_CONNECTOR_TAG).toMatch(/^\d+\.\d+\.\d+$/);
    expect(OLD).toHaveLength(2);
  });
});
";
