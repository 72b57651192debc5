// What a JSON Schema says about the structure of values: which fields objects have, and what lists hold. Types of
// single cells are left to the schema itself.
//
// I1 Parts are worked out when they are first needed, so that recursive schemas end.
import { isRecord } from './plain.ts'
import type { JsonSchema } from './json-schema.ts'
import { compileShape, type ShapeCode } from './value-code.ts'

type Keywords = Readonly<Record<string, unknown>>

/** The objects that a schema accepts at one place. */
export interface ObjectShape {
  /** Declared field names, in declared order. */
  readonly names: readonly string[]
  readonly fields: ReadonlyMap<string, ValueShape>
  /** What other fields hold; undefined where there must be none. */
  readonly rest: ValueShape | undefined
  /** Fields that every value has. */
  readonly required: ReadonlySet<string>
  /** Fields of fixed values, which tell the members of a union apart. */
  readonly tags: readonly { readonly name: string; readonly values: ReadonlySet<unknown> }[]
  /** For objects with all of the fields; not there where none are declared, or very many. */
  readonly code: ShapeCode | undefined
}

interface Structure {
  /** The members of a union; one for anything else. Empty if no object is accepted. */
  readonly members: readonly ObjectShape[]
  /** All members in one, for values that fit several or none. */
  readonly merged: ObjectShape
}

/** More members than this are not told apart. */
const membersMax = 64

/** The structure of the values at one place of a schema. */
export class ValueShape {
  readonly #root: JsonSchema
  readonly #schemas: readonly JsonSchema[]
  #structure: Structure | undefined
  #items: ValueShape | undefined
  #leading: readonly ValueShape[] | undefined

  /** `schemas` are alternatives; references in them are resolved in `root`. */
  constructor(root: JsonSchema, schemas: readonly JsonSchema[]) {
    this.#root = root
    this.#schemas = schemas
  }

