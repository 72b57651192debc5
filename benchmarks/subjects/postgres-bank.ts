// A peer behind a socket: PostgreSQL with a function for each transfer, or for an array of them.
import { Client, type QueryConfig } from 'pg'
import { durablePostgres } from '../servers/postgres-server.ts'
import { PeerBank, type PeerStore } from './peer-bank.ts'
import { accountsPerCustomer, firstBalance } from './transfer-plan.ts'

export interface PostgresBankOptions {
  readonly accounts: number
  /** Address of the server. */
  readonly url: string
  /** Name of a database to make: each bank has its own. */
  readonly database: string
  readonly connections: number
  /** Transfers that one call may carry; 1 calls the function for one. */
  readonly together: number
  /** What each account holds at first, where it is not what the plan needs. */
  readonly balance?: number | undefined
}

/**
 * An UPDATE reads the row and writes it. The lower account comes first in both functions, and all of an array are
 * locked in order before the first one changes: otherwise two calls could wait for each other. Of an array each transfer
 * is refused for itself.
 */
const schema = `
CREATE TABLE account (id integer PRIMARY KEY, customer integer NOT NULL, balance bigint NOT NULL) WITH (fillfactor = 50);

CREATE FUNCTION transfer(payer integer, payee integer, amount bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF payer < payee THEN
    UPDATE account SET balance = balance - amount WHERE id = payer AND balance >= amount;
    IF NOT FOUND THEN RAISE EXCEPTION 'unknown account or insufficient funds: %', payer; END IF;
    UPDATE account SET balance = balance + amount WHERE id = payee;
    IF NOT FOUND THEN RAISE EXCEPTION 'unknown account: %', payee; END IF;
  ELSE
    UPDATE account SET balance = balance + amount WHERE id = payee;
    IF NOT FOUND THEN RAISE EXCEPTION 'unknown account: %', payee; END IF;
    UPDATE account SET balance = balance - amount WHERE id = payer AND balance >= amount;
    IF NOT FOUND THEN RAISE EXCEPTION 'unknown account or insufficient funds: %', payer; END IF;
  END IF;
END $$;

CREATE FUNCTION transfers(payers integer[], payees integer[], amount bigint) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
  refused integer[] := '{}';
BEGIN
  PERFORM FROM account WHERE id = ANY (payers || payees) ORDER BY id FOR UPDATE;
  FOR at IN 1 .. cardinality(payers) LOOP
    UPDATE account SET balance = balance - amount WHERE id = payers[at] AND balance >= amount;
    IF NOT FOUND THEN
      refused := refused || at;
      CONTINUE;
    END IF;
    UPDATE account SET balance = balance + amount WHERE id = payees[at];
    IF NOT FOUND THEN RAISE EXCEPTION 'unknown account: %', payees[at]; END IF;
  END LOOP;
  RETURN refused;
END $$;`

/** A transfer that waits for a connection. */
interface Waiting {
  readonly from: number
  readonly to: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

class PostgresStore implements PeerStore {
  readonly about: string
  readonly #connections: readonly Client[]
  readonly #free: Client[]
  readonly #together: number
  #waiting: Waiting[] = []
  #first = 0
  #scheduled = false

  constructor(connections: readonly Client[], together: number, about: string) {
    this.#connections = connections
    this.#free = [...connections]
    this.#together = together
    this.about = about
  }

