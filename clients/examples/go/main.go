package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math"
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

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: client ADDRESS TIME_ZONE COUNT")
	}
	host := must(grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials())))
	clock := clockv1.NewClockClient(host)
	soon, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	fmt.Println("time", must(clock.GetTime(soon, &clockv1.GetTimeRequest{TimeZone: os.Args[2]})).Rfc3339)
	fmt.Println("health", must(health.NewHealthClient(host).Check(soon, &health.HealthCheckRequest{})).Status)

	// Ticks until all have come, across restarts of the host.
	request := &clockv1.WatchTimeRequest{TimeZone: os.Args[2]}
	stream, err := clock.WatchTime(context.Background(), request)
	for left, backoff := must(strconv.Atoi(os.Args[3])), 100.0; left > 0; {
		var tick *clockv1.WatchTimeResponse
		if err == nil {
			tick, err = stream.Recv()
		}
		// A watch that comes in the last moment of a host is cancelled.
		if code := status.Code(err); code == codes.Unavailable || code == codes.Canceled || err == io.EOF {
			fmt.Printf("lost: %s; again in %.0f ms\n", status.Convert(err).Message(), backoff)
			time.Sleep(time.Duration(backoff) * time.Millisecond)
			backoff = math.Min(2*backoff, 5000)
			stream, err = clock.WatchTime(context.Background(), request)
		} else {
			fmt.Println("tick", must(tick, err).Rfc3339)
			left, backoff = left-1, 100
		}
	}
}
