import { resourceSchema } from '@caracal/core';
import { configurationSchema } from '@caracal/server';
import { toJsonSchema } from '@valibot/to-json-schema';

/** The part of JSON Schema that is read here. */
interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The JSON Schema of the configuration file, as it is committed for editors. */
export function configurationJsonSchema(): string {
  const schema = toJsonSchema(configurationSchema, {
    typeMode: 'input',
    // What is not said in JSON Schema (one field against another) is checked when the file is loaded.
    ignoreActions: ['check', 'safe_integer'],
  });
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** docs/configuration.md between its marks: every member, from the schema. */
export function configurationReference(): string {
  const root = JSON.parse(configurationJsonSchema()) as JsonSchema;
  const sections: string[] = [];
  section('The file', root, '', sections);
  return sections.join('\n');
}

const RESOURCE_MEMBERS = new Set(Object.keys(resourceSchema.entries));

function section(title: string, schema: JsonSchema, path: string, sections: string[]): void {
  const below: [string, JsonSchema][] = [];
  const rows = Object.entries(schema.properties ?? {})
    .filter(([name]) => name !== '$schema')
    .map(([name, member]) => {
      const inner = objectIn(member);
      if (inner !== undefined && !(path === 'resources[]' && RESOURCE_MEMBERS.has(name))) {
        below.push([`${path === '' ? '' : `${path}.`}${name}${member.type === 'array' ? '[]' : ''}`, inner]);
      }
      const needed = schema.required?.includes(name) ? 'required' : defaultOf(member);
      return `| \`${name}\` | ${kindOf(member)} | ${needed} | ${member.description ?? ''} |`;
    });
  if (rows.length > 0) {
    sections.push(
      `## ${title}`,
      '',
      '| member | takes | default | meaning |',
      '| --- | --- | --- | --- |',
      ...rows,
      '',
    );
  }
  for (const [innerPath, inner] of below) {
    const kinds = inner.anyOf ?? inner.oneOf;
    if (kinds === undefined) section(`\`${innerPath}\``, inner, innerPath, sections);
    else for (const kind of kinds) section(`\`${innerPath}\`: ${constKind(kind)}`, kind, innerPath, sections);
  }
}

/** The object a member holds, itself or in a list; secrets are no objects to a reader. */
function objectIn(member: JsonSchema): JsonSchema | undefined {
  const inner = member.type === 'array' ? member.items : member;
  if (inner === undefined || isSecret(inner)) return undefined;
  if (Object.keys(inner.properties ?? {}).length > 0) return inner;
  return (inner.anyOf ?? inner.oneOf)?.every((kind) => kind.properties?.kind !== undefined) ? inner : undefined;
}

function isSecret(schema: JsonSchema): boolean {
  return schema.anyOf?.some((option) => option.properties?.env !== undefined) ?? false;
}

function constKind(kind: JsonSchema): string {
  return `\`${String(kind.properties?.kind?.const)}\``;
}

function kindOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (isSecret(schema)) {
    return schema.anyOf!.map((option) => `\`{ ${Object.keys(option.properties ?? {}).join()} }\``).join(', ');
  }
  const options = schema.anyOf ?? schema.oneOf;
  if (options !== undefined) return [...new Set(options.map(kindOf))].join(' or ');
  if (schema.type === 'array') return `list of ${plural(kindOf(schema.items ?? {}))}`;
  return (
    { string: 'text', object: 'object', integer: 'whole number', number: 'number', boolean: '`true`, `false`' }[
      schema.type ?? ''
    ] ?? 'anything'
  );
}

function plural(kind: string): string {
  return kind === 'text' || kind === 'object' ? `${kind}s` : kind;
}

function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined || (typeof value === 'object' && Object.keys(value as object).length === 0)) return '';
  return typeof value === 'number' ? value.toLocaleString('en') : `\`${JSON.stringify(value)}\``;
}
