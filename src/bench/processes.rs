//! The program as processes of their own, with what they take of the machine.

use super::{BenchError, Figure};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::park_timeout,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How often the memory of a run is looked at. Its peak never goes down, so that only the last moment is missed.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long a daemon may take until it is ready.
const START_PATIENCE: Duration = Duration::from_mins(5);
/// So many parts of a second are what the system counts time of the cores in, on every Linux that there is.
const TICKS_A_SECOND: f64 = 100.;

/// The program, and the folder in which it works: with the configuration that is shipped, whatever that of its caller is.
pub struct Program<'f> {
    path: &'f Path,
    folder: &'f Path,
    config: PathBuf,
    told: &'f mpsc::Sender<Figure>,
}

/// A run that has ended.
pub struct Ran {
    /// The data directory that it left.
    pub data_dir: PathBuf,
    /// How long it took.
    pub seconds: f64,
    /// What it had of the cores.
    pub cpu_seconds: f64,
    /// The most memory that it had.
    pub peak_bytes: u64,
}

impl<'f> Program<'f> {
    /// A program that works in a folder, for as long as somebody listens.
    pub fn new(path: &'f Path, folder: &'f Path, told: &'f mpsc::Sender<Figure>) -> Result<Self, BenchError> {
        let config = folder.join("wirefold.toml");
        let written = fs::write(&config, "");
        written.map_err(|source| BenchError::Folder { action: "write", path: config.clone(), source })?;
        Ok(Self { path, folder, config, told })
    }

    /// An error where nobody listens any more, so that what runs is ended.
    pub fn go_on(&self) -> Result<(), BenchError> {
        if self.told.is_closed() { Err(BenchError::Stopped) } else { Ok(()) }
    }

    /// Takes in a file or a folder, into a data directory of that name.
    pub fn ingest(&self, name: &str, path: &Path) -> Result<Ran, BenchError> {
        let data_dir = self.folder.join(name);
        let mut command = self.command(&data_dir);
        command.arg("ingest").arg(path).stdout(Stdio::null());
        let (begun, cpu_before) = (Instant::now(), cpu_of_ended());
        let mut child = Ends(self.start(&mut command)?);
        let mut peak_bytes = 0;
        let status = loop {
            self.go_on()?;
            peak_bytes = bytes_of(child.0.id(), "VmHWM:").unwrap_or(peak_bytes);
            let ended = child.0.try_wait();
            match ended.map_err(|source| BenchError::Program { path: self.path.to_owned(), source })? {
                Some(status) => break status,
                None => park_timeout(LOOK_EVERY),
            }
        };
        let seconds = begun.elapsed().as_secs_f64();
        if !status.success() {
            return Err(self.failed("ingest", &data_dir));
        }
        Ok(Ran { data_dir, seconds, cpu_seconds: cpu_of_ended() - cpu_before, peak_bytes })
    }

    /// Starts a daemon in a data directory of that name, and waits until it is ready.
    pub fn daemon(&self, name: &str) -> Result<Daemon, BenchError> {
        self.daemon_in(&self.folder.join(name))
    }

    /// The same in a data directory that may be there.
    pub fn daemon_in(&self, data_dir: &Path) -> Result<Daemon, BenchError> {
        let notify = self.folder.join("notify");
        drop(fs::remove_file(&notify));
        let cannot = |source| BenchError::Folder { action: "listen at", path: notify.clone(), source };
        let told = UnixDatagram::bind(&notify).map_err(cannot)?;
        told.set_read_timeout(Some(LOOK_EVERY)).map_err(cannot)?;
        let mut command = self.command(data_dir);
        command.arg("run").env("NOTIFY_SOCKET", &notify).stdout(Stdio::null());
        let mut daemon = Daemon { process: Ends(self.start(&mut command)?), data_dir: data_dir.to_owned() };
        let (deadline, mut said) = (Instant::now() + START_PATIENCE, [0; 4096]);
        loop {
            self.go_on()?;
            let length = told.recv(&mut said).unwrap_or_default();
            let said = said.get(..length).unwrap_or_default();
            if said.split(|b| *b == b'\n').any(|line| line == b"READY=1") {
                return Ok(daemon);
            }
            let has_ended = !matches!(daemon.process.0.try_wait(), Ok(None));
            if has_ended || Instant::now() > deadline {
                return Err(self.failed("run", data_dir));
            }
        }
    }

    /// The program as it is to be called for a data directory; its caller says which command.
    pub fn command(&self, data_dir: &Path) -> Command {
        let mut command = Command::new(self.path);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"WIREFOLD_"))
        {
            command.env_remove(name);
        }
        command.arg("--config").arg(&self.config).arg("--data-dir").arg(data_dir).stdin(Stdio::null());
        command
    }

    fn start(&self, command: &mut Command) -> Result<Child, BenchError> {
        let log = self.folder.join("log");
        let file = fs::File::create(&log).map_err(|source| BenchError::Folder {
            action: "write",
            path: log,
            source,
        })?;
        command
            .stderr(file)
            .spawn()
            .map_err(|source| BenchError::Program { path: self.path.to_owned(), source })
    }

    fn failed(&self, command: &str, data_dir: &Path) -> BenchError {
        let said = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let said = said.trim().lines().last().unwrap_or("it said nothing").to_owned();
        BenchError::Run { command: format!("--data-dir {} {command}", data_dir.display()), said }
    }
}

/// A daemon that is told to end, and waited for, when it is dropped.
pub struct Daemon {
    process: Ends,
    data_dir: PathBuf,
}

impl Daemon {
    /// Where it is asked.
    pub fn socket(&self) -> PathBuf {
        self.data_dir.join("wirefold.sock")
    }

    /// Where files are dropped.
    pub fn inbox(&self) -> PathBuf {
        self.data_dir.join("inbox")
    }

    /// The memory that it has now.
    pub fn bytes(&self) -> u64 {
        bytes_of(self.process.0.id(), "VmRSS:").unwrap_or_default()
    }

    /// Ends it as a crash would, so that it can put nothing in order.
    pub fn kill(mut self) {
        self.process.0.kill().ok();
    }
}

/// A process that does not outlive what is measured with it.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM).ok();
        }
        self.0.wait().ok();
    }
}

/// A line of what the system says of a process, in bytes; nothing once it has ended.
fn bytes_of(pid: u32, name: &str) -> Option<u64> {
    let said = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = said.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// What the processes that this one started and has waited for had of the cores, in seconds.
fn cpu_of_ended() -> f64 {
    let said = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // What stands before the last parenthesis is the name, which may hold anything.
    let fields = said.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / TICKS_A_SECOND
}
