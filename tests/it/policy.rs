//! What a session under a policy may touch: attempts to get out are refused, all inside works.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use vonk::functions as f;
use vonk::prelude::*;
use vonk::{Condition, Policy};

const SECRET: &str = "n,word\n1,treasure\n";

/// A world of directories: `inside` may be read, `desk` may be written too, `outside` is neither.
struct World {
    root: TempDir,
    session: Session,
}

impl World {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let at = root.path().canonicalize().unwrap();
        for directory in
            ["inside/deep", "inside/part/day=1", "desk", "outside/part/day=1", "outside/.git"]
        {
            fs::create_dir_all(at.join(directory)).unwrap();
        }
        for file in ["inside/a.csv", "inside/deep/b.csv", "inside/part/day=1/c.csv"] {
            fs::write(at.join(file), "n,word\n7,open\n").unwrap();
        }
        for file in ["secret.csv", "part/day=1/c.csv", ".git/config", "secret.txt"] {
            fs::write(at.join("outside").join(file), SECRET).unwrap();
        }
        links(&at);
        let policy = Policy::safe().allow_read(at.join("inside")).unwrap();
        let policy = policy.allow_write(at.join("desk")).unwrap();
        let session = Session::builder()
            .policy(policy)
            .config("vonk.sql.warehouse.dir", at.join("desk/warehouse").display().to_string())
            .get_or_create()
            .unwrap();
        Self { root, session }
    }

    fn path(&self) -> String {
        self.root.path().canonicalize().unwrap().display().to_string()
    }

    /// The statement with this world's directories in it.
    fn sql(&self, text: &str) -> String {
        let root = self.path();
        let percent = root.replace('d', "%64").replace('t', "%74");
        text.replace("{%}", &percent)
            .replace("{in}", &format!("{root}/inside"))
            .replace("{desk}", &format!("{root}/desk"))
            .replace("{out}", &format!("{root}/outside"))
            .replace("{}", &root)
    }

    async fn run(&self, text: &str) -> vonk::Result<usize> {
        self.session.sql(self.sql(text)).count().await
    }
}

/// Links from `inside` and `desk` to `outside`, and one that leads back in.
fn links(at: &Path) {
    let link = |from: &str, to: &str| {
        std::os::unix::fs::symlink(at.join(to), at.join(from)).unwrap();
    };
    fs::create_dir(at.join("inside/mixed")).unwrap();
    fs::copy(at.join("inside/a.csv"), at.join("inside/mixed/a.csv")).unwrap();
    link("inside/mixed/zone", "outside");
    link("inside/link.csv", "outside/secret.csv");
    link("inside/linked", "outside");
    link("inside/chain", "inside/linked");
    link("inside/up", "");
    link("inside/back.csv", "inside/deep/b.csv");
    link("inside/part/day=2", "outside/part/day=1");
    link("inside/gone.csv", "outside/not-yet.csv");
    link("desk/linked", "outside");
    link("desk/gone", "outside/not-yet");
}

