//! A place of its own for one test: a temporary folder with the data directory in it, and the command `wirefold`
//! run there with nothing of the surrounding environment.

use crate::{
    answers::{Record, Status},
    wait::PATIENCE,
};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// The folder of one test, removed when it ends.
pub struct Place {
    dir: TempDir,
    config: Option<PathBuf>,
    as_nobody: bool,
}

/// The user and the group that may do least.
pub const NOBODY: u32 = 65534;

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Ran {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl Place {
    /// With the built-in configuration.
    pub fn new() -> Self {
        let dir = TempDir::with_prefix("wf-").unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        Self { dir, config: None, as_nobody: false }
    }

    /// With a configuration of its own.
    pub fn configured(text: &str) -> Self {
        let mut place = Self::new();
        place.configure(text);
        place
    }

    /// Where files settle at once, for what is not about settling.
    pub fn brisk() -> Self {
        Self::configured("[intake]\nsettle_ms = 20\n")
    }

    /// Where wirefold runs as a user who may not read everything; nothing, and a printed line, where the tests run as
    /// root and cannot become another.
    pub fn of_ordinary_user() -> Option<Self> {
        let mut place = Self::brisk();
        if !rustix::process::geteuid().is_root() {
            return Some(place);
        }
        if !Command::new("setpriv").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success())
        {
            println!("skipped: this needs an ordinary user, or setpriv to become one");
            return None;
        }
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(place.dir.path(), open).unwrap();
        // The binary may lie where only root can go.
        fs::copy(binary(), place.path("wirefold")).unwrap();
        place.as_nobody = true;
        place.make_own(&place.data());
        Some(place)
    }

    /// Makes a folder that belongs to whom wirefold runs as.
    pub fn make_own(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        if self.as_nobody {
            chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    pub fn configure(&mut self, text: &str) {
        let path = self.path("wirefold.toml");
        fs::write(&path, text).unwrap();
        self.config = Some(path);
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    pub fn inbox(&self) -> PathBuf {
        self.path("data/inbox")
    }

    pub fn failed(&self) -> PathBuf {
        self.path("data/failed")
    }

    /// The claims in the inbox: what is in flight.
    pub fn claims(&self) -> Vec<String> {
        let mut names = names_in(&self.inbox().join(".wirefold"));
        names.retain(|name| name.starts_with(|first: char| first.is_ascii_digit()));
        names
    }

    /// The command `wirefold` with these arguments, in this place.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.bare_command();
        command.arg("--data-dir").arg(self.data());
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command.args(args);
        command
    }

    /// The same as the user who runs the tests, also where wirefold runs as another.
    pub fn command_as_tester<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let as_other = self.command(args);
        let mut command = Command::new(binary());
        command.args(as_other.get_args().skip_while(|arg| *arg != "--data-dir"));
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// The same without being told where its data is.
    pub fn bare_command(&self) -> Command {
        let mut command = if self.as_nobody {
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]);
            command.arg(self.path("wirefold"));
            command
        } else {
            Command::new(binary())
        };
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path("home"))
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        run(self.command(args))
    }

    /// Runs a command that must do what it is told.
    pub fn done<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code(), 0, "{ran:?}");
        ran
    }

    /// Ingests, and all of it must be readable.
    pub fn ingest<A: AsRef<OsStr>>(&self, paths: impl IntoIterator<Item = A>) -> Ran {
        let mut command = self.command(["ingest"]);
        command.args(paths);
        let ran = run(command);
        assert_eq!(ran.code(), 0, "{ran:?}");
        ran
    }

    /// What `export` writes.
    pub fn export_text(&self) -> String {
        self.done(["export"]).out
    }

    /// All records, in founding order.
    pub fn export(&self) -> Vec<Record> {
        Record::read_all(&self.export_text())
    }

    /// How things stand, with both laws of counting checked.
    pub fn status(&self) -> Status {
        Status::read(&self.done(["status", "--json"]).out)
    }

    /// A record or an article with its texts.
    pub fn show(&self, id: &str) -> serde_json::Value {
        serde_json::from_str(&self.done(["show", id, "--json"]).out).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("WIREFOLD_TEST_KEEP").is_some() {
            println!("kept: {}", self.dir.path().display());
            self.dir.disable_cleanup(true);
        }
    }
}

impl Ran {
    /// Its exit code; -1 where a signal ended it.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }
}

/// The binary under test.
pub fn binary() -> PathBuf {
    std::env::var_os("WIREFOLD_TEST_BINARY").map_or(env!("CARGO_BIN_EXE_wirefold").into(), PathBuf::from)
}

/// Runs a command to its end, or kills it when it has not ended in time.
pub fn run(command: Command) -> Ran {
    Running::start(command).end()
}

/// A command under way, whose output is read as it comes.
pub struct Running {
    pub child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (read_all(child.stdout.take().unwrap()), read_all(child.stderr.take().unwrap()));
        Self { child, out, err }
    }

    /// Waits for its end.
    pub fn end(self) -> Ran {
        self.end_within(PATIENCE)
    }

    /// Waits so long for its end, and then kills it and fails.
    pub fn end_within(mut self, patience: Duration) -> Ran {
        let Ok(out) = self.out.recv_timeout(patience) else {
            self.child.kill().unwrap();
            panic!("a command did not end in {} s: {:?}", patience.as_secs(), self.err.recv());
        };
        let err = self.err.recv_timeout(PATIENCE).unwrap();
        Ran { status: self.child.wait().unwrap(), out, err }
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (all, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).ok();
        all.send(String::from_utf8_lossy(&bytes).into_owned()).ok();
    });
    receiver
}

/// The names of a folder's entries, sorted; none where there is no folder.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Puts a file under a name only once it is whole, as a careful deliverer does.
pub fn drop_whole(to: &Path, bytes: &[u8]) {
    let unfinished = to.with_file_name(format!(".{}.tmp", to.file_name().unwrap().to_string_lossy()));
    fs::write(&unfinished, bytes).unwrap();
    fs::rename(unfinished, to).unwrap();
}

/// A file to which a daemon's log goes, behind what is in it already.
pub fn append_to(path: &Path) -> File {
    File::options().create(true).append(true).open(path).unwrap()
}
