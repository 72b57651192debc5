import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, unit, workflow } from '../index.ts'
import { workflowLimits } from '../kernel/index.ts'

const loop = workflow(
  'loop',
  { input: z.object({ steps: z.int() }), messages: { go: z.int() }, keep: '1ms' },
  async ({ steps }, { step, receive }) => {
    for (let at = 0; at < steps; at++) await step('turn', () => at)
    if (steps === 0) await receive('go')
    return steps
  },
)
const loops = unit('loops', { entries: loop.entries }, { handlers: loop.handlers, workers: loop.workers })

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}

test(
  '[A8] an instance has as many steps as may be, and is forgotten with them; one more stops it',
  { timeout: 120_000 },
  async () => {
    await using client = await embedded({ unit: loops, journal: 'memory', development: false })
    const instances = loop.on(client)
    await instances.start('full', { steps: workflowLimits.steps })
    await until(async () => (await instances.get('full')) === undefined)
    expect(await client.space.count(loop.steps, {})).toBe(0)
    await instances.start('over', { steps: workflowLimits.steps + 1 })
    await until(async () => (await instances.get('over'))?.status === 'stopped')
    expect((await instances.get('over'))?.trouble?.code).toBe('WORKFLOW_STEP_INVALID')
    expect(await client.space.count(loop.steps, {})).toBe(workflowLimits.steps)
  },
)

test('[A8] messages to an instance that does not receive have a limit', async () => {
  await using client = await embedded({ unit: loops, journal: 'memory', workers: false })
  const instances = loop.on(client)
  await instances.start('a', { steps: 0 })
  await Promise.all(Array.from({ length: workflowLimits.messages }, (_, n) => instances.send('a', 'go', n)))
  await expect(instances.send('a', 'go', 0)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  const long = 'a'.repeat(workflowLimits.idLength + 1)
  await expect(instances.start(long, { steps: 0 })).rejects.toMatchObject({ code: 'VALUE_INVALID' })
})

test('[UN1] a workflow that cannot be is refused where it is declared, and its parts where they are missing', async () => {
  const input = z.object({})
  const run = async () => 0
  const refused: [() => unknown, string][] = [
    [() => workflow('1st', { input }, run), 'cannot name a workflow'],
    [() => workflow('w'.repeat(49), { input }, run), '48 at most'],
    [() => workflow('w', { input, version: 0 }, run), 'version is a whole number'],
    [() => workflow('w', { input, earlier: [loop] }, run), 'which is another workflow'],
    [() => workflow('w', { input, version: 1, earlier: [workflow('w', { input }, run)] }, run), 'version 1 twice'],
    [
      () => workflow('w', { input, version: 1, earlier: [workflow('w', { input, version: 2 }, run)] }, run),
      'earlier one of 1',
    ],
    [() => workflow('w', { input, retry: { attempts: 0, backoff: '1s' } }, run), 'retry.attempts'],
  ]
  for (const [declare, why] of refused)
    expect(declare).toThrowError(
      expect.objectContaining({ code: 'UNIT_INVALID', message: expect.stringContaining(why) }),
    )
  await using client = await embedded({ unit: loops, journal: 'memory', workers: false })
  expect(() => workflow('other', { input }, run).on(client)).toThrowError(
    expect.objectContaining({ code: 'HANDLER_UNKNOWN' }),
  )
})
