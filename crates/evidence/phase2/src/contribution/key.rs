//! The private key of one contribution.

use formats::{
    curve::{G1Affine, G2Affine},
    zkey::{Contribution, ContributionKind, ContributionName},
};
use zeroize::{Zeroize, Zeroizing};

use super::{
    error::ContributionError,
    rewrite::{Direction, Secrecy},
};
use crate::{
    EngineCurve,
    rescale::{Rescaler, Select, multiply_secret},
    rng::ChaChaRng,
    sampling::{self, Sample},
    transcript::ChainTranscript,
};

/// Delta's new factor and the random point of its proof of knowledge. The factor is erased when
/// this is dropped; there is no way to print or copy it.
pub struct ContributionKey<C: EngineCurve> {
    scalar: C::Fr,
    g1_s: G1Affine<C>,
}

impl<C: EngineCurve> ContributionKey<C> {
    /// Draws scalar and point, in this order, from the stream of a 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let mut rng = ChaChaRng::from_seed(seed);
        let scalar = C::Fr::from_rng(&mut rng);
        let g1_s = sampling::point(&mut rng);
        Self { scalar, g1_s }
    }

    /// The random point, public once the contribution is.
    pub(crate) fn g1_s(&self) -> &G1Affine<C> {
        &self.g1_s
    }

    /// The contribution's record: the new delta, and the proof that its maker knows the factor.
    pub(crate) fn record(
        &self,
        chain: &ChainTranscript,
        delta_before: &G1Affine<C>,
        kind: ContributionKind,
        name: Option<ContributionName>,
    ) -> Result<Contribution<C>, ContributionError> {
        let g1_sx = multiply_secret(&self.g1_s, &self.scalar)?;
        let transcript = chain.challenge(&self.g1_s, &g1_sx);
        let g2_sp: G2Affine<C> = sampling::challenge_point(&transcript);
        Ok(Contribution {
            delta_after: multiply_secret(delta_before, &self.scalar)?,
            g1_s: self.g1_s,
            g1_sx,
            g2_spx: multiply_secret(&g2_sp, &self.scalar)?,
            transcript,
            kind,
            name,
        })
    }

    /// A G2 point times the scalar.
    pub(crate) fn multiply_g2(
        &self,
        point: &G2Affine<C>,
    ) -> Result<G2Affine<C>, ContributionError> {
        Ok(multiply_secret(point, &self.scalar)?)
    }

    /// A G2 point times the scalar's inverse.
    pub(crate) fn divide_g2(&self, point: &G2Affine<C>) -> Result<G2Affine<C>, ContributionError> {
        Ok(multiply_secret(point, &*self.inverse())?)
    }

    /// The steps for all points of a section.
    pub(crate) fn rescaler(
        &self,
        secrecy: Secrecy,
        direction: Direction,
    ) -> Result<Rescaler, ContributionError> {
        let inverse = self.inverse();
        let factor = match direction {
            Direction::Multiply => &self.scalar,
            Direction::Divide => &*inverse,
        };
        Ok(match secrecy {
            Secrecy::Secret => Rescaler::secret::<C::G1Config>(factor)?,
            Secrecy::Public => Rescaler::public::<C::G1Config>(factor)?,
        })
    }

    fn inverse(&self) -> Zeroizing<C::Fr> {
        Zeroizing::new(self.scalar.invert_fixed())
    }
}

impl<C: EngineCurve> Drop for ContributionKey<C> {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}
