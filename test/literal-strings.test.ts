import { readFileSync } from 'node:fs';
import { SsmParameter } from '@cdktf/provider-aws/lib/ssm-parameter';
import { findTerraform } from '@slipway/local-aws';
import { Lazy, type TerraformStack } from 'cdktf';
import { z } from 'zod';
import { callers, containerOfEveryField } from '../constructs/test/callers';
import { decoded, evaluated, referencesOf, withoutReferences } from '../constructs/test/evaluated';
import {
  mapTexts,
  spotsOf,
  withTexts,
  word,
  written,
  type Spot,
  type Subject,
} from '../constructs/test/planted';
import {
  emptyStack,
  Synthesized,
  synthesized as synthesizedConstruct,
  type Configuration,
} from '../constructs/test/synthesized';
import { loadEnvironments, type EnvironmentInput } from '../environments';
import dev from '../environments/dev';
import { environmentSchema } from '../environments/schema';
import { constructProblems } from '../stacks/app';
import { synthesized } from './synthesized';

/**
 * Every string of an environment's file or of a construct's caller is data: Terraform and CDKTF evaluate nothing in
 * it. Each plant is put behind each string and each key. Either it is refused by a problem that names the field, or
 * Terraform itself evaluates what was synthesized to the text that was planted, wherever that text went.
 */
const PLANTS = {
  expression: '${file("/etc/hosts")}',
  directive: '%{ if true }x%{ endif }',
  // Of tokens that exist, so that CDKTF would resolve them.
  textMarker: Lazy.stringValue({ produce: () => 'forged' }),
  listMarker: Lazy.listValue({ produce: () => ['forged'] })[0] ?? '',
  mapMarker: '&{TfToken[TOKEN.0]}',
  numberMarker: String(Lazy.numberValue({ produce: () => 17 })),
  escapedAlready: '$${file("/etc/hosts")} %%{ if true }x',
  neverClosed: '${ "\\ %{ if',
};
type Plant = keyof typeof PLANTS;
const plants = Object.keys(PLANTS) as Plant[];

/** An environment with a string in each field of the schema, but for the other forms that some fields have. */
const everyField: EnvironmentInput = {
  ...dev,
  state: {
    backend: 's3',
    bucket: 'kantox-state',
    region: 'eu-central-1',
    kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012',
  },
  tags: { Team: 'platform' },
  protection: { buckets: 'locked', keep: ['data'], hosts: false },
  parameters: [
    { path: 'api/text', value: 'text' },
    { path: 'api/config', json: { text: 'text', nested: [{ deep: 'text' }, 'text', 1, null] } },
    { path: 'database/url', secret: { variable: 'database_url', version: 1 } },
  ],
  github: { repository: 'kantox/slipway', oidcProvider: 'this', pushFrom: { branch: 'main' } },
  services: {
    aux: { namespace: 'aux', buckets: { data: 'read-write' }, parameters: ['api/config', 'api/text'] },
    api: { deprecated: true },
  },
  network: { existing: { vpcId: 'vpc-0123456789abcdef0', subnetId: 'subnet-0123456789abcdef0' } },
  dockerHosts: [
    {
      name: 'docker',
      instanceType: 't3.medium',
      ami: 'ami-0123456789abcdef0',
      webCidrs: ['203.0.113.0/24'],
      sshCidrs: ['203.0.113.0/24'],
      containers: [containerOfEveryField],
      script: 'echo text',
    },
  ],
  broker: {
    alarmTopics: ['arn:aws:sns:eu-west-1:111122223333:operators'],
    projects: {
      abc: { buckets: { data: 'read-write' }, parameters: ['api/config'] },
      old: { roleArn: 'arn:aws:iam::111122223333:role/old' },
    },
  },
};

const otherForms: EnvironmentInput = {
  ...everyField,
  github: { repository: 'kantox/slipway', oidcProvider: 'this', pushFrom: { environment: 'dev' } },
  network: { newWithCidr: '10.20.0.0/24' },
};

function environment(name: string, input: EnvironmentInput, spots: Spot[]): Subject {
  const load = (plant: (input: unknown) => unknown) =>
    loadEnvironments({ 'planted.ts': plant(input) }, constructProblems);
  return {
    name,
    spots,
    check: load,
    synthesize: (plant) => load(plant).map((loaded) => synthesized(loaded).configuration)[0] ?? {},
    refuses: (message, field) => message.includes(`\n  planted.ts: ${field}`),
  };
}

