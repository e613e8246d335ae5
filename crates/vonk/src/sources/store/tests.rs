//! Which client a path gets, and what becomes of it when settings change.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::memory::InMemory;

use super::*;

fn stores(variables: &[(&str, &str)], policy: Policy) -> Arc<Stores> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Stores::new(policy, variables.collect::<BTreeMap<_, _>>(), &Config::default())
}

fn find(stores: &Stores, url: &str, config: &Config) -> Result<Arc<dyn ObjectStore>> {
    stores.find(&Url::parse(url).unwrap(), config, &ReadOptions::default())
}

#[test]
fn unknown_schemes_are_refused_with_the_known_ones() {
    let error = find(&stores(&[], Policy::default()), "ftp://host", &Config::default());
    let error = error.unwrap_err();
    assert_eq!(error.condition(), Condition::UNSUPPORTED_FEATURE);
    assert!(error.hint_text().is_some_and(|hint| hint.contains("`hdfs`")), "{error}");
}

#[test]
fn containers_of_one_account_are_told_apart() {
    let key = |url: &str| key_of(&Url::parse(url).unwrap());
    assert_ne!(key("abfss://one@account.net/x"), key("abfss://two@account.net/x"));
    assert_eq!(key("s3://bucket/x"), key("s3://bucket/y/z"));
    assert_ne!(key("hdfs://node:8020/x"), key("hdfs://node:9000/x"));
}

#[test]
fn a_store_of_the_program_stays_whatever_is_set() {
    let stores = stores(&[], Policy::safe());
    let given: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let url = Url::parse("memory://poems").unwrap();
    stores.register_store(&url, Arc::clone(&given));
    let mut config = Config::default();
    config.set("spark.hadoop.fs.s3a.endpoint", "http://other").unwrap();
    let found = find(&stores, "memory://poems", &config).unwrap();
    assert!(Arc::ptr_eq(&found, &given));
    assert!(stores.get_store(&url).is_ok() && stores.deregister_store(&url).is_ok());
    assert!(stores.get_store(&url).is_err());
}

#[cfg(feature = "s3")]
#[test]
fn a_client_is_kept_until_settings_change() {
    let stores = stores(&[("AWS_REGION", "eu-west-1")], Policy::default());
    let mut config = Config::default();
    let first = find(&stores, "s3a://bucket", &config).unwrap();
    assert!(Arc::ptr_eq(&first, &find(&stores, "s3a://bucket", &config).unwrap()));
    config.set("spark.hadoop.fs.s3a.endpoint", "minio:9000").unwrap();
    let second = find(&stores, "s3a://bucket", &config).unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
}

#[test]
fn what_is_said_closest_to_the_statement_counts() {
    let mut config = Config::default();
    config.set("spark.hadoop.fs.s3a.endpoint", "of-session").unwrap();
    config.set("spark.hadoop.fs.s3a.bucket.mine.endpoint", "of-bucket").unwrap();
    config.set("spark.hadoop.dfs.ha.namenodes.MyService", "nn1,nn2").unwrap();
    config.set("vonk.stores.attempts", "1").unwrap();
    let mut options = ReadOptions::default();
    let variables = BTreeMap::from([("AWS_REGION".to_owned(), "x".to_owned())]);
    let gather = |options: &ReadOptions| Settings::gather(&variables, &config, options).unwrap();
    let settings = gather(&options);
    assert_eq!(settings.s3a("any", "endpoint"), Some("of-session"));
    assert_eq!(settings.s3a("mine", "endpoint"), Some("of-bucket"));
    let kept: Vec<_> = settings.all_hadoop().filter(|(name, _)| name.starts_with("dfs")).collect();
    assert_eq!(kept, [("dfs.ha.namenodes.MyService", "nn1,nn2")]);
    assert_eq!((settings.patience.retries, settings.variable("AWS_REGION")), (0, Some("x")));
    options.set("fs.s3a.endpoint", "of-statement");
    options.set("aws_region", "y");
    let closer = gather(&options);
    assert_eq!(closer.s3a("any", "endpoint"), Some("of-statement"));
    assert_eq!(closer.all_own().collect::<Vec<_>>(), [("aws_region", "y")]);
    assert_ne!(closer.digest(), settings.digest());
}

#[test]
fn files_with_credentials_are_under_the_policy() {
    let outside = tempfile::tempdir().unwrap();
    let key = outside.path().join("key.json");
    std::fs::write(&key, "{}").unwrap();
    let stores = stores(&[], Policy::safe().allow_host("storage.googleapis.com"));
    for name in [
        "google_service_account",
        "fs.gs.auth.service.account.json.keyfile",
        "azure_federated_token_file",
    ] {
        let mut options = ReadOptions::default();
        options.set(name, key.display().to_string());
        let settings = Settings::gather(&BTreeMap::new(), &Config::default(), &options).unwrap();
        let error = stores.check_files(&settings).unwrap_err();
        assert_eq!(error.condition(), Condition::INSUFFICIENT_PERMISSIONS, "{name}");
    }
}
