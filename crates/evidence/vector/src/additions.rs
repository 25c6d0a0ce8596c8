//! Many independent additions of affine points, complete: equal points, opposite points and infinity
//! give what they should, lane by lane. A block of additions shares one inversion.

#![expect(
    clippy::indexing_slicing,
    reason = "all columns of a block have the block's length; positions are checked at the border"
)]
#![allow(
    clippy::inline_always,
    reason = "inlined into the function that is compiled for the processor's features"
)]

use crate::coordinates::{AtRest, Coordinates, Lanes};
use crate::field::{Field, GROUP, GROUP_LANES, Group, constant, from_file, to_file};
use crate::group::try_invert_group;
use crate::kernel::PointFault;
use crate::packed::Row;
use crate::register::{LANES, Register, work};

/// Groups of vectors in a block: 2048 additions share an inversion.
const GROUPS: usize = 64;

/// `left` ← `left` + `right`, both positions in one slice of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// Position of the first summand and of the sum.
    pub left: u32,
    /// Position of the second summand.
    pub right: u32,
}

/// A position beyond the slice of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {position} is beyond the points")]
pub struct PositionError {
    /// The position.
    pub position: u32,
}

/// What adders do, whatever the field's form. Points are at rest: canonical, in the field's form.
pub(crate) trait Adder<P>: Send {
    /// Positions have been checked to be within `points`.
    fn add(&mut self, points: &mut [P], additions: &[Addition]);
    fn import(&mut self, bytes: &[u8]) -> Result<Vec<P>, PointFault>;
    fn export(&self, points: &[P], bytes: &mut Vec<u8>);
}

/// Working memory.
pub(crate) struct Memory<C: Coordinates> {
    work: Work<C>,
    norms: Vec<Group<C::Field>>,
    prefixes: Vec<Group<C::Field>>,
    one: Group<C::Field>,
    from_file: C::Field,
    to_file: C::Field,
}

/// One group of additions.
struct Work<C> {
    one: C,
    x: C,
    y: C,
    other_x: C,
    other_y: C,
    rise: C,
    run: C,
    slope: C,
    third_x: C,
    /// Lanes where the sum is (x, y) as it stands.
    copied: Lanes,
    /// Lanes where the sum is infinity.
    none: Lanes,
}

impl<C: Coordinates> Memory<C> {
    /// `None` where the processor lacks a feature.
    pub(crate) fn new() -> Option<Self> {
        let zero = C::Field::detect()?;
        let one = C::one(&zero);
        let column = || vec![[zero; GROUP]; GROUPS];
        Some(Self {
            work: Work {
                one,
                x: one,
                y: one,
                other_x: one,
                other_y: one,
                rise: one,
                run: one,
                slope: one,
                third_x: one,
                copied: [0; GROUP],
                none: [0; GROUP],
            },
            norms: column(),
            prefixes: column(),
            one: [constant(&zero, ark_ff::Field::ONE); GROUP],
            from_file: from_file(&zero),
            to_file: to_file(&zero),
        })
    }
}

impl<C: Coordinates> Adder<C::Point> for Memory<C> {
    fn add(&mut self, points: &mut [C::Point], additions: &[Addition]) {
        for block in additions.chunks(GROUPS * GROUP_LANES) {
            self.from_file.register().call(AddBlock {
                memory: self,
                points,
                block,
            });
        }
    }

    fn import(&mut self, bytes: &[u8]) -> Result<Vec<C::Point>, PointFault> {
        let width = C::Point::BYTES;
        if !bytes.len().is_multiple_of(width) {
            return Err(PointFault::Length {
                length: bytes.len(),
            });
        }
        let mut points = Vec::with_capacity(bytes.len() / width);
        for chunk in bytes.chunks(GROUP_LANES * width) {
            self.from_file.register().call(ImportGroup {
                memory: self,
                bytes: chunk,
                points: &mut points,
            })?;
        }
        Ok(points)
    }

    fn export(&self, points: &[C::Point], bytes: &mut Vec<u8>) {
        for chunk in points.chunks(GROUP_LANES) {
            self.from_file.register().call(ExportGroup {
                memory: self,
                points: chunk,
                bytes,
            });
        }
    }
}

work!(AddBlock<'a, C: Coordinates> {
    memory: &'a mut Memory<C>,
    points: &'a mut [C::Point],
    block: &'a [Addition],
} -> (), memory.add_block(points, block));