const spotsOfOtherForms = spotsOf(otherForms).filter(
  ({ path }) => !spotsOf(everyField).some((spot) => written(spot.path) === written(path)),
);

const anEnvironment = environment('an environment', everyField, spotsOf(everyField));
const itsOtherForms = environment("an environment's other forms", otherForms, spotsOfOtherForms);
const subjects = [anEnvironment, itsOtherForms, ...callers];

/** What may leave no trace in a resource: a place where it is just part of an ARN, and what only a label is made of. */
const NOT_IN_EVERY_RESOURCE = ['place.account', 'place.region', 'accessKeys[0]', 'accessKeys[1]'];

interface Outcome {
  /** Refused by something that does not name the field. */
  readonly unclear: string[];
  /** Where Terraform reads no expressions, so that nothing can be written as data, and yet it was not refused. */
  readonly inBackend: string[];
  readonly survivors: readonly Spot[];
  readonly failure?: unknown;
  /** The survivors marked with a harmless word each, and with the plant and that word. */
  readonly marked: Configuration;
  readonly planted: Configuration;
}

const outcomes = new Map<string, Outcome>();
const outcome = ({ name }: Subject, plant: Plant): Outcome => {
  const found = outcomes.get(`${name} ${plant}`);
  if (!found) throw new Error(`Nothing was planted in ${name}.`);
  return found;
};
let evaluations: Record<string, unknown>;

beforeAll(async () => {
  for (const subject of subjects) {
    for (const plant of plants) outcomes.set(`${subject.name} ${plant}`, outcomeOf(subject, PLANTS[plant]));
  }
  const values = [...outcomes].flatMap(([name, { marked, planted }]) => {
    const references = referencesOf(marked);
    return [
      [`marked ${name}`, withoutReferences(marked, references)],
      [`planted ${name}`, withoutReferences(planted, references)],
    ] as const;
  });
  const { path: terraform } = await findTerraform();
  evaluations = evaluated(terraform, { ...Object.fromEntries(values), unprotected: unprotected() });
}, 180_000);

describe.each(plants)('%s', (plant) => {
  test.each(subjects)('in $name is refused by its field, or is the text that it was', (subject) => {
    const { name } = subject;
    const { unclear, survivors, failure, marked, planted } = outcome(subject, plant);
    expect(unclear).toEqual([]);
    expect(failure).toBeUndefined();

    const expected = decoded(evaluations[`marked ${name} ${plant}`]);
    const lost = survivors.filter((_, index) => !JSON.stringify(expected).includes(word(index)));
    expect(
      lost.map(({ path }) => written(path)).filter((path) => !NOT_IN_EVERY_RESOURCE.includes(path)),
    ).toEqual([]);
    const text = decoded(evaluations[`planted ${name} ${plant}`]);
    expect(text).toEqual(
      mapTexts(expected, (found) => found.replaceAll(/Spot\d+x/g, (at) => PLANTS[plant] + at)),
    );

    // Here Terraform evaluates nothing: nothing of a caller's may stand here.
    expect({ ...planted.terraform, ...planted.variable }).toEqual({
      ...marked.terraform,
      ...marked.variable,
    });
    const addresses = Object.values(planted.resource ?? {}).flatMap((named) => Object.keys(named));
    expect(addresses.filter((address) => !/^[\w-]+$/.test(address))).toEqual([]);
  });
});

test('a plant is evaluated where nothing protects from it', () => {
  const hosts = readFileSync('/etc/hosts', 'utf8');
  expect(evaluations.unprotected).toEqual({
    expression: hosts,
    directive: 'x',
    textMarker: 'forged',
    numberMarker: 17,
    escapedAlready: PLANTS.escapedAlready.replace('$$', '$').replace('%%', '%'),
  });
  // Of these CDKTF makes no text at all.
  expect(() => synthesizedConstruct((stack) => bare(stack, PLANTS.listMarker))).toThrow(/list token/i);
  expect(() =>
    synthesizedConstruct((stack) => bare(stack, 'x', { [PLANTS.mapMarker]: 'x', a: 'b' })),
  ).toThrow(/tokenized map/i);
});

