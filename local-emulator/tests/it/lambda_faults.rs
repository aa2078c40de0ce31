//! Invocations that are struck: killed at each named moment, starved, stopped, refused, answered to nobody, delivered twice. And events,
//! which are tried again and told of.

use std::time::{Duration, Instant};

use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::types::InvocationType;
use local_emulator::{EventSettings, FaultRule, FaultSettings, KillMoment, LambdaFault};
use serde_json::{Value, json};

use crate::common::{World, function, start_with};

async fn world() -> World {
    start_with(|settings| {
        settings.functions = vec![function("f")];
        settings.functions[0].timeout = Duration::from_millis(1_500);
    })
    .await
}

/// Once, at the next chance.
fn strike(world: &World, fault: LambdaFault) {
    let rule = FaultRule {
        count_max: Some(1),
        ..FaultRule::always(fault, "f")
    };
    world.emulator.set_faults(FaultSettings {
        lambda: vec![rule],
        ..FaultSettings::default()
    });
}

/// The function's own answer, the platform's word for its failure, or the status and code of a refusal.
async fn invoke(world: &World, event: Value) -> Result<Value, String> {
    let payload = event.to_string().into_bytes().into();
    let sent = world.lambda().invoke().function_name("f").payload(payload).send().await;
    let output = sent.map_err(|error| refusal(&error))?;
    let body: Value = serde_json::from_slice(output.payload().unwrap().as_ref()).unwrap();
    match output.function_error() {
        None => Ok(body),
        Some(_) => Err(format!("{} {}", body["errorType"], body["errorMessage"])),
    }
}

