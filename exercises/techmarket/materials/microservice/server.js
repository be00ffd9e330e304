// Reads the environment, serves, and stops without cutting anybody off.
import { createApp } from "./app.js";

const {
  SERVICE_NAME = "payment-service",
  SERVICE_VERSION = "dev",
  UPSTREAM_URL = "",
  FAILURE_RATE = "0",
  PORT = "8080",
  HOST, // every address, unless told otherwise
  DRAIN_SECONDS = "5",
} = process.env;

const { server, state } = createApp({
  service: SERVICE_NAME,
  version: SERVICE_VERSION,
  upstream: UPSTREAM_URL || null,
  failureRate: Number(FAILURE_RATE) || 0,
});

server.listen({ port: Number(PORT), host: HOST }, () => console.log(`${SERVICE_NAME} ${SERVICE_VERSION} listens on ${server.address().port}`));

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    // Requests still arrive until every node has dropped this Pod from the Service: answer them first.
    state.ready = false;
    console.log(`${signal}: draining for ${DRAIN_SECONDS} s`);
    setTimeout(() => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
    }, Number(DRAIN_SECONDS) * 1000);
  });
}
