//! `verify` for files: a bundle, or signatures in cosign's own layout, by a trusted root that is
//! given. No network, no config, no database.

use super::{
    args,
    exit::{Exit, Misuse},
    run::print,
};
use crate::clients::sigstore::{
    Artifact, Expected, Rejection, Signer, TrustedRoot, Verified, verify_bundle, verify_legacy,
};
use crate::domain::{Digest, IdentityPattern, SignatureOutcome};
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use std::{fs, path::Path};

pub(super) fn run(arguments: &args::Verify, json: bool) -> Result<Exit> {
    let files = &arguments.files;
    let misuse = |text: &str| Misuse(text.to_owned());
    let pattern = files
        .identity_regexp
        .as_ref()
        .ok_or_else(|| misuse("--identity-regexp is needed: whose signature is it to be?"))?;
    let identity = IdentityPattern::new(pattern)
        .map_err(|error| Misuse(format!("--identity-regexp: {error}")))?;
    let issuer = files.issuer.as_deref().ok_or_else(|| misuse("--issuer is needed"))?;
    let Some(file) = &files.trusted_root else {
        bail!(misuse("--trusted-root is needed: whose word counts?"));
    };
    let signer = Signer { identity: &identity, issuer, email: files.allow_email_identity };
    let root = TrustedRoot::parse(read(file)?, file.display().to_string(), None);
    let root = match root {
        Ok(root) => root,
        Err(error) => {
            let outcome = SignatureOutcome::TrustRootStale;
            return finish(Err(Rejection { outcome, why: error.to_string() }), json);
        }
    };
    let verdict = match (&files.bundle, &files.legacy_signature, &files.digest) {
        (Some(bundle), None, digest) => of_bundle(&root, signer, bundle, digest.as_ref(), files)?,
        (None, Some(manifest), Some(digest)) => of_legacy(&root, signer, manifest, digest, files)?,
        _ => bail!(misuse(
            "either --bundle with --digest or --artifact, or --legacy-signature with --payload \
             and --digest"
        )),
    };
    finish(verdict, json)
}

fn of_bundle(
    root: &TrustedRoot,
    signer: Signer<'_>,
    bundle: &Path,
    digest: Option<&Digest>,
    files: &args::Files,
) -> Result<Result<Verified, Rejection>> {
    let bundle = read(bundle)?;
    let blob;
    let artifact = match (digest, &files.artifact) {
        (Some(digest), None) => Artifact::Digest(digest),
        (None, Some(file)) => {
            blob = read(file)?;
            Artifact::Bytes(&blob)
        }
        _ => bail!(Misuse("a bundle is verified for a --digest or an --artifact".to_owned())),
    };
    Ok(verify_bundle(root, signer, &bundle, artifact, Expected::Anything))
}

/// One good signature is enough; else the most telling reason.
fn of_legacy(
    root: &TrustedRoot,
    signer: Signer<'_>,
    manifest: &Path,
    digest: &Digest,
    files: &args::Files,
) -> Result<Result<Verified, Rejection>> {
    let manifest = read(manifest)?;
    let payloads: Vec<Vec<u8>> =
        files.payload.iter().map(|file| read(file)).collect::<Result<_>>()?;
    let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    let verdicts = match verify_legacy(root, signer, &manifest, &payloads, digest) {
        Ok(verdicts) => verdicts,
        Err(rejection) => vec![Err(rejection)],
    };
    let told = |verdict: &Result<Verified, Rejection>| match verdict {
        Ok(_) => SignatureOutcome::Verified,
        Err(rejection) => rejection.outcome,
    };
    Ok(verdicts.into_iter().min_by_key(told).unwrap_or_else(|| {
        let outcome = SignatureOutcome::Unsigned;
        Err(Rejection { outcome, why: "none of the payloads is signed there".to_owned() })
    }))
}

/// What came of it.
#[derive(Debug, Serialize)]
struct OfflineView {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

fn finish(verdict: Result<Verified, Rejection>, json: bool) -> Result<Exit> {
    let (view, exit) = match verdict {
        Ok(Verified { identity, issuer, signed_at }) => {
            let view = OfflineView {
                outcome: SignatureOutcome::Verified.name(),
                identity: Some(identity),
                issuer: Some(issuer),
                signed_at: Some(signed_at.to_string()),
                why: None,
            };
            (view, Exit::Done)
        }
        Err(Rejection { outcome, why }) => {
            let view = OfflineView {
                outcome: outcome.name(),
                identity: None,
                issuer: None,
                signed_at: None,
                why: Some(why),
            };
            (view, Exit::Signature(outcome))
        }
    };
    print(json, &view, |view| match (&view.identity, &view.signed_at, &view.why) {
        (Some(identity), Some(at), _) => format!("verified: signed by {identity} at {at}\n"),
        (_, _, why) => format!("{}: {}\n", view.outcome, why.as_deref().unwrap_or_default()),
    })?;
    Ok(exit)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| file.display().to_string())
}
