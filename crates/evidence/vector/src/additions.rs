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

/// Which point is added: from the slice that takes the sums, or from another one that is only read; as it
/// stands, or its opposite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summand(u32);

impl Summand {
    /// The last position that can be named.
    pub const LAST: u32 = Self::OTHER - 1;
    const MINUS: u32 = 1 << 31;
    const OTHER: u32 = 1 << 30;

    /// A point of the slice that takes the sums. Positions from [`Self::LAST`] on are all taken for it.
    #[must_use]
    pub fn own(position: u32) -> Self {
        Self(position.min(Self::LAST))
    }

    /// A point of the slice that is only read.
    #[must_use]
    pub fn other(position: u32) -> Self {
        Self(position.min(Self::LAST) | Self::OTHER)
    }

    /// The same, or where `minus` is set its opposite.
    #[must_use]
    pub fn signed(self, minus: bool) -> Self {
        Self(self.0 ^ if minus { Self::MINUS } else { 0 })
    }

    /// Its position in its slice.
    #[must_use]
    pub fn position(self) -> u32 {
        self.0 & Self::LAST
    }

    /// Whether the opposite point is added.
    #[must_use]
    pub fn is_minus(self) -> bool {
        self.0 & Self::MINUS != 0
    }

    /// Whether it stands in the slice that is only read.
    #[must_use]
    pub fn is_other(self) -> bool {
        self.0 & Self::OTHER != 0
    }

    /// The point, without its sign; the position has been checked.
    #[inline(always)]
    fn of<'a, P>(self, points: &'a [P], others: &'a [P]) -> &'a P {
        let slice = if self.is_other() { others } else { points };
        &slice[position(self.position())]
    }
}

/// Position `to` ← `left` + `right`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition {
    /// First summand.
    pub left: Summand,
    /// Second summand.
    pub right: Summand,
    /// Where the sum goes, in the slice that takes the sums.
    pub to: u32,
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
    fn add(&mut self, points: &mut [P], others: &[P], additions: &[Addition]);
    /// As many points as bytes are given for.
    fn import(&mut self, bytes: &[u8], points: &mut [P]) -> Result<(), PointFault>;
    fn export(&self, points: &[P], bytes: &mut Vec<u8>);
}

/// Working memory.
pub(crate) struct Memory<C: Coordinates> {
    work: Work<C>,
    /// The norm of each group's denominators.
    norms: Vec<Group<C::Field>>,
    /// The products of the norms before each group, and of all.
    prefixes: Vec<Group<C::Field>>,
    one: Group<C::Field>,
    from_file: Group<C::Field>,
    to_file: Group<C::Field>,
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
    pub(crate) fn new(zero: C::Field) -> Self {
        let one = C::one(&zero);
        Self {
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
            norms: vec![[zero; GROUP]; GROUPS],
            prefixes: vec![[zero; GROUP]; GROUPS + 1],
            one: [constant(&zero, ark_ff::Field::ONE); GROUP],
            from_file: [from_file(&zero); GROUP],
            to_file: [to_file(&zero); GROUP],
        }
    }
}

impl<C: Coordinates> Adder<C::Point> for Memory<C> {
    fn add(&mut self, points: &mut [C::Point], others: &[C::Point], additions: &[Addition]) {
        for block in additions.chunks(GROUPS * GROUP_LANES) {
            self.register().call(AddBlock {
                memory: self,
                points,
                others,
                block,
            });
        }
    }

    fn import(&mut self, bytes: &[u8], points: &mut [C::Point]) -> Result<(), PointFault> {
        let chunks = bytes.chunks(GROUP_LANES * C::Point::BYTES);
        for (number, (bytes, points)) in chunks.zip(points.chunks_mut(GROUP_LANES)).enumerate() {
            self.register().call(ImportGroup {
                memory: self,
                bytes,
                points,
                first: number * GROUP_LANES,
            })?;
        }
        Ok(())
    }

    fn export(&self, points: &[C::Point], bytes: &mut Vec<u8>) {
        for chunk in points.chunks(GROUP_LANES) {
            self.register().call(ExportGroup {
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
    others: &'a [C::Point],
    block: &'a [Addition],
} -> (), memory.add_block(points, others, block));

work!(ImportGroup<'a, C: Coordinates> {
    memory: &'a Memory<C>,
    bytes: &'a [u8],
    points: &'a mut [C::Point],
    first: usize,
} -> Result<(), PointFault>, memory.import_group(bytes, points, first));

work!(ExportGroup<'a, C: Coordinates> {
    memory: &'a Memory<C>,
    points: &'a [C::Point],
    bytes: &'a mut Vec<u8>,
} -> (), memory.export_group(points, bytes));

work!(Exceptional<'a, C: Coordinates> {
    work: &'a mut Work<C>,
    lanes: [Lanes; 3],
} -> (), work.exceptional(lanes));

work!(Prepare<'a, C: Coordinates> {
    work: &'a mut Work<C>,
    witness: &'a C::Field,
    summands: &'a Summands<'a, C::Point>,
} -> (), work.prepare(witness, summands));

