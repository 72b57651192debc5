import type { Layout, StoredValue } from '../space/index.ts'

/**
 * The idempotency key of a worker's side effects (UN9): unit, worker, entry type, route, id and stamp. It is the same for
 * each attempt at the entry as it is, after a failover too, and for nothing else. A text of the characters that a URL may
 * have.
 *
 * @example
 * bank/pay/order/ann/0198c1f0-…/42
 */
export function workKey(
  unit: string,
  worker: string,
  layout: Pick<Layout, 'name' | 'id' | 'route'>,
  entry: StoredValue,
  stamp: number,
): string {
  const route = layout.route.map((field) => keyPart(entry[field]))
  const id = layout.id.filter((field) => !layout.route.includes(field)).map((field) => keyPart(entry[field]))
  return [unit, worker, layout.name, ...route, ...id, stamp].join('/')
}

/** One part of a key: texts as in a URL; other values behind a tilde, which no such text has. */
export function keyPart(value: unknown): string {
  if (typeof value === 'string') return encodeURIComponent(value).replaceAll('~', '%7E')
  return `~${String(value)}${typeof value === 'bigint' ? 'n' : ''}`
}
