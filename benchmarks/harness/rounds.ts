import type { Reading } from './closed-loop.ts'
import { median, type Latency } from './latency.ts'
import type { Row } from './suite.ts'

/** One thing to measure again and again, in turn with the others. */
export interface Contender {
  readonly row: Pick<Row, 'table' | 'subject' | 'work' | 'ack' | 'inFlight' | 'hash'>
  readonly measure: () => Promise<Reading>
}

/** Measures all contenders in turn, A B A B, so that a slow minute of the machine falls on each; rates with medians. */
export async function inTurn(rounds: number, contenders: readonly Contender[]): Promise<readonly Row[]> {
  const readings: Reading[][] = contenders.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, contender] of contenders.entries()) readings[at]!.push(await contender.measure())
  }
  return contenders.map(({ row }, at) => rateRow(row, readings[at]!))
}

function rateRow(row: Contender['row'], readings: readonly Reading[]): Row {
  const samples = readings.map(({ operations, seconds }) => operations / seconds)
  const value = median(samples)
  const latency: Latency | undefined = readings[samples.indexOf(value)]?.latency
  return { ...row, value, measure: '1/s', samples, ...(latency === undefined ? {} : { latency }) }
}