impl<C: Coordinates> Memory<C> {
    /// Evidence of the features.
    fn register(&self) -> <C::Field as Field>::Register {
        self.from_file[0].register()
    }

    /// At most a block of additions, their positions within the slice. Summands are gathered in both
    /// passes: that is cheaper than keeping them in between.
    #[inline(always)]
    fn add_block(&mut self, points: &mut [C::Point], others: &[C::Point], additions: &[Addition]) {
        let Self {
            work,
            norms,
            prefixes,
            one,
            ..
        } = self;
        let features = one[0].register();
        let Some(groups) = Groups::new(additions) else {
            return;
        };
        let (first, count) = (&groups.last[0], groups.count());
        prefixes[0] = *one;
        let mut summands = [Summands::new(points, others, first); 2];
        summands[0].read_all(features, points, others, groups.get(0));
        for g in 0..count {
            let [now, coming] = in_turn(&mut summands, g);
            let next = groups.get(g + 1);
            coming.read(features, points, others, next, 0);
            work.prepare_run(&mut norms[g], &one[0], now);
            coming.read(features, points, others, next, 1);
            coming.read(features, points, others, next, 2);
            let (before, after) = prefixes.split_at_mut(g + 1);
            Field::multiply(&mut after[0], &norms[g], &before[g]);
            coming.read(features, points, others, next, 3);
        }
        // No denominator is zero (see `prepare`), so there is an inverse; without one the sums would
        // not be on the curve.
        let product = &prefixes[count];
        let mut inverses = [try_invert_group(product).unwrap_or(*product); 2];
        let [mut own, _] = inverses;
        let mut sums = [C::Point::INFINITY; GROUP_LANES];
        let mut summands = Summands::new(points, others, first);
        summands.read_all(features, points, others, &groups.last);
        for g in (0..count).rev() {
            let [before, after] = in_turn(&mut inverses, g);
            Field::multiply(&mut own, before, &prefixes[g]);
            Field::multiply(after, &norms[g], before);
            work.prepare(&one[0], &summands);
            work.finish(&own, &mut sums);
            for (addition, sum) in groups.get(g).iter().zip(&sums) {
                points[position(addition.to)] = *sum;
            }
            // What a sum was written over is read no more; the last time this is for nothing.
            summands = Summands::new(points, others, first);
            summands.read_all(features, points, others, groups.get(g.saturating_sub(1)));
        }
    }

    /// At most a group of points, the first of which has this number.
    #[inline(always)]
    fn import_group(
        &self,
        bytes: &[u8],
        points: &mut [C::Point],
        first: usize,
    ) -> Result<(), PointFault> {
        let mut rows = [C::Point::INFINITY; GROUP_LANES];
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
        let (mut file_x, mut file_y) = (self.work.one, self.work.one);
        C::gather(&rows.each_ref(), &mut file_x, &mut file_y);
        let (mut x, mut y) = (file_x, file_y);
        C::scale(&mut x, &file_x, &self.from_file);
        C::scale(&mut y, &file_y, &self.from_file);
        let on_curve = C::curve_lanes(&x, &y);
        C::scatter(&x, &y, &mut rows);
        for (lane, (row, point)) in rows.iter().zip(points).enumerate() {
            let (v, bit) = (lane / LANES, 1 << (lane % LANES));
            let index = first + lane;
            if not_canonical == Some(lane) {
                return Err(PointFault::NotCanonical { index });
            }
            if on_curve[v] & bit == 0 && *row != C::Point::INFINITY {
                return Err(PointFault::OffCurve { index });
            }
            *point = *row;
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
        let (mut file_x, mut file_y) = (x, y);
        C::scale(&mut file_x, &x, &self.to_file);
        C::scale(&mut file_y, &y, &self.to_file);
        C::scatter(&file_x, &file_y, &mut rows);
        for row in rows.iter().take(points.len()).flat_map(AtRest::rows) {
            bytes.extend_from_slice(&row.bytes());
        }
    }
}

fn position(index: u32) -> usize {
    // Checked at the border to be below a slice's length.
    usize::try_from(index).unwrap_or(usize::MAX)
}

/// Of a pair the one whose turn it is, and the other one.
#[inline(always)]
fn in_turn<T>(pair: &mut [T; 2], turn: usize) -> [&mut T; 2] {
    let [even, odd] = pair;
    if turn.is_multiple_of(2) {
        [even, odd]
    } else {
        [odd, even]
    }
}

/// The groups of a block. The last one is filled up with its first addition, whose sum is then written more than
/// once.
struct Groups<'a> {
    full: &'a [[Addition; GROUP_LANES]],
    last: [Addition; GROUP_LANES],
}

impl<'a> Groups<'a> {
    /// `None` for no additions.
    fn new(additions: &'a [Addition]) -> Option<Self> {
        let (full, rest) = additions.as_chunks();
        let Some(first) = rest.first() else {
            let (last, full) = full.split_last()?;
            return Some(Self { full, last: *last });
        };
        let mut last = [*first; GROUP_LANES];
        last[..rest.len()].copy_from_slice(rest);
        Some(Self { full, last })
    }

