//! Azurite, Azure's own stand-in for its Blob Storage, as a process beside the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::tools::tools_dir;

/// The account that it has.
pub const ACCOUNT: &str = "devstoreaccount1";
/// The account's key, the same on every machine.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The process. It ends, and its blobs go, when this is dropped.
#[derive(Debug)]
pub struct Azurite {
    process: Child,
    endpoint: String,
    _folder: TempDir,
}

impl Azurite {
    /// Starts it on a free port and waits until it listens.
    pub fn start() -> Self {
        let main = tools_dir().join("node_modules/azurite/dist/src/blob/main.js");
        assert!(main.is_file(), "no azurite at `{}`: run scripts/test, which installs it", main.display());
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let mut process = Command::new("node")
            // It ends when its input does, which is when this process has ended, however that was.
            .args(["-e", "process.stdin.on('end', () => process.exit()).resume(); require(process.argv[1])"])
            .arg(main)
            .args(["--blobPort", "0", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run node: {error}"));
        let mut lines = BufReader::new(process.stdout.take().unwrap_or_else(|| panic!("no output"))).lines();
        let endpoint = loop {
            let Some(Ok(line)) = lines.next() else { panic!("azurite ended before it listened") };
            if let Some((_, endpoint)) = line.split_once("successfully listens on ") {
                break format!("{}/{ACCOUNT}", endpoint.trim());
            }
        };
        // It logs each request: whoever does not read that holds it up.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, endpoint, _folder: folder }
    }

    /// Returns the account's address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the environment that leads here with the right key.
    pub fn environment(&self) -> impl Fn(&str) -> Option<String> + Clone + use<> {
        let endpoint = self.endpoint.clone();
        move |name| match name {
            "AZURE_STORAGE_ACCOUNT" => Some(ACCOUNT.to_owned()),
            "AZURE_STORAGE_KEY" => Some(KEY.to_owned()),
            "AZURE_STORAGE_ENDPOINT" => Some(endpoint.clone()),
            _ => None,
        }
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
