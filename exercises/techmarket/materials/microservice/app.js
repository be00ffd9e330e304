// The HTTP surface. Configuration comes in as a plain object, so that tests need no environment.
import { createServer } from "node:http";
import { createMetrics } from "./metrics.js";

const JSON_TYPE = { "content-type": "application/json" };

export function createApp({ service, version = "dev", upstream = null, failureRate = 0, random = Math.random }) {
  const metrics = createMetrics(service);
  const state = { ready: true };

  const routes = {
    "/": async () => [200, { service, version }],
    "/healthz": async () => [200, { status: "alive" }],
    // Not ready while stopping: Kubernetes then takes the Pod out of the Service before it goes.
    "/readyz": async () => (state.ready ? [200, { status: "ready" }] : [503, { status: "stopping" }]),
    "/checkout": async () => {
      if (random() < failureRate) return [500, { service, error: "injected failure" }];
      if (!upstream) return [200, { service, paid: true }];
      const answer = await fetch(new URL("/checkout", upstream), { signal: AbortSignal.timeout(2000) });
      return [answer.ok ? 200 : 502, { service, upstream: await answer.json() }];
    },
  };

  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    if (path === "/metrics") {
      response.writeHead(200, { "content-type": metrics.registry.contentType });
      response.end(await metrics.registry.metrics());
      return;
    }
    const started = process.hrtime.bigint();
    let status = 404;
    let body = { error: "no such page" };
    try {
      if (routes[path]) [status, body] = await routes[path]();
    } catch (error) {
      [status, body] = [502, { service, error: `upstream: ${error.message}` }];
    }
    response.writeHead(status, JSON_TYPE);
    response.end(`${JSON.stringify(body)}\n`);
    // Unknown paths share one label: a scanner must not fill Prometheus with series.
    const route = routes[path] ? path : "other";
    const probe = path === "/healthz" || path === "/readyz";
    if (!probe) metrics.observe(request.method, route, status, Number(process.hrtime.bigint() - started) / 1e9);
  });

  return { server, state };
}
