package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"time"

	"example.com/client/clockv1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal("error: ", status.Convert(err).Message())
	}
	return value
}

// watch prints ticks until left have come, across restarts of the host.
func watch(clock clockv1.ClockClient, timeZone string, left int) {
	const first, longest = 100 * time.Millisecond, 5 * time.Second
	for backoff := first; ; {
		stream, err := clock.WatchTime(context.Background(), &clockv1.WatchTimeRequest{TimeZone: timeZone})
		for err == nil {
			var tick *clockv1.WatchTimeResponse
			if tick, err = stream.Recv(); err == nil {
				fmt.Println("tick", tick.Rfc3339)
				if left--; left <= 0 {
					return
				}
				backoff = first
			}
		}
		if err == io.EOF {
			err = status.Error(codes.Unavailable, "ended")
		}
		switch lost := status.Convert(err); lost.Code() {
		case codes.Unavailable, codes.Canceled: // a watch in the last moment of a host is cancelled
			fmt.Printf("lost: %s; again in %d ms\n", lost.Message(), backoff.Milliseconds())
		default:
			must(stream, err)
		}
		time.Sleep(backoff)
		if backoff *= 2; backoff > longest {
			backoff = longest
		}
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: client ADDRESS TIME_ZONE COUNT")
	}
	connection := must(grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials())))
	clock := clockv1.NewClockClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now := must(clock.GetTime(ctx, &clockv1.GetTimeRequest{TimeZone: os.Args[2]}))
	fmt.Println("time", now.Rfc3339)
	state := must(health.NewHealthClient(connection).Check(ctx, &health.HealthCheckRequest{}))
	fmt.Println("health", state.Status)
	watch(clock, os.Args[2], must(strconv.Atoi(os.Args[3])))
}
