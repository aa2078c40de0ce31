//! Lambda through AWS's own client, with real processes on AWS's own runtime.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{World, function, start_with};
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::operation::invoke::InvokeOutput;
use aws_sdk_lambda::types::{InvocationType, LogType};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use local_emulator::Settings;
use serde_json::{Value, json};

async fn world(change: impl FnOnce(&mut Settings)) -> World {
    start_with(|settings| {
        settings.functions = vec![function("f")];
        change(settings);
    })
    .await
}

async fn invoke(world: &World, event: Value) -> InvokeOutput {
    let request = world.lambda().invoke().function_name("f").log_type(LogType::Tail);
    request
        .payload(event.to_string().into_bytes().into())
        .send()
        .await
        .unwrap()
}

fn body(output: &InvokeOutput) -> Value {
    serde_json::from_slice(output.payload().unwrap().as_ref()).unwrap()
}

fn tail(output: &InvokeOutput) -> String {
    String::from_utf8(BASE64_STANDARD.decode(output.log_result().unwrap()).unwrap()).unwrap()
}

/// The value of a field in the REPORT line.
fn report<'t>(tail: &'t str, field: &str) -> Option<&'t str> {
    let line = tail
        .lines()
        .find(|line| line.starts_with("REPORT RequestId: "))
        .unwrap();
    line.split('\t')
        .find_map(|part| part.strip_prefix(field)?.strip_prefix(": "))
}

/// Pids of processes whose program is the test function, started by this test process, zombies excluded.
fn is_alive(pid: u64) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z')
}

/// Every process of a group.
fn group(pid: u64) -> Vec<u64> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok());
    let in_group = |other: &u64| {
        let stat = std::fs::read_to_string(format!("/proc/{other}/stat")).unwrap_or_default();
        let fields = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>();
        fields.get(2).is_some_and(|group| *group == pid.to_string()) && fields[0] != "Z"
    };
    pids.filter(in_group).collect()
}

fn environments(world: &World) -> impl Future<Output = Value> {
    let url = format!("{}/_emulator/environments", world.emulator.endpoints().lambda);
    get_json(url)
}

async fn get_json(url: String) -> Value {
    use http_body_util::BodyExt;
    let connector = hyper_util::client::legacy::connect::HttpConnector::new();
    let executor = hyper_util::rt::TokioExecutor::new();
    let client = hyper_util::client::legacy::Client::builder(executor)
        .build::<_, http_body_util::Empty<bytes::Bytes>>(connector);
    let answer = client.get(url.parse().unwrap()).await.unwrap();
    serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

#[tokio::test]
async fn cold_then_warm() {
    let world = world(|_| {}).await;
    let cold = invoke(&world, json!({ "echo": [1, "ä"], "print": "hello" })).await;
    assert_eq!(
        (cold.status_code(), cold.executed_version(), cold.function_error()),
        (200, Some("$LATEST"), None)
    );
    let first = body(&cold);
    assert_eq!((&first["echo"], &first["invocation"]), (&json!([1, "ä"]), &json!(1)));
    assert_eq!(first["arn"], "arn:aws:lambda:us-east-1:000000000000:function:f");
    let text = tail(&cold);
    let id = first["request_id"].as_str().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let start = format!("START RequestId: {id} Version: $LATEST");
    let end = format!("END RequestId: {id}");
    assert_eq!(
        lines[..5],
        ["init wrote this", &start, "hello", "hello on stderr", &end]
    );
    let init: f64 = report(&text, "Init Duration")
        .unwrap()
        .strip_suffix(" ms")
        .unwrap()
        .parse()
        .unwrap();
    let duration: f64 = text
        .split("\tDuration: ")
        .nth(1)
        .unwrap_or(text.split("Duration: ").nth(1).unwrap())
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let billed: u64 = report(&text, "Billed Duration")
        .unwrap()
        .strip_suffix(" ms")
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        (billed as f64 - (init + duration)).abs() <= 1.02 && billed as f64 + 0.02 >= init + duration,
        "{text}"
    );
    assert_eq!(report(&text, "Memory Size"), Some("256 MB"));
    let used: u64 = report(&text, "Max Memory Used")
        .unwrap()
        .strip_suffix(" MB")
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..100).contains(&used), "{text}");

    let warm = invoke(&world, json!({})).await;
    let second = body(&warm);
    assert_eq!((&second["pid"], &second["invocation"]), (&first["pid"], &json!(2)));
    assert_eq!(report(&tail(&warm), "Init Duration"), None);
    assert!(
        tail(&warm).starts_with("START "),
        "the tail is of this invocation alone"
    );
    let counts = world.emulator.counts().lambda;
    let f = &counts.functions["f"];
    assert_eq!(
        (f.invocations, f.cold_starts, f.errors, counts.concurrency_peak),
        (2, 1, 0, 1)
    );
    let warm_billed: u64 = report(&tail(&warm), "Billed Duration")
        .unwrap()
        .strip_suffix(" ms")
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        (f.billed_ms, f.billed_mb_ms),
        (billed + warm_billed, (billed + warm_billed) * 256)
    );
    let pages = get_json(format!("{}/_emulator/counts", world.emulator.endpoints().lambda)).await;
    assert_eq!(pages["lambda"]["functions"]["f"]["invocations"], 2);
}

