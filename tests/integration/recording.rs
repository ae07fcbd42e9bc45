//! What a command does to the files of a folder, recorded with strace, and what a power cut may leave of it.
//!
//! After a cut that is there for sure which was synced before: of a file its bytes, of a folder its names. What came after may
//! be there or not, each write and each name by itself, and a write in parts of 512 bytes; a rename is whole or not at all.
//! That is less than any file system promises, so what bears it bears them all.

use crate::place::Running;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

/// The calls that change files, or say that they are durable.
const CALLS: &str = "openat,open,write,pwrite64,lseek,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat,\
    unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,copy_file_range,sendfile,splice,writev,pwritev";
/// A command under strace takes some times as long.
const PATIENCE: Duration = Duration::from_mins(5);
const SECTOR: usize = 512;

/// A file, by the place at which it was made in the recording; what was there before is counted on.
type Inode = usize;

/// One thing that was done.
#[derive(Clone, Debug)]
enum Deed {
    Folder(PathBuf),
    File(PathBuf, Inode),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    Remove(PathBuf),
    Write(Inode, u64, Vec<u8>),
    Length(Inode, u64),
    SyncFile(Inode),
    SyncFolder(PathBuf),
}

/// A deed, from when to when it was done, in microseconds.
#[derive(Clone, Debug)]
struct Timed {
    from: u64,
    to: u64,
    deed: Deed,
}

/// What lies in a folder: folders, and files with what is in them.
#[derive(Clone, Default)]
struct Tree {
    names: BTreeMap<PathBuf, Option<Inode>>,
    bytes: Vec<Vec<u8>>,
    /// When what somebody else wrote was written: wirefold knows a file again by that.
    written: BTreeMap<Inode, SystemTime>,
}

/// What was done to a folder from a first state on.
pub struct Recording {
    folder: PathBuf,
    first: Tree,
    now: Tree,
    deeds: Vec<Timed>,
    /// Where files are read and written next, by descriptor.
    at: BTreeMap<u32, u64>,
}

impl Tree {
    fn of(folder: &Path) -> Self {
        let (mut tree, mut folders) = (Self::default(), vec![folder.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else if entry.file_type().unwrap().is_file() {
                    tree.names.insert(entry.path(), Some(tree.bytes.len()));
                    tree.written.insert(tree.bytes.len(), entry.metadata().unwrap().modified().unwrap());
                    tree.bytes.push(fs::read(entry.path()).unwrap());
                }
            }
            tree.names.insert(folder, None);
        }
        tree
    }

    fn inode(&self, path: &Path) -> Option<Inode> {
        self.names.get(path).copied().flatten()
    }

    fn has_parent(&self, path: &Path) -> bool {
        path.parent().is_some_and(|parent| self.names.get(parent) == Some(&None))
    }

    /// Does what can be done of a deed: where what went before was lost, that may be nothing.
    fn apply(&mut self, deed: &Deed) {
        match deed {
            Deed::Folder(path) if self.has_parent(path) => _ = self.names.insert(path.clone(), None),
            Deed::File(path, inode) => {
                self.file(*inode);
                if self.has_parent(path) {
                    self.names.insert(path.clone(), Some(*inode));
                }
            }
            Deed::Rename(from, to) if self.has_parent(to) => {
                let moved: Vec<_> =
                    self.names.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in moved {
                    let node = self.names.remove(&path).unwrap();
                    let within = path.strip_prefix(from).unwrap();
                    let to = if within == Path::new("") { to.clone() } else { to.join(within) };
                    self.names.insert(to, node);
                }
            }
            Deed::Link(from, to) if self.has_parent(to) => {
                if let Some(node) = self.names.get(from).copied() {
                    self.names.insert(to.clone(), node);
                }
            }
            Deed::Remove(path) => {
                let is_full = self.names.keys().any(|other| other.starts_with(path) && other != path);
                if !is_full {
                    self.names.remove(path);
                }
            }
            Deed::Write(inode, at, bytes) => write(self.file(*inode), usize::try_from(*at).unwrap(), bytes),
            Deed::Length(inode, length) => self.file(*inode).resize(usize::try_from(*length).unwrap(), 0),
            _ => {}
        }
    }

