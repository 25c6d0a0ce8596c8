//! Multiples of bases by long coefficients, whose digits are to the base θ (see [`eisenstein`]).

use std::ops::Range;

use super::{
    eisenstein::{self, Digit},
    signed::Signed,
};
use crate::positions::{index, position};
use crate::sums::Backend;

/// Whether a coefficient's digits are to the base θ.
pub(super) fn is_long<B: Backend>(coefficient: &Signed) -> bool {
    B::ENDOMORPHISM && coefficient.is_long()
}

/// The digits of long coefficients, and the powers of θ times their bases.
pub(super) struct Ladder {
    digits: Vec<Digit>,
    /// Where those of each long coefficient are, in their order.
    long: Vec<Range<usize>>,
    /// θ^k times base i is at `start + (k - 1)·bases + i`.
    start: u32,
    bases: u32,
}

impl Ladder {
    /// For the long ones among coefficients; the powers are appended to `points`.
    pub(super) fn new<'a, B: Backend>(
        backend: &mut B,
        climbers: &[B::Point],
        coefficients: impl Iterator<Item = &'a Signed>,
        points: &mut Vec<B::Point>,
    ) -> Self {
        let mut digits = Vec::new();
        let mut long = Vec::new();
        for coefficient in coefficients.filter(|coefficient| is_long::<B>(coefficient)) {
            let start = digits.len();
            // Any number has digits: coefficients are below the order. One without would be missed.
            if eisenstein::digits(coefficient.size(), &mut digits).is_none() {
                digits.truncate(start);
            }
            long.push(start..digits.len());
        }
        let start = position(points.len());
        let steps = digits.iter().map(|digit| digit.position).max();
        backend.climb(climbers, index(steps.unwrap_or(0)), points);
        Self {
            digits,
            long,
            start,
            bases: position(climbers.len()),
        }
    }

    /// The digits of each long coefficient, in their order; none for one that has none.
    pub(super) fn all(&self) -> impl Iterator<Item = Option<&[Digit]>> {
        self.long.iter().map(|own| {
            let digits = self.digits.get(own.clone());
            digits.filter(|digits| !digits.is_empty())
        })
    }

    /// Where a digit's multiple of a base stands. Images are made as they are needed.
    pub(super) fn source<B: Backend>(
        &self,
        points: &mut Vec<B::Point>,
        base: u32,
        climber: u32,
        digit: &Digit,
    ) -> u32 {
        let source = match digit.position {
            0 => base,
            power => self.start + (power - 1) * self.bases + climber,
        };
        if digit.image == 0 {
            return source;
        }
        let mut point = points.get(index(source)).copied().unwrap_or(B::INFINITY);
        for _ in 0..digit.image {
            point = B::image(point);
        }
        points.push(point);
        position(points.len()).saturating_sub(1)
    }
}
