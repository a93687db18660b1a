//! Medians, ratios and their spread.

/// The ratio of a contender to another: the median of the rounds' ratios, and how far they spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) p10: f64,
    pub(crate) p90: f64,
}

impl Ratio {
    /// Returns the ratio of `rounds` to those of `base`, each with the one that ran beside it.
    pub(crate) fn of(rounds: &[f64], base: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = rounds.iter().zip(base).map(|(round, base)| round / base).collect();
        Some(Self {
            median: quantile(&ratios, 0.5)?,
            p10: quantile(&ratios, 0.1)?,
            p90: quantile(&ratios, 0.9)?,
        })
    }
}

/// Returns a count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "nothing that is counted here comes near 2^52")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// Returns the whole part of a number that is not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a small count")]
pub(crate) fn whole(value: f64) -> usize {
    value as usize
}

/// Returns the median.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Returns the value below which the share `at` of `values` is, between two of them if it must be.
fn quantile(values: &[f64], at: f64) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = at * float(values.len().checked_sub(1)?);
    let (below, above) = (values[whole(place.floor())], values[whole(place.ceil())]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_between_two_values() {
        assert_eq!(median(&[3.0, 1.0]), Some(2.0));
        assert_eq!(median(&[3.0, 1.0, 10.0]), Some(3.0));
        assert_eq!(median(&[]), None);
        assert_eq!(quantile(&[0.0, 10.0], 0.9), Some(9.0));
    }

    #[test]
    fn a_ratio_pairs_rounds() {
        let ratio = Ratio::of(&[2.0, 40.0, 6.0], &[1.0, 10.0, 2.0]).expect("rounds");
        assert_eq!(Some(ratio.median), median(&[3.0]));
        assert!(Ratio::of(&[], &[1.0]).is_none());
    }
}
