//! A running daemon: started, waited for, stopped by a signal or killed.

use crate::{
    answers::Status,
    place::{Place, append_to},
    wait::{PATIENCE, within},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

/// A daemon, killed when it is dropped.
pub struct Daemon {
    child: Child,
    lines: Receiver<String>,
    log: PathBuf,
}

impl Daemon {
    /// Starts one and waits until it says that it is ready.
    pub fn start(place: &Place) -> Self {
        let mut daemon = Self::launch(place);
        daemon.wait_ready();
        daemon
    }

    /// Starts one and does not wait.
    pub fn launch(place: &Place) -> Self {
        Self::launch_as(place, place.command(["run"]))
    }

    /// Starts one by this command.
    pub fn launch_as(place: &Place, mut command: Command) -> Self {
        let log = place.path("daemon.log");
        let mut child = command.stdout(Stdio::piped()).stderr(append_to(&log)).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (line, lines) = mpsc::channel();
        thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        Self { child, lines, log }
    }

    pub fn wait_ready(&mut self) {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) if line.starts_with("wirefold is ready") => {}
            other => panic!("not ready but {other:?}; its log:\n{}", self.log()),
        }
    }

    /// Lets it run for a time; says whether it has ended by then.
    pub fn has_ended_within(&mut self, time: Duration) -> bool {
        let until = std::time::Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(std::time::Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has had at any time, in MiB.
    pub fn memory_mib_peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1024
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Asks it to stop, and waits for its end.
    pub fn stop(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        assert!(self.has_ended_within(PATIENCE), "it does not stop; its log:\n{}", self.log());
        self.child.wait().unwrap()
    }

    /// Asks it to stop; it must end well.
    pub fn stop_well(self) {
        let log = self.log.clone();
        let status = self.stop(Signal::TERM);
        assert_eq!(status.code(), Some(0), "its log:\n{}", fs::read_to_string(log).unwrap());
    }

    /// Kills it with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Waits until a daemon has received `files` files in all and has nothing left to do. A file is counted once it is
/// durable, and leaves its inbox a moment later.
pub fn settled(place: &Place, files: u64) -> Status {
    settled_within(PATIENCE, place, files)
}

/// The same with another patience.
pub fn settled_within(patience: Duration, place: &Place, files: u64) -> Status {
    let mut last = None;
    within(patience, &format!("{files} files finished with"), || {
        let status = place.status();
        let is_done = status.files.received >= files && status.backlog == 0 && place.claims().is_empty();
        last = Some(status);
        last.take_if(|_| is_done)
    })
}
