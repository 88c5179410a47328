//! What hangs on an image: signatures and attestations, in the places where tools keep them.

use super::store::{Descriptor, INDEX, MANIFEST, Shelf, Store, described};
use crate::image::SignatureLayout;
use crate::sigstore::{
    BundleVersion, EMPTY, LEGACY_CONFIG, Predicate, Signed, legacy_manifest, referrer,
};
use serde_json::{Value, json};

const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// What some registries and tools claim to be the kind of a manifest whose config is empty.
const WRONG_TYPE: &str = "application/vnd.oci.empty.v1+json";

/// One thing that hangs on an image.
#[derive(Debug, Clone)]
pub(crate) enum Pushed {
    Signature(Signed),
    /// Some other statement, as a bundle.
    Attestation(Predicate, Vec<u8>),
}

impl Store {
    /// Hangs things on a manifest, after those that hang there.
    pub(crate) fn attach(
        &mut self,
        name: &str,
        layout: SignatureLayout,
        subject: &Descriptor,
        version: BundleVersion,
        pushed: &[Pushed],
    ) {
        let mislabelled = self.mislabelled;
        let here = self.shelves.entry(name.to_owned()).or_default();
        let tag = subject.digest.replace(':', "-");
        match layout {
            SignatureLayout::Legacy => here.attach_layers(&tag, pushed),
            SignatureLayout::Referrers => {
                let entries = here.push_bundles(subject, version, pushed, mislabelled);
                here.referrers.entry(subject.digest.clone()).or_default().extend(entries);
            }
            SignatureLayout::FallbackTag => {
                let entries = here.push_bundles(subject, version, pushed, mislabelled);
                let mut all = here.listed(&tag, "manifests");
                all.extend(entries);
                if !all.is_empty() {
                    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": all });
                    let index = here.put(INDEX, &index);
                    here.tags.insert(tag, index.digest);
                }
            }
        }
    }

    /// Removes everything that hangs on a manifest.
    pub(crate) fn detach(&mut self, name: &str, digest: &str) {
        if let Some(here) = self.shelves.get_mut(name) {
            let tag = digest.replace(':', "-");
            here.tags.retain(|known, _| !known.starts_with(&tag));
            here.referrers.remove(digest);
        }
    }

    /// From now on lists claim another kind than the manifests have.
    pub(crate) fn mislabel_referrers(&mut self) {
        self.mislabelled = true;
    }
}

impl Shelf {
    /// What is listed in the manifest or index under a tag; nothing if there is none.
    fn listed(&self, tag: &str, field: &str) -> Vec<Value> {
        let found = self.tags.get(tag).and_then(|digest| self.manifests.get(digest));
        let parsed = found.and_then(|(_, bytes)| serde_json::from_slice::<Value>(bytes).ok());
        parsed.and_then(|parsed| parsed[field].as_array().cloned()).unwrap_or_default()
    }

    /// As cosign 2 does: signatures under one tag, attestations under another.
    fn attach_layers(&mut self, tag: &str, pushed: &[Pushed]) {
        let (signatures, attestations) = (format!("{tag}.sig"), format!("{tag}.att"));
        let mut signature_layers = self.listed(&signatures, "layers");
        let mut attestation_layers = self.listed(&attestations, "layers");
        for thing in pushed {
            match thing {
                Pushed::Signature(signed) => {
                    self.blob(signed.payload.clone());
                    signature_layers.push(signed.layer().clone());
                }
                Pushed::Attestation(predicate, bundle) => {
                    let bundle: Value = serde_json::from_slice(bundle).unwrap_or_default();
                    let envelope = self.blob(bundle["dsseEnvelope"].to_string());
                    let mut layer = described(ENVELOPE, &envelope);
                    layer["annotations"] = json!({ "predicateType": predicate.uri() });
                    attestation_layers.push(layer);
                }
            }
        }
        for (tag, layers) in [(signatures, signature_layers), (attestations, attestation_layers)] {
            if !layers.is_empty() {
                self.blob(LEGACY_CONFIG);
                let manifest = self.put(MANIFEST, &legacy_manifest(&layers));
                self.tags.insert(tag, manifest.digest);
            }
        }
    }

    /// As cosign 3 does: a manifest for each bundle; gives the entries of a list of them.
    fn push_bundles(
        &mut self,
        subject: &Descriptor,
        version: BundleVersion,
        pushed: &[Pushed],
        mislabelled: bool,
    ) -> Vec<Value> {
        self.blob(EMPTY);
        let mut entries = Vec::new();
        for (number, thing) in pushed.iter().enumerate() {
            let (predicate, bundle) = match thing {
                Pushed::Signature(signed) => (Predicate::Signature, signed.bundle(version)),
                Pushed::Attestation(predicate, bundle) => (*predicate, bundle.as_slice()),
            };
            self.blob(bundle);
            let mut manifest = referrer(bundle, predicate, (&subject.digest, subject.size));
            // Several children may hold the same bundle, and are several nevertheless.
            manifest["annotations"]["world.child"] = json!(number.to_string());
            let mut entry = described(MANIFEST, &self.put(MANIFEST, &manifest));
            let kind = json!(WRONG_TYPE);
            entry["artifactType"] =
                if mislabelled { kind } else { manifest["artifactType"].clone() };
            entry["annotations"] = manifest["annotations"].clone();
            entries.push(entry);
        }
        entries
    }
}