work!(ImportGroup<'a, C: Coordinates> {
    memory: &'a Memory<C>,
    bytes: &'a [u8],
    points: &'a mut Vec<C::Point>,
} -> Result<(), PointFault>, memory.import_group(bytes, points));

work!(ExportGroup<'a, C: Coordinates> {
    memory: &'a Memory<C>,
    points: &'a [C::Point],
    bytes: &'a mut Vec<u8>,
} -> (), memory.export_group(points, bytes));

work!(Exceptional<'a, C: Coordinates> {
    work: &'a mut Work<C>,
    lanes: [Lanes; 4],
} -> (), work.exceptional(lanes));

impl<C: Coordinates> Memory<C> {
    /// At most a block of additions, their positions within the slice. Summands are gathered in both
    /// passes: that is cheaper than keeping them in between.
    #[inline(always)]
    fn add_block(&mut self, points: &mut [C::Point], additions: &[Addition]) {
        let Self {
            work,
            norms,
            prefixes,
            one,
            ..
        } = self;
        let mut product = *one;
        for (group, (norm, prefix)) in additions
            .chunks(GROUP_LANES)
            .zip(norms.iter_mut().zip(prefixes.iter_mut()))
        {
            work.prepare(&one[0], points, group);
            C::norm(norm, &work.run);
            *prefix = product;
            Field::multiply(&mut product, norm, prefix);
        }
        // No denominator is zero (see `prepare`), so there is an inverse; without one the sums would
        // not be on the curve.
        let mut inverse = try_invert_group(&product).unwrap_or(product);
        let mut own = inverse;
        let mut sums = [C::Point::INFINITY; GROUP_LANES];
        for (g, group) in additions.chunks(GROUP_LANES).enumerate().rev() {
            Field::multiply(&mut own, &inverse, &prefixes[g]);
            let before = inverse;
            Field::multiply(&mut inverse, &norms[g], &before);
            work.prepare(&one[0], points, group);
            work.finish(&own, &mut sums);
            for (addition, sum) in group.iter().zip(&sums) {
                points[position(addition.left)] = *sum;
            }
        }
    }

    /// At most a group of points.
    #[inline(always)]
    fn import_group(&self, bytes: &[u8], points: &mut Vec<C::Point>) -> Result<(), PointFault> {
        let mut rows = [C::Point::INFINITY; GROUP_LANES];
        let count = bytes.len() / C::Point::BYTES;
        // From the first coordinate that is not canonical on, nothing is looked at.
        let mut not_canonical = None;
        for (lane, bytes) in bytes.chunks_exact(C::Point::BYTES).enumerate() {
            let mut point = C::Point::INFINITY;
            for (row, bytes) in point.rows_mut().iter_mut().zip(bytes.as_chunks().0) {
                *row = Row::from_bytes(bytes);
            }
            if !point.rows().iter().all(Row::is_canonical) {
                not_canonical = Some(lane);
                break;
            }
            rows[lane] = point;
        }
        let (mut x, mut y) = (self.work.one, self.work.one);
        C::gather(&rows.each_ref(), &mut x, &mut y);
        C::scale(&mut x, &self.from_file);
        C::scale(&mut y, &self.from_file);
        let on_curve = C::curve_lanes(&x, &y);
        C::scatter(&x, &y, &mut rows);
        for (lane, row) in rows.iter().enumerate().take(count) {
            let (v, bit) = (lane / LANES, 1 << (lane % LANES));
            let index = points.len();
            if not_canonical == Some(lane) {
                return Err(PointFault::NotCanonical { index });
            }
            if on_curve[v] & bit == 0 && *row != C::Point::INFINITY {
                return Err(PointFault::OffCurve { index });
            }
            points.push(*row);
        }
        Ok(())
    }

    /// At most a group of points.
    #[inline(always)]
    fn export_group(&self, points: &[C::Point], bytes: &mut Vec<u8>) {
        let mut rows = [C::Point::INFINITY; GROUP_LANES];
        for (row, point) in rows.iter_mut().zip(points) {
            *row = *point;
        }
        let (mut x, mut y) = (self.work.one, self.work.one);
        C::gather(&rows.each_ref(), &mut x, &mut y);
        C::scale(&mut x, &self.to_file);
        C::scale(&mut y, &self.to_file);
        C::scatter(&x, &y, &mut rows);
        for row in rows.iter().take(points.len()).flat_map(AtRest::rows) {
            bytes.extend_from_slice(&row.bytes());
        }
    }
}

