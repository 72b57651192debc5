import { expect, test } from 'vitest'
import { GroupCommit, type Group } from './group-commit.ts'

test('what is asked for while a group is committed is the next group, and is answered after its own commit', async () => {
  const groups: Group[] = []
  const finish: (() => void)[] = []
  const answered: number[] = []
  const commits = new GroupCommit((group) => {
    groups.push(group)
    return new Promise((resolve) => finish.push(resolve))
  })
  const ask = (from: number): Promise<unknown> => commits.ask(from, from + 1).then(() => answered.push(from))
  const asked = [ask(1), ask(2)]
  await turn()
  asked.push(ask(3), ask(4))
  await turn()
  expect(groups).toEqual([{ from: [1, 2], to: [2, 3] }])
  expect(answered).toEqual([])
  finish[0]!()
  await turn()
  expect(answered).toEqual([1, 2])
  await turn()
  expect(groups[1]).toEqual({ from: [3, 4], to: [4, 5] })
  finish[1]!()
  await Promise.all(asked)
  expect(answered).toEqual([1, 2, 3, 4])
})

test.each(['throws', 'rejects'])('a commit that %s fails its group and no other', async (how) => {
  let fails = true
  const commits = new GroupCommit((): void | Promise<void> => {
    if (!fails) return undefined
    if (how === 'throws') throw new Error('no room')
    return Promise.reject(new Error('no room'))
  })
  const outcomes = await Promise.allSettled([commits.ask(1, 2), commits.ask(3, 4)])
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  fails = false
  await commits.ask(5, 6)
})

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
