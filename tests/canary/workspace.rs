//! The downstream's workspace, small: the real package names, scripts and paths, with tests of our
//! own. It lies in `workspace/` beside this file.

use std::{fs, path::Path};

/// The test file that the contract is about, relative to the tree.
pub const CONTRACT: &str = "packages/sdk/tests/integration/connector-contract.test.ts";
/// The test that boots the real image.
pub const IMAGE_CANARY: &str = "packages/townhouse/tests/image-canary.test.ts";
/// The test that needs nothing.
pub const STUB_CANARY: &str = "packages/townhouse/tests/stub-canary.test.ts";

/// The version that the workspace depends on before anything is changed.
const BEFORE: &str = r#""@toon-protocol/connector": "3.9.3""#;

/// What is to be written.
pub struct Workspace {
    connector: String,
    npmrc: Vec<String>,
}

impl Workspace {
    /// As it is before a bump.
    pub fn new() -> Self {
        Self { connector: "3.9.3".to_owned(), npmrc: Vec::new() }
    }

    /// Depends on that version of the connector's package.
    pub fn connector(mut self, version: &str) -> Self {
        version.clone_into(&mut self.connector);
        self
    }

    /// Takes the connector's package from this registry. All else comes from the usual one, or
    /// rather from a store that was filled before.
    pub fn registry(mut self, url: &str) -> Self {
        self.npmrc.push(format!("@toon-protocol:registry={url}"));
        self
    }

    /// Has pnpm keep its store and its metadata there.
    pub fn store(mut self, folder: &Path) -> Self {
        let folder = folder.display();
        self.npmrc.push(format!("store-dir={folder}/store\ncache-dir={folder}/metadata"));
        self
    }

    /// Writes it into a folder, which may hold an earlier one.
    pub fn write_to(&self, folder: &Path) {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/canary/workspace");
        copy(&fixture, folder);
        let manifest = folder.join("packages/sdk/package.json");
        let text = fs::read_to_string(&manifest).unwrap();
        assert!(text.contains(BEFORE));
        let after = format!(r#""@toon-protocol/connector": "{}""#, self.connector);
        fs::write(&manifest, text.replace(BEFORE, &after)).unwrap();
        fs::write(folder.join(".npmrc"), self.npmrc.join("\n")).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
