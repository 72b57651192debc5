import { expect, test } from 'vitest'
import { defaultLimits, PlenumError } from '../kernel/index.ts'
import { ManualRuntime } from '../partition/contract/manual-runtime.ts'
import { Answers } from '../partition/contract/partition-bench.ts'
import { Router } from '../router/index.ts'
import { serviceCallOf } from './service-call.ts'

const caller = { kind: 'unit', subject: 'test', claims: {} } as const

test.each([true, false])(
  '[UN4] [SP11] whoever calls a service hears of its time-out, though no partition does (in this process: %s)',
  async (sharesFate) => {
    const runtime = new ManualRuntime()
    const send = (): Promise<unknown> =>
      sharesFate ? new Promise(() => {}) : Promise.reject(new PlenumError('NOT_PRIMARY', 'nobody reigns'))
    const router = new Router([{ partition: 0, sharesFate, send }], runtime, defaultLimits)
    const part = {
      name: 'look',
      label: 'service look',
      routeField: undefined,
      timeoutMs: 30_000,
      admit: (input: unknown) => input,
      run: () => undefined,
      reduce: undefined,
    }
    const call = serviceCallOf(part, { router, caller })
    const answers = new Answers()
    answers.watch('usual', call({}))
    answers.watch('short', call({}, { timeout: '1s' }))
    await runtime.advance(3_000)
    const code = sharesFate ? 'TIMEOUT' : 'NOT_PRIMARY'
    expect([answers.of('usual'), answers.of('short')]).toEqual(['waits', { code }])
    await runtime.advance(30_000)
    expect(answers.of('usual')).toEqual({ code })
  },
)
