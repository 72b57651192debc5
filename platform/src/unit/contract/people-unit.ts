import { z } from 'zod'
import { embedded } from '../../embedded.ts'
import type { EmbeddedProgress } from '../../embedded-options.ts'
import { entry } from '../../space/index.ts'
import type { Client, Unit } from '../index.ts'

/** What a person was before any upgrade. */
export const Before = z.object({
  id: z.string(),
  desk: z.string(),
  first: z.string(),
  last: z.string(),
  note: z.string().optional(),
})
export const Old = entry('person', Before, { id: 'id', route: 'desk', indexes: [['last']] })

export const people = [
  { id: 'a', desk: 'x', first: 'Ann', last: 'Lee' },
  { id: 'b', desk: 'y', first: 'Bob', last: 'Ray', note: 'vip' },
  { id: 'c', desk: 'z', first: 'Cid', last: 'Lee' },
] as const

/** Runs something with a unit over a folder, from its start to its end. */
export async function during<U extends Unit, T>(
  declared: U,
  folder: string,
  run: (client: Client<U>) => Promise<T>,
  options: { readonly onProgress?: (progress: EmbeddedProgress) => void } = {},
): Promise<T> {
  const client = (await embedded({ unit: declared as Unit, folder, ...options })) as unknown as Client<U>
  try {
    return await run(client)
  } finally {
    await client[Symbol.asyncDispose]()
  }
}
