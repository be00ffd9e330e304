import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { createApp } from '../src/app.js';

let server;
let base;
let ready = true;

before(async () => {
  server = createApp({ isReady: () => ready }).listen(0);
  await once(server, 'listening');
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test('says who it is', async () => {
  const response = await fetch(base);
  assert.deepEqual(await response.json(), { service: '${{ values.name }}' });
});

test('is alive', async () => {
  assert.equal((await fetch(`${base}/healthz`)).status, 200);
});

test('is not ready any more once it stops', async () => {
  ready = false;
  assert.equal((await fetch(`${base}/readyz`)).status, 503);
});
