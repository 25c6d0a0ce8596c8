//! A SIMULATED agent in this process and a host that talks to it over a Unix socket.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use attestation::{PcrPolicy, RawDocument};
use circom::Limits;
use drand::Chain;
use enclave_agent::backing::BackingConfig;
use enclave_agent::{Agent, AgentConfig, selfcheck, serve};
use formats::digest::Sha256Digest;
use formats::progress::NoProgress;
use formats::ptau::Ptau;
use formats::r1cs::R1cs;
use local_beacon::LocalChain;
use manifest::spec::{BeaconSpec, CircuitSpec, CurveName, Phase1Family, SpecFields};
use manifest::{AgentMode, Spec};
use phase2::setup::{SetupOptions, new_initial_key};
use protocol::backing::{Keeper, keep_files};
use protocol::convert::kind_from_pb;
use protocol::pb::{self, ArtifactKind};
use protocol::{EnclaveClient, RemoteError, TransferError, Transport, put_artifact, settings};
use simulation::{SimulatedNsm, SystemClock};
use solc::unpack::SOLC_WASM_SHA256;
use tempfile::TempDir;
use tonic::transport::Channel;

pub(crate) const MARGIN_MS: u64 = 1000;

pub(crate) struct Host {
    pub(crate) client: EnclaveClient<Channel>,
    pub(crate) chain: LocalChain,
    pub(crate) folder: TempDir,
    pub(crate) files: Arc<Files>,
}

/// The large files as an honest host keeps them.
#[derive(Default)]
pub(crate) struct Files(pub(crate) Mutex<BTreeMap<manifest::ArtifactKind, Vec<u8>>>);

impl Files {
    pub(crate) fn get(&self, kind: manifest::ArtifactKind) -> Vec<u8> {
        self.0.lock().unwrap()[&kind].clone()
    }
}

impl Keeper for Files {
    fn read(&self, kind: manifest::ArtifactKind, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let all = self.0.lock().unwrap();
        let bytes = all.get(&kind).ok_or(io::ErrorKind::NotFound)?;
        formats::source::Source::read_exact_at(bytes.as_slice(), buf, offset)
    }

    fn write(&self, kind: manifest::ArtifactKind, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut all = self.0.lock().unwrap();
        let bytes = all.entry(kind).or_default();
        let start = usize::try_from(offset).unwrap();
        bytes.resize(bytes.len().max(start + data.len()), 0);
        bytes[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}

pub(crate) fn has_modules() -> bool {
    testkit::modules(&["solc.wasm", "circom.wasm"]).is_some()
}

pub(crate) fn now_ms() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(elapsed.as_millis()).unwrap()
}

impl Host {
    /// Starts an agent. Without modules the checks of the modules would keep it closed, so they
    /// are left out of its list: those tests do not compile anything.
    pub(crate) async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    /// The same with other limits for circom.
    pub(crate) async fn start_with(compiler_limits: Limits) -> Self {
        let host = Self::alone(compiler_limits, BackingConfig::default()).await;
        let files = Arc::<Files>::clone(&host.files);
        tokio::spawn(keep_files(host.client.clone(), files));
        host
    }

