/** Where a watch stands, for each partition: resumes after a disconnect, a failover or a restart (WA2). */
export type Token = string & { readonly '~token': never }

/** One change as the query sees it: an entry that stops matching is `removed`, whatever happened to it. */
export type Change<V> =
  | { readonly kind: 'added'; readonly entry: V }
  | { readonly kind: 'changed'; readonly entry: V; readonly previous: V }
  | { readonly kind: 'removed'; readonly entry: V; readonly reason: 'removed' | 'taken' | 'expired' | 'unmatched' }

/** What a watch yields; `changes` holds all changes of one commit on one partition, never a part of them (WA1). */
export type WatchEvent<V> =
  | { readonly kind: 'reset'; readonly reason: 'initial' | 'history-gone' }
  | { readonly kind: 'changes'; readonly changes: readonly Change<V>[]; readonly token: Token }
  | { readonly kind: 'ready'; readonly token: Token }