    fn count(&self) -> usize {
        self.full.len() + 1
    }

    /// Behind the last one, the last one.
    #[inline(always)]
    fn get(&self, number: usize) -> &[Addition; GROUP_LANES] {
        self.full.get(number).unwrap_or(&self.last)
    }
}

/// Where a group's summands stand, and which of them are subtracted.
#[derive(Clone, Copy)]
struct Summands<'a, P> {
    left: [&'a P; GROUP_LANES],
    right: [&'a P; GROUP_LANES],
    minus_left: Lanes,
    minus_right: Lanes,
}

impl<'a, P: AtRest> Summands<'a, P> {
    /// To be read.
    #[inline(always)]
    fn new(points: &'a [P], others: &'a [P], any: &Addition) -> Self {
        Self {
            left: [any.left.of(points, others); GROUP_LANES],
            right: [any.right.of(points, others); GROUP_LANES],
            minus_left: [0; GROUP],
            minus_right: [0; GROUP],
        }
    }

    #[inline(always)]
    fn read_all<R: Register>(
        &mut self,
        features: R,
        points: &'a [P],
        others: &'a [P],
        group: &[Addition; GROUP_LANES],
    ) {
        for part in 0..GROUP {
            self.read(features, points, others, group, part);
        }
    }

    /// Reads a vector of them and has them on their way while the group before is worked on: they stand
    /// anywhere, and a processor waits for a few lines of memory at a time only.
    #[inline(always)]
    fn read<R: Register>(
        &mut self,
        features: R,
        points: &'a [P],
        others: &'a [P],
        group: &[Addition; GROUP_LANES],
        part: usize,
    ) {
        let (mut minus_left, mut minus_right) = (0, 0);
        for place in 0..LANES {
            let lane = part * LANES + place;
            let addition = &group[lane];
            let (left, right) = (addition.left, addition.right);
            minus_left |= u8::from(left.is_minus()) << place;
            minus_right |= u8::from(right.is_minus()) << place;
            let (left, right) = (left.of(points, others), right.of(points, others));
            left.fetch(features);
            right.fetch(features);
            self.left[lane] = left;
            self.right[lane] = right;
        }
        self.minus_left[part] = minus_left;
        self.minus_right[part] = minus_right;
    }
}

impl<C: Coordinates> Work<C> {
    /// The norm of the denominator of each slope that [`Self::prepare`] makes: without the other coordinates
    /// where no addition is exceptional.
    #[inline(always)]
    fn prepare_run(
        &mut self,
        norm: &mut Group<C::Field>,
        witness: &C::Field,
        summands: &Summands<'_, C::Point>,
    ) {
        C::gather_x(&summands.left, &mut self.x);
        C::gather_x(&summands.right, &mut self.other_x);
        if self.exceptions() == [[0; GROUP]; 3] {
            C::norm_of_difference(norm, &self.other_x, &self.x, &mut self.run);
            return;
        }
        witness.register().call(Prepare {
            work: self,
            witness,
            summands,
        });
        C::norm(norm, &self.run);
    }

    /// Numerator and denominator of each slope.
    #[inline(always)]
    fn prepare(&mut self, witness: &C::Field, summands: &Summands<'_, C::Point>) {
        C::gather(&summands.left, &mut self.x, &mut self.y);
        C::gather(&summands.right, &mut self.other_x, &mut self.other_y);
        if summands.minus_left != [0; GROUP] {
            C::negate(&mut self.y, summands.minus_left);
        }
        if summands.minus_right != [0; GROUP] {
            C::negate(&mut self.other_y, summands.minus_right);
        }
        C::subtract(&mut self.run, &self.other_x, &self.x);
        C::subtract(&mut self.rise, &self.other_y, &self.y);
        self.copied = [0; GROUP];
        self.none = [0; GROUP];
        let lanes = self.exceptions();
        if lanes != [[0; GROUP]; 3] {
            witness.register().call(Exceptional { work: self, lanes });
        }
    }

    /// Equal x; infinity on the left; on the right. Only infinity has a zero x: other points with it would
    /// have order three, and neither curve has one.
    #[inline(always)]
    fn exceptions(&self) -> [Lanes; 3] {
        [
            C::equal_lanes(&self.x, &self.other_x),
            C::zero_lanes(&self.x),
            C::zero_lanes(&self.other_x),
        ]
    }

    #[inline(always)]
    fn exceptional(&mut self, exceptions: [Lanes; 3]) {
        let [same_x, left_infinity, right_infinity] = exceptions;
        // Opposites are not gathered values: equal ones need not look the same.
        let mut difference = self.y;
        C::subtract_reduced(&mut difference, &self.y, &self.other_y);
        let same_y = C::zero_lanes(&difference);
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
        C::quotient(slope, &self.rise, &self.run, inverse, third_x);
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
