//! What a request may ask the emulator to remember: whatever is acknowledged is there after a restart, however large it was.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
};
use local_emulator::Emulator;

use crate::common::{World, settings, start};

async fn restarted(world: World) -> World {
    let World { emulator, folder } = world;
    emulator.shutdown().await;
    let emulator = Emulator::start(settings(folder.path())).await.unwrap();
    World { emulator, folder }
}

fn rules(count: usize, prefix_bytes: usize, filler: &str) -> BucketLifecycleConfiguration {
    let rule = |n: usize| {
        let prefix = format!("{n:06}{}", filler.repeat(prefix_bytes - 6));
        LifecycleRule::builder()
            .id(n.to_string())
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
            .expiration(LifecycleExpiration::builder().days(1).build())
            .build()
            .unwrap()
    };
    BucketLifecycleConfiguration::builder()
        .set_rules(Some((0..count).map(rule).collect()))
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_largest_requests_cost_no_object_at_the_next_start() {
    let mut world = start().await;
    world.s3().create_bucket().bucket("bucket").send().await.unwrap();
    // As many rules as S3 takes, of the longest prefixes; far more than that; the most metadata, and more than that.
    for (count, prefix_bytes, filler, is_taken) in [
        (1000, 1024, "\"", true),
        (9000, 1024, "p", false),
        (1, 2000, "p", false),
    ] {
        let request = world.s3().put_bucket_lifecycle_configuration().bucket("bucket");
        let answer = request
            .lifecycle_configuration(rules(count, prefix_bytes, filler))
            .send()
            .await;
        assert_eq!(
            answer.is_ok(),
            is_taken,
            "{count} rules of {prefix_bytes} bytes: {answer:?}"
        );
    }
    for (value_bytes, is_taken) in [(2047, true), (2048, false), (300_000, false)] {
        let request = world
            .s3()
            .put_object()
            .bucket("bucket")
            .key(format!("metadata-{value_bytes}"));
        let answer = request.metadata("k", "\"".repeat(value_bytes)).send().await;
        assert_eq!(answer.is_ok(), is_taken, "{value_bytes} bytes of metadata: {answer:?}");
    }
    let last = world
        .s3()
        .put_object()
        .bucket("bucket")
        .key("last")
        .body(ByteStream::from_static(b"here"));
    last.send().await.unwrap();
    world = restarted(world).await;
    let got = world
        .s3()
        .get_object()
        .bucket("bucket")
        .key("last")
        .send()
        .await
        .unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"here");
    let listed = world.s3().list_objects_v2().bucket("bucket").send().await.unwrap();
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, ["last", "metadata-2047"]);
    let kept = world
        .s3()
        .get_bucket_lifecycle_configuration()
        .bucket("bucket")
        .send()
        .await
        .unwrap();
    assert_eq!(kept.rules().len(), 1000);
}
