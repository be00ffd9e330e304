import { createApp } from './app.js';

let stopping = false;
const port = Number(process.env.PORT ?? 3000);
const server = createApp({ isReady: () => !stopping }).listen(port, () => {
  console.log(JSON.stringify({ message: 'listening', port }));
});

// Kubernetes removes the Pod from its Services while it sends SIGTERM: answer what still arrives, then leave.
function stop() {
  if (stopping) return;
  stopping = true;
  setTimeout(() => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  }, 5_000);
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