  transfer(from: number, to: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ from, to, resolve, reject })
      if (this.#scheduled || this.#free.length === 0) return
      this.#scheduled = true
      // At the end of the turn, so that what is asked for together can travel together.
      setImmediate(() => this.#dispatch())
    })
  }

  async balances(accounts: readonly number[]): Promise<readonly number[]> {
    const found = await this.#connections[0]!.query<{ id: number; balance: string }>(
      'SELECT id, balance FROM account WHERE id = ANY ($1)',
      [accounts],
    )
    const balanceOf = new Map(found.rows.map(({ id, balance }) => [id, Number(balance)]))
    return accounts.map((account) => balanceOf.get(account) ?? -1)
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.end()))
  }

  /** Gives waiting transfers to free connections, as evenly as they go round. */
  #dispatch(): void {
    this.#scheduled = false
    while (this.#free.length > 0 && this.#first < this.#waiting.length) {
      const count = Math.min(this.#together, this.#waiting.length - this.#first)
      const group = this.#waiting.slice(this.#first, this.#first + count)
      this.#first += count
      this.#send(this.#free.pop()!, group)
    }
    if (this.#first < this.#waiting.length) return
    this.#waiting = []
    this.#first = 0
  }

  #send(connection: Client, group: readonly Waiting[]): void {
    const settle = (answer: (one: Waiting, position: number) => void): void => {
      this.#free.push(connection)
      group.forEach((one, at) => answer(one, at + 1))
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.#dispatch())
    }
    connection.query<{ refused: readonly number[] | null }>(this.#call(group)).then(
      ({ rows }) => {
        const refused = rows[0]?.refused ?? []
        settle(({ resolve, reject, from }, position) => {
          if (refused.includes(position)) reject(new Error(`unknown account or insufficient funds: ${from}`))
          else resolve()
        })
      },
      (error: unknown) => settle(({ reject }) => reject(error)),
    )
  }

  #call(group: readonly Waiting[]): QueryConfig {
    if (this.#together === 1) {
      return { name: 'transfer', text: 'SELECT transfer($1, $2, 1)', values: [group[0]!.from, group[0]!.to] }
    }
    const values = [group.map(({ from }) => from), group.map(({ to }) => to)]
    return { name: 'transfers', text: 'SELECT transfers($1, $2, 1) AS refused', values }
  }
}

/** Makes a database with all accounts in it, after looking up that the server keeps what it answers. */
export async function openPostgresBank(options: PostgresBankOptions): Promise<PeerBank> {
  return new PeerBank(await openPostgresStore(options), options.accounts)
}

/** The same without the plan of transfers. */
export async function openPostgresStore(options: PostgresBankOptions): Promise<PeerStore> {
  const { balance = firstBalance, accounts, url, database, connections, together } = options
  const server = new Client({ connectionString: url })
  await server.connect()
  await server.query(`CREATE DATABASE ${database}`)
  await server.end()
  const bankUrl = new URL(url)
  bankUrl.pathname = `/${database}`
  const clients = Array.from({ length: connections }, () => new Client({ connectionString: bankUrl.href }))
  await Promise.all(clients.map((client) => client.connect()))
  try {
    const about = await requireDurablePostgres(clients[0]!)
    await clients[0]!.query(schema)
    await clients[0]!.query(
      'INSERT INTO account SELECT id, id / $2::integer, $3::bigint FROM generate_series(0, $1::integer - 1) AS id',
      [accounts, accountsPerCustomer, balance],
    )
    await clients[0]!.query('VACUUM (ANALYZE, FREEZE) account')
    return new PostgresStore(clients, together, about)
  } catch (error) {
    await Promise.all(clients.map((client) => client.end()))
    throw error
  }
}

/** Looks up that a commit means that the disk has it. Throws an Error if it does not. */
export async function requireDurablePostgres(client: Client): Promise<string> {
  const said: string[] = []
  for (const [name, wanted] of Object.entries(durablePostgres)) {
    const has = await shown(client, name)
    if (has !== wanted) {
      throw new Error(`PostgreSQL says ${name} = ${has}, not ${wanted}: its figures would not be at disk.`)
    }
    said.push(`${name} = ${wanted}`)
  }
  said.push(`wal_sync_method = ${await shown(client, 'wal_sync_method')}`)
  return `PostgreSQL ${/^\S+/.exec(await shown(client, 'server_version'))?.[0]}: ${said.join(', ')}`
}

async function shown(client: Client, name: string): Promise<string> {
  const { rows } = await client.query<Record<string, string>>(`SHOW ${name}`)
  return rows[0]?.[name] ?? 'unknown'
}
