// The child's side of `remote.ts`: opens the subject whose file it was started with, and calls what it is told to.
import type { FromChild, OpenSubject, Subject, ToChild } from './remote.ts'

const file = process.argv[2]!
const { open } = (await import(file)) as { readonly open: OpenSubject<unknown, Subject> }
let subject: Subject | undefined

process.on('message', (message: ToChild) => {
  const id = message.kind === 'open' ? 0 : message.id
  act(message).then(
    (value) => answer({ id, ok: true, value }),
    (error: unknown) =>
      answer({ id, ok: false, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
})

async function act(message: ToChild): Promise<unknown> {
  if (message.kind === 'open') {
    subject = await open(message.options)
    return undefined
  }
  const run: unknown = Reflect.get(subject ?? {}, message.name)
  if (typeof run !== 'function') throw new Error(`The subject has no function '${message.name}'.`)
  return Reflect.apply(run, subject, message.given)
}

function answer(message: FromChild): void {
  process.send?.(message)
}
