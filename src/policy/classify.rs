//! MAJOR, MINOR, patch.

use crate::domain::{Bump, Version};

/// How far `released` is from `pinned`. Build metadata does not count (semver 2.0.0, section 10).
#[must_use]
pub fn classify(pinned: &Version, released: &Version) -> Bump {
    if released.cmp_precedence(pinned).is_le() {
        Bump::None
    } else if released.major != pinned.major {
        Bump::Major
    } else if released.minor != pinned.minor {
        Bump::Minor
    } else {
        Bump::Patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bump_is_measured_from_the_pin() {
        let table = [
            ("3.9.3", "3.9.3", Bump::None),
            ("3.9.3", "3.9.2", Bump::None),
            ("3.9.3", "3.9.4", Bump::Patch),
            ("3.9.3", "3.10.0", Bump::Minor),
            ("3.9.3", "3.10.7", Bump::Minor),
            ("3.9.3", "4.0.0", Bump::Major),
            ("3.9.3", "2.99.0", Bump::None),
            ("3.9.3", "3.9.3+build.7", Bump::None),
            ("3.9.3+a", "3.9.3+b", Bump::None),
            ("3.10.0-rc.1", "3.10.0", Bump::Patch),
            ("0.9.0", "1.0.0", Bump::Major),
        ];
        for (pinned, released, bump) in table {
            assert_eq!(
                classify(&pinned.parse().unwrap(), &released.parse().unwrap()),
                bump,
                "{pinned} → {released}"
            );
        }
    }
}
