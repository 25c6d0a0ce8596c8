//! What both forms of five limbs, a register each, do limb by limb.

/// In an implementation of [`Field`](super::Field) for a type around `[V; LIMBS]`: the functions that do not
/// depend on what a limb is.
macro_rules! limb_by_limb {
    () => {
        type Register = V;

        #[inline(always)]
        fn of(register: V) -> Self {
            Self([register; LIMBS]).zero()
        }

        #[inline(always)]
        fn register(&self) -> V {
            self.0[0]
        }

        #[inline(always)]
        fn zero(&self) -> Self {
            Self([self.register().splat(0); LIMBS])
        }

        #[inline(always)]
        fn equal_lanes(&self, other: &Self) -> u8 {
            let mut equal = u8::MAX;
            for i in 0..LIMBS {
                equal &= self.0[i].equal(other.0[i]);
            }
            equal
        }

        #[inline(always)]
        fn select(mask: u8, one: &Self, other: &Self) -> Self {
            let mut t = other.0;
            for i in 0..LIMBS {
                t[i] = one.0[i].select(mask, t[i]);
            }
            Self(t)
        }

        #[inline(always)]
        fn masked(&self, bits: u64) -> Self {
            let mask = self.register().splat(bits);
            let mut t = self.0;
            for i in 0..LIMBS {
                t[i] = t[i].and(mask);
            }
            Self(t)
        }

        #[inline(always)]
        fn or(&self, other: &Self) -> Self {
            let mut t = self.0;
            for i in 0..LIMBS {
                t[i] = t[i].or(other.0[i]);
            }
            Self(t)
        }

        #[inline(always)]
        fn rotated(&self, by: Rotation) -> Self {
            let mut t = self.0;
            for i in 0..LIMBS {
                t[i] = t[i].rotated(by);
            }
            Self(t)
        }
    };
}
pub(super) use limb_by_limb;
