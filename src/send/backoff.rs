//! How long a batch waits before it is sent again.

use rand::{Rng, RngExt};
use std::time::Duration;

/// The longest wait after the first failure.
const BASE: Duration = Duration::from_millis(500);
/// The longest wait after any.
const CAP: Duration = Duration::from_secs(30);

/// A wait with full jitter after the `failures`-th failure in a row (from 1): anything between nothing
/// and a bound that doubles, so that batches that failed together don't come back together.
pub(super) fn wait(failures: u32, rng: &mut impl Rng) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let bound = (BASE * 2u32.pow(doublings)).min(CAP);
    bound.mul_f64(rng.random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    proptest! {
        #[test]
        fn a_wait_never_passes_its_bound_nor_the_cap(failures in 0u32.., seed: u64) {
            let wait = wait(failures, &mut StdRng::seed_from_u64(seed));
            prop_assert!(wait <= CAP);
            prop_assert!(wait.as_secs_f64() <= 0.5 * 2f64.powf(f64::from(failures.saturating_sub(1))));
        }
    }

    #[test]
    fn waits_spread_over_the_whole_range() {
        let mut rng = StdRng::seed_from_u64(1);
        let waits: Vec<_> = (0..1000).map(|_| wait(3, &mut rng).as_secs_f64()).collect();
        let mean = waits.iter().sum::<f64>() / 1000.0;
        assert!((0.9..1.1).contains(&mean), "mean {mean} of up to 2 s");
        assert!(waits.iter().any(|&w| w < 0.1) && waits.iter().any(|&w| w > 1.9));
    }
}
