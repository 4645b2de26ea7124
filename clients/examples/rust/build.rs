fn main() -> std::io::Result<()> {
    let protos = ["grpc/health/v1/health.proto", "mainspring/clock/v1/clock.proto"];
    let stubs = tonic_build::configure().build_server(false).include_file("protos.rs");
    stubs.compile_protos(&protos, &["../../../protos"])
}
