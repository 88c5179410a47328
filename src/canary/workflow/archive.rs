//! The archive of an artifact. It is foreign: nothing of it is written to a disk, and no more of it
//! is unpacked than is read.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};
use zip::ZipArchive;

/// The largest file that is unpacked, in bytes: as large as a report may be.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// All files together.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// So many entries are looked at.
const MAX_ENTRIES: usize = 2_000;

/// The files of an artifact, by their paths.
pub type HandedBack = BTreeMap<String, Vec<u8>>;

/// Why an archive cannot be read. It then shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is no zip file, or a damaged one.
    #[error("the artifact cannot be unpacked: {0}")]
    Malformed(String),
    /// It is larger than anybody needs.
    #[error("the artifact holds more than {0}")]
    TooLarge(String),
    /// A path leads out of it, or it holds something else than files and folders.
    #[error("the artifact holds {0}, which is no plain file")]
    Strange(String),
}

/// Unpacks an archive.
///
/// # Errors
/// As [`ArchiveError`] says.
pub fn unpack(archive: &[u8]) -> Result<HandedBack, ArchiveError> {
    let mut zip = ZipArchive::new(Cursor::new(archive)).map_err(malformed)?;
    if zip.len() > MAX_ENTRIES {
        return Err(ArchiveError::TooLarge(format!("{MAX_ENTRIES} entries")));
    }
    let (mut files, mut left) = (HandedBack::new(), MAX_BYTES);
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(malformed)?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.name().map_err(malformed)?.into_owned();
        let inside = entry.enclosed_name().is_some_and(|path| path.to_str() == Some(&name));
        if !inside || entry.is_symlink() || files.contains_key(&name) {
            return Err(ArchiveError::Strange(shown(&name)));
        }
        let mut bytes = Vec::new();
        // What the entry says of its own size is not believed.
        entry.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(malformed)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            let what = format!("{} MiB in {}", MAX_FILE_BYTES >> 20, shown(&name));
            return Err(ArchiveError::TooLarge(what));
        }
        left = left
            .checked_sub(bytes.len())
            .ok_or_else(|| ArchiveError::TooLarge(format!("{} MiB", MAX_BYTES >> 20)))?;
        files.insert(name, bytes);
    }
    Ok(files)
}

fn malformed(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::Malformed(shown(&error.to_string()))
}

/// Foreign words, on one line and not too many.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::{ZipWriter, write::SimpleFileOptions};

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn files_are_found_by_their_paths() {
        let zip = archive(&[("contract.json", b"{}"), ("prepared/a/b.json", b"x")]);
        let files = unpack(&zip).unwrap();
        assert_eq!(files["contract.json"], b"{}");
        assert_eq!(files["prepared/a/b.json"], b"x");
        assert_eq!(unpack(&archive(&[])).unwrap(), HandedBack::new());
    }

    #[test]
    fn what_is_no_plain_file_inside_is_refused() {
        for name in ["../out", "/etc/passwd", "a/../b", "a//b", "./a"] {
            let refused = unpack(&archive(&[(name, b"x")]));
            assert!(matches!(refused, Err(ArchiveError::Strange(_))), "{name}: {refused:?}");
        }
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.add_symlink("link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        let refused = unpack(&zip.finish().unwrap().into_inner());
        assert_eq!(refused, Err(ArchiveError::Strange("link".to_owned())));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let much = vec![0; 16 * 1024 * 1024 + 1];
        let refused = unpack(&archive(&[("a", &much)]));
        assert_eq!(refused, Err(ArchiveError::TooLarge("16 MiB in a".to_owned())));
        let many: Vec<(String, &[u8])> =
            (0..5).map(|n| (n.to_string(), &much[..16 * 1024 * 1024])).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(name, it)| (&**name, *it)).collect();
        assert_eq!(unpack(&archive(&many)), Err(ArchiveError::TooLarge("64 MiB".to_owned())));
    }

    #[test]
    fn what_is_cut_off_or_no_archive_is_malformed() {
        let whole = archive(&[("a", b"some text that is long enough to be cut")]);
        for bytes in [&whole[..whole.len() / 2], b"<html>", b""] {
            assert!(matches!(unpack(bytes), Err(ArchiveError::Malformed(_))));
        }
    }
}
