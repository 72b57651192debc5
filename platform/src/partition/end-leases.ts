import type { Answers, Machine, Row, Table } from '../space/index.ts'

/**
 * Ends leases that are over, as commands of their own (TI2), none of them over `effectsMax` effects and except of what
 * `keeps` keeps. `begin` begins each command, `changed` is called after each that did something.
 */
export function endLeases(
  machine: Machine,
  answers: Answers,
  effectsMax: number,
  keeps: (table: Table, row: Row) => boolean,
  begin: () => void,
  changed: () => void,
): void {
  let expired = 0
  const inCommands = (remove: () => number): void => {
    for (let count = effectsMax; count === effectsMax;) {
      begin()
      count = remove()
      expired += count
      if (machine.commit()) changed()
    }
  }
  inCommands(() => machine.expire(effectsMax, keeps))
  if (expired > 0) inCommands(() => answers.forgetEnded(effectsMax))
}
