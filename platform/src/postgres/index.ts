export {
  PostgresWriter,
  upsertInto,
  type PooledSession,
  type Postgres,
  type PostgresInProcess,
  type PostgresPool,
  type PostgresSession,
  type Write,
} from './postgres-writer.ts'
