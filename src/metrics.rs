//! Figures as they are counted, and the text form in which Prometheus reads them.
//!
//! Owns how long things take (a histogram of fixed buckets) and whether a piece of work goes on (a pulse), both cheap
//! enough for every chunk, and how such figures are written. It knows nothing of what is counted: `pipeline` counts,
//! `service` names the figures and writes the page, `control` serves it.

use std::{
    array,
    fmt::{Display, Write as _},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The upper bounds of the buckets in microseconds: steps of about 2.5 from a tenth of a millisecond, which the shortest
/// stage takes for a chunk, to ten seconds, which a disk takes that is about to fail.
const BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// How often something took how long.
#[derive(Debug)]
pub struct Histogram {
    /// One for each bound, and one for what is above all of them.
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: array::from_fn(|_| AtomicU64::new(0)), sum_us: AtomicU64::new(0) }
    }
}

impl Histogram {
    /// Counts something that took so long.
    pub fn observe(&self, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS_US.partition_point(|bound| *bound < took_us);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_us.fetch_add(took_us, Ordering::Relaxed);
    }

    /// Does something and counts how long it took.
    pub fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        self.observe(began.elapsed());
        done
    }
}

/// Whether a stage is at work, and since when on the present piece. What waits for work, or for room to put it, is not.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Since when the present piece is worked on, and when it was last seen to go on.
    piece: Mutex<Option<(Instant, Instant)>>,
    /// How long each piece took.
    pub took: Histogram,
}

impl Pulse {
    /// Does one piece of work.
    pub fn work<T>(&self, piece: impl FnOnce() -> T) -> T {
        self.begin();
        let done = piece();
        self.end();
        done
    }

    /// Waits for a piece that somebody else times.
    pub fn watch<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.begin();
        let done = wait();
        self.rest();
        done
    }

    /// A piece of work begins.
    pub fn begin(&self) {
        let now = Instant::now();
        *self.piece() = Some((now, now));
    }

    /// A piece that takes long by its nature still goes on.
    pub fn go_on(&self) {
        if let Some((_, seen)) = &mut *self.piece() {
            *seen = Instant::now();
        }
    }

    /// The piece has ended. Nothing where none had begun.
    pub fn end(&self) {
        let began = self.piece().take();
        if let Some((began, _)) = began {
            self.took.observe(began.elapsed());
        }
    }

    /// Nothing is worked on.
    pub fn rest(&self) {
        *self.piece() = None;
    }

    /// How long the present piece has not been seen to go on.
    pub fn busy_for(&self) -> Option<Duration> {
        self.piece().map(|(_, seen)| seen.elapsed())
    }

    fn piece(&self) -> MutexGuard<'_, Option<(Instant, Instant)>> {
        self.piece.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page of figures in the text form of Prometheus, version 0.0.4.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// A figure that only grows, once for each set of labels.
    pub fn counter<V: Display>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, V)>,
    ) {
        self.family(name, "counter", help);
        for (labels, value) in values {
            self.sample(name, &labels, value);
        }
    }

    /// A figure that goes up and down, once for each set of labels.
    pub fn gauge<V: Display>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, V)>,
    ) {
        self.family(name, "gauge", help);
        for (labels, value) in values {
            self.sample(name, &labels, value);
        }
    }

    /// Histograms in seconds, one for each set of labels.
    pub fn histogram<'h>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, &'h Histogram)>,
    ) {
        self.family(name, "histogram", help);
        for (labels, histogram) in values {
            let mut count = 0;
            let bounds = BOUNDS_US.iter().map(|bound| seconds(*bound)).chain(["+Inf".to_owned()]);
            for (bucket, bound) in histogram.buckets.iter().zip(bounds) {
                count += bucket.load(Ordering::Relaxed);
                self.sample(&format!("{name}_bucket"), &labels.clone().and("le", &bound), count);
            }
            self.sample(&format!("{name}_sum"), &labels, seconds(histogram.sum_us.load(Ordering::Relaxed)));
            self.sample(&format!("{name}_count"), &labels, count);
        }
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.0
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}").ok();
    }

    fn sample(&mut self, name: &str, labels: &Labels, value: impl Display) {
        writeln!(self.0, "{name}{labels} {value}").ok();
    }
}

/// What tells the values of one figure apart.
#[derive(Clone, Debug, Default)]
pub struct Labels(String);

impl Labels {
    /// None: the figure has one value.
    pub fn none() -> Self {
        Self::default()
    }

    /// One label.
    pub fn of(name: &str, value: &str) -> Self {
        Self::none().and(name, value)
    }

    /// These and another one.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let comma = if self.0.is_empty() { "" } else { "," };
        write!(self.0, "{comma}{name}=\"{value}\"").ok();
        self
    }
}

impl Display for Labels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{{{}}}", self.0) }
    }
}

/// Microseconds as seconds, with no more digits than it takes.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_written_as_prometheus_reads_it() {
        let histogram = Histogram::default();
        for us in [1, 100, 101, 3_000_000, 60_000_000] {
            histogram.observe(Duration::from_micros(us));
        }
        let mut page = Page::default();
        page.counter("a_total", "Things.", [(Labels::of("kind", "a \"b\"\n\\").and("x", "y"), 3)]);
        page.gauge("b", "Level.", [(Labels::none(), 0.5)]);
        page.histogram("c_seconds", "Time.", [(Labels::of("stage", "read"), &histogram)]);
        let text = page.into_text();
        assert!(text.starts_with(
            "# HELP a_total Things.\n# TYPE a_total counter\na_total{kind=\"a \\\"b\\\"\\n\\\\\",x=\"y\"} 3\n\
             # HELP b Level.\n# TYPE b gauge\nb 0.5\n"
        ));
        for line in [
            "c_seconds_bucket{stage=\"read\",le=\"0.0001\"} 2\n",
            "c_seconds_bucket{stage=\"read\",le=\"0.00025\"} 3\n",
            "c_seconds_bucket{stage=\"read\",le=\"5\"} 4\n",
            "c_seconds_bucket{stage=\"read\",le=\"10\"} 4\n",
            "c_seconds_bucket{stage=\"read\",le=\"+Inf\"} 5\n",
            "c_seconds_sum{stage=\"read\"} 63.000202\n",
            "c_seconds_count{stage=\"read\"} 5\n",
        ] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
    }

    #[test]
    fn a_pulse_is_busy_while_it_works() {
        let pulse = Pulse::default();
        assert!(pulse.busy_for().is_none());
        pulse.go_on();
        assert!(pulse.busy_for().is_none(), "only a piece that has begun goes on");
        pulse.work(|| assert!(pulse.busy_for().is_some()));
        assert!(pulse.busy_for().is_none());
        pulse.end();
        let observed: u64 = pulse.took.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum();
        assert_eq!(observed, 1, "an end without a beginning is none");
    }
}
