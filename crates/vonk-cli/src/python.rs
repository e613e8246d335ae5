//! `vonk run` and `vonk submit`: Python programs written for Spark, started with vonk in Spark's place.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::{Map, Value};

use crate::args::parse_setting;
use crate::exit::Exit;
use crate::look::{Color, Look};
use crate::report;

/// What Python is told to do: find the package, say how to get it if it is not there, and go on with
/// the program. The current folder is not searched, so that nothing there stands in its place.
const BOOTSTRAP: &str = "\
import importlib.util, sys
sys.path[:] = [path for path in sys.path if path]
if importlib.util.find_spec('vonk') is None:
    sys.stderr.write(f'error: {sys.executable} has no package `vonk`\\n'
                     f'hint: install it with `{sys.executable} -m pip install vonk`, '
                     'or name another Python with `--python`\\n')
    sys.exit(2)
from vonk.__main__ import main
sys.exit(main(sys.argv[1:]))
";

/// The variable by which the package learns of the settings of the command line.
const SETTINGS: &str = "VONK_SETTINGS";

/// How a program is started, whichever command does it.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The Python that runs the program; by default $PYSPARK_PYTHON or `python3`
    #[arg(long, value_name = "PYTHON")]
    python: Option<PathBuf>,

    /// Where to run: `local[N]` for N workers, `local[*]` for all cores
    #[arg(long, value_name = "MASTER")]
    master: Option<String>,

    /// Sets an option, by vonk's or Spark's name
    #[arg(short = 'c', long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    conf: Vec<(String, String)>,

    /// Modules and packages that the program imports, between commas
    #[arg(long, value_name = "FILES")]
    py_files: Option<String>,

    /// The program and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM"
    )]
    program: Vec<OsString>,
}

/// The flags of spark-submit besides those of [`Run`]. Those that speak of a cluster or the JVM are
/// accepted so that scripts need no change; each becomes the setting that Spark makes of it.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// The name of the program
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// The server of Spark Connect that sessions are opened at: sc://HOST:PORT
    #[arg(long, value_name = "URL", conflicts_with = "master")]
    remote: Option<String>,

    /// A file of settings: a name and a value on each line
    #[arg(long, value_name = "FILE")]
    properties_file: Option<PathBuf>,

    /// Files that the program finds with `SparkFiles`, between commas
    #[arg(long, value_name = "FILES")]
    files: Option<String>,

    /// Archives that are unpacked for `SparkFiles`, between commas
    #[arg(long, value_name = "FILES")]
    archives: Option<String>,

    #[command(flatten)]
    cluster: Cluster,

    #[command(flatten)]
    run: Run,
}

/// A row for each accepted flag: field, flag's value, and the setting that Spark makes of it.
macro_rules! accepted {
    ($($field:ident => $setting:literal;)*) => {
        #[derive(Debug, Args)]
        struct Cluster {
            $(#[doc = concat!("Accepted as ", $setting)]
            #[arg(long, value_name = "VALUE", help_heading = "Accepted for the sake of scripts")]
            $field: Option<String>,)*

            /// Accepted
            #[arg(short, long, help_heading = "Accepted for the sake of scripts")]
            verbose: bool,

            /// Accepted
            #[arg(long, help_heading = "Accepted for the sake of scripts")]
            supervise: bool,

            /// Accepted
            #[arg(long, help_heading = "Accepted for the sake of scripts")]
            load_spark_defaults: bool,
        }

        impl Cluster {
            fn settings(&self) -> impl Iterator<Item = (String, String)> + '_ {
                [$(($setting, &self.$field)),*].into_iter().filter_map(|(name, value)| {
                    Some((name.to_owned(), value.clone()?))
                })
            }
        }
    };
}

accepted! {
    deploy_mode => "spark.submit.deployMode";
    driver_memory => "spark.driver.memory";
    driver_cores => "spark.driver.cores";
    driver_java_options => "spark.driver.extraJavaOptions";
    driver_library_path => "spark.driver.extraLibraryPath";
    driver_class_path => "spark.driver.extraClassPath";
    executor_memory => "spark.executor.memory";
    executor_cores => "spark.executor.cores";
    total_executor_cores => "spark.cores.max";
    num_executors => "spark.executor.instances";
    queue => "spark.yarn.queue";
    class => "spark.submit.class";
    jars => "spark.jars";
    packages => "spark.jars.packages";
    exclude_packages => "spark.jars.excludes";
    repositories => "spark.jars.repositories";
    principal => "spark.kerberos.principal";
    keytab => "spark.kerberos.keytab";
    proxy_user => "spark.submit.proxyUser";
}

impl Run {
    /// Runs the program; where the system can, in the place of this process.
    pub(crate) fn start(&self) -> Result<(), Exit> {
        self.start_with(Vec::new(), Vec::new())
    }

