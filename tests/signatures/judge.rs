//! An independent judge: npm's `@sigstore/verify`, an implementation of its own, over the same files.
//! What we accept it accepts, what it refuses we refuse, and where we are stricter we know why.

use crate::case::{ISSUER, PATTERN, attached, image, now, outcome};
use crate::identities::identities;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::{collections::BTreeSet, ffi::OsStr, io::Write as _, process::Command};
use world::{Forgery, Form, Signed, Signing, Sigstore};

/// Names the folder with `node_modules`.
const VARIABLE: &str = "DIGEST_BUMP_SIGSTORE_JS";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/signatures/judge.mjs");

/// What the judge lets pass and we do not, and why. Every line is needed.
const STRICTER: &[(&str, &str)] = &[
    ("NoCodeSigning", "the judge does not look at what a certificate is for (RFC 5280, 4.2.1.12)"),
    ("NoDigitalSignature", "nor at what its key is for (RFC 5280, 4.2.1.3)"),
    ("LeafIsAuthority", "nor whether it is itself an authority's (RFC 5280, 4.2.1.9)"),
    ("EntryOfAnotherCertificate", "nor whether the log entry is of this certificate"),
    ("LoggedInFuture", "nor at the present: a time to come is as good as any"),
    ("UnknownVersion", "nor at the version's number, where the content is that of the first"),
    ("two, the good one first", "of several names it knows the first URI"),
    ("the workflow and a person", "of several names it knows the first URI"),
    ("a person called like the workflow", "a name is a name to it, of whatever kind"),
];

/// One signature, with our verdict on it.
struct Case {
    /// What is told of it, and its form.
    name: (String, Form),
    files: Vec<(&'static str, Vec<u8>)>,
    ours: String,
}

impl Case {
    fn new(name: &str, signed: &Signed, form: Form, sigstore: &Sigstore) -> Self {
        let files = match form {
            Form::Legacy => {
                vec![("manifest", signed.manifest.clone()), ("payload", signed.payload.clone())]
            }
            Form::Bundle(version) => vec![("bundle", signed.bundle(version).to_vec())],
        };
        let ours = outcome(&attached(signed, form), sigstore);
        Self { name: (name.to_owned(), form), files, ours }
    }

    /// The judge is not asked about the ref.
    fn accepted(&self) -> bool {
        matches!(self.ours.as_str(), "verified" | "unexpected_ref")
    }
}

/// Whatever the other files of this suite look at, that is one signature by itself.
fn cases(sigstore: &Sigstore) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, signing, _) in identities() {
        let signed = sigstore.sign(&signing, image().as_str());
        cases.extend(Form::ALL.map(|form| Case::new(name, &signed, form, sigstore)));
    }
    for forgery in Forgery::ALL {
        let signed = sigstore.sign(&Signing::new().forged(*forgery), image().as_str());
        let forms = Form::ALL.into_iter().filter(|form| forgery.concerns(*form));
        cases.extend(forms.map(|form| Case::new(&format!("{forgery:?}"), &signed, form, sigstore)));
    }
    cases
}

/// Asks the judge about all of them at once: why it refuses each, in their order.
fn judged(folder: &OsStr, cases: &[Case], sigstore: &Sigstore) -> Vec<Option<String>> {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes);
    let mut listed = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let mut entry = json!({});
        for (kind, bytes) in &case.files {
            let file = format!("{number}.{kind}");
            write(&file, bytes).unwrap();
            entry[*kind] = json!(file);
        }
        listed.push(entry);
    }
    let all = json!({
        "digest": image().as_str(),
        "identity": PATTERN,
        "issuer": ISSUER,
        "artifact": STANDARD.encode(b"the index"),
        "cases": listed,
    });
    write("cases.json", all.to_string().as_bytes()).unwrap();
    write("trusted_root.json", sigstore.trusted_root().as_bytes()).unwrap();
    let mut node = Command::new("node");
    let asked = node.arg(SCRIPT).arg(directory.path()).env(VARIABLE, folder).output();
    let asked = asked.expect("node is there, as the variable promises");
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    serde_json::from_slice(&asked.stdout).unwrap()
}

#[test]
fn an_independent_judge_agrees() {
    let folder = std::env::vars_os().find(|(name, _)| name == VARIABLE);
    let Some((_, folder)) = folder else {
        // Not through `eprintln!`, whose words a passing test swallows.
        let said = format!("SKIPPED: {VARIABLE} names no folder with @sigstore/verify\n");
        let _ = std::io::stderr().write_all(said.as_bytes());
        assert!(!std::env::vars_os().any(|(name, _)| name == "DIGEST_BUMP_NO_SKIPS"));
        return;
    };
    let sigstore = Sigstore::new(now());
    let cases = cases(&sigstore);
    let judged = judged(&folder, &cases, &sigstore);
    assert_eq!(judged.len(), cases.len());
    let (mut wrong, mut stricter) = (Vec::new(), BTreeSet::new());
    for (case, judged) in cases.iter().zip(&judged) {
        let (name, form) = &case.name;
        match judged {
            Some(why) if case.accepted() => {
                wrong.push(format!("{name}, {form:?}: only we accept it: {why}"));
            }
            None if !case.accepted() => {
                if !STRICTER.iter().any(|(known, _)| known == name) {
                    wrong.push(format!("{name}, {form:?}: only we refuse it: {}", case.ours));
                }
                stricter.insert(name.as_str());
            }
            _ => {}
        }
    }
    for (name, _) in STRICTER.iter().filter(|(name, _)| !stricter.contains(name)) {
        wrong.push(format!("{name}: is on the list, and is refused by both"));
    }
    let accepted = cases.iter().filter(|case| case.accepted()).count();
    eprintln!("{} cases, {accepted} of them accepted, {} stricter", cases.len(), stricter.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
