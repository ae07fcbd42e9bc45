//! The lock on a data directory: one process at a time. It also remembers how the last one ended.

use super::Trust;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How often a busy lock is tried again.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// Why the data directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{path} is in use by another wirefold{}", .pid.map(|p| format!(" (process {p})")).unwrap_or_default())]
    Busy {
        /// The data directory.
        path: PathBuf,
        /// Who has it, where that is known.
        pid: Option<u32>,
    },
    /// It belongs to another user, who could not open what this one makes there.
    #[error(
        "{path} belongs to {owner}, who could not open what {} makes there: run this as that user, 'sudo -u {} wirefold ...'",
        user_name(geteuid().as_raw()),
        .owner.replace('#', "\\#")
    )]
    Stranger {
        /// The data directory.
        path: PathBuf,
        /// Whose it is.
        owner: String,
    },
    /// The file system refused.
    #[error("cannot lock {path}")]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
}

/// What the lock's file says of the process that has or had it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    boot: String,
    ended_clean: bool,
}

/// The held lock. The operating system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct DataLock {
    file: File,
    path: PathBuf,
    trust: Trust,
}

impl DataLock {
    /// Takes the lock of a data directory, waiting up to `patience` for another holder to end. Only its owner may: also to
    /// read is to write, for the view is brought up to the journal's end.
    pub fn take(data_dir: &Path, patience: Duration) -> Result<Self, LockError> {
        let path = data_dir.join("lock");
        let failed = |source| LockError::Io { path: path.clone(), source };
        check_owner(data_dir)?;
        let mut file = open(&path).map_err(failed)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::park_timeout(TRY_EVERY);
                }
                Err(TryLockError::WouldBlock) => {
                    let pid = read(&mut file).map(|h| h.pid);
                    return Err(LockError::Busy { path: data_dir.to_owned(), pid });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        let trust = match read(&mut file) {
            Some(last) if last.ended_clean || last.boot == boot_id() => Trust::SameBoot,
            _ => Trust::Nothing,
        };
        let mut lock = Self { file, path: path.clone(), trust };
        lock.write(false)?;
        Ok(lock)
    }

    /// Who holds the lock of a data directory at this moment, in words. Nothing is changed by asking.
    pub fn holder(data_dir: &Path) -> Option<String> {
        let mut file = File::open(data_dir.join("lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                let pid = read(&mut file).map(|holder| format!("process {}", holder.pid));
                Some(pid.unwrap_or_else(|| "another process".to_owned()))
            }
            _ => None,
        }
    }

    /// How far the view may be trusted, by how the last holder ended.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Notes that everything was closed in order, and lets go.
    pub fn release_clean(mut self) -> Result<(), LockError> {
        self.write(true)
    }

    fn write(&mut self, ended_clean: bool) -> Result<(), LockError> {
        let holder = Holder { pid: std::process::id(), boot: boot_id(), ended_clean };
        let write = |file: &mut File| -> io::Result<()> {
            let text = serde_json::to_string(&holder)?;
            file.seek(io::SeekFrom::Start(0))?;
            file.set_len(0)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write(&mut self.file).map_err(|source| LockError::Io { path: self.path.clone(), source })
    }
}

/// Root may write everywhere, and would leave files that the service cannot open. Where a daemon has the directory, as one
/// that starts, nothing is to be written: it is asked soon.
fn check_owner(data_dir: &Path) -> Result<(), LockError> {
    let owner = fs::metadata(data_dir).map(|found| found.uid());
    match owner {
        Ok(owner) if owner != geteuid().as_raw() => Err(match DataLock::holder(data_dir) {
            Some(_) => LockError::Busy { path: data_dir.to_owned(), pid: None },
            None => LockError::Stranger { path: data_dir.to_owned(), owner: user_name(owner) },
        }),
        _ => Ok(()),
    }
}

/// A user's name, or the number where the system's list does not hold it, as `sudo -u` takes either.
pub fn user_name(user: u32) -> String {
    let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut users = list.lines().map(|line| line.split(':'));
    let found = users.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)? == user.to_string()).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| format!("#{user}"))
}

fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o640).open(path)
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.seek(io::SeekFrom::Start(0)).ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// This boot of the machine; where it cannot be told, no two starts are of one boot.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| format!("unknown-{}", std::process::id()), |id| id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process that another test starts holds this one's files until it runs.
    const UNTIL_OTHERS_RUN: Duration = Duration::from_secs(10);

    #[test]
    fn one_holder_at_a_time_and_the_second_is_told_who() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataLock::take(dir.path(), Duration::ZERO).unwrap();
        let refused = DataLock::take(dir.path(), Duration::ZERO).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        assert_eq!(DataLock::holder(dir.path()), Some(format!("process {}", std::process::id())));
        drop(held);
        assert_eq!(DataLock::holder(dir.path()), None);
        DataLock::take(dir.path(), Duration::ZERO).unwrap();
    }

    #[test]
    fn a_clean_end_is_trusted_and_a_strangers_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::take(dir.path(), Duration::ZERO).unwrap();
        assert_eq!(first.trust(), Trust::Nothing, "nothing is known of a lock that was never held");
        first.release_clean().unwrap();
        assert_eq!(DataLock::take(dir.path(), UNTIL_OTHERS_RUN).unwrap().trust(), Trust::SameBoot);
        let other_boot = r#"{"pid":1,"boot":"another","ended_clean":false}"#;
        fs::write(dir.path().join("lock"), other_boot).unwrap();
        assert_eq!(DataLock::take(dir.path(), UNTIL_OTHERS_RUN).unwrap().trust(), Trust::Nothing);
    }
}