fn position(index: u32) -> usize {
    // Checked at the border to be below a slice's length.
    usize::try_from(index).unwrap_or(usize::MAX)
}

impl<C: Coordinates> Work<C> {
    /// Numerator and denominator of each slope. Missing additions of a last group repeat its first.
    #[inline(always)]
    fn prepare(&mut self, witness: &C::Field, points: &[C::Point], group: &[Addition]) {
        let Some(first) = group.first() else {
            return;
        };
        let mut left = [&points[position(first.left)]; GROUP_LANES];
        let mut right = [&points[position(first.right)]; GROUP_LANES];
        for ((left, right), addition) in left.iter_mut().zip(&mut right).zip(group) {
            *left = &points[position(addition.left)];
            *right = &points[position(addition.right)];
        }
        C::gather(&left, &mut self.x, &mut self.y);
        C::gather(&right, &mut self.other_x, &mut self.other_y);
        C::subtract(&mut self.run, &self.other_x, &self.x);
        C::subtract(&mut self.rise, &self.other_y, &self.y);
        self.copied = [0; GROUP];
        self.none = [0; GROUP];
        // Only infinity has a zero y: the groups have no point of order two.
        let same_x = C::equal_lanes(&self.x, &self.other_x);
        let left_infinity = C::zero_lanes(&self.y);
        let right_infinity = C::zero_lanes(&self.other_y);
        if [same_x, left_infinity, right_infinity] != [[0; GROUP]; 3] {
            let same_y = C::equal_lanes(&self.y, &self.other_y);
            witness.register().call(Exceptional {
                work: self,
                lanes: [same_x, same_y, left_infinity, right_infinity],
            });
        }
    }

    #[inline(always)]
    fn exceptional(&mut self, exceptions: [Lanes; 4]) {
        let [same_x, same_y, left_infinity, right_infinity] = exceptions;
        let mut tangent = [0; GROUP];
        let mut replaced = [0; GROUP];
        for i in 0..GROUP {
            self.copied[i] = left_infinity[i] | right_infinity[i];
            tangent[i] = same_x[i] & same_y[i] & !self.copied[i];
            self.none[i] = same_x[i] & !same_y[i] & !self.copied[i];
            replaced[i] = self.copied[i] | self.none[i];
        }
        // λ = 3x²/2y
        let mut squares = self.x;
        let mut numerator = self.x;
        C::square(&mut squares, &self.x);
        C::add(&mut numerator, &squares, &squares);
        C::single(&mut numerator);
        let twice = numerator;
        C::add(&mut numerator, &twice, &squares);
        C::replace(&mut self.rise, tangent, &numerator);
        let mut denominator = self.y;
        C::add(&mut denominator, &self.y, &self.y);
        C::replace(&mut self.run, tangent, &denominator);
        C::replace(&mut self.run, replaced, &self.one);
        C::replace(&mut self.x, left_infinity, &self.other_x);
        C::replace(&mut self.y, left_infinity, &self.other_y);
    }

    /// λ² − x − x₂, λ(x − x') − y
    #[inline(always)]
    fn finish(&mut self, inverse: &Group<C::Field>, sums: &mut [C::Point; GROUP_LANES]) {
        let (slope, third_x) = (&mut self.slope, &mut self.third_x);
        // Each of these is used up before it takes the next value.
        let third_y = &mut self.other_y;
        C::over_norm(third_x, &self.run, inverse);
        C::multiply(slope, &self.rise, third_x);
        C::square(&mut self.rise, slope);
        C::subtract_both(third_x, &self.rise, &self.x, &self.other_x);
        C::subtract(&mut self.rise, &self.x, third_x);
        C::multiply(&mut self.run, &self.rise, slope);
        C::subtract_reduced(third_y, &self.run, &self.y);
        if self.copied != [0; GROUP] {
            C::replace(third_x, self.copied, &self.x);
            C::replace(third_y, self.copied, &self.y);
        }
        C::scatter(third_x, third_y, sums);
        if self.none == [0; GROUP] {
            return;
        }
        for (sum, lane) in sums.iter_mut().zip(0..) {
            if self.none[lane / LANES] & (1 << (lane % LANES)) != 0 {
                *sum = C::Point::INFINITY;
            }
        }
    }
}
