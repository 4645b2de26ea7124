use std::time::Duration;

use health::{health_client::HealthClient, HealthCheckRequest};
use times::{clock_client::ClockClient, GetTimeRequest, WatchTimeRequest};
use tonic::{transport::Channel, Code, Request, Status};

mod health {
    tonic::include_proto!("grpc.health.v1");
}
mod times {
    tonic::include_proto!("mainspring.clock.v1");
}

const DEADLINE: Duration = Duration::from_secs(5);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);
/// A watch that comes in the last moment of a host is cancelled; of a connection that breaks, tonic
/// says Unknown.
const LOST: [Code; 3] = [Code::Unavailable, Code::Cancelled, Code::Unknown];

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
    let mut backoff = FIRST_BACKOFF;
    loop {
        let watch = async {
            let mut ticks = clock.watch_time(request.clone()).await?.into_inner();
            while let Some(tick) = ticks.message().await? {
                println!("tick {}", tick.rfc3339);
                (left, backoff) = (left - 1, FIRST_BACKOFF);
                if left <= 0 {
                    return Ok(());
                }
            }
            Err(Status::unavailable("ended"))
        };
        match watch.await {
            Err(lost) if LOST.contains(&lost.code()) => {
                println!("lost: {}; again in {} ms", lost.message(), backoff.as_millis());
            }
            done => return done,
        }
        tokio::time::sleep(backoff).await;
        backoff = LONGEST_BACKOFF.min(2 * backoff);
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
