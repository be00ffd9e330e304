import express from 'express';

/** Build the application without listening, so that tests can start it on a port of their own. */
export function createApp({ isReady = () => true } = {}) {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '100kb' }));

  app.get('/healthz', (_request, response) => response.json({ status: 'ok' }));
  app.get('/readyz', (_request, response) => {
    const ready = isReady();
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'stopping' });
  });
  app.get('/', (_request, response) => response.json({ service: '${{ values.name }}' }));

  return app;
}
