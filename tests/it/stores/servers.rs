//! Servers of files for the tests: each is a process of its own that ends with the test, by its id.
//!
//! `cargo xtask test` fetches what they are made of; where that cannot be had the tests say so.

#![expect(clippy::print_stdout, reason = "a test that is left out says so")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The folder that cargo builds into.
pub(crate) fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).unwrap().to_path_buf()
}

/// Says why a test does nothing.
pub(crate) fn left_out(what: &str) {
    println!("left out: {what} is not there; `cargo xtask test` fetches it");
}

/// A name node and a data node, or two name nodes.
pub(crate) struct MiniDfs {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(crate) ports: Vec<u16>,
    pub(crate) directory: TempDir,
}

impl MiniDfs {
    /// Starts one; `None` if Java or Hadoop's classes are not there.
    pub(crate) fn start(is_ha: bool) -> Option<Self> {
        let jars = target_folder().join("hadoop");
        if !jars.is_dir() || Command::new("java").arg("-version").output().is_err() {
            left_out("Hadoop");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let program = vonk_tests::repository().join("tests/servers/MiniDfs.java");
        let mut command = Command::new("java");
        command.args(["-Xmx512m", "-cp"]).arg(jars.join("*")).arg(program);
        command.arg(directory.path().join("dfs")).args(is_ha.then_some("ha"));
        let errors = fs::File::create(directory.path().join("errors")).unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut process = command.spawn().unwrap();
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut dfs = Self { process, input, output, ports: Vec::new(), directory };
        let line = dfs.line();
        let ports = line.strip_prefix("ready ").expect(&line);
        dfs.ports = ports.split(' ').map(|port| port.parse().unwrap()).collect();
        Some(dfs)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let errors = || fs::read_to_string(self.directory.path().join("errors"));
        assert!(!line.is_empty(), "the name node ended: {}", errors().unwrap_or_default());
        line.trim().to_owned()
    }

    /// Gives an order of `MiniDfs.java` and waits until it is done.
    pub(crate) fn order(&mut self, order: &str) {
        writeln!(self.input, "{order}").unwrap();
        assert_eq!(self.line(), format!("done {order}"));
    }

    /// The address of the first name node.
    pub(crate) fn url(&self) -> String {
        format!("hdfs://127.0.0.1:{}", self.ports[0])
    }

    /// A directory for `HADOOP_CONF_DIR` that describes the name nodes as the service `mini`.
    pub(crate) fn configuration(&self) -> PathBuf {
        let property = |name: &str, value: &str| {
            format!("<property><name>{name}</name><value>{value}</value></property>")
        };
        let mut site = property("dfs.nameservices", "mini");
        site += &property("dfs.ha.namenodes.mini", "nn1,nn2");
        for (index, port) in self.ports.iter().enumerate() {
            let name = format!("dfs.namenode.rpc-address.mini.nn{}", index + 1);
            site += &property(&name, &format!("127.0.0.1:{port}"));
        }
        let directory = self.directory.path().join("conf");
        fs::create_dir_all(&directory).unwrap();
        let write = |name: &str, text: &str| {
            let text = format!("<configuration>{text}</configuration>");
            fs::write(directory.join(name), text).unwrap();
        };
        write("hdfs-site.xml", &site);
        write("core-site.xml", &property("fs.defaultFS", "hdfs://mini"));
        directory
    }

    /// Ends the process as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for MiniDfs {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A server that speaks HTTP: moto's S3 or Python's own of a directory.
pub(crate) struct HttpServer {
    process: Child,
    pub(crate) port: u16,
}

impl HttpServer {
    /// S3 without any bucket; `None` if moto is not there.
    pub(crate) fn s3() -> Option<Self> {
        let python = target_folder().join("python-stores/bin/python");
        if !python.exists() {
            left_out("the S3 server");
            return None;
        }
        Self::start(&python, |port| vec!["-m".into(), "moto.server".into(), "-p".into(), port])
    }

    /// The files of a directory; `None` if Python is not there.
    pub(crate) fn of(directory: &Path) -> Option<Self> {
        let directory = directory.display().to_string();
        let arguments = move |port| {
            let fixed = ["-m", "http.server", "--bind", "127.0.0.1", "--directory"];
            let fixed = fixed.iter().map(|&text| text.to_owned());
            fixed.chain([directory, port]).collect()
        };
        let server = Self::start(Path::new("python3"), arguments);
        if server.is_none() {
            left_out("Python");
        }
        server
    }

    fn start(python: &Path, arguments: impl FnOnce(String) -> Vec<String>) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut command = Command::new(python);
        command.args(arguments(port.to_string())).stdin(Stdio::null());
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let server = Self { process, port };
        let end = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "the server does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends the process as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
