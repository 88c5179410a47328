//! Content digests. The digest of an index and of one platform's manifest are different types,
//! because a signature or a pin that names the wrong one of the two looks right and is not.

use super::invalid::text_type;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

text_type! {
    /// `sha256:` and 64 lower-case hexadecimal digits (OCI image specification, "Digests").
    Digest, "a digest (`sha256:` and 64 lower-case hexadecimal digits)", |text| {
        text.strip_prefix("sha256:").is_some_and(|hex| {
            hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        })
    }
}

impl Digest {
    /// The digest of `bytes`, computed here: what a registry claims is compared with this.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        let mut text = String::from("sha256:");
        for byte in sha2::Sha256::digest(bytes) {
            for nibble in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(nibble.into(), 16));
            }
        }
        Self(text)
    }

    /// The first 12 hexadecimal digits, for prose.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0["sha256:".len()..][..12]
    }

    /// Whether this is the placeholder that the townhouse's build writes before it knows a digest
    /// (`sha256:dead` and 60 zeros). It is never a pin, and never written.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        let hex = &self.0["sha256:".len()..];
        hex.starts_with("dead") && hex[4..].bytes().all(|b| b == b'0')
    }
}

macro_rules! kind_of_digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Digest);

        impl $name {
            /// States that `digest` is of this kind.
            #[must_use]
            pub fn new(digest: Digest) -> Self {
                Self(digest)
            }
            /// The digest without its kind.
            #[must_use]
            pub fn digest(&self) -> &Digest {
                &self.0
            }
            /// The whole text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }
        impl FromStr for $name {
            type Err = super::Invalid;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

kind_of_digest! {
    /// The digest of a multi-platform index: what a tag resolves to, what is signed and pinned.
    IndexDigest
}
kind_of_digest! {
    /// The digest of one platform's manifest inside an index.
    PlatformDigest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_parses() {
        let good = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(good.parse::<Digest>().unwrap().as_str(), good);
        for bad in ["", "sha256:", &good[1..], &good.to_uppercase(), &format!("{good}0"), "latest"]
        {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        assert_eq!(
            Digest::of(b"").as_str(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn the_placeholder_is_known() {
        let placeholder: Digest = format!("sha256:dead{}", "0".repeat(60)).parse().unwrap();
        assert!(placeholder.is_placeholder());
        assert!(!Digest::of(b"x").is_placeholder());
    }
}
