import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import java.time.Duration;
import mainspring.clock.v1.ClockGrpc;
import mainspring.clock.v1.GetTimeRequest;
import mainspring.clock.v1.WatchTimeRequest;

public class Client {
  static final Duration DEADLINE = Duration.ofSeconds(5);

  /** Prints ticks until {@code left} have come, across restarts of the host. */
  static void watch(ClockGrpc.ClockBlockingStub clock, String timeZone, int left) throws Exception {
    var request = WatchTimeRequest.newBuilder().setTimeZone(timeZone).build();
    for (int backoff = 100; ; backoff = Math.min(2 * backoff, 5000)) {
      var lost = "ended";
      try {
        for (var ticks = clock.watchTime(request); ticks.hasNext(); backoff = 100) {
          System.out.println("tick " + ticks.next().getRfc3339());
          if (--left <= 0) return;
        }
      } catch (StatusRuntimeException error) {
        var code = error.getStatus().getCode();
        // A watch that comes in the last moment of a host is cancelled.
        if (code != Status.Code.UNAVAILABLE && code != Status.Code.CANCELLED) throw error;
        lost = reason(error);
      }
      System.out.println("lost: " + lost + "; again in " + backoff + " ms");
      Thread.sleep(backoff);
    }
  }

  static String reason(StatusRuntimeException error) {
    var cause = error.getCause();  // what befell the connection, where that is why
    return cause != null ? cause.getMessage() : error.getStatus().getDescription();
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length != 3) throw new Exception("usage: client ADDRESS TIME_ZONE COUNT");
    var channel = Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).build();
    try {
      var clock = ClockGrpc.newBlockingStub(channel);
      var request = GetTimeRequest.newBuilder().setTimeZone(arguments[1]).build();
      System.out.println("time " + clock.withDeadlineAfter(DEADLINE).getTime(request).getRfc3339());
      var health = HealthGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE);
      var state = health.check(HealthCheckRequest.getDefaultInstance());
      System.out.println("health " + state.getStatus());
      watch(clock, arguments[1], Integer.parseInt(arguments[2]));
    } catch (StatusRuntimeException error) {
      System.err.println("error: " + reason(error));
      System.exit(1);
    } finally {
      channel.shutdownNow();
    }
  }
}
