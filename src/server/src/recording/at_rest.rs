//! Whether the disk recordings lie on is encrypted, as far as the kernel tells: a
//! mapping of dm-crypt (LUKS) somewhere below the file system.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Mappings below each other that are followed: a file system on LVM on RAID on LUKS
/// has three.
const DEEPEST: u32 = 8;

/// What is known of the disk below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtRest {
    /// All of it is encrypted.
    Encrypted,
    /// At least a part of it is not.
    Plain,
    /// The kernel names no block device: a network or memory file system, or one that
    /// encrypts by itself (ZFS, fscrypt).
    Unknown,
}

impl AtRest {
    /// Of the disk below a folder.
    pub fn of(folder: &Path) -> Self {
        fs::metadata(folder).map_or(Self::Unknown, |meta| {
            let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
            Self::of_device(Path::new("/sys/dev/block"), &format!("{major}:{minor}"))
        })
    }

    fn of_device(devices: &Path, number: &str) -> Self {
        let device = devices.join(number);
        match device.is_dir() {
            true if encrypted(&device, 0) => Self::Encrypted,
            true => Self::Plain,
            false => Self::Unknown,
        }
    }

    /// A word for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Plain => "plain",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether a device is a mapping of dm-crypt, or all it stands on are.
fn encrypted(device: &Path, depth: u32) -> bool {
    let is_crypt =
        fs::read_to_string(device.join("dm/uuid")).is_ok_and(|uuid| uuid.starts_with("CRYPT-"));
    if is_crypt || depth == DEEPEST {
        return is_crypt;
    }
    let below = fs::read_dir(device.join("slaves")).into_iter().flatten();
    let mut below = below.flatten().peekable();
    if below.peek().is_some() {
        return below.all(|one| encrypted(&one.path(), depth + 1));
    }
    // A partition of a mapping lies in its folder.
    device.join("partition").is_file()
        && fs::canonicalize(device)
            .ok()
            .and_then(|own| own.parent().map(|disk| encrypted(disk, depth + 1)))
            .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A kernel with these devices: number, what `dm/uuid` says, what it stands on.
    fn kernel(devices: &[(&str, &str, &[&str])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (number, uuid, below) in devices {
            let device = folder.path().join(number);
            fs::create_dir_all(device.join("slaves")).unwrap();
            if !uuid.is_empty() {
                fs::create_dir_all(device.join("dm")).unwrap();
                fs::write(device.join("dm/uuid"), format!("{uuid}\n")).unwrap();
            }
            for one in *below {
                let link = device.join("slaves").join(one);
                std::os::unix::fs::symlink(folder.path().join(one), link).unwrap();
            }
        }
        folder
    }

    #[test]
    fn luks_is_found_below_other_mappings_and_a_plain_half_makes_it_plain() {
        let kernel = kernel(&[
            ("8:1", "", &[]),
            ("253:0", "CRYPT-LUKS2-00", &["8:1"]),
            ("253:1", "LVM-one", &["253:0"]),
            ("253:2", "LVM-two", &["253:0", "8:1"]),
            ("253:3", "LVM-turning", &["253:3"]),
        ]);
        let of = |number| AtRest::of_device(kernel.path(), number);
        assert_eq!(of("253:0"), AtRest::Encrypted);
        assert_eq!(of("253:1"), AtRest::Encrypted);
        assert_eq!(of("253:2"), AtRest::Plain);
        assert_eq!(of("8:1"), AtRest::Plain);
        assert_eq!(of("253:3"), AtRest::Plain);
        assert_eq!(of("0:42"), AtRest::Unknown);
    }

    #[test]
    fn a_partition_of_a_mapping_is_as_the_mapping() {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("dm-0");
        fs::create_dir_all(disk.join("dm")).unwrap();
        fs::write(disk.join("dm/uuid"), "CRYPT-PLAIN-x\n").unwrap();
        fs::create_dir_all(disk.join("p1")).unwrap();
        fs::write(disk.join("p1/partition"), "1\n").unwrap();
        std::os::unix::fs::symlink(disk.join("p1"), folder.path().join("259:1")).unwrap();
        assert_eq!(AtRest::of_device(folder.path(), "259:1"), AtRest::Encrypted);
    }
}
