import { keyFieldOf } from '@terndb/core';
import { DONE, type MilvusAnswer, type MilvusCall, type MilvusHandler, mustFindNamed } from './call.ts';
import { addedField } from './create-schema.ts';
import { DYNAMIC_FIELD } from './dynamic.ts';
import { invalidParameter, MilvusError, missingParameter } from './errors.ts';
import { checkReplicas } from './resource-groups.ts';
import { PROPERTY } from './schema.ts';
import { TTL_PROPERTY, wantedTtl, withTtl } from './ttl.ts';

/** What Tern keeps there itself is not the caller's. */
const isOwn = (name: string): boolean => Object.values<string>(PROPERTY).includes(name);
/** They are all in one record. */
const MAX_PROPERTIES = 128;
const FIELD_UNKNOWN = 1700;
const INT64_MIN = '-9223372036854775808';

/** `ttl`: seconds, if the change says something of them. Rows that are there already have the new time to live, too. */
async function alterProperties(
  call: MilvusCall,
  change: (known: Map<string, string>) => void,
  ttl: number | undefined,
): Promise<MilvusAnswer> {
  const info = mustFindNamed(call);
  const properties = new Map(Object.entries(info.properties));
  change(properties);
  if (properties.size > MAX_PROPERTIES) throw invalidParameter(`at most ${MAX_PROPERTIES} properties expected, got ${properties.size}`);
  const definition = ttl === undefined ? {} : { definition: withTtl(info.definition, ttl) };
  await call.node.catalog.alterCollection(call.database, info.name, { properties: Object.fromEntries(properties), ...definition });
  return DONE;
}

/** Changing a collection that has rows. Fields are only ever added (design 4): what is stored stays as it is. */
export const ALTER: Readonly<Record<string, MilvusHandler>> = {
  alter_properties: async (call) => {
    const wanted = call.body.params('properties');
    if (wanted.size === 0) throw missingParameter('properties');
    checkReplicas(wanted);
    const ttl = wantedTtl(wanted, [TTL_PROPERTY]);
    const own = [...wanted.keys()].find(isOwn);
    if (own !== undefined) throw invalidParameter(`property ${own} cannot be altered`);
    return alterProperties(
      call,
      (known) => {
        for (const [name, value] of wanted) known.set(name, value);
      },
      ttl,
    );
  },
  drop_properties: async (call) => {
    const names = call.body.texts('propertyKeys') ?? [];
    if (names.length === 0) throw missingParameter('propertyKeys');
    return alterProperties(
      call,
      (known) => {
        for (const name of names) if (!isOwn(name)) known.delete(name);
      },
      names.includes(TTL_PROPERTY) ? 0 : undefined,
    );
  },
  'fields/add': async (call) => {
    const info = mustFindNamed(call);
    const schema = call.body.object('schema');
    if (schema === undefined) throw missingParameter('schema');
    const name = schema.mustText('fieldName');
    if (schema.flag('nullable') !== true) throw invalidParameter(`added field must be nullable, please check it, field name = ${name}`);
    if (name === DYNAMIC_FIELD || info.definition.fields.some((field) => field.name === name))
      throw invalidParameter(`duplicated field name: ${name}`);
    await call.node.catalog.alterCollection(call.database, info.name, addedField(info, schema));
    return DONE;
  },
  'fields/alter_properties': async (call) => {
    const { definition } = mustFindNamed(call);
    const name = call.body.mustText('fieldName');
    if (!definition.fields.some((field) => field.name === name)) throw new MilvusError(FIELD_UNKNOWN, `field not found[field=${name}]`);
    // `mmap.enabled` and the like tune what is not here; a length that was given stays.
    const fixed = ['max_length', 'max_capacity', 'dim'].find((param) => call.body.params('fieldParams').has(param));
    if (fixed !== undefined) throw invalidParameter(`${name}: ${fixed} cannot be altered: devices have the schema, too`);
    return DONE;
  },
  /** Deletes every row there is now: the deletes reach devices as all others do. */
  truncate: async (call) => {
    const info = mustFindNamed(call);
    const { name, params } = keyFieldOf(info.definition);
    const filter = params.keyType === 'int64' ? `${name} >= ${INT64_MIN}` : `${name} >= ""`;
    const { node, principal, database } = call;
    await node.write({ type: 'deleteBy', database, subject: principal.subject, collection: info.name, filter });
    return DONE;
  },
};