test('where the state is kept takes none of them, as Terraform reads no expressions there', () => {
  for (const plant of plants) expect(outcome(anEnvironment, plant).inBackend).toEqual([]);
});

test("what an environment takes as it is are the texts that are somebody else's, and nothing else", () => {
  const { survivors } = outcome(anEnvironment, 'expression');
  expect(survivors.map(({ path, isKey }) => `${isKey ? 'key ' : ''}${written(path)}`)).toEqual([
    'parameters[0].value',
    'parameters[1].json.text',
    'key parameters[1].json.text',
    'parameters[1].json.nested[0].deep',
    'key parameters[1].json.nested[0].deep',
    'parameters[1].json.nested[1]',
    'key parameters[1].json.nested',
    'dockerHosts[0].containers[0].environment.MODE',
    'dockerHosts[0].containers[0].command[0]',
    'dockerHosts[0].containers[0].command[1]',
    'dockerHosts[0].containers[0].command[2]',
    'dockerHosts[0].script',
  ]);
});

test('every field of the schema that may hold a text is planted in', () => {
  const planted = [anEnvironment, itsOtherForms].flatMap(({ spots }) =>
    spots.filter(({ isKey }) => !isKey).map(({ path }) => written(path)),
  );
  const schema = z.toJSONSchema(environmentSchema, { io: 'input' }) as JsonSchema;
  const patterns = textFields(schema, '^').map((pattern) => `${pattern}$`);
  expect(patterns.length).toBeGreaterThan(30);
  expect(patterns.filter((pattern) => !planted.some((path) => new RegExp(pattern).test(path)))).toEqual([]);
});

/** A resource that is made without a construct of ours. */
function bare(stack: TerraformStack, text: string, tags: Record<string, string> = {}) {
  return new SsmParameter(stack, 'bare', { name: 'bare', type: 'String', insecureValue: text, tags });
}

function unprotected() {
  const evaluable = ['expression', 'directive', 'textMarker', 'numberMarker', 'escapedAlready'] as const;
  return Object.fromEntries(
    evaluable.map((plant) => {
      const stack = emptyStack();
      bare(stack, PLANTS[plant]);
      return [plant, new Synthesized(stack).the('aws_ssm_parameter').insecure_value];
    }),
  );
}

function outcomeOf({ spots, check, synthesize, refuses }: Subject, plant: string): Outcome {
  const unclear: string[] = [];
  const taken = spots.filter((spot) => {
    try {
      check((input) => withTexts(input, [spot], () => plant));
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // A key that is no field is named in brackets, or what it stands in is, as that has another form now.
      const wholes = spot.isKey ? spot.path.map((_, index) => spot.path.slice(0, index)).slice(1) : [];
      const fields = [
        ...[spot.path, ...wholes].map(written),
        ...(spot.isKey ? [`["${spot.path.at(-1) ?? ''}`] : []),
      ];
      if (!fields.some((field) => refuses(message, field))) unclear.push(`${written(spot.path)}: ${message}`);
      return false;
    }
  });
  const survivors = taken.filter(({ path }) => path[0] !== 'state');
  const inBackend = taken.filter((spot) => !survivors.includes(spot)).map(({ path }) => written(path));
  const found = { unclear, inBackend, survivors, marked: {}, planted: {} };
  if (survivors.length === 0) return found;
  try {
    const marked = synthesize((input) => withTexts(input, survivors, word));
    return {
      ...found,
      marked,
      planted: synthesize((input) => withTexts(input, survivors, (index) => plant + word(index))),
    };
  } catch (failure) {
    return { ...found, failure };
  }
}

interface JsonSchema {
  type?: string;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | false;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
}

/** Patterns of the paths of all fields that may hold a text. */
function textFields(schema: JsonSchema, path: string): string[] {
  if (schema.const !== undefined || schema.enum) return [];
  if (schema.type === 'string') return [path];
  const dot = path === '^' ? '' : '\\.';
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, inner]) =>
      textFields(inner, path + dot + name),
    ),
    ...(schema.additionalProperties ? textFields(schema.additionalProperties, `${path + dot}[^.[]+`) : []),
    ...(schema.items ? textFields(schema.items, `${path}\\[\\d+\\]`) : []),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((inner) => textFields(inner, path)),
  ];
}
