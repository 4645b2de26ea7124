use std::time::Duration;

use grpc::health::v1::{health_client::HealthClient, HealthCheckRequest};
use mainspring::clock::v1::{clock_client::ClockClient, GetTimeRequest, WatchTimeRequest};
use tonic::{transport::Channel, Code, Request, Status};

tonic::include_proto!("protos");

const DEADLINE: Duration = Duration::from_secs(5);

fn soon<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

async fn run(channel: Channel, time_zone: String, mut left: i32) -> Result<(), Status> {
    let mut clock = ClockClient::new(channel.clone());
    let request = GetTimeRequest { time_zone: time_zone.clone() };
    println!("time {}", clock.get_time(soon(request)).await?.into_inner().rfc3339);
    let health = HealthClient::new(channel).check(soon(HealthCheckRequest::default())).await?;
    println!("health {}", health.into_inner().status().as_str_name());

    // Ticks until all have come, across restarts of the host.
    let request = WatchTimeRequest { time_zone, ..Default::default() };
    let mut backoff = 100;
    loop {
        let watch = async {
            let mut ticks = clock.watch_time(request.clone()).await?.into_inner();
            while let Some(tick) = ticks.message().await? {
                println!("tick {}", tick.rfc3339);
                (left, backoff) = (left - 1, 100);
                if left <= 0 {
                    return Ok(());
                }
            }
            Err(Status::unavailable("ended"))
        };
        let Err(lost) = watch.await else { return Ok(()) };
        // A watch in a host's last moment is cancelled; tonic calls a broken connection Unknown.
        if !matches!(lost.code(), Code::Unavailable | Code::Cancelled | Code::Unknown) {
            return Err(lost);
        }
        println!("lost: {}; again in {backoff} ms", lost.message());
        tokio::time::sleep(Duration::from_millis(backoff)).await;
        backoff = (2 * backoff).min(5000);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, time_zone, count] = &arguments[..] else {
        return Err("usage: client ADDRESS TIME_ZONE COUNT".into());
    };
    let channel = Channel::from_shared(format!("http://{address}"))?.connect_timeout(DEADLINE);
    let done = run(channel.connect_lazy(), time_zone.clone(), count.parse()?).await;
    done.map_err(|status| status.message().into())
}
