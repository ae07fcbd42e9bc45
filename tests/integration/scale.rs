//! How much of what hurts is done: a little in every run of the tests, all of it where `.ci/hurt` asks for it; and the seed,
//! with which a failure can be had again.

/// A figure of a test: `ordinary`, unless the variable `WIREFOLD_TEST_<NAME>` says otherwise.
pub fn scale(name: &str, ordinary: u64) -> u64 {
    std::env::var(format!("WIREFOLD_TEST_{name}")).map_or(ordinary, |given| given.parse().unwrap())
}

/// The seed of this run, printed: `WIREFOLD_TEST_SEED` sets it.
pub fn seed() -> u64 {
    let seed = scale("SEED", fastrand::u64(..));
    println!("seed {seed}; WIREFOLD_TEST_SEED={seed} runs it again");
    seed
}