    /// The same, but nobody answers for the large files.
    pub(crate) async fn alone(compiler_limits: Limits, backing: BackingConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let security = SimulatedNsm::new([[1; 48], [2; 48], [3; 48]], SystemClock).unwrap();
        let anchor = security.anchor();
        let mut self_checks = selfcheck::simulation(&security, &testkit::modules_folder());
        if !has_modules() {
            self_checks.retain(|check| !check.name.starts_with("module-"));
        }
        let config = AgentConfig {
            mode: AgentMode::Simulation,
            modules: testkit::modules_folder(),
            work: folder.path().join("work"),
            anchor,
            pcrs: PcrPolicy::unpinned(),
            self_checks,
            compiler_limits,
            backing,
        };
        let agent = Agent::new(config, Arc::new(security)).unwrap();
        let transport = Transport::Unix {
            path: folder.path().join("s"),
        };
        let listen = transport.clone();
        tokio::spawn(async move {
            serve(agent, &listen, std::future::pending()).await.unwrap();
        });
        let client = loop {
            match transport.connect().await {
                Ok(channel) => break settings::enclave_client(channel),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let genesis = now_ms() / 1000 - 100;
        Self {
            client,
            chain: LocalChain::from_seed([5; 32], genesis, 1).unwrap(),
            folder,
            files: Arc::default(),
        }
    }

    pub(crate) fn spec_for(&self, circuit: CircuitSpec) -> Spec {
        let chain = Chain::Local(self.chain.chain_info().clone());
        SpecFields {
            beacon: BeaconSpec::new(&chain, MARGIN_MS),
            circuit,
            compiler_solc: Sha256Digest::new(SOLC_WASM_SHA256),
            contribution_name: "test ceremony".to_owned(),
            curve: CurveName::Bn128,
            initial: manifest::InitialSpec::Fresh,
            phase1_family: Phase1Family::Development,
            requester_nonce: [9; 32],
        }
        .validate()
        .unwrap()
    }

    pub(crate) fn r1cs_spec(&self, r1cs: &[u8]) -> Spec {
        self.spec_for(CircuitSpec::R1cs {
            sha256: Sha256Digest::of(r1cs),
        })
    }

    pub(crate) async fn open(&mut self, spec: &Spec) -> Result<pb::OpenResponse, RemoteError> {
        let request = pb::OpenRequest {
            spec: spec.text().to_vec().into(),
        };
        Ok(self.client.open(request).await?.into_inner())
    }

    pub(crate) async fn put(
        &mut self,
        kind: ArtifactKind,
        bytes: &[u8],
    ) -> Result<pb::ArtifactInfo, TransferError> {
        let size = u64::try_from(bytes.len()).unwrap();
        let held = kind_from_pb(kind.into()).unwrap();
        self.files.0.lock().unwrap().insert(held, bytes.to_vec());
        let source = Cursor::new(bytes.to_vec());
        put_artifact(&mut self.client, kind, size, source, |_| {}).await
    }

    pub(crate) async fn describe(&mut self) -> pb::DescribeResponse {
        let request = pb::DescribeRequest {
            nonce: vec![4; 32].into(),
        };
        self.client.describe(request).await.unwrap().into_inner()
    }

    pub(crate) async fn stage(&mut self) -> pb::Stage {
        self.describe().await.stage()
    }

    pub(crate) async fn compile(&mut self) -> Result<pb::Receipt, RemoteError> {
        use pb::compile_circuit_response::Part;
        let request = pb::CompileCircuitRequest {};
        let mut stream = self.client.compile_circuit(request).await?.into_inner();
        while let Some(message) = stream.message().await? {
            if let Some(Part::Receipt(receipt)) = message.part {
                return Ok(receipt);
            }
        }
        panic!("no receipt")
    }

    pub(crate) async fn check_phase1(&mut self) -> Result<pb::Receipt, RemoteError> {
        use pb::check_phase1_response::Part;
        let request = pb::CheckPhase1Request {};
        let mut stream = self.client.check_phase1(request).await?.into_inner();
        while let Some(message) = stream.message().await? {
            if let Some(Part::Receipt(receipt)) = message.part {
                return Ok(receipt);
            }
        }
        panic!("no receipt")
    }

    pub(crate) async fn check_initial_key(&mut self) -> Result<pb::Receipt, RemoteError> {
        use pb::check_initial_key_response::Part;
        let request = pb::CheckInitialKeyRequest {};
        let mut stream = self.client.check_initial_key(request).await?.into_inner();
        while let Some(message) = stream.message().await? {
            if let Some(Part::Receipt(receipt)) = message.part {
                return Ok(receipt);
            }
        }
        panic!("no receipt")
    }

    pub(crate) async fn contribute(&mut self) -> Result<pb::Receipt, RemoteError> {
        use pb::contribute_response::Part;
        let request = pb::ContributeRequest {};
        let mut stream = self.client.contribute(request).await?.into_inner();
        while let Some(message) = stream.message().await? {
            if let Some(Part::Receipt(receipt)) = message.part {
                return Ok(receipt);
            }
        }
        panic!("no receipt")
    }

    pub(crate) async fn apply_beacon(
        &mut self,
        beacon: drand::RawBeacon,
    ) -> Result<pb::Receipt, RemoteError> {
        use pb::apply_beacon_response::Part;
        let request = pb::ApplyBeaconRequest {
            round: beacon.round,
            signature: beacon.signature.into(),
            previous_signature: beacon.previous_signature.into(),
        };
        let mut stream = self.client.apply_beacon(request).await?.into_inner();
        while let Some(message) = stream.message().await? {
            if let Some(Part::Receipt(receipt)) = message.part {
                return Ok(receipt);
            }
        }
        panic!("no receipt")
    }

    /// Open, circuit, ptau: everything before 0000.zkey.
    pub(crate) async fn reach_phase1_ready(&mut self, r1cs: &[u8], ptau: &[u8]) {
        let spec = self.r1cs_spec(r1cs);
        self.open(&spec).await.unwrap();
        self.put(ArtifactKind::R1cs, r1cs).await.unwrap();
        self.compile().await.unwrap();
        self.put(ArtifactKind::Ptau, ptau).await.unwrap();
        self.check_phase1().await.unwrap();
    }

    /// As far as the contribution and its attestation; returns the round.
    pub(crate) async fn reach_round_assigned(
        &mut self,
        r1cs: &[u8],
    ) -> pb::SubmitCertificatesResponse {
        let ptau = ptau_for(r1cs);
        self.reach_phase1_ready(r1cs, &ptau).await;
        let key = initial_key(r1cs, &ptau);
        self.put(ArtifactKind::InitialZkey, &key).await.unwrap();
        self.check_initial_key().await.unwrap();
        self.contribute().await.unwrap();
        let certificates = self.attest().await;
        self.submit(certificates).await.unwrap()
    }

    /// Asks for document 1 and returns its certificates.
    pub(crate) async fn attest(&mut self) -> Vec<Vec<u8>> {
        let answer = self
            .client
            .attest_contribution(pb::AttestContributionRequest {})
            .await
            .unwrap()
            .into_inner();
        RawDocument(answer.attestation.to_vec())
            .certificates()
            .unwrap()
    }

    pub(crate) async fn submit(
        &mut self,
        certificates: Vec<Vec<u8>>,
    ) -> Result<pb::SubmitCertificatesResponse, RemoteError> {
        let request = pb::SubmitCertificatesRequest {
            certificates: certificates.into_iter().map(Into::into).collect(),
        };
        Ok(self.client.submit_certificates(request).await?.into_inner())
    }
}

pub(crate) fn ptau_for(r1cs: &[u8]) -> Vec<u8> {
    testkit::development_ptau(R1cs::open(r1cs).unwrap().header().power())
}

pub(crate) fn initial_key(r1cs: &[u8], ptau: &[u8]) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    new_initial_key(
        &R1cs::open(r1cs).unwrap(),
        &Ptau::open(ptau).unwrap(),
        &mut out,
        &SetupOptions::default(),
        &NoProgress,
    )
    .unwrap();
    out.into_inner()
}
