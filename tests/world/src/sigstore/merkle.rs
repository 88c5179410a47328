//! The tree over a log's entries, as RFC 6962 (section 2.1) describes it.

use super::key::sha256;

/// The hash of a leaf or a node.
pub(super) type Hash = Vec<u8>;

/// The hash of an entry.
pub(super) fn leaf(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry].concat())
}

/// The root over these leaves.
pub(super) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(b""),
        [only] => only.clone(),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            sha256(&[&[1], root(left).as_slice(), root(right).as_slice()].concat())
        }
    }
}

/// The hashes that lead from the leaf at an index up to the root.
pub(super) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut hashes, beside) = if index < at {
        (path(index, left), root(right))
    } else {
        (path(index - at, right), root(left))
    };
    hashes.push(beside);
    hashes
}

/// The largest power of two below the number of leaves.
fn split(leaves: usize) -> usize {
    leaves.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::hex;

    #[test]
    fn the_roots_are_those_that_certificate_transparency_publishes_as_test_vectors() {
        let leaves: Vec<Hash> = [b"".as_slice(), b"\x00", b"\x10", b"\x20\x21", b"\x30\x31"]
            .iter()
            .map(|entry| leaf(entry))
            .collect();
        let begins = |leaves: &[Hash]| hex(&root(leaves))[..8].to_owned();
        assert_eq!(begins(&leaves[..0]), "e3b0c442");
        assert_eq!(begins(&leaves[..1]), "6e340b9c");
        assert_eq!(begins(&leaves[..2]), "fac54203");
        assert_eq!(begins(&leaves[..3]), "aeb6bcfe");
        assert_eq!(begins(&leaves[..5]), "4e3bbb1f");
        assert_eq!(path(4, &leaves), [root(&leaves[..4])]);
        assert_eq!(path(1, &leaves).len(), 3);
    }
}
