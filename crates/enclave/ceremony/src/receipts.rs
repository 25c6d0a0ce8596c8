//! The receipts a ceremony has written.

use manifest::receipt::{ReceiptError, Records};
use manifest::{ReceiptChain, ReceiptStage, Spec};

/// The receipts so far and the text of the last one.
#[derive(Debug)]
pub(crate) struct Receipts {
    pub(crate) chain: ReceiptChain,
    pub(crate) last: Vec<u8>,
}

impl Receipts {
    /// The receipt of the opening.
    pub(crate) fn first(spec: &Spec) -> Result<Self, ReceiptError> {
        let chain = ReceiptChain::new(spec.id(), spec.circuit.input());
        Self::add(chain, ReceiptStage::Opened, Records::new(), Records::new())
    }

    /// One more receipt.
    pub(crate) fn add(
        mut chain: ReceiptChain,
        stage: ReceiptStage,
        inputs: Records,
        outputs: Records,
    ) -> Result<Self, ReceiptError> {
        let last = chain.append(stage, inputs, outputs)?.to_vec();
        Ok(Self { chain, last })
    }
}
