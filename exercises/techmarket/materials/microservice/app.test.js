import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { createApp } from "./app.js";

const open = [];
after(() => open.forEach((server) => server.close()));

async function serve(options) {
  const app = createApp({ service: "payment-service", version: "1.0.0", ...options });
  app.server.listen(0, "127.0.0.1");
  await once(app.server, "listening");
  open.push(app.server);
  return { ...app, url: `http://127.0.0.1:${app.server.address().port}` };
}

test("a checkout is paid and counted with its status", async () => {
  const { url } = await serve({});
  assert.deepEqual(await (await fetch(`${url}/checkout`)).json(), { service: "payment-service", paid: true });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /http_requests_total\{method="GET",route="\/checkout",status="200",app="payment-service"\} 1/);
  assert.match(metrics, /http_request_duration_seconds_bucket\{le="0.5",/);
});

test("an injected failure is a 500 and counted as one", async () => {
  const { url } = await serve({ failureRate: 0.5, random: () => 0.4 });
  assert.equal((await fetch(`${url}/checkout`)).status, 500);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /route="\/checkout",status="500",app="payment-service"\} 1/);
});

test("a call goes through the chain of services", async () => {
  const payment = await serve({});
  const backend = await serve({ service: "backend-api", upstream: payment.url });
  const frontend = await serve({ service: "frontend-app", upstream: backend.url });
  const answer = await (await fetch(`${frontend.url}/checkout`)).json();
  assert.equal(answer.upstream.upstream.paid, true);
});

test("a dead upstream is a 502, not a crash", async () => {
  const { url } = await serve({ upstream: "http://127.0.0.1:1" });
  assert.equal((await fetch(`${url}/checkout`)).status, 502);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test("readiness fails while stopping, liveness does not", async () => {
  const { url, state } = await serve({});
  state.ready = false;
  assert.equal((await fetch(`${url}/readyz`)).status, 503);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test("unknown paths share one label and probes are not counted", async () => {
  const { url } = await serve({});
  await fetch(`${url}/a`);
  await fetch(`${url}/b`);
  await fetch(`${url}/healthz`);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /route="other",status="404",app="payment-service"\} 2/);
  assert.doesNotMatch(metrics, /healthz/);
});
