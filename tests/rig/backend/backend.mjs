// Backstage's own backend with what its demo image has of it: app, sign-in of guests, catalogue, templates.
// To renew package-lock.json: npm config set omit-lockfile-registry-resolved true, then npm install --package-lock-only.
// First argument: the folder where the packages are installed; the others are Backstage's own (--config FILE).
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const require = createRequire(path.join(path.resolve(process.argv[2]), 'package.json'));
const load = async name => {
  const { default: loaded } = await import(pathToFileURL(require.resolve(name)).href);
  return loaded.default ?? loaded;
};

const { createBackend } = await load('@backstage/backend-defaults');
const backend = createBackend();
for (const name of [
  '@backstage/plugin-app-backend',
  '@backstage/plugin-auth-backend',
  '@backstage/plugin-auth-backend-module-guest-provider',
  '@backstage/plugin-catalog-backend',
  '@backstage/plugin-catalog-backend-module-scaffolder-entity-model',
]) backend.add(await load(name));
await backend.start();
