import { expect, test } from 'vitest'
import { PlenumError } from '../kernel/index.ts'
import { prettyLog } from './pretty-log.ts'

test('a line for people has time, level, text and fields; an error its stack below; less than asked for is left out', () => {
  const written: string[] = []
  const log = prettyLog(
    'info',
    (text) => written.push(text),
    () => 1_000,
  )
  log.debug({}, 'not this')
  log.info({ unit: 'bank', partition: 2, none: undefined, data: { order: '7' } }, 'paid\nin \u001b[31mred')
  log.error({ error: new PlenumError('HANDLER_FAILED', 'It failed.', { cause: new Error('the cause') }) }, 'bad')
  expect(written[0]).toBe("00:00:01.000 info  paid in red unit=bank partition=2 data={ order: '7' }\n")
  expect(written[1]).toMatch(/^00:00:01\.000 error bad error=HANDLER_FAILED: It failed\.\n {4}PlenumError: It failed/)
  expect(written[1]).toContain('the cause')
  expect(written).toHaveLength(2)
})
