import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCampaignOptions } from './campaign-options.ts'
import { faultsToMeet, probesAside, probesToMeet, unmet } from './must-meet.ts'
import { playSeed, prepareSeed } from './run-seed.ts'
import { scenarios } from './scenarios/all.ts'
import { noSums, withReport } from './sums.ts'

const sources = join(import.meta.dirname, '../platform/src')

/** Names of all probes in the code that a grid runs. */
function probesInCode(): readonly string[] {
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('contract/'),
  )
  const found = files.flatMap((path) => {
    const calls = readFileSync(join(sources, path), 'utf8').matchAll(/\bprobe(?:\?\.)?\(([^)]*)\)/g)
    return [...calls].flatMap(([, argument = '']) => [...argument.matchAll(/'([^']+)'/g)].map(([, name]) => name ?? ''))
  })
  return [...new Set(found)].toSorted()
}

test('every probe in the code has to be met by a campaign, or is left aside with a reason', () => {
  expect(probesInCode()).toEqual([...probesToMeet, ...Object.keys(probesAside)].toSorted())
})

test('a fault or a probe that was never met is told', () => {
  const [first, ...others] = faultsToMeet
  const faults = Object.fromEntries(others.map((name) => [name, 1]))
  const probes = Object.fromEntries(probesToMeet.map((name) => [name, 1]))
  expect(unmet({ ...noSums, faults, probes })).toEqual([`The fault '${first}' was never met.`])
})

test('[A2] each scenario takes 200 steps and more by several clients, and one seed gives one run', async () => {
  for (const { name } of scenarios) {
    const seed = { scenario: name, seed: 3, faults: 'all' } as const
    const first = await playSeed(prepareSeed(seed))
    const again = await playSeed(prepareSeed(seed))
    expect(first.operations).toBeGreaterThanOrEqual(200)
    expect(first.setting.clients).toBeGreaterThan(1)
    expect(again).toEqual(first)
    expect(withReport(withReport(noSums, first), again).operations).toBe(2 * first.operations)
  }
})

test('a campaign that cannot be understood says how it is called', () => {
  expect(readCampaignOptions(['--seeds', '20', '--from', '7', '--json'])).toMatchObject({
    seeds: 20,
    from: 7,
    json: true,
  })
  expect(readCampaignOptions(['--kills', '100'])).toMatchObject({ seeds: 0, kills: 100 })
  expect(() => readCampaignOptions(['--seeds', 'many'])).toThrow("--seeds needs a whole number, not 'many'")
  expect(() => readCampaignOptions(['--sedes', '5'])).toThrow('npm run campaign -- [options]')
})
