import { expect, test } from 'vitest'
import { ZoneOffsets } from './zone-offsets.ts'

const at = (text: string): number => Date.parse(text)

test('an offset is signed, and may have minutes and seconds', () => {
  const january = at('2026-01-01T00:00:00Z')
  expect(new ZoneOffsets('UTC').at(january)).toBe(0)
  expect(new ZoneOffsets('Asia/Kolkata').at(january)).toBe(5.5 * 3_600_000)
  expect(new ZoneOffsets('America/St_Johns').at(january)).toBe(-3.5 * 3_600_000)
  expect(new ZoneOffsets('Africa/Monrovia').at(0)).toBe(-(44 * 60 + 30) * 1_000)
})

test('the first and the last change of a stretch are found to the millisecond', () => {
  const zurich = new ZoneOffsets('Europe/Zurich')
  const [spring, autumn] = [at('2026-03-29T01:00:00Z'), at('2026-10-25T01:00:00Z')]
  expect(zurich.firstChange(at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z'))).toBe(spring)
  expect(zurich.lastChange(at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z'))).toBe(autumn)
  expect(zurich.firstChange(spring - 1, spring)).toBe(spring)
  expect(zurich.lastChange(spring - 1, spring)).toBe(spring)
  expect(zurich.firstChange(spring, autumn - 1)).toBeUndefined()
  expect(zurich.lastChange(spring, autumn - 1)).toBeUndefined()
})

test('a week between two changes is not missed', () => {
  const recife = new ZoneOffsets('America/Recife')
  const first = recife.firstChange(at('2000-09-01T00:00:00Z'), at('2000-12-01T00:00:00Z'))
  expect(first).toBe(at('2000-10-08T03:00:00Z'))
  expect(recife.lastChange(at('2000-09-01T00:00:00Z'), at('2000-12-01T00:00:00Z'))).toBe(at('2000-10-15T02:00:00Z'))
})
