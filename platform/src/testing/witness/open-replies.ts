import { isRead, type Identity } from '../../space/index.ts'
import { requestName } from '../checkers/journal-dump.ts'
import type { WitnessedReply } from './reply-recorder.ts'
import { isTelling } from './telling.ts'

/** True if a reply has to be explained. */
export function isJudged(reply: WitnessedReply): boolean {
  return reply.answer !== undefined && isTelling(reply.answer)
}

/** The name of a request that changes something and has an identity. */
function nameOfRequest({ request }: WitnessedReply): string | undefined {
  const { identity, command } = request
  return identity === undefined || isRead(command) ? undefined : identityName(identity)
}

function identityName(identity: Identity): string | undefined {
  return identity.kind === 'keyed'
    ? requestName({ request: identity.key })
    : requestName({ session: identity.session, request: identity.number })
}

/** A reply that is not explained yet, and the last answers that the twin gave in its place. */
export class OpenReply {
  readonly reply: WitnessedReply
  readonly name: string | undefined
  #seen: readonly string[] = []
  /** Commands that have to pass until its own effects are made; undefined while no state explains it. */
  left: number | undefined

  constructor(reply: WitnessedReply) {
    this.reply = reply
    this.name = nameOfRequest(reply)
  }

  get seen(): readonly string[] {
    return this.#seen
  }

  note(text: string): void {
    if (this.#seen.at(-1) !== text) this.#seen = [...this.#seen, text].slice(-4)
  }
}

/** The replies of one partition that are not explained yet, in real time. */
export class OpenReplies {
  readonly #named: ReadonlyMap<string | undefined, readonly OpenReply[]>
  /** Judged replies by when their answer came, and the unnamed ones by when they were sent. */
  readonly #bySettled: Set<OpenReply>
  readonly #bySent: Set<OpenReply>
  /** How many of the commands that come next have been found to be somebody's. */
  #claimed = 0

  constructor(replies: readonly WitnessedReply[]) {
    const all = replies.map((reply) => new OpenReply(reply))
    const judged = all.filter(({ reply }) => isJudged(reply))
    this.#named = Map.groupBy(all, ({ name }) => name)
    this.#bySettled = new Set(judged.toSorted((a, b) => a.reply.settled - b.reply.settled))
    const unnamed = judged.filter(({ name }) => name === undefined)
    this.#bySent = new Set(unnamed.toSorted((a, b) => a.reply.sent - b.reply.sent))
  }

  /** All tries of a request with an identity, judged or not. */
  named(name: string): readonly OpenReply[] {
    return this.#named.get(name) ?? []
  }

  /** An answer that had come before any try of this request was sent, and is not explained yet. */
  overdue(name: string): OpenReply | undefined {
    const sent = Math.min(...this.named(name).map(({ reply }) => reply.sent))
    for (const open of this.#bySettled) {
      if (open.reply.settled >= sent) return undefined
      if (open.name !== name) return open
    }
    return undefined
  }

  /** Replies without an identity that may come from a state with one of these indexes, in the order they must be given. */
  unnamed(states: { readonly low: number; readonly high: number }): readonly OpenReply[] {
    const [first] = this.#bySettled
    const until = first?.reply.settled ?? Infinity
    const found: OpenReply[] = []
    for (const open of this.#bySent) {
      if (open.reply.sent > until) break
      const { from, to } = open.reply
      if (open.left === undefined && states.high >= from && states.low <= to) found.push(open)
    }
    return found.toSorted((a, b) => a.reply.to - b.reply.to || a.reply.settled - b.reply.settled)
  }

  /** True if one of the next commands is somebody's already. */
  get isClaimed(): boolean {
    return this.#claimed > 0
  }

  /** These are explained. */
  close(replies: readonly OpenReply[]): void {
    for (const open of replies) {
      this.#bySettled.delete(open)
      this.#bySent.delete(open)
    }
  }

  /** This one is explained, by the next `commands`: whoever asked after its answer sees their effects. */
  closeAfter(open: OpenReply, commands: number): void {
    if (commands === 0) return this.close([open])
    open.left = commands
    this.#claimed = commands
  }

  /** One more command has passed. */
  passed(): void {
    this.#claimed = Math.max(0, this.#claimed - 1)
    const done = [...this.#bySent].filter((open) => open.left !== undefined && --open.left === 0)
    this.close(done)
  }

  /** The replies that are left unexplained, by when their answer came. */
  left(): readonly OpenReply[] {
    return [...this.#bySettled]
  }
}
