// The child's side of `remote.ts`: opens the subject that it was started for, and calls what it is told to.
import { subjects } from '../subjects/index.ts'
import type { FromChild, ToChild } from './remote.ts'

const name = process.argv[2] ?? ''
let subject: object = {}

process.on('message', (message: ToChild) => {
  const id = message.kind === 'open' ? 0 : message.id
  act(message).then(
    (value) => answer({ id, ok: true, value }),
    (error: unknown) => answer({ id, ok: false, error: error instanceof Error ? (error.stack ?? '') : String(error) }),
  )
})

// Without a parent there is nobody to work for.
process.on('disconnect', () => process.exit())

async function act(message: ToChild): Promise<unknown> {
  if (message.kind === 'call') return run(subject, message.name, message.given)
  const opened: unknown = await run(subjects, name, [message.options])
  if (typeof opened === 'object' && opened !== null) subject = opened
  return undefined
}

/** Calls a function by its name, which came over the channel. */
function run(owner: object, member: string, given: readonly unknown[]): unknown {
  const found: unknown = Reflect.get(owner, member)
  if (typeof found !== 'function') throw new Error(`The subject '${name}' has no function '${member}'.`)
  return Reflect.apply(found, owner, given)
}

function answer(message: FromChild): void {
  process.send?.(message)
}
