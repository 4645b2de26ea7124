//go:build tools

package main

// The plugins that protoc runs, so that go.mod has their versions.
import (
	_ "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
	_ "google.golang.org/protobuf/cmd/protoc-gen-go"
)
