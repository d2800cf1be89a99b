//! Runs the built program in a folder and an environment of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder to run the program in, with nothing in the environment but what is put there.
pub(crate) struct Program {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Program {
    pub(crate) fn new() -> Self {
        let environment = Vec::new();
        Self { folder: tempfile::tempdir().unwrap(), environment }
    }

    /// Sets a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file, and the folders that it lies in.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Returns the folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Makes the command.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_testlake"));
        command.args(words).current_dir(self.path()).env_clear().stdin(Stdio::null());
        // Windows' sockets and temporary files need these.
        for name in ["SystemRoot", "TEMP", "TMP"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs it to its end.
    pub(crate) fn output(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs it to its end and renders all that it said.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        self.render(&self.output(words))
    }

    /// Renders an end, without what differs from time to time.
    pub(crate) fn render(&self, output: &Output) -> String {
        let mut text = String::new();
        writeln!(text, "exit code: {}", output.status.code().map_or("none".to_owned(), |c| c.to_string()))
            .unwrap();
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let said = String::from_utf8(bytes.clone()).unwrap();
            writeln!(text, "----- {name} -----\n{}", self.filtered(&said)).unwrap();
        }
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    /// Takes out what differs from time to time: this folder's path and the program's version.
    fn filtered(&self, text: &str) -> String {
        let folder = self.path().canonicalize().unwrap();
        let text = text.replace(&*folder.to_string_lossy(), "[FOLDER]");
        let text = text.replace(&*self.path().to_string_lossy(), "[FOLDER]");
        let text = text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]").replace("testlake.exe", "testlake");
        // The size of what was compressed is the compressor's business.
        let size = regex::Regex::new(r"(?m)^ +[\d.,]+ [kM]?B( +[\d,]+ rows?  )").unwrap();
        let text = size.replace_all(&text, "    [SIZE]$1");
        let kept = regex::Regex::new(r"(results? of .*) \([\d.,]+ [kM]?B\)").unwrap();
        let text = kept.replace_all(&text, "$1 ([SIZE])");
        // And so is what it is made of where archives are the input.
        let hash = regex::Regex::new(r"local-[0-9a-f]{16}").unwrap();
        hash.replace_all(&text, "local-[HASH]").into_owned()
    }
}

/// Returns the files below a folder with their bytes; none where there is no such folder.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}
