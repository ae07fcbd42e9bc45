//! On what kind of file system a path lies, as `/proc/self/mountinfo` tells it.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

/// Kinds whose files other machines may write, or a process that tells the kernel nothing: no event comes of that.
const FAR: [&str; 17] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse",
    "fuseblk",
    "gfs2",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "virtiofs",
];
/// Kinds that are gone when the machine is started anew.
const IN_MEMORY: [&str; 2] = ["ramfs", "tmpfs"];

/// What is mounted where.
pub(super) struct Mounts(Vec<Mount>);

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    point: PathBuf,
    /// The kind of file system.
    pub kind: String,
}

impl Mounts {
    /// Those of this process; none where the system does not tell.
    pub fn read() -> Self {
        Self::of(&fs::read("/proc/self/mountinfo").unwrap_or_default())
    }

    /// Lines such as `36 35 98:0 /sub /mnt/a\040b rw,noatime shared:1 - ext4 /dev/sda1 rw`.
    fn of(text: &[u8]) -> Self {
        let mount = |line: &[u8]| {
            let mut fields = line.split(|b| *b == b' ');
            let point = unescaped(fields.nth(4)?);
            let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
            Some(Mount { point, kind: String::from_utf8_lossy(kind).into_owned() })
        };
        Self(text.split(|b| *b == b'\n').filter_map(mount).collect())
    }

    /// The one that a path lies on, or would lie on if it were there.
    pub fn holding(&self, path: &Path) -> Option<&Mount> {
        let there = path.ancestors().find_map(|path| fs::canonicalize(path).ok())?;
        let holding = self.0.iter().filter(|mount| there.starts_with(&mount.point));
        // Of two at one point the later one hides the other.
        holding.max_by_key(|mount| mount.point.components().count())
    }
}

impl Mount {
    /// Whether things may happen there that no event tells of.
    pub fn is_far(&self) -> bool {
        let kind = self.kind.split('.').next().unwrap_or_default();
        FAR.contains(&kind)
    }

    /// Whether it is gone when the machine is started anew.
    pub fn is_in_memory(&self) -> bool {
        IN_MEMORY.contains(&self.kind.as_str())
    }
}

/// A blank, a tab, a line end and a backslash are written as three octal digits.
fn unescaped(field: &[u8]) -> PathBuf {
    let (mut path, mut rest) = (Vec::new(), field);
    while let Some((first, after)) = rest.split_first() {
        let octal =
            after.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            path.push(byte);
            rest = after.get(3..).unwrap_or_default();
        } else {
            path.push(*first);
            rest = after;
        }
    }
    OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_on_the_mount_nearest_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let real = fs::canonicalize(dir.path()).unwrap();
        fs::create_dir(real.join("a b")).unwrap();
        let escaped = real.join("a b").display().to_string().replace(' ', "\\040");
        let text = format!(
            "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
             40 22 0:40 / {escaped} rw - nfs4 server:/x rw\n\
             41 22 0:41 / {escaped} rw shared:2 master:1 - fuse.sshfs me@there rw\n"
        );
        let mounts = Mounts::of(text.as_bytes());
        let kind = |path: PathBuf| mounts.holding(&path).unwrap().kind.as_str();
        assert_eq!(kind(real.clone()), "ext4");
        assert_eq!(kind(real.join("a bc")), "ext4");
        assert_eq!(kind(real.join("a b/not/there/yet")), "fuse.sshfs", "the later one hides the earlier");
    }

    #[test]
    fn where_events_do_not_tell_everything() {
        let is_far = |kind: &str| Mount { point: PathBuf::new(), kind: kind.to_owned() }.is_far();
        assert!(["nfs4", "cifs", "fuse.sshfs", "fuse", "9p"].into_iter().all(is_far));
        assert!(!["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs"].into_iter().any(is_far));
    }
}