#[tokio::test]
async fn an_environment_inherits_nothing() {
    let world = world(|settings| {
        settings.functions[0]
            .environment
            .insert("GIVEN".to_owned(), "1".to_owned());
    })
    .await;
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok() || std::env::var("HOME").is_ok());
    let answer = body(&invoke(&world, json!({})).await);
    let variables: Vec<&str> = answer["variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert!(variables.contains(&"GIVEN") && variables.contains(&"AWS_LAMBDA_RUNTIME_API"));
    assert!(
        !variables.contains(&"HOME") && !variables.iter().any(|name| name.starts_with("CARGO")),
        "{variables:?}"
    );
    let folder = Path::new(answer["folder"].as_str().unwrap()).to_owned();
    assert!(folder.starts_with(world.folder.path()) && folder.is_dir());
    world.emulator.shutdown().await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_frozen_environment_does_not_tick() {
    let world = world(|_| {}).await;
    let before = body(&invoke(&world, json!({ "sleep_ms": 200 })).await);
    let state = environments(&world).await;
    assert_eq!(
        (&state[0]["state"], &state[0]["pid"]),
        (&json!("frozen"), &before["pid"])
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = body(&invoke(&world, json!({})).await);
    assert_eq!(after["pid"], before["pid"]);
    let ticks = after["ticks"].as_u64().unwrap() - before["ticks"].as_u64().unwrap();
    assert!(before["ticks"].as_u64().unwrap() >= 5, "the ticker ticks while thawed");
    assert!(ticks <= 3, "{ticks} ticks in a frozen second");
}

#[tokio::test]
async fn a_timeout_kills_the_whole_group() {
    let world = world(|settings| settings.functions[0].timeout = Duration::from_secs(1)).await;
    let first = body(&invoke(&world, json!({ "spawn": true })).await);
    let pid = first["pid"].as_u64().unwrap();
    assert_eq!(group(pid).len(), 2, "the function and its child");
    let since = Instant::now();
    let late = invoke(&world, json!({ "sleep_ms": 60_000 })).await;
    assert!(since.elapsed() < Duration::from_secs(3));
    assert_eq!(late.function_error(), Some("Unhandled"));
    let answer = body(&late);
    assert_eq!(answer["errorType"], "Sandbox.Timedout");
    assert!(
        answer["errorMessage"]
            .as_str()
            .unwrap()
            .ends_with(" Error: Task timed out after 1.00 seconds"),
        "{answer}"
    );
    let text = tail(&late);
    assert!(text.contains("Task timed out after 1.00 seconds"), "{text}");
    assert_eq!(
        (report(&text, "Billed Duration"), report(&text, "Status")),
        (Some("1000 ms"), Some("timeout"))
    );
    assert_eq!(group(pid), Vec::<u64>::new());
    assert_ne!(
        body(&invoke(&world, json!({})).await)["pid"],
        first["pid"],
        "never reused"
    );
}

#[tokio::test]
async fn crashes() {
    let world = world(|_| {}).await;
    let exit = invoke(&world, json!({ "exit": 7 })).await;
    assert_eq!(exit.function_error(), Some("Unhandled"));
    let answer = body(&exit);
    assert_eq!(answer["errorType"], "Runtime.ExitError");
    assert!(
        answer["errorMessage"]
            .as_str()
            .unwrap()
            .ends_with("Error: Runtime exited with error: exit status 7")
    );
    assert_eq!(report(&tail(&exit), "Error Type"), Some("Runtime.ExitError"));

    let busy = tokio::spawn({
        let request = world
            .lambda()
            .invoke()
            .function_name("f")
            .payload(br#"{"sleep_ms":60000}"#.to_vec().into());
        async move { request.send().await.unwrap() }
    });
    let pid = loop {
        let shown = environments(&world).await;
        if shown[0]["state"] == "busy" {
            assert!(shown[0]["request_id"].is_string());
            break shown[0]["pid"].as_i64().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid as i32),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    let killed = body(&busy.await.unwrap());
    assert!(
        killed["errorMessage"]
            .as_str()
            .unwrap()
            .ends_with("Error: Runtime exited with error: signal: killed"),
        "{killed}"
    );

    let failed = invoke(&world, json!({ "fail": "no luck" })).await;
    assert_eq!(
        (failed.function_error(), &body(&failed)["errorMessage"]),
        (Some("Unhandled"), &json!("no luck"))
    );
    let after = body(&invoke(&world, json!({})).await);
    assert_eq!(
        after["invocation"], 2,
        "a function's own error leaves its environment alive"
    );
    assert_eq!(world.emulator.counts().lambda.functions["f"].errors, 3);
}

#[tokio::test]
async fn memory_is_enforced() {
    let world = world(|_| {}).await;
    let fits = invoke(&world, json!({ "allocate_mib": 150 })).await;
    assert_eq!(fits.function_error(), None);
    let used: u64 = report(&tail(&fits), "Max Memory Used")
        .unwrap()
        .strip_suffix(" MB")
        .unwrap()
        .parse()
        .unwrap();
    assert!((150..256).contains(&used), "{used}");
    let over = invoke(&world, json!({ "allocate_mib": 400 })).await;
    let answer = body(&over);
    assert_eq!(answer["errorType"], "Runtime.ExitError");
    assert!(answer["errorMessage"].as_str().unwrap().ends_with("signal: killed"));
    let text = tail(&over);
    assert_eq!(
        (report(&text, "Max Memory Used"), report(&text, "Error Type")),
        (Some("256 MB"), Some("Runtime.OutOfMemory"))
    );
    assert_ne!(body(&invoke(&world, json!({})).await)["pid"], body(&fits)["pid"]);
}

#[tokio::test]
async fn concurrency_has_a_limit() {
    let world = world(|settings| settings.concurrency_max = 2).await;
    let sleep = || {
        let request = world
            .lambda()
            .invoke()
            .function_name("f")
            .payload(br#"{"sleep_ms":700}"#.to_vec().into());
        tokio::spawn(async move { request.send().await })
    };
    let running = [sleep(), sleep()];
    while world.emulator.counts().lambda.in_flight < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let refused = world.lambda().invoke().function_name("f").send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 429);
    assert_eq!(refused.code(), Some("TooManyRequestsException"));
    let error = refused.into_service_error();
    assert!(error.is_too_many_requests_exception());
    for invocation in running {
        assert_eq!(invocation.await.unwrap().unwrap().function_error(), None);
    }
    let counts = world.emulator.counts().lambda;
    assert_eq!(
        (
            counts.concurrency_peak,
            counts.in_flight,
            counts.functions["f"].throttles
        ),
        (2, 0, 1)
    );
    assert_eq!(counts.functions["f"].cold_starts, 2);
    invoke(&world, json!({})).await;
    assert_eq!(
        world.emulator.counts().lambda.functions["f"].cold_starts,
        2,
        "either of the two is warm"
    );
}

#[tokio::test]
async fn kinds_of_invocation_and_refusals() {
    let world = world(|_| {}).await;
    let lambda = world.lambda();
    let kind = |kind: InvocationType| lambda.invoke().function_name("f").invocation_type(kind).send();
    assert_eq!(kind(InvocationType::DryRun).await.unwrap().status_code(), 204);
    assert_eq!(world.emulator.counts().lambda.functions.get("f"), None);
    assert_eq!(kind(InvocationType::Event).await.unwrap().status_code(), 202);
    while world
        .emulator
        .counts()
        .lambda
        .functions
        .get("f")
        .is_none_or(|f| f.billed_ms == 0)
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let absent = lambda.invoke().function_name("absent").send().await.unwrap_err();
    assert!(absent.into_service_error().is_resource_not_found_exception());
    let by_arn = lambda
        .invoke()
        .function_name("arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST")
        .send()
        .await;
    assert_eq!(by_arn.unwrap().status_code(), 200);
    let not_json = lambda
        .invoke()
        .function_name("f")
        .payload(b"{".to_vec().into())
        .send()
        .await
        .unwrap_err();
    assert!(not_json.into_service_error().is_invalid_request_content_exception());
    let large = format!("\"{}\"", "x".repeat(6 << 20));
    let too_large = lambda
        .invoke()
        .function_name("f")
        .payload(large.into_bytes().into())
        .send()
        .await
        .unwrap_err();
    assert_eq!(too_large.raw_response().map(|raw| raw.status().as_u16()), Some(413));
    let fits = invoke(&world, json!({ "respond_bytes": 6_000_000 })).await;
    assert_eq!(
        (fits.function_error(), fits.payload().unwrap().as_ref().len()),
        (None, 6_000_002)
    );
    let too_large = invoke(&world, json!({ "respond_bytes": 7_000_000 })).await;
    assert_eq!(body(&too_large)["errorType"], "Function.ResponseSizeTooLarge");
}

#[tokio::test]
async fn failures_to_start() {
    let cases = [
        ("exit", "Error: Runtime exited with error: exit status 3"),
        ("hang", "Error: Task timed out after 10.00 seconds"),
    ];
    for (mode, expected) in cases {
        let world = world(|settings| {
            settings.functions[0]
                .environment
                .insert("TEST_INIT".to_owned(), mode.to_owned());
        })
        .await;
        let output = invoke(&world, json!({})).await;
        assert_eq!(output.function_error(), Some("Unhandled"));
        assert!(
            body(&output)["errorMessage"].as_str().unwrap().ends_with(expected),
            "{:?}",
            body(&output)
        );
        assert_eq!(environments(&world).await, json!([]));
    }
}

#[tokio::test]
async fn functions_run_as_another_user() {
    use std::os::unix::fs::PermissionsExt;
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let programs = tempfile::tempdir().unwrap();
    open(programs.path());
    let program = programs.path().join("bootstrap");
    std::fs::copy(function("f").program, &program).unwrap();
    let scratch = programs.path().join("scratch");
    // Only root can become another user; anyone can become oneself.
    let (uid, gid) = match nix::unistd::geteuid().is_root() {
        true => (65534, 65534),
        false => (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw()),
    };
    let world = world(|settings| {
        settings.functions[0].program = program;
        settings.scratch = scratch;
        settings.run_as = Some(local_emulator::RunAs { uid, gid });
    })
    .await;
    let output = invoke(&world, json!({})).await;
    let answer = body(&output);
    assert_eq!(answer["user"], uid, "{}", tail(&output));
    let folder = std::fs::metadata(answer["folder"].as_str().unwrap()).unwrap();
    assert_eq!(
        (
            std::os::unix::fs::MetadataExt::uid(&folder),
            folder.permissions().mode() & 0o777
        ),
        (uid, 0o700)
    );
    world.emulator.shutdown().await;
}

#[tokio::test]
async fn idle_environments_expire_and_make_room() {
    let world = world(|settings| {
        settings.functions.push(function("g"));
        settings.environment_max = 1;
        settings.environment_idle = Duration::from_millis(300);
    })
    .await;
    let first = body(&invoke(&world, json!({})).await)["pid"].as_u64().unwrap();
    world.lambda().invoke().function_name("g").send().await.unwrap();
    assert!(!is_alive(first), "evicted for the other function");
    let shown = environments(&world).await;
    assert_eq!(
        (shown.as_array().unwrap().len(), &shown[0]["function"]),
        (1, &json!("g"))
    );
    let since = Instant::now();
    while environments(&world).await != json!([]) {
        assert!(since.elapsed() < Duration::from_secs(5), "never expires");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_invocation_outlives_its_caller() {
    let world = world(|_| {}).await;
    invoke(&world, json!({})).await;
    let request = world
        .lambda()
        .invoke()
        .function_name("f")
        .payload(br#"{"sleep_ms":400}"#.to_vec().into());
    let hung_up = tokio::time::timeout(Duration::from_millis(100), request.send()).await;
    assert!(hung_up.is_err());
    assert_eq!(world.emulator.counts().lambda.in_flight, 1);
    let since = Instant::now();
    while world.emulator.counts().lambda.in_flight > 0 {
        assert!(since.elapsed() < Duration::from_secs(3));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(body(&invoke(&world, json!({})).await)["invocation"], 3);
}

#[tokio::test]
async fn shutdown_leaves_nothing() {
    let world = world(|_| {}).await;
    let mut pids = vec![
        body(&invoke(&world, json!({ "spawn": true })).await)["pid"]
            .as_u64()
            .unwrap(),
    ];
    let busy = world
        .lambda()
        .invoke()
        .function_name("f")
        .payload(br#"{"sleep_ms":60000}"#.to_vec().into());
    tokio::spawn(async move { busy.send().await });
    let second = world
        .lambda()
        .invoke()
        .function_name("f")
        .payload(br#"{"sleep_ms":60000}"#.to_vec().into());
    tokio::spawn(async move { second.send().await });
    loop {
        let shown = environments(&world).await;
        let busy: Vec<_> = shown
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["state"] == "busy")
            .collect();
        if busy.len() == 2 {
            pids.extend(busy.iter().map(|one| one["pid"].as_u64().unwrap()));
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    let since = Instant::now();
    world.emulator.shutdown().await;
    assert!(since.elapsed() < Duration::from_secs(2));
    for pid in pids {
        assert_eq!(group(pid), Vec::<u64>::new());
    }
    assert_eq!(
        std::fs::read_dir(world.folder.path().join("scratch")).unwrap().count(),
        0
    );
}

/// As `/proc` has it: `T` is stopped by a signal.
fn state(pid: u64) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.trim_start().chars().next()
}

/// The emulator is killed with a frozen and a busy function: the kernel takes both along.
#[tokio::test]
async fn functions_die_with_a_killed_emulator() {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let program = function("f").program;
    let mut emulator = tokio::process::Command::new(env!("CARGO_BIN_EXE_local-emulator"))
        .arg("--function")
        .arg(format!("f={}", program.display()))
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(emulator.stdout.take().unwrap()).lines();
    let endpoint = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(url) = line.strip_prefix("lambda endpoint ") {
            break url.to_owned();
        }
    };
    let world = world(|_| {}).await;
    let config = world.lambda().config().to_builder().endpoint_url(&endpoint).build();
    let lambda = aws_sdk_lambda::Client::from_conf(config);
    let frozen = lambda.invoke().function_name("f").send().await.unwrap();
    let pid = body(&frozen)["pid"].as_u64().unwrap();
    // It is frozen once its runtime is back on `/next`, which may be after the answer.
    for _ in 0..400 {
        if state(pid) == Some('T') {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(state(pid), Some('T'), "frozen");
    emulator.kill().await.unwrap();
    let since = Instant::now();
    while is_alive(pid) {
        assert!(
            since.elapsed() < Duration::from_secs(2),
            "a frozen function outlives the emulator"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Where the host has no cgroups for us the emulator must say so; where it has, a quarter of a CPU is no more than that.
#[tokio::test(flavor = "multi_thread")]
async fn cpu_goes_with_memory_where_the_host_allows_it() {
    let world = start_with(|settings| {
        settings.cpu_quota = true;
        settings.functions = vec![function("f")];
        settings.functions[0].memory_mb = 442;
    })
    .await;
    if !world.emulator.limits_cpu() {
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        eprintln!("no CPU quota on this host: {groups}");
        return;
    }
    let answer = invoke(&world, json!({ "spin_ms": 1000 })).await;
    let spun_us = body(&answer)["spun_us"].as_u64().unwrap();
    assert!((20_000..400_000).contains(&spun_us), "{spun_us} us of CPU in a second");
    let World {
        emulator,
        folder: _folder,
    } = world;
    emulator.shutdown().await;
    let groups = std::fs::read_dir("/sys/fs/cgroup/cpu").into_iter().flatten().flatten();
    let mine = format!("local-emulator-{}-", std::process::id());
    let left = groups.filter(|group| group.file_name().to_string_lossy().starts_with(&mine));
    assert_eq!(left.count(), 0, "a group is left behind");
}
