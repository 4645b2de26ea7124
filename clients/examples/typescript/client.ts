import { setTimeout } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { ProtoGrpcType as ClockProto } from "./generated/clock.js";
import type { HealthCheckResponse__Output } from "./generated/grpc/health/v1/HealthCheckResponse.js";
import type { ProtoGrpcType as HealthProto } from "./generated/health.js";
import type { GetTimeResponse__Output } from "./generated/mainspring/clock/v1/GetTimeResponse.js";

const files = ["mainspring/clock/v1/clock.proto", "grpc/health/v1/health.proto"];
const definition = loadSync(files, { includeDirs: ["../../../protos"], defaults: true, enums: String });
const protos = grpc.loadPackageDefinition(definition) as unknown as ClockProto & HealthProto;

const [address, timeZone, count] = process.argv.slice(2);
if (!count) throw new Error("usage: client ADDRESS TIME_ZONE COUNT");
const credentials = grpc.credentials.createInsecure();
const clock = new protos.mainspring.clock.v1.Clock(address, credentials);
const health = new protos.grpc.health.v1.Health(address, credentials);

// A unary call as a promise, with a deadline.
function ask<T>(call: (options: grpc.CallOptions, done: grpc.requestCallback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    call({ deadline: Date.now() + 5000 }, (error, answer) => (error ? reject(error) : resolve(answer!))),
  );
}

// Prints ticks until `left` have come, across restarts of the host.
async function watch(left: number) {
  for (let backoff = 100; ; backoff = Math.min(2 * backoff, 5000)) {
    let lost = "ended";
    const ticks = clock.watchTime({ timeZone });
    try {
      for await (const tick of ticks) {
        console.log("tick", tick.rfc3339);
        if (--left <= 0) return ticks.cancel();
        backoff = 100;
      }
    } catch (error) {
      const { code, details } = error as grpc.ServiceError;
      // A watch that comes in the last moment of a host is cancelled.
      if (code !== grpc.status.UNAVAILABLE && code !== grpc.status.CANCELLED) throw error;
      lost = details;
    }
    console.log(`lost: ${lost}; again in ${backoff} ms`);
    await setTimeout(backoff);
  }
}

try {
  const time = await ask<GetTimeResponse__Output>((...how) => clock.getTime({ timeZone }, ...how));
  console.log("time", time.rfc3339);
  const state = await ask<HealthCheckResponse__Output>((...how) => health.check({}, ...how));
  console.log("health", state.status);
  await watch(Number(count));
} catch (error) {
  console.error("error:", (error as grpc.ServiceError).details);
  process.exitCode = 1;
}
clock.close();
health.close();
