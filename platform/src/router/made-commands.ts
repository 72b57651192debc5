import type { KeyFields, ReadCommand, WriteCommand } from '../space/index.ts'

/** The fields that name an entry of a type. */
export type KeyFieldsOf = (type: string) => readonly string[]

/** The changes that a transaction makes at one partition, in order; each names one entry. */
export class MadeCommands {
  readonly #keyFieldsOf: KeyFieldsOf
  readonly #all: WriteCommand[] = []
  readonly #byType = new Map<string, WriteCommand[]>()
  readonly #byEntry = new Map<string, WriteCommand[]>()

  constructor(keyFieldsOf: KeyFieldsOf) {
    this.#keyFieldsOf = keyFieldsOf
  }

  get all(): readonly WriteCommand[] {
    return this.#all
  }

  add(command: WriteCommand): void {
    this.#all.push(command)
    appendTo(this.#byType, command.type, command)
    appendTo(this.#byEntry, this.#entryOf(command), command)
  }

  /** Those on which the answer to a command may depend: of its type if it asks a query, else of its entry. */
  before(command: ReadCommand | WriteCommand): readonly WriteCommand[] {
    const found = 'where' in command ? this.#byType.get(command.type) : this.#byEntry.get(this.#entryOf(command))
    return found === undefined ? [] : [...found]
  }

  /** A text that is the same for the same entry. Where it is for another as well, more is sent than need be. */
  #entryOf(command: ReadCommand | WriteCommand): string {
    const key = keyOf(command)
    return [command.type, ...this.#keyFieldsOf(command.type).map((field) => String(key[field]))].join('\n')
  }
}

function appendTo(lists: Map<string, WriteCommand[]>, name: string, command: WriteCommand): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [command])
  else list.push(command)
}

function keyOf(command: ReadCommand | WriteCommand): KeyFields {
  if ('key' in command) return command.key
  return 'value' in command ? command.value : {}
}
