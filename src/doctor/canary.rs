//! Three articles through the whole way, by the settings of this configuration, in a store that is thrown away.

use super::Finding;
use crate::{
    config::Config,
    pipeline::{self, ArticleTimes},
    query::{Library, QueryError, Question, RecordAnswer},
    service::{self, Ingest, LOCK_PATIENCE, ServiceError},
    store::DataLock,
};
use std::{fs, io, path::Path, time::Instant};
use tempfile::TempDir;

const CANARY: &str = "canary";

/// A story, the same with a line of another paper's, and another story.
const SONGS: [(&str, &str); 3] = [
    (
        "one.txt",
        concat!(
            "Canary sings in the east shaft\n\n",
            "The canary in the east shaft of the Tolver pit sang through the whole \
        of Tuesday's early shift, the mine's overseer Ada Brenn said. It was the first time since the new fans were started that \
        nobody had to be brought up before noon.\n"
        ),
    ),
    (
        "two.txt",
        concat!(
            "Canary sings in the east shaft\n\n",
            "The canary in the east shaft of the Tolver pit sang through the whole \
        of Tuesday's early shift, the mine's overseer Ada Brenn said. It was the first time since the new fans were started that \
        nobody had to be brought up before noon.\n\nOur readers may visit the pit on Sundays.\n"
        ),
    ),
    (
        "three.txt",
        concat!(
            "Harbour lights go dark for repairs\n\n",
            "Both lamps on the northern breakwater of Sandholm will be out \
        from Thursday evening while divers replace a cable, the port authority announced. Pilots were asked to use the radio \
        beacon instead.\n"
        ),
    ),
];

/// Why a canary did not come through.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("no folder can be made for it")]
    Folder(#[source] io::Error),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Query(#[from] QueryError),
}

/// Sends them, and looks what became of them.
pub(super) async fn sing(config: &Config) -> Finding {
    let begun = Instant::now();
    let sung = send(config).await;
    let seconds = begun.elapsed().as_secs_f64();
    match sung {
        Err(error) => Finding::failure(CANARY, in_full(&error), remedy_of(&error)),
        Ok(records) if records == [2, 1] => Finding::ok(
            CANARY,
            format!("3 articles went the whole way in {seconds:.1} s and became 2 records, as they should"),
        ),
        Ok(records) => Finding::warning(
            CANARY,
            format!("3 articles of 2 stories became records of {records:?} articles"),
            "the thresholds under [match] are far from what is built in; 'wirefold eval' measures them",
        ),
    }
}

/// How many articles came into each record.
async fn send(config: &Config) -> Result<Vec<usize>, Silence> {
    let folder = TempDir::new().map_err(Silence::Folder)?;
    let given = folder.path().join("given");
    fs::create_dir(&given).map_err(Silence::Folder)?;
    for (name, song) in SONGS {
        fs::write(given.join(name), song).map_err(Silence::Folder)?;
    }
    let mut config = config.clone();
    config.data_dir = folder.path().join("data");
    // Those configured are the daemon's.
    config.inbox.clear();
    // Three articles need no room worth asking for, and where they lie no others will.
    config.commit.free_min_mb = 0;
    let paths = SONGS.map(|(name, _)| given.join(name)).into();
    service::ingest(
        config.clone(),
        Ingest { paths, times: ArticleTimes::Recent, ignore: Vec::new() },
        |_| {},
    )
    .await?;
    records(&config.data_dir, &config)
}

fn records(data_dir: &Path, config: &Config) -> Result<Vec<usize>, Silence> {
    let settings = config.detect_settings();
    let lock = DataLock::take(data_dir, LOCK_PATIENCE).map_err(ServiceError::from)?;
    let store = pipeline::open_to_read(data_dir, settings, &lock).map_err(ServiceError::from)?;
    let mut articles = Vec::new();
    Library::new(&store, data_dir, settings).answer(&Question::Export, &mut |line| {
        let record = serde_json::from_slice::<RecordAnswer>(line);
        articles.push(record.map_or(0, |record| record.articles.len()));
        true
    })?;
    Ok(articles)
}

fn in_full(error: &Silence) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |e| e.source());
    let said = causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"));
    format!("an article does not come through: {said}")
}

fn remedy_of(error: &Silence) -> &'static str {
    match error {
        Silence::Folder(_) => "let TMPDIR name a folder that this user may write to",
        Silence::Service(ServiceError::Encoder(_)) => {
            "mend [match.encoder], or take the model out: wirefold runs without it"
        }
        Silence::Service(_) | Silence::Query(_) => {
            "look for room at TMPDIR and at the cause above; else please report it"
        }
    }
}
