import { mutant, type ProtocolMutant } from './protocol-mutant.ts'

/** Workers, and what they have claimed. */
export const claimMutants: readonly ProtocolMutant[] = [
  mutant(
    'groups not exclusive',
    'Several entries of a FIFO group are given at the same time.',
    120,
    [['partition/work-order.ts', 'return this.#busy.has(group)', 'return group.length < 0']],
    { scenario: 'chores' },
  ),
  mutant(
    'claims of the dead',
    'A claim of which nobody hears any more does not end.',
    120,
    [['partition/claims.ts', 'if (claim.until <= now()) this.end(claim)', 'if (claim.until < 0) this.end(claim)']],
    { scenario: 'chores' },
  ),
  mutant(
    'decided elsewhere',
    'The transaction of a worker is decided where it first changed something, and not where its claim is.',
    120,
    [
      [
        'router/transaction.ts',
        'const decides = claim === undefined ? shares.find(([, { made }]) => made.all.length > 0)?.[0] : claim.partition',
        'const decides = shares.find(([, { made }]) => made.all.length > 0)?.[0]',
      ],
    ],
    { scenario: 'chores' },
  ),
]

/** State that is folded, and what comes of it. */
export const projectionMutants: readonly ProtocolMutant[] = [
  mutant(
    'sent again by a fold',
    'What a projection has sent becomes a message each time that it is folded.',
    60,
    [
      [
        'partition/projected-messages.ts',
        'const left = sends.filter((one) => isBefore(before, one))',
        'const left = sends.filter((one) => one.index >= 0 || isBefore(before, one))',
      ],
      [
        'partition/projections.ts',
        'this.pending.dropThrough(number)',
        'this.pending.dropThrough({ ...number, offset: -2 })',
      ],
    ],
    { scenario: 'messages' },
  ),
  mutant(
    'sends not in snapshots',
    'What a projection has sent and what is no message yet is not saved with its state.',
    200,
    [['partition/projections.ts', '[pending.list(), kept.list()]', '[pending.list().slice(0, 0), kept.list()]']],
    { scenario: 'messages' },
  ),
  mutant(
    'folded before the ack',
    'A projection folds what is in the open batch.',
    60,
    [['partition/primary.ts', 'projections.fold(index)', 'projections.fold(index + 1)']],
    { scenario: 'messages' },
  ),
]

/** Messages between partitions. */
export const messageMutants: readonly ProtocolMutant[] = [
  mutant(
    'a message done again',
    'What has arrived is not looked at, and done each time that it comes.',
    60,
    [
      [
        'partition/messages.ts',
        "if (number < before.lowest || hasNumber(before.done, number)) return 'done'",
        "if (number < 0) return 'done'",
      ],
    ],
    { scenario: 'messages' },
  ),
  mutant(
    'what is open forgotten',
    'A message says that all before it are over, though some go to other routes and are not.',
    60,
    [['partition/deliveries.ts', 'const [lowest = number] = this.#open.get(to) ?? []', 'const lowest = number']],
    { scenario: 'messages' },
  ),
  mutant(
    'delivered before it was sent',
    'A message leaves before the record that sent it is acked.',
    200,
    [
      [
        'partition/deliveries.ts',
        'if (row.index <= this.#options.acked()) this.#enqueue(parcel)',
        'if (row.index < Infinity) this.#enqueue(parcel)',
      ],
    ],
    { scenario: 'messages' },
  ),
  mutant(
    'a dead letter not voided',
    'A message is a dead letter, and a copy of it may still be done.',
    300,
    [
      [
        'partition/deliveries.ts',
        'const outcome = await this.#ask(parcel, undefined)',
        "const outcome = parcel.index < 0 ? await this.#ask(parcel, undefined) : 'void'",
      ],
    ],
    {
      scenario: 'messages',
      hole:
        'The copy has to be late by all attempts and by somebody who sends the dead letter back, and members remember the ' +
        'calls that they have heard: only a takeover between the two lets one be done.',
    },
  ),
  mutant(
    'a voided message taken for done',
    'What was voided by an earlier reign, which ended before it could say so, counts as delivered.',
    200,
    [
      [
        'partition/messages.ts',
        "if (hasNumber(before.voided, number)) return 'void'",
        "if (hasNumber(before.voided, number)) return 'done'",
      ],
    ],
    { scenario: 'messages' },
  ),
  mutant(
    'lanes of one',
    'The messages to one route are on their way at the same time.',
    60,
    [
      [
        'partition/deliveries.ts',
        'const key = JSON.stringify([to, typeof route, String(route)])',
        'const key = JSON.stringify([to, typeof route, String(route), parcel.message.id])',
      ],
    ],
    { scenario: 'messages' },
  ),
]
