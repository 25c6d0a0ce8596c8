//! An Ethereum chain in memory.

use revm::context::TxEnv;
use revm::context::result::ExecutionResult;
use revm::database::{CacheDB, EmptyDB};
use revm::handler::{EthPrecompiles, MainnetContext, MainnetEvm};
use revm::precompile::Precompiles;
use revm::primitives::{Address, TxKind};
use revm::{Context, DatabaseRef as _, ExecuteCommitEvm as _, MainBuilder as _, MainContext as _};

/// What a call gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Returned these bytes, having used this much gas.
    Returned(Vec<u8>, u64),
    /// Reverted or ran out.
    Failed,
}

impl Outcome {
    /// The returned truth value. A call that reverts has none.
    pub(crate) fn verdict(&self) -> bool {
        match self {
            Self::Returned(bytes, _) if bytes.len() == 32 && bytes[..31] == [0; 31] => {
                match bytes[31] {
                    0 => false,
                    1 => true,
                    other => panic!("not a truth value: {other}"),
                }
            }
            other => panic!("no verdict: {other:?}"),
        }
    }
}

/// A chain with one contract on it.
pub(crate) struct Chain {
    evm: MainnetEvm<MainnetContext<CacheDB<EmptyDB>>>,
    contract: Address,
    nonce: u64,
}

impl Chain {
    /// Deploys a contract on a chain with today's rules.
    pub(crate) fn deploy(creation: &[u8]) -> Self {
        let evm = Context::mainnet()
            .with_db(CacheDB::new(EmptyDB::default()))
            .build_mainnet();
        let mut chain = Self {
            evm,
            contract: Address::ZERO,
            nonce: 0,
        };
        match chain.send(TxKind::Create, creation, 16_000_000) {
            result @ ExecutionResult::Success { .. } => {
                chain.contract = result.created_address().unwrap();
            }
            other => panic!("not deployed: {other:?}"),
        }
        chain
    }

    /// Takes the curve's precompiles (6, 7, 8) off the chain.
    pub(crate) fn without_curve(mut self) -> Self {
        self.evm.precompiles = EthPrecompiles {
            precompiles: Precompiles::homestead(),
            ..self.evm.precompiles
        };
        self
    }

    /// The contract's code as the chain keeps it.
    pub(crate) fn code(&self) -> Vec<u8> {
        let database = &self.evm.ctx.journaled_state.database;
        let account = database.basic_ref(self.contract).unwrap().unwrap();
        let code = database.code_by_hash_ref(account.code_hash).unwrap();
        code.original_byte_slice().to_vec()
    }

    /// Hash of the code as the chain keeps it.
    pub(crate) fn code_hash(&self) -> [u8; 32] {
        let database = &self.evm.ctx.journaled_state.database;
        database
            .basic_ref(self.contract)
            .unwrap()
            .unwrap()
            .code_hash
            .0
    }

    /// Calls the contract.
    pub(crate) fn call(&mut self, data: &[u8]) -> Outcome {
        self.call_with_gas(data, 10_000_000)
    }

    /// Calls the contract with a gas limit.
    pub(crate) fn call_with_gas(&mut self, data: &[u8], gas: u64) -> Outcome {
        match self.send(TxKind::Call(self.contract), data, gas) {
            ExecutionResult::Success { output, gas, .. } => {
                Outcome::Returned(output.into_data().to_vec(), gas.tx_gas_used())
            }
            _ => Outcome::Failed,
        }
    }

    fn send(&mut self, kind: TxKind, data: &[u8], gas: u64) -> ExecutionResult {
        let tx = TxEnv::builder()
            .kind(kind)
            .data(data.to_vec().into())
            .gas_limit(gas)
            .nonce(self.nonce)
            .build()
            .unwrap();
        self.nonce += 1;
        self.evm.transact_commit(tx).unwrap()
    }
}
