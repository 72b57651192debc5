// A peer behind a socket: Redis with a script for each transfer, in a server of its own.
import { Redis } from 'ioredis'
import { durableRedis } from '../servers/redis-server.ts'
import { PeerBank, type PeerStore } from './peer-bank.ts'
import { firstBalance } from './transfer-plan.ts'

export interface RedisBankOptions {
  readonly accounts: number
  readonly port: number
  /** Number of a database of the server: each bank has its own. */
  readonly database: number
  readonly connections: number
  /** What each account holds at first, where it is not what the plan needs. */
  readonly balance?: number | undefined
}

/** One call for both reads and one for both writes: fewer calls, and one line in the log instead of four. */
const transferScript = `
local balances = redis.call('MGET', KEYS[1], KEYS[2])
local payer, payee, amount = tonumber(balances[1]), tonumber(balances[2]), tonumber(ARGV[1])
if payer == nil or payee == nil then return redis.error_reply('UNKNOWN_ACCOUNT') end
if payer < amount then return redis.error_reply('INSUFFICIENT_FUNDS') end
redis.call('MSET', KEYS[1], payer - amount, KEYS[2], payee + amount)
return 1`

/** Accounts that one command of the load writes. */
const loadTogether = 1_000

class RedisStore implements PeerStore {
  readonly about: string
  readonly #connections: readonly Redis[]
  readonly #script: string
  readonly #keys: readonly string[]
  #next = 0

  constructor(connections: readonly Redis[], script: string, keys: readonly string[], about: string) {
    this.#connections = connections
    this.#script = script
    this.#keys = keys
    this.about = about
  }

  transfer(from: number, to: number): Promise<unknown> {
    const connection = this.#connections[this.#next++ % this.#connections.length]!
    return connection.evalsha(this.#script, 2, this.#keys[from]!, this.#keys[to]!, '1')
  }

  async balances(accounts: readonly number[]): Promise<readonly number[]> {
    return (await this.#connections[0]!.mget(accounts.map((account) => this.#keys[account]!))).map(Number)
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.quit()))
  }
}

/** Connects, looks up that the server keeps what it answers, and writes all accounts. */
export async function openRedisBank(options: RedisBankOptions): Promise<PeerBank> {
  return new PeerBank(await openRedisStore(options), options.accounts)
}

/** The same without the plan of transfers. */
export async function openRedisStore(options: RedisBankOptions): Promise<PeerStore> {
  const { accounts, port, database, connections, balance = firstBalance } = options
  const clients = Array.from(
    { length: connections },
    () =>
      new Redis({
        host: '127.0.0.1',
        port,
        db: database,
        // Commands of one turn of the loop leave together. A lost connection is an error here, not a reason to try again.
        enableAutoPipelining: true,
        maxRetriesPerRequest: 0,
        retryStrategy: () => null,
      }),
  )
  try {
    const about = await requireDurableRedis(clients[0]!)
    const keys = Array.from({ length: accounts }, (_, id) => `a${id}`)
    await load(clients[0]!, keys, balance)
    const script = String(await clients[0]!.script('LOAD', transferScript))
    await Promise.all(clients.map((client) => client.ping()))
    return new RedisStore(clients, script, keys, about)
  } catch (error) {
    for (const client of clients) client.disconnect()
    throw error
  }
}

/** Looks up that an answer means that the disk has it. Throws an Error if it does not. */
export async function requireDurableRedis(client: Redis): Promise<string> {
  const said: string[] = []
  for (const [name, wanted] of Object.entries(durableRedis)) {
    const answer: unknown = await client.config('GET', name)
    const has: unknown = Array.isArray(answer) ? answer[1] : undefined
    if (has !== wanted) {
      throw new Error(`Redis says ${name} ${String(has)}, not ${wanted}: its figures would not be at disk.`)
    }
    said.push(`${name} ${wanted}`)
  }
  const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown'
  return `Redis ${version}: ${said.join(', ')}`
}

async function load(client: Redis, keys: readonly string[], balance: number): Promise<void> {
  await client.flushdb()
  for (let from = 0; from < keys.length; from += loadTogether) {
    await client.mset(keys.slice(from, from + loadTogether).flatMap((key) => [key, balance]))
  }
}