  /** The members of the union that this is, or the one shape of its objects. */
  get members(): readonly ObjectShape[] {
    return (this.#structure ??= this.#structured()).members
  }

  /** The shape of all its objects in one. */
  get merged(): ObjectShape {
    return (this.#structure ??= this.#structured()).merged
  }

  /** The shape that fits `value`: the one member whose tags match, else all in one. */
  objectFor(value: Keywords): ObjectShape {
    const { members, merged } = (this.#structure ??= this.#structured())
    if (members.length < 2) return merged
    const fitting = members.filter(({ tags }) => tags.every(({ name, values }) => values.has(value[name])))
    return fitting.length === 1 ? fitting[0]! : merged
  }

  /** What a list holds at `at`. */
  item(at: number): ValueShape {
    this.#leading ??= this.#prefixes()
    return this.#leading[at] ?? (this.#items ??= this.#listed())
  }

  /** False where only lists and objects are accepted. */
  get mayBeScalar(): boolean {
    return this.#basics().some((json) => {
      const { type } = json
      if (type === undefined) return json['properties'] === undefined && json['items'] === undefined
      const types: readonly unknown[] = Array.isArray(type) ? type : [type]
      return types.some((one) => one !== 'object' && one !== 'array')
    })
  }

  #structured(): Structure {
    const members: ObjectShape[] = []
    for (const conjuncts of this.#alternatives()) {
      const shape = objectShape(this.#root, conjuncts)
      if (shape !== undefined) members.push(shape)
    }
    if (members.length === 0) return { members, merged: openShape(this.#root) }
    return {
      members,
      merged: members.length === 1 ? members[0]! : merge(this.#root, this.#alternatives().flat(), members),
    }
  }

  #listed(): ValueShape {
    const items = this.#basics().flatMap((json) => (json['items'] === undefined ? [] : [asSchema(json['items'])]))
    return new ValueShape(this.#root, items.length === 0 ? [true] : items)
  }

  #prefixes(): readonly ValueShape[] {
    const lists = this.#basics().flatMap((json) => (Array.isArray(json['prefixItems']) ? [json['prefixItems']] : []))
    const length = Math.max(0, ...lists.map((list) => list.length))
    return Array.from({ length }, (_, at) => {
      const items = lists.flatMap((list) => (list[at] === undefined ? [] : [asSchema(list[at])]))
      return new ValueShape(this.#root, items)
    })
  }

  #alternatives(): readonly (readonly Keywords[])[] {
    return this.#schemas.flatMap((schema) => alternatives(this.#root, schema, new Set()))
  }

  #basics(): readonly Keywords[] {
    return this.#alternatives().flat()
  }
}

/** The shape at a dotted path; undefined if no value has anything there. */
export function shapeAt(shape: ValueShape, path: string): ValueShape | undefined {
  let at: ValueShape | undefined = shape
  for (const name of path.split('.')) at = at?.merged.fields.get(name) ?? at?.merged.rest
  return at
}

/** Why no value of a shape has anything at a dotted path; undefined if one may. */
export function whyNoPath(shape: ValueShape, path: string): string | undefined {
  let at = shape
  for (const name of path.split('.')) {
    const { fields, rest, names } = at.merged
    const below = fields.get(name) ?? rest
    if (below === undefined) return `there is no field '${name}'; there are: ${names.join(', ') || 'none'}`
    at = below
  }
  return undefined
}

/** Unions as alternatives, each of them a list of schemas that hold together. */
function alternatives(root: JsonSchema, schema: JsonSchema, open: ReadonlySet<JsonSchema>): readonly Keywords[][] {
  if (schema === false || open.has(schema)) return []
  if (schema === true) return [[{}]]
  const below = new Set([...open, schema])
  const { $ref, anyOf, oneOf, allOf } = schema
  let result: Keywords[][] = [[schema]]
  if (typeof $ref === 'string') result = cross(result, alternatives(root, resolve(root, $ref), below))
  const members = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined
  if (members !== undefined) {
    result = cross(
      result,
      members.flatMap((member) => alternatives(root, asSchema(member), below)),
    )
  }
  if (Array.isArray(allOf)) {
    for (const part of allOf) result = cross(result, alternatives(root, asSchema(part), below))
  }
  return result
}

function cross(left: readonly Keywords[][], right: readonly Keywords[][]): Keywords[][] {
  if (left.length * right.length > membersMax) return [[...left.flat(), ...right.flat()]]
  return left.flatMap((one) => right.map((other) => [...one, ...other]))
}

/** The shape of the objects that fit all of `conjuncts`; undefined if they describe something other than objects. */
function objectShape(root: JsonSchema, conjuncts: readonly Keywords[]): ObjectShape | undefined {
  const speaking = conjuncts.filter((json) => !isSilent(json))
  if (speaking.length === 0) return openShape(root)
  if (!speaking.every(allowsObjects)) return undefined
  const shape = merge(root, speaking, [])
  const isClosed = speaking.some((json) => isRecord(json['properties']) || json['additionalProperties'] !== undefined)
  return isClosed ? shape : { ...shape, rest: new ValueShape(root, [true]) }
}

/** One shape for everything that `schemas` say of objects; tags are kept only where there is one member. */
function merge(root: JsonSchema, schemas: readonly Keywords[], members: readonly ObjectShape[]): ObjectShape {
  const properties = new Map<string, JsonSchema[]>()
  const rests: JsonSchema[] = []
  const required = new Set<string>()
  for (const json of schemas) {
    for (const [name, schema] of Object.entries(isRecord(json['properties']) ? json['properties'] : {})) {
      const known = properties.get(name)
      if (known === undefined) properties.set(name, [asSchema(schema)])
      else known.push(asSchema(schema))
    }
    const { additionalProperties, patternProperties } = json
    if (additionalProperties !== undefined && additionalProperties !== false) rests.push(asSchema(additionalProperties))
    if (isRecord(patternProperties)) rests.push(...Object.values(patternProperties).map(asSchema))
    if (Array.isArray(json['required'])) for (const name of json['required']) required.add(String(name))
  }
  for (const { required: ofMember } of members)
    for (const name of required) if (!ofMember.has(name)) required.delete(name)
  const openMember = members.some(({ rest }) => rest !== undefined)
  const rest = rests.length > 0 ? new ValueShape(root, rests) : openMember ? new ValueShape(root, [true]) : undefined
  const fields = new Map([...properties].map(([name, list]) => [name, new ValueShape(root, list)]))
  return {
    names: [...fields.keys()],
    fields,
    rest,
    required,
    tags: members.length > 0 ? [] : tagsOf(properties),
    code: compileShape(fields),
  }
}

function tagsOf(properties: ReadonlyMap<string, readonly JsonSchema[]>): ObjectShape['tags'] {
  const tags: { readonly name: string; readonly values: ReadonlySet<unknown> }[] = []
  for (const [name, schemas] of properties) {
    const values = schemas.map(fixedValues).find((list) => list !== undefined)
    if (values !== undefined) tags.push({ name, values: new Set(values) })
  }
  return tags
}

function fixedValues(schema: JsonSchema): readonly unknown[] | undefined {
  if (typeof schema === 'boolean') return undefined
  if (schema['const'] !== undefined) return [schema['const']]
  return Array.isArray(schema['enum']) ? schema['enum'] : undefined
}

function openShape(root: JsonSchema): ObjectShape {
  return {
    names: [],
    fields: new Map(),
    rest: new ValueShape(root, [true]),
    required: new Set(),
    tags: [],
    code: undefined,
  }
}

function isSilent(json: Keywords): boolean {
  return (
    json['type'] === undefined &&
    json['properties'] === undefined &&
    json['const'] === undefined &&
    json['enum'] === undefined
  )
}

function allowsObjects(json: Keywords): boolean {
  const { type } = json
  if (type === undefined) return json['properties'] !== undefined
  return type === 'object' || (Array.isArray(type) && type.includes('object'))
}

function resolve(root: JsonSchema, reference: string): JsonSchema {
  if (!reference.startsWith('#')) return true
  let at: unknown = root
  for (const part of reference.slice(1).split('/').slice(1)) {
    at = isRecord(at) ? at[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  }
  return asSchema(at)
}

function asSchema(value: unknown): JsonSchema {
  return typeof value === 'boolean' || isRecord(value) ? value : true
}