/// Statements that would read, write, or change what they may not.
const ATTEMPTS: &[&str] = &[
    // Paths as they are.
    "SELECT * FROM '{out}/secret.csv'",
    "SELECT * FROM csv.`{out}/secret.csv`",
    "FROM text.`{out}/secret.txt`",
    "SELECT * FROM binaryFile.`{out}/secret.csv`",
    "SELECT path, length FROM binaryFile.`{out}`",
    "SELECT * FROM text.`/etc/passwd`",
    "SELECT count(*) FROM '{out}/secret.csv'",
    "SELECT * FROM '{out}'",
    "SELECT * FROM '{out}/no-such-file.csv'",
    // Relative to the top and back.
    "SELECT * FROM '{in}/../outside/secret.csv'",
    "SELECT * FROM '{in}/deep/../../outside/secret.csv'",
    "SELECT * FROM '{in}/./.././outside/secret.csv'",
    "SELECT * FROM '{in}/no/such/../../../../outside/secret.csv'",
    "SELECT * FROM '{in}/..'",
    "SELECT * FROM '../../../../../../../../etc/passwd'",
    // Links, to files, to directories, over two steps, to nothing.
    "SELECT * FROM '{in}/link.csv'",
    "SELECT * FROM '{in}/linked/secret.csv'",
    "SELECT * FROM '{in}/chain/secret.csv'",
    "SELECT * FROM '{in}/up/outside/secret.csv'",
    "SELECT * FROM '{in}/gone.csv'",
    "SELECT length FROM binaryFile.`{in}/link.csv`",
    // Globs and directories with links in them.
    "SELECT * FROM '{out}/*.csv'",
    "SELECT * FROM '{}/*/secret.csv'",
    "SELECT * FROM '{in}/l*.csv'",
    "SELECT * FROM '{in}/link*/*.csv'",
    "SELECT * FROM '{in}/mixed/**/*.csv'",
    "SELECT * FROM '{in}/mixed'",
    "SELECT * FROM '{in}/{deep,../outside}/*.csv'",
    "SELECT * FROM '{in}/[l]ink.csv'",
    "SELECT * FROM csv.`{in}/part`",
    "SELECT * FROM '{in}/part/day=2/c.csv'",
    "SELECT * FROM '{in}/part/*/c.csv' WHERE day = 2",
    // Addresses.
    "SELECT * FROM 'file://{out}/secret.csv'",
    "SELECT * FROM 'file:{out}/secret.csv'",
    "SELECT * FROM 'file://localhost{out}/secret.csv'",
    "SELECT * FROM 'file://{%}/outside/secret.csv'",
    "SELECT * FROM 'file://{in}/%2e%2e/outside/secret.csv'",
    "SELECT * FROM 'file://{in}%2f..%2foutside%2fsecret.csv'",
    "SELECT * FROM 'http://127.0.0.1/secret.csv'",
    "SELECT * FROM 'http://169.254.169.254/latest/meta-data'",
    "SELECT * FROM 'https://2130706433/secret.csv'",
    "SELECT * FROM 'http://[::1]:8080/secret.csv'",
    "SELECT * FROM 's3://bucket/secret.csv'",
    "SELECT * FROM 'gs://bucket/secret.csv'",
    "SELECT * FROM 'abfss://container@account.dfs.core.windows.net/secret.csv'",
    // The process, seen as files.
    "SELECT * FROM text.`/proc/self/environ`",
    "SELECT * FROM text.`/proc/self/root{out}/secret.csv`",
    "SELECT * FROM text.`/proc/self/fd/0`",
    "SELECT * FROM text.`/proc/self/cwd/Cargo.toml`",
    "SELECT * FROM text.`/dev/stdin`",
    "SELECT * FROM text.`/sys/fs/cgroup/memory.max`",
    // Statements that only look, or that hide the path.
    "DESCRIBE '{out}/secret.csv'",
    "SUMMARIZE '{out}/secret.csv'",
    "EXPLAIN SELECT * FROM '{out}/secret.csv'",
    "SHOW COLUMNS IN csv.`{out}/secret.csv`",
    "WITH t AS (SELECT * FROM '{out}/secret.csv') SELECT 1 FROM t",
    "SELECT (SELECT max(word) FROM '{out}/secret.csv')",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM '{in}/link.csv')",
    "CREATE TEMP VIEW v AS SELECT * FROM '{out}/secret.csv'",
    "CREATE TEMP VIEW v USING csv OPTIONS (path '{out}/secret.csv')",
    "CREATE TEMP VIEW v USING csv OPTIONS (path '{in}/a.csv', basePath '{out}')",
    "CREATE VIEW v AS SELECT * FROM '{in}/linked/secret.csv'",
    "CREATE TABLE t USING csv LOCATION '{out}'",
    "CREATE TABLE t (n INT) USING csv LOCATION '{out}'",
    "CREATE TABLE t (n INT) USING csv OPTIONS (path '{desk}/linked')",
    "SELECT * FROM planted",
    "SELECT * FROM planted_view",
    // Writes.
    "COPY (SELECT 1 AS n) TO '{out}/new.csv'",
    "COPY (SELECT 1 AS n) TO '{in}/new.csv'",
    "COPY (SELECT 1 AS n) TO '{in}/a.csv'",
    "COPY (SELECT 1 AS n) TO '{desk}/../outside/new.csv'",
    "COPY (SELECT 1 AS n) TO '{desk}/linked/new.csv'",
    "COPY (SELECT 1 AS n) TO '{desk}/gone'",
    "COPY (SELECT 1 AS n) TO 'file://{out}/new.csv'",
    "COPY (SELECT 1 AS n) TO '{desk}/new/../../outside/new.csv'",
    "COPY (SELECT 1 AS n) TO 'new.csv'",
    "CREATE TABLE t USING csv LOCATION '{out}/t' AS SELECT 1 AS n",
    "CREATE TABLE t USING csv LOCATION '{desk}/linked/t' AS SELECT 1 AS n",
    "INSERT INTO planted SELECT 1, 'x', 1",
    "INSERT OVERWRITE planted SELECT 1, 'x', 1",
    "INSERT INTO readable SELECT 1, 'x'",
    // Options of the process.
    "SET vonk.memory.limit = 1TB",
    "SET spark.driver.memory = 1TB",
    "SET `vonk.memory.limit` = '1TB'",
    "SET VONK.Memory.Limit = 1TB",
    "SET vonk.spill.directory = {out}",
    "SET spark.local.dir = {out}",
    "SET vonk.spill.limit = 1TB",
    "SET vonk.sql.warehouse.dir = {out}",
    "SET spark.sql.warehouse.dir = {out}",
    "SET spark.master = local[1000]",
    "SET vonk.sql.depth.max = 1000000",
    "RESET vonk.memory.limit",
    "RESET spark.sql.warehouse.dir",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_way_out_is_refused() {
    let world = World::new();
    plant(&world).await;
    let expected = [Condition::INSUFFICIENT_PERMISSIONS, Condition::CANNOT_MODIFY_CONFIG];
    let mut wrong = Vec::new();
    for text in ATTEMPTS {
        match world.run(text).await {
            Ok(rows) => wrong.push(format!("{text}: gave {rows} rows")),
            Err(error) => {
                let is_named = error.message().contains('`') && error.hint_text().is_some();
                if !expected.contains(&error.condition()) || !is_named {
                    wrong.push(format!("{text}: {error}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ATTEMPTS.len() >= 60);
    let mut names = Vec::new();
    for entry in fs::read_dir(world.root.path().join("outside")).unwrap() {
        names.push(entry.unwrap().file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, [".git", "part", "secret.csv", "secret.txt"]);
    let secret = world.root.path().join("outside/secret.csv");
    assert_eq!(fs::read_to_string(secret).unwrap(), SECRET);
    assert_eq!(fs::read_dir(world.root.path().join("inside")).unwrap().count(), 10);
}

/// Tables that another session, without a policy, left in the warehouse.
async fn plant(world: &World) {
    let at = world.root.path().canonicalize().unwrap();
    let warehouse = at.join("desk/warehouse").display().to_string();
    let other =
        Session::builder().config("vonk.sql.warehouse.dir", warehouse).get_or_create().unwrap();
    for text in [
        "CREATE TABLE planted USING csv OPTIONS (header true) LOCATION '{out}/part'",
        "CREATE TABLE readable USING csv OPTIONS (header true) LOCATION '{in}/deep'",
        "CREATE VIEW planted_view AS SELECT * FROM csv.`{out}/secret.csv`",
    ] {
        other.sql(world.sql(text)).collect().await.unwrap();
    }
}

/// Statements over what is allowed, and how many rows they give.
const ALLOWED: &[(&str, usize)] = &[
    ("SELECT * FROM '{in}/a.csv'", 1),
    ("SELECT * FROM '{in}/deep/../a.csv'", 1),
    ("SELECT * FROM 'file://{in}/a.csv'", 1),
    ("SELECT * FROM '{in}/back.csv'", 1),
    ("SELECT * FROM '{in}/{a,deep/b}.csv'", 2),
    ("SELECT * FROM '{in}/mixed/*.csv'", 1),
    ("SELECT * FROM '{in}/deep'", 1),
    ("SELECT * FROM '{in}/deep/**'", 1),
    ("SELECT * FROM '{in}/part/day=1/*.csv'", 1),
    ("SELECT length FROM binaryFile.`{in}/a.csv`", 1),
    ("CREATE TEMP VIEW inside AS SELECT * FROM '{in}/a.csv'", 0),
    ("SELECT * FROM inside", 1),
    ("COPY (SELECT 1 AS n) TO '{desk}/new.csv'", 1),
    ("SELECT * FROM '{desk}/new.csv'", 1),
    (
        "COPY (SELECT 1 AS n, '../../../outside/x' AS p) TO '{desk}/parts' (FORMAT parquet, partition_by 'p')",
        1,
    ),
    ("SELECT * FROM '{desk}/parts'", 1),
    ("CREATE TABLE t USING parquet AS SELECT 1 AS n", 0),
    ("INSERT INTO t VALUES (2)", 0),
    ("INSERT OVERWRITE t VALUES (3)", 0),
    ("SELECT * FROM t", 1),
    ("DROP TABLE t", 0),
    ("SELECT * FROM readable", 1),
    ("SET spark.sql.session.timeZone = Europe/Amsterdam", 1),
    ("SET spark.sql.shuffle.partitions = 8", 1),
    ("SET vonk.optimizer.file.order = false", 1),
    ("RESET vonk.session.timezone", 0),
    ("SELECT max(id) FROM range(100000)", 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn everything_inside_works() {
    let world = World::new();
    plant(&world).await;
    let mut wrong = Vec::new();
    for (text, rows) in ALLOWED {
        match world.run(text).await {
            Ok(found) if found == *rows => {}
            Ok(found) => wrong.push(format!("{text}: {found} rows")),
            Err(error) => wrong.push(format!("{text}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // What a partition's value says is a name, whatever is in it.
    assert!(!world.root.path().join("outside/x").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn dataframes_and_rdds_ask_too() {
    let world = World::new();
    let outside = world.sql("{out}");
    let (context, read) = (world.session.context(), world.session.read());
    let target = format!("{outside}/new");
    let data = world.session.range(0, 3);
    let words = context.parallelize(["a", "b"]);
    let errors = [
        read.clone().csv(format!("{outside}/secret.csv")).count().await.unwrap_err(),
        read.clone().text([world.sql("{in}/link.csv")]).count().await.unwrap_err(),
        world.session.table(format!("csv.`{outside}`")).count().await.unwrap_err(),
        world.session.schema_of(&format!("{outside}/secret.csv")).await.unwrap_err(),
        data.write().parquet(&target).await.unwrap_err(),
        data.write().mode("overwrite").csv(&outside).await.unwrap_err(),
        data.write().option("path", &target).save_as_table("t").await.unwrap_err(),
        words.save_as_text_file(&target).await.unwrap_err(),
        words.pipe("cat /etc/passwd").collect().await.unwrap_err(),
        context.text_file(format!("{outside}/secret.txt")).count().await.unwrap_err(),
        context.text_file(world.sql("{in}/a.csv,{out}/secret.txt")).count().await.unwrap_err(),
        context.whole_text_files(outside.clone()).count().await.unwrap_err(),
        context.binary_files(world.sql("{in}/linked")).count().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.condition(), Condition::INSUFFICIENT_PERMISSIONS, "{error}");
    }
    assert!(!Path::new(&target).exists());
    let inside = context.text_file(world.sql("{in}/deep"));
    assert_eq!(inside.count().await.unwrap(), 2);
    let words = world.session.read().option("header", true).csv([world.sql("{in}/a.csv")]);
    assert_eq!(words.select([f::max("n")]).first::<i64>().await.unwrap(), Some(7));
}

#[tokio::test]
async fn a_link_made_after_the_view_is_refused_when_it_is_read() {
    let world = World::new();
    world.run("CREATE TEMP VIEW v AS SELECT * FROM '{in}/a.csv'").await.unwrap();
    assert_eq!(world.run("SELECT * FROM v").await.unwrap(), 1);
    let file = world.root.path().join("inside/a.csv");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink(world.root.path().join("outside/secret.csv"), &file).unwrap();
    let error = world.run("SELECT * FROM v").await.unwrap_err();
    assert_eq!(error.condition(), Condition::INSUFFICIENT_PERMISSIONS, "{error}");
}

#[tokio::test]
async fn an_error_names_path_rule_and_remedy() {
    let world = World::new();
    let error = world.run("SELECT * FROM '{in}/link.csv'").await.unwrap_err();
    let at = world.path();
    assert_eq!(
        error.message(),
        format!(
            "`{at}/inside/link.csv` may not be read: the policy allows only what is in \
             `{at}/inside`, `{at}/desk`"
        )
    );
    let hint = "allow its directory with `--allow-read` or `Policy::allow_read`";
    assert_eq!(error.hint_text(), Some(hint));
}