    /// Runs it with settings that count less than `--conf`, and with those that count more.
    fn start_with(
        &self,
        below: Vec<(String, String)>,
        above: Vec<(String, String)>,
    ) -> Result<(), Exit> {
        let mut settings = below;
        settings.extend(self.conf.iter().cloned());
        settings.extend(above);
        settings
            .extend(self.master.iter().map(|master| ("spark.master".to_owned(), master.clone())));
        let py_files = self.py_files.iter();
        settings.extend(py_files.map(|files| ("spark.submit.pyFiles".to_owned(), files.clone())));
        let settings: Map<String, Value> =
            settings.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        let python = self.python();
        let mut command = Command::new(&python);
        command.args(["-c", BOOTSTRAP]).args(&self.program);
        command.env(SETTINGS, Value::Object(settings).to_string());
        if std::env::var_os("PYTHONHASHSEED").is_none() {
            // As Spark's workers have it: texts hash alike in every process.
            command.env("PYTHONHASHSEED", "0");
        }
        if let Ok(own) = std::env::current_exe() {
            // A `SparkSession` of the program may start a server.
            command.env("VONK_BINARY", own);
        }
        replace_process(command, &python)
    }

    fn python(&self) -> PathBuf {
        let set = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let by_variable = || set("PYSPARK_DRIVER_PYTHON").or_else(|| set("PYSPARK_PYTHON"));
        let default = if cfg!(windows) { "python" } else { "python3" };
        self.python
            .clone()
            .unwrap_or_else(|| by_variable().unwrap_or_else(|| default.into()).into())
    }
}

impl Submit {
    /// Runs the program with the settings that spark-submit would make.
    pub(crate) fn start(&self) -> Result<(), Exit> {
        let mut below = match &self.properties_file {
            Some(path) => properties(path)?,
            None => Vec::new(),
        };
        below.extend(self.cluster.settings());
        let above = [
            ("spark.app.name", &self.name),
            ("spark.files", &self.files),
            ("spark.archives", &self.archives),
            ("spark.remote", &self.remote),
        ];
        let above =
            above.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        self.run.start_with(below, above.collect())
    }
}

/// The settings of a file of Spark's kind: name and value with blanks, `=` or `:` between them.
fn properties(path: &Path) -> Result<Vec<(String, String)>, Exit> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        tell(&format!("{} cannot be read: {error}", path.display()), "name a file of settings");
        Exit::Io
    })?;
    Ok(parse_properties(&text))
}

fn parse_properties(text: &str) -> Vec<(String, String)> {
    let is_between = |letter: char| letter.is_whitespace() || letter == '=' || letter == ':';
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(['#', '!']))
        .filter_map(|line| line.split_once(is_between))
        .map(|(name, value)| (name.to_owned(), value.trim_start_matches(is_between).to_owned()))
        .collect()
}

#[cfg(unix)]
fn replace_process(mut command: Command, python: &Path) -> Result<(), Exit> {
    use std::os::unix::process::CommandExt;

    let error = command.exec();
    Err(no_python(python, &error))
}

#[cfg(not(unix))]
fn replace_process(mut command: Command, python: &Path) -> Result<(), Exit> {
    let status = command.status().map_err(|error| no_python(python, &error))?;
    if status.success() { Ok(()) } else { Err(Exit::Query) }
}

fn no_python(python: &Path, error: &std::io::Error) -> Exit {
    let python: &OsStr = python.as_os_str();
    let message = format!("`{}` cannot be started: {error}", python.display());
    tell(&message, "install Python 3.10 or later, or name it with `--python`");
    Exit::Usage
}

fn tell(message: &str, hint: &str) {
    let error = vonk::Error::new(vonk::Condition::CANNOT_READ_FILE, message).hint(hint);
    report::tell(&report::render_alone(&error, &Look::of_stderr(Color::Auto)));
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        submit: Submit,
    }

    #[test]
    fn flags_after_the_program_are_its_own() {
        let line = ["x", "--master", "local[2]", "-c", "a=b", "job.py", "--master", "mine", "-x"];
        let submit = Line::try_parse_from(line).unwrap().submit;
        assert_eq!(submit.run.program, ["job.py", "--master", "mine", "-x"]);
        assert_eq!(submit.run.master.as_deref(), Some("local[2]"));
    }

    #[test]
    fn flags_of_a_cluster_become_settings() {
        let line = ["x", "--executor-memory", "4g", "--num-executors", "3", "--verbose", "job.py"];
        let submit = Line::try_parse_from(line).unwrap().submit;
        let settings: Vec<_> = submit.cluster.settings().collect();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            settings,
            [pair("spark.executor.memory", "4g"), pair("spark.executor.instances", "3")]
        );
    }

    #[test]
    fn properties_are_pairs() {
        let text = "# note\nspark.master  local[2]\nspark.app.name=words\n\nbad\n";
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            parse_properties(text),
            [pair("spark.master", "local[2]"), pair("spark.app.name", "words")]
        );
    }
}
