//! One image of a release: how it is built, and how it is signed.

use crate::sigstore::{BundleVersion, Predicate, Signing};

/// Where a signature is kept beside the image that it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureLayout {
    /// cosign 2: in the annotations of a manifest under the tag `sha256-<hex>.sig`.
    Legacy,
    /// cosign 3: a bundle that the registry lists as a referrer. GHCR does not; see
    /// `World::set_referrers`.
    Referrers,
    /// cosign 3: a bundle in an index under the tag `sha256-<hex>`.
    FallbackTag,
}

/// Which digest is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covers {
    /// That of the index, as it should be.
    Index,
    /// That of the first platform, and the signature is found there.
    Platform,
    /// That of the first platform, and the signature is found at the index.
    PlatformAtTheIndex,
}

/// One image of a release that is being described.
#[derive(Debug, Clone)]
#[must_use = "an image belongs to a release"]
pub struct Image {
    /// The name below the registry's host.
    pub(crate) name: String,
    pub(crate) platforms: Vec<String>,
    pub(crate) version_label: String,
    /// The commit before the release, unless told.
    pub(crate) revision: Option<String>,
    pub(crate) broken: Option<String>,
    /// What it runs, if it is to be run.
    pub(crate) program: Option<Vec<u8>>,
    /// How often it was built: the same tag with other content from the second time on.
    pub(crate) builds: u32,
    /// None: as upstream does, which signs from 3.6.0 on.
    pub(crate) signings: Option<Vec<Signing>>,
    pub(crate) layouts: Vec<SignatureLayout>,
    pub(crate) bundles: BundleVersion,
    pub(crate) attested: Vec<Predicate>,
    pub(crate) crowd: usize,
    pub(crate) covers: Covers,
}

impl Image {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            platforms: vec!["linux/amd64".to_owned(), "linux/arm64".to_owned()],
            version_label: version.to_owned(),
            revision: None,
            broken: None,
            program: None,
            builds: 0,
            signings: None,
            layouts: Vec::new(),
            bundles: BundleVersion::V03,
            attested: Vec::new(),
            crowd: 0,
            covers: Covers::Index,
        }
    }

    /// Its platforms, as `os/architecture`.
    pub fn platforms(mut self, platforms: &[&str]) -> Self {
        self.platforms = platforms.iter().map(|&text| text.to_owned()).collect();
        self
    }

    /// Its `org.opencontainers.image.version`; the version, unless told. Empty: none.
    pub fn version_label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.version_label);
        self
    }

    /// Its `org.opencontainers.image.revision`; the commit before the release, unless told.
    /// Empty: none.
    pub fn revision(mut self, sha: &str) -> Self {
        self.revision = Some(sha.to_owned());
        self
    }

    /// It does not keep the contract: the canary fails and says why.
    pub fn breaks_contract(mut self, why: &str) -> Self {
        self.broken = Some(why.to_owned());
        self
    }

    /// It can really be run, by nobody's user: this executable, which needs nothing beside it, is all
    /// that it holds. For other platforms than the executable's own that is a lie.
    pub fn program(mut self, executable: Vec<u8>) -> Self {
        self.program = Some(executable);
        self
    }

    /// Nobody signs it; `World::sign_image` does it later.
    pub fn unsigned(mut self) -> Self {
        self.signings = Some(Vec::new());
        self
    }

    /// It is signed so. Said several times, it is signed several times, in that order.
    pub fn signed(mut self, signing: Signing) -> Self {
        self.signings.get_or_insert_default().push(signing);
        self
    }

    /// Where its signatures are kept: the legacy tag, unless told. Several places may be told.
    pub fn layout(mut self, layout: SignatureLayout) -> Self {
        self.layouts.push(layout);
        self
    }

    /// The version of its bundles, outside the legacy layout: the third, unless told.
    pub fn bundle_version(mut self, version: BundleVersion) -> Self {
        self.bundles = version;
        self
    }

    /// There is also an attestation by the workflow that signs it, in the same places.
    pub fn attested(mut self, predicate: Predicate) -> Self {
        self.attested.push(predicate);
        self
    }

    /// So many other signatures or attestations come before its own, in every place.
    pub fn crowded(mut self, others: usize) -> Self {
        self.crowd = others;
        self
    }

    /// The workflow signs the first platform's digest instead of the index's.
    pub fn platform_signed(mut self) -> Self {
        self.covers = Covers::Platform;
        self
    }

    /// As [`Image::platform_signed`], and somebody put the signature where the index's belongs.
    pub fn platform_signed_at_the_index(mut self) -> Self {
        self.covers = Covers::PlatformAtTheIndex;
        self
    }

    /// Where its signatures are kept.
    pub(crate) fn places(&self) -> &[SignatureLayout] {
        if self.layouts.is_empty() { &[SignatureLayout::Legacy] } else { &self.layouts }
    }
}