fn refusal(error: &SdkError<InvokeError>) -> String {
    match error.raw_response() {
        Some(raw) => format!("{} {}", raw.status().as_u16(), error.code().unwrap_or("-")),
        None => "no answer".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_each_moment() {
    let world = world().await;
    let lost = [
        KillMoment::Init,
        KillMoment::EventDelivered,
        KillMoment::AfterMs(100),
        KillMoment::BeforeResponse,
    ];
    for moment in lost {
        strike(&world, LambdaFault::Kill { moment });
        let killed = invoke(&world, json!({ "sleep_ms": 300 })).await.unwrap_err();
        assert!(
            killed.contains("Runtime.ExitError") && killed.contains("signal: killed"),
            "{moment:?}: {killed}"
        );
        // Whatever died is not used again.
        assert_eq!(invoke(&world, json!({})).await.unwrap()["invocation"], 1, "{moment:?}");
        // A start must be struck cold: nothing may be left warm.
        strike(
            &world,
            LambdaFault::Kill {
                moment: KillMoment::Frozen,
            },
        );
        invoke(&world, json!({})).await.unwrap();
    }
    for moment in [KillMoment::AfterResponse, KillMoment::Frozen] {
        strike(&world, LambdaFault::Kill { moment });
        let answered = invoke(&world, json!({ "echo": 7 })).await.unwrap();
        assert_eq!(answered["echo"], 7, "{moment:?}: the caller has its answer");
        assert_eq!(invoke(&world, json!({})).await.unwrap()["invocation"], 1, "{moment:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_time_run_out_on_demand() {
    let world = world().await;
    strike(&world, LambdaFault::OutOfMemory { after_ms: 50 });
    let starved = invoke(&world, json!({ "sleep_ms": 1_000 })).await.unwrap_err();
    assert!(starved.contains("signal: killed"), "{starved}");
    strike(&world, LambdaFault::Hang);
    let since = Instant::now();
    let hung = invoke(&world, json!({})).await.unwrap_err();
    assert!(hung.contains("Task timed out after 1.50 seconds"), "{hung}");
    assert!(since.elapsed() >= Duration::from_millis(1_500));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_lost_doubled_and_slow() {
    let world = world().await;
    let invocations = || world.emulator.counts().lambda.functions["f"].invocations;
    strike(&world, LambdaFault::Throttle);
    assert_eq!(
        invoke(&world, json!({})).await.unwrap_err(),
        "429 TooManyRequestsException"
    );

    strike(&world, LambdaFault::ResponseLost);
    assert_eq!(invoke(&world, json!({})).await.unwrap_err(), "no answer");
    assert_eq!(invocations(), 1, "the work was done");

    strike(&world, LambdaFault::Duplicate { after_ms: 10 });
    assert_eq!(
        invoke(&world, json!({ "echo": 1, "sleep_ms": 100 })).await.unwrap()["echo"],
        1
    );
    for _ in 0..200 {
        if invocations() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(invocations(), 3, "delivered twice");

    strike(
        &world,
        LambdaFault::Kill {
            moment: KillMoment::Frozen,
        },
    );
    invoke(&world, json!({})).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let environments = world.emulator.counts().lambda.functions["f"].cold_starts;
    strike(&world, LambdaFault::ColdStart { ms: 400 });
    let since = Instant::now();
    // Two at once: one may find an environment warm, the other starts one.
    let (first, second) = tokio::join!(
        invoke(&world, json!({ "sleep_ms": 50 })),
        invoke(&world, json!({ "sleep_ms": 50 }))
    );
    assert!(first.is_ok() && second.is_ok());
    let cold = world.emulator.counts().lambda.functions["f"].cold_starts > environments;
    assert!(!cold || since.elapsed() >= Duration::from_millis(400));
    assert!(cold, "an environment was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_grows_no_faster_than_its_ramp() {
    let world = start_with(|settings| {
        settings.functions = vec![function("f")];
        settings.ramp_per_10_s = 3;
    })
    .await;
    let all = futures::future::join_all((0..6).map(|_| invoke(&world, json!({ "sleep_ms": 2_000 })))).await;
    let refused = all
        .iter()
        .filter(|one| **one == Err("429 TooManyRequestsException".to_owned()));
    assert_eq!(
        (all.iter().filter(|one| one.is_ok()).count(), refused.count()),
        (3, 3),
        "{all:?}"
    );
    // A warm environment needs no start.
    assert!(invoke(&world, json!({})).await.is_ok());
}

/// Records that a destination received, oldest first.
async fn records(world: &World, url: &str, count: usize) -> Vec<Value> {
    let sqs = world.sqs();
    let mut records = Vec::new();
    for _ in 0..10 {
        let received = sqs
            .receive_message()
            .queue_url(url)
            .wait_time_seconds(2)
            .send()
            .await
            .unwrap();
        let bodies = received.messages.unwrap_or_default();
        records.extend(
            bodies
                .iter()
                .map(|message| serde_json::from_str(message.body().unwrap()).unwrap()),
        );
        if records.len() >= count {
            break;
        }
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_event_is_tried_three_times_and_then_told_of() {
    let arn = |name: &str| Some(format!("arn:aws:sqs:us-east-1:000000000000:{name}"));
    let world = start_with(|settings| {
        settings.functions = vec![function("f")];
        settings.functions[0].events = EventSettings {
            retry_pauses: [Duration::from_millis(50), Duration::from_millis(100)],
            age_max: Duration::from_secs(20),
            on_failure: arn("failed"),
            on_success: arn("done"),
            ..EventSettings::default()
        };
    })
    .await;
    let sqs = world.sqs();
    let mut urls = Vec::new();
    for name in ["failed", "done"] {
        urls.push(
            sqs.create_queue()
                .queue_name(name)
                .send()
                .await
                .unwrap()
                .queue_url
                .unwrap(),
        );
    }
    let send = async |event: Value| {
        let lambda = world.lambda();
        let request = lambda
            .invoke()
            .function_name("f")
            .invocation_type(InvocationType::Event);
        let sent = request
            .payload(event.to_string().into_bytes().into())
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status_code(), 202);
    };
    send(json!({ "fail": "no luck", "echo": 1 })).await;
    let failed = &records(&world, &urls[0], 1).await[0];
    assert_eq!(failed["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(failed["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(
        failed["requestContext"]["functionArn"],
        "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST"
    );
    assert_eq!(failed["requestPayload"], json!({ "fail": "no luck", "echo": 1 }));
    assert_eq!(
        failed["responseContext"],
        json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" })
    );
    assert_eq!(failed["responsePayload"]["errorMessage"], "no luck");
    assert_eq!(world.emulator.counts().lambda.functions["f"].invocations, 3);

    send(json!({ "echo": 2 })).await;
    let done = &records(&world, &urls[1], 1).await[0];
    assert_eq!(done["requestContext"]["condition"], "Success");
    assert_eq!(done["responsePayload"]["echo"], 2);
    assert_eq!(
        done["responsePayload"]["request_id"], done["requestContext"]["requestId"],
        "a retry keeps its id"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_grows_too_old_is_given_up() {
    let world = start_with(|settings| {
        settings.functions = vec![function("f")];
        settings.functions[0].events = EventSettings {
            retry_pauses: [Duration::from_secs(30), Duration::from_secs(30)],
            age_max: Duration::from_millis(300),
            on_failure: Some("arn:aws:sqs:us-east-1:000000000000:failed".to_owned()),
            ..EventSettings::default()
        };
    })
    .await;
    let url = world
        .sqs()
        .create_queue()
        .queue_name("failed")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    let lambda = world.lambda();
    let request = lambda
        .invoke()
        .function_name("f")
        .invocation_type(InvocationType::Event);
    request
        .payload(br#"{"fail": "x"}"#.to_vec().into())
        .send()
        .await
        .unwrap();
    let record = &records(&world, &url, 1).await[0];
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_for_their_functions_own_limit() {
    let world = start_with(|settings| {
        settings.functions = vec![function("f")];
        settings.functions[0].events.age_max = Duration::from_secs(20);
    })
    .await;
    let lambda = world.lambda();
    let limit = async |limit: i32| {
        let request = lambda.put_function_concurrency().function_name("f");
        request.reserved_concurrent_executions(limit).send().await.unwrap();
    };
    let invocations = || {
        world
            .emulator
            .counts()
            .lambda
            .functions
            .get("f")
            .map_or(0, |f| f.invocations)
    };
    limit(0).await;
    for n in 0..6 {
        let event = json!({ "echo": n, "sleep_ms": 40 }).to_string().into_bytes();
        let request = lambda
            .invoke()
            .function_name("f")
            .invocation_type(InvocationType::Event);
        request.payload(event.into()).send().await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(invocations(), 0, "nothing may run");
    limit(1).await;
    let since = std::time::Instant::now();
    while invocations() < 6 || world.emulator.counts().lambda.in_flight > 0 {
        assert!(since.elapsed() < Duration::from_secs(20), "{} of 6 ran", invocations());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.emulator.counts().lambda.concurrency_peak, 1);
}