    fn file(&mut self, inode: Inode) -> &mut Vec<u8> {
        if self.bytes.len() <= inode {
            self.bytes.resize(inode + 1, Vec::new());
        }
        &mut self.bytes[inode]
    }

    /// Makes the folder what the tree is.
    fn lay_down(&self, folder: &Path) {
        fs::remove_dir_all(folder).unwrap();
        for (path, node) in &self.names {
            match node {
                None => fs::DirBuilder::new().mode(0o750).create(path).unwrap(),
                Some(inode) => {
                    let mut file = File::create(path).unwrap();
                    file.write_all(&self.bytes[*inode]).unwrap();
                    self.written.get(inode).into_iter().for_each(|at| file.set_modified(*at).unwrap());
                }
            }
        }
    }
}

/// What lies between the end of a file and a write behind it is nought.
fn write(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    file.resize(file.len().max(at + bytes.len()), 0);
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Deed {
    /// The folders whose names it changes: once one of them is synced it has happened.
    fn folders(&self) -> Vec<&Path> {
        let paths = match self {
            Self::Folder(path) | Self::File(path, _) | Self::Remove(path) => vec![path],
            Self::Rename(from, to) => vec![from, to],
            Self::Link(_, to) => vec![to],
            Self::Write(..) | Self::Length(..) | Self::SyncFile(_) | Self::SyncFolder(_) => Vec::new(),
        };
        paths.into_iter().filter_map(|path| path.parent()).collect()
    }

    /// The file whose bytes it changes.
    fn inode(&self) -> Option<Inode> {
        match self {
            Self::Write(inode, ..) | Self::Length(inode, _) => Some(*inode),
            _ => None,
        }
    }
}

impl Recording {
    /// Begins with what the folder is now, all of which counts as durable.
    pub fn begin(folder: &Path) -> Self {
        let first = Tree::of(folder);
        let (folder, now) = (folder.to_owned(), first.clone());
        Self { folder, first, now, deeds: Vec::new(), at: BTreeMap::new() }
    }

    /// Whether strace is there, and may be used.
    pub fn is_possible() -> bool {
        let ran = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
        ran.is_ok_and(|ran| ran.status.success())
    }

    /// How many deeds there are.
    pub fn length(&self) -> usize {
        self.deeds.len()
    }

    /// The same command with what it does written to a folder, for [`heed`](Self::heed).
    pub fn watched(command: &Command, traces: &Path) -> Command {
        fs::create_dir(traces).unwrap();
        let mut watched = Command::new("strace");
        watched.args(["-ff", "-ttt", "-T", "-y", "-xx", "-s", "1000000000", "-e"]);
        watched.arg(format!("trace={CALLS}")).arg("-o").arg(traces.join("of"));
        watched.arg(command.get_program()).args(command.get_args());
        watched.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        watched.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
        watched
    }

    /// Runs a command to its good end, and takes in what it did.
    pub fn run(&mut self, command: &Command, traces: &Path) {
        let ran = Running::start(Self::watched(command, traces)).end_within(PATIENCE);
        assert_eq!(ran.code(), 0, "{ran:?}");
        self.heed(traces);
    }

    /// A file that somebody else delivered durably.
    pub fn deliver(&mut self, path: &Path, bytes: &[u8]) {
        fs::write(path, bytes).unwrap();
        let (inode, folder) = (self.now.bytes.len(), path.parent().unwrap().to_owned());
        self.first.written.insert(inode, fs::metadata(path).unwrap().modified().unwrap());
        let bytes = bytes.to_vec();
        self.note(u64::MAX, [Deed::File(path.to_owned(), inode), Deed::Write(inode, 0, bytes)]);
        self.note(u64::MAX, [Deed::SyncFile(inode), Deed::SyncFolder(folder)]);
    }

    fn note(&mut self, at: u64, deeds: impl IntoIterator<Item = Deed>) {
        let at = at.min(self.deeds.last().map_or(0, |last| last.to));
        for deed in deeds {
            self.now.apply(&deed);
            self.deeds.push(Timed { from: at, to: at, deed });
        }
    }

    /// Takes in what was written to a folder of traces, one file a thread.
    pub fn heed(&mut self, traces: &Path) {
        let mut calls = Vec::new();
        for trace in fs::read_dir(traces).unwrap() {
            let text = fs::read_to_string(trace.unwrap().path()).unwrap();
            calls.extend(text.lines().filter_map(Call::read));
        }
        fs::remove_dir_all(traces).unwrap();
        calls.sort_by_key(|call| call.from);
        self.at.clear();
        for call in calls {
            for deed in self.deeds_of(&call) {
                self.now.apply(&deed);
                self.deeds.push(Timed { from: call.from, to: call.to, deed });
            }
        }
        let is = Tree::of(&self.folder);
        let named =
            |tree: &Tree| tree.names.iter().map(|(p, n)| (p.clone(), n.is_some())).collect::<BTreeSet<_>>();
        assert_eq!(named(&self.now), named(&is), "the recording knows all that was done");
        for (path, inode) in is.names.iter().filter_map(|(path, inode)| Some((path, (*inode)?))) {
            let known = self.now.inode(path).unwrap();
            assert!(self.now.file(known) == &is.bytes[inode], "{} is another", path.display());
        }
    }

    fn deeds_of(&mut self, call: &Call) -> Vec<Deed> {
        let (Call { result, paths, .. }, first) = (call, call.paths.first().cloned().unwrap_or_default());
        if !paths.iter().any(|path| path.starts_with(&self.folder)) {
            return Vec::new();
        }
        let inode = self.now.inode(&first);
        let descriptor = call.descriptor.unwrap_or_default();
        match call.name.as_str() {
            "open" | "openat" => {
                self.at.insert(u32::try_from(*result).unwrap(), 0);
                let is_cut = call.rest.contains("O_TRUNC");
                match inode {
                    Some(inode) if is_cut => vec![Deed::Length(inode, 0)],
                    None if call.rest.contains("O_CREAT") => vec![Deed::File(first, self.now.bytes.len())],
                    _ => Vec::new(),
                }
            }
            "lseek" => {
                self.at.insert(descriptor, *result);
                Vec::new()
            }
            "write" => {
                let at = self.at.entry(descriptor).or_default();
                *at += result;
                let written = call.bytes[..usize::try_from(*result).unwrap()].to_vec();
                inode.map(|inode| Deed::Write(inode, *at - result, written)).into_iter().collect()
            }
            "pwrite64" => {
                let at = call.numbers.last().copied().unwrap();
                let written = call.bytes[..usize::try_from(*result).unwrap()].to_vec();
                inode.map(|inode| Deed::Write(inode, at, written)).into_iter().collect()
            }
            "ftruncate" => inode.map(|inode| Deed::Length(inode, call.numbers[0])).into_iter().collect(),
            "fsync" | "fdatasync" => vec![inode.map_or(Deed::SyncFolder(first), Deed::SyncFile)],
            "mkdir" | "mkdirat" => vec![Deed::Folder(first)],
            "rename" | "renameat" | "renameat2" => vec![Deed::Rename(first, paths[1].clone())],
            "link" | "linkat" => vec![Deed::Link(first, paths[1].clone())],
            "unlink" | "unlinkat" | "rmdir" => vec![Deed::Remove(first)],
            // The socket and its link are made anew at each start.
            other => panic!("the recording does not know what {other} does: {}", call.rest),
        }
    }

    /// Makes the folder what a cut before the deed `cut` may have left of it.
    pub fn cut(&self, cut: usize, random: &mut fastrand::Rng) {
        let (deeds, now) = (&self.deeds[..cut], self.deeds.get(cut).map_or(u64::MAX, |deed| deed.from));
        let mut is_durable = vec![false; cut];
        for (n, timed) in deeds.iter().enumerate().filter(|(_, timed)| timed.to <= now) {
            let covers = |earlier: &Timed| match &timed.deed {
                Deed::SyncFile(inode) => earlier.deed.inode() == Some(*inode),
                Deed::SyncFolder(folder) => earlier.deed.folders().contains(&folder.as_path()),
                _ => false,
            };
            for earlier in 0..n {
                is_durable[earlier] |= deeds[earlier].to <= timed.from && covers(&deeds[earlier]);
            }
        }
        // Some disks lose all of it, some nearly nothing.
        let kept_of_100 = *random.choice(&[0, 20, 50, 80, 100]).unwrap();
        let mut tree = self.first.clone();
        for (Timed { deed, .. }, is_durable) in deeds.iter().zip(is_durable) {
            if is_durable {
                tree.apply(deed);
            } else if random.u32(..100) < kept_of_100 {
                tree.apply(&torn(deed, random));
            }
        }
        tree.lay_down(&self.folder);
    }
}

/// What of a deed may have come to the disk: of one write in three only the beginning, or not all of its sectors.
fn torn(deed: &Deed, random: &mut fastrand::Rng) -> Deed {
    let Deed::Write(inode, at, bytes) = deed else { return deed.clone() };
    let mut bytes = bytes.clone();
    match random.u32(..6) {
        0 => bytes.truncate(random.usize(..=bytes.len())),
        1 => bytes.chunks_mut(SECTOR).filter(|_| random.bool()).for_each(|sector| sector.fill(0)),
        _ => {}
    }
    Deed::Write(*inode, *at, bytes)
}

/// A call as strace tells it, where it succeeded.
struct Call {
    name: String,
    from: u64,
    to: u64,
    descriptor: Option<u32>,
    /// Those that it names, or that its descriptors stand for.
    paths: Vec<PathBuf>,
    bytes: Vec<u8>,
    numbers: Vec<u64>,
    result: u64,
    rest: String,
}

impl Call {
    /// Reads `1795365765.044012 pwrite64(12</path>, "bytes", 2, 96) = 2 <0.000069>`, in which all text is in hexadecimal.
    fn read(line: &str) -> Option<Self> {
        let (from, rest) = line.split_once(' ')?;
        let (name, rest) = rest.split_once('(')?;
        let (args, result) = rest.rsplit_once(") = ").or_else(|| rest.rsplit_once(") "))?;
        let result = result.trim_start_matches([' ', '=']);
        let length = result.find(|c: char| !c.is_ascii_digit())?;
        let took = result.rsplit_once(" <")?.1.trim_end_matches('>');
        let from = microseconds(from)?;
        let mut call = Self {
            name: name.to_owned(),
            from,
            to: from + microseconds(took)?,
            descriptor: None,
            paths: Vec::new(),
            bytes: Vec::new(),
            numbers: Vec::new(),
            result: result[..length].parse().ok()?,
            rest: args.chars().take(2000).collect(),
        };
        let is_of_descriptor =
            ["write", "pwrite64", "lseek", "ftruncate", "fsync", "fdatasync"].contains(&name);
        let mut folder = PathBuf::new();
        for arg in args.split(", ") {
            if let Some(text) = arg.strip_prefix('"') {
                let bytes = of_hexadecimal(text);
                if is_of_descriptor {
                    call.bytes = bytes;
                } else {
                    call.paths.push(std::mem::take(&mut folder).join(path(bytes)));
                }
            } else if let Some((number, of)) = arg.split_once('<') {
                if is_of_descriptor {
                    call.descriptor = number.parse().ok();
                    call.paths.push(path(of_hexadecimal(of)));
                } else {
                    folder = path(of_hexadecimal(of));
                }
            } else {
                call.numbers.extend(arg.trim().parse::<u64>().ok());
            }
        }
        Some(call)
    }
}

fn microseconds(seconds: &str) -> Option<u64> {
    seconds.replace('.', "").parse().ok()
}

fn of_hexadecimal(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1).map(|digits| digits.get(..2));
    digits.map(|digits| u8::from_str_radix(digits.unwrap(), 16).unwrap()).collect()
}

fn path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(String::from_utf8(bytes).unwrap())
}
