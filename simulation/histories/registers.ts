// What the workloads `register` and `session` share: registers as entries, and how each operation is asked.
import { PlenumError, type Client } from 'plenum'
import type { Answered, Asked } from 'plenum/testing'
import { readManner, type Manner } from './workload.ts'
import { Register } from './unit.ts'
import type unit from './unit.ts'

/** Asks for one operation on one register; under a key if it names a session's request. */
export async function performOnRegister(
  { space, handlers }: Client<typeof unit>,
  asked: Asked,
  manner: Manner,
): Promise<Answered> {
  const { f, key: id = '', value } = asked
  const options = { timeout: manner.timeout, key: requestKey(asked) }
  switch (f) {
    case 'read':
      return { value: (await space.get(Register, { id }, readManner(manner)))?.value ?? null }
    case 'write': {
      const { version } = await space.write(Register, { id, value: Number(value) }, options)
      return { value, version }
    }
    case 'update': {
      const { version } = await space.update(Register, { id, value: Number(value) }, options)
      return { value, version }
    }
    case 'insert':
      await space.insert(Register, { id, value: Number(value) }, options)
      return { value }
    case 'cas': {
      const [old, next] = value as readonly [number, number]
      return { value, version: await handlers.swap({ id, old, value: next }, options) }
    }
    case 'take':
      return { value: (await handlers.take({ id }, options)) ?? null }
    case 'delete':
      await space.remove(Register, { id }, options)
      return {}
    default:
      throw new PlenumError('USAGE', `A register knows no '${f}'.`)
  }
}

/** The caller's own key of a request; it is what a journal dump says of it, in two parts. */
function requestKey({ session, request }: Asked): string | undefined {
  return session === undefined || request === undefined ? undefined : `${session}/${request}`
}

/** Reads of all keys that steps name. */
export function readsOf(steps: readonly Asked[]): readonly Asked[] {
  const keys = new Set(steps.map(({ key }) => key ?? ''))
  return [...keys].toSorted().map((key) => ({ f: 'read', key }))
}
