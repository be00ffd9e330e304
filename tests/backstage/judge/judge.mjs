// Says of each YAML text what Backstage's catalogue says: {"documents": [null | reason, …]} or {"error": reason}.
// To renew package-lock.json: npm config set omit-lockfile-registry-resolved true, then npm install --package-lock-only.
// Standard input: a JSON list of texts. Standard output: a JSON list of answers in the same order.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

// The packages are installed in a cache folder, not beside this script: its first argument.
const require = createRequire(path.join(path.resolve(process.argv[2]), 'package.json'));
const load = name => import(pathToFileURL(require.resolve(name)).href);
const { default: model } = await load('@backstage/catalog-model');
const { default: scaffolder } = await load('@backstage/plugin-scaffolder-common');
const { default: YAML } = await load('yaml');

// The order of catalog-backend: envelope, then format, then the one kind that recognises the entity.
const policies = [
  new model.SchemaValidEntityPolicy(),
  new model.DefaultNamespaceEntityPolicy(),
  new model.NoForeignRootFieldsEntityPolicy(),
  new model.FieldFormatEntityPolicy(),
];
const kinds = [
  model.apiEntityV1alpha1Validator,
  model.componentEntityV1alpha1Validator,
  model.domainEntityV1alpha1Validator,
  model.groupEntityV1alpha1Validator,
  model.locationEntityV1alpha1Validator,
  model.resourceEntityV1alpha1Validator,
  model.systemEntityV1alpha1Validator,
  model.userEntityV1alpha1Validator,
  scaffolder.templateEntityV1beta3Validator,
];

async function refusal(document) {
  try {
    let entity = document;
    for (const policy of policies) entity = (await policy.enforce(entity)) ?? entity;
    for (const kind of kinds) if (await kind.check(entity)) return null;
    return 'no processor recognised the entity';
  } catch (error) {
    return String(error.message ?? error) || 'refused';
  }
}

async function judge(text) {
  const documents = [];
  for (const document of YAML.parseAllDocuments(text, { merge: false })) {
    if (document.errors.length) return { error: String(document.errors[0].message) };
    const data = document.toJSON();
    if (data === null) continue;
    const isEntity = typeof data === 'object' && !Array.isArray(data);
    documents.push(isEntity ? await refusal(data) : 'expected an object at the root');
  }
  return { documents };
}

let input = '';
for await (const chunk of process.stdin) input += chunk;
const answers = [];
for (const text of JSON.parse(input)) answers.push(await judge(text));
process.stdout.write(JSON.stringify(answers));
