//! The control socket: is a daemon there, does it answer, and what does it say of itself.

use super::Finding;
use crate::{
    config::Config,
    control::{self, ControlError},
    inbox::display_path,
    query::{Question, Status},
    service::AT_THE_NEXT_START,
    store::DataLock,
};
use std::{fs, io, os::unix::fs::FileTypeExt, path::Path, time::Instant};

const SOCKET: &str = "socket";

/// Asks the daemon how it stands, where there is one.
pub(super) async fn ask(config: &Config) -> (Finding, Option<Status>) {
    let Ok(socket) = config.asked_socket() else {
        let what = "without a path for it no daemon can be asked";
        return (Finding::failure(SOCKET, what, "set [control] socket to a shorter one"), None);
    };
    let (mut said, since) = (Vec::new(), Instant::now());
    let mut line = |text: &[u8]| {
        said = text.to_vec();
        true
    };
    match control::ask(&socket, &Question::Status, &mut line).await {
        Ok(()) => match serde_json::from_slice::<Status>(&said) {
            Ok(status) => (answered(&socket, &status, since), Some(status)),
            Err(error) => (not_understood(&error.to_string()), None),
        },
        Err(error) => (not_answered(config, &socket, &error), None),
    }
}

fn answered(socket: &Path, status: &Status, since: Instant) -> Finding {
    let (shown, version) = (display_path(socket), &status.version);
    if version != env!("CARGO_PKG_VERSION") {
        let what =
            format!("the daemon at {shown} is of version {version}, this is {}", env!("CARGO_PKG_VERSION"));
        return Finding::warning(SOCKET, what, "start the daemon again: systemctl restart wirefold");
    }
    if let Some(notice) = status.notices.first() {
        let remedy = if notice.contains(AT_THE_NEXT_START) {
            "start the daemon again, and they take effect: systemctl restart wirefold"
        } else {
            "'wirefold status' and the log tell more"
        };
        return Finding::warning(SOCKET, format!("the daemon says: {notice}"), remedy);
    }
    let (state, backlog) = (&status.state, status.backlog);
    let took = since.elapsed().as_millis();
    Finding::ok(
        SOCKET,
        format!("the daemon at {shown} is {state} and answered in {took} ms; backlog: {backlog} files"),
    )
}

fn not_understood(why: &str) -> Finding {
    let what = format!("what the daemon says of itself cannot be understood: {why}");
    Finding::warning(SOCKET, what, "start the daemon again: it is of another version")
}

fn not_answered(config: &Config, socket: &Path, error: &ControlError) -> Finding {
    let shown = display_path(socket);
    let holder = DataLock::holder(&config.data_dir);
    match (error, holder) {
        (ControlError::NotRunning { .. }, Some(holder)) => Finding::warning(
            SOCKET,
            format!("{holder} has the store and does not listen at {shown}"),
            "ask again in a moment: it may be starting, stopping or taking files in",
        ),
        (ControlError::NotRunning { .. }, None) => match fs::metadata(socket) {
            Ok(found) if found.file_type().is_socket() => Finding::warning(
                SOCKET,
                format!("no daemon runs; {shown} is what one left that was killed"),
                "nothing need be done: the next start takes its place",
            ),
            Ok(_) => no_socket(&shown),
            Err(_) => {
                Finding::ok(SOCKET, "no daemon runs; 'wirefold run' or 'systemctl start wirefold' starts one")
            }
        },
        (ControlError::Socket { source, .. }, _) if source.kind() == io::ErrorKind::PermissionDenied => {
            Finding::failure(
                SOCKET,
                format!("this user may not ask the daemon at {shown}"),
                "join its group, as with 'usermod -aG wirefold NAME', and log in again",
            )
        }
        (ControlError::Socket { .. }, _)
            if fs::metadata(socket).is_ok_and(|f| !f.file_type().is_socket()) =>
        {
            no_socket(&shown)
        }
        (error, _) => Finding::failure(
            SOCKET,
            format!("the daemon at {shown} does not answer as it should: {error}"),
            "start it again where it does not in a minute: systemctl restart wirefold; nothing is lost",
        ),
    }
}

fn no_socket(shown: &str) -> Finding {
    let what = format!("something that is no socket lies at {shown}");
    Finding::failure(SOCKET, what, "move it away, or set [control] socket to another path")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// To look at the log mends nothing where a start does.
    #[test]
    fn what_waits_for_the_next_start_is_mended_by_one() {
        let remedy = |notice: String| {
            let (version, notices) = (env!("CARGO_PKG_VERSION").to_owned(), vec![notice]);
            let status = Status { version, notices, ..Status::default() };
            answered(Path::new("/s"), &status, Instant::now()).remedy.unwrap()
        };
        assert!(
            remedy(format!("changed, and {AT_THE_NEXT_START}: match.join"))
                .contains("start the daemon again")
        );
        assert!(remedy("another matter".to_owned()).contains("the log"));
    }
}
