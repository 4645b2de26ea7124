fn main() -> std::io::Result<()> {
    let protos = ["grpc/health/v1/health.proto", "mainspring/clock/v1/clock.proto"];
    tonic_build::configure().build_server(false).compile_protos(&protos, &["../../../protos"])
}
